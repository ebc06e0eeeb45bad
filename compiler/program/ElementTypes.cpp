//===- ElementTypes.cpp - MLIR's and ONNX's element types ----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/program/ElementTypes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace txc;

static std::optional<txc_type> getIntegerType(IntegerType type) {
  bool isUnsigned = type.isUnsigned();
  switch (type.getWidth()) {
  case 1:
    return TXC_BOOL;
  case 2:
    return isUnsigned ? TXC_UINT2 : TXC_INT2;
  case 4:
    return isUnsigned ? TXC_UINT4 : TXC_INT4;
  case 8:
    return isUnsigned ? TXC_UINT8 : TXC_INT8;
  case 16:
    return isUnsigned ? TXC_UINT16 : TXC_INT16;
  case 32:
    return isUnsigned ? TXC_UINT32 : TXC_INT32;
  case 64:
    return isUnsigned ? TXC_UINT64 : TXC_INT64;
  default:
    return std::nullopt;
  }
}

std::optional<txc_type> txc::getTxcType(Type elementType) {
  using Result = std::optional<txc_type>;
  return llvm::TypeSwitch<Type, Result>(elementType)
      .Case([](IntegerType type) { return getIntegerType(type); })
      .Case([](Float16Type) { return TXC_FLOAT16; })
      .Case([](BFloat16Type) { return TXC_BFLOAT16; })
      .Case([](Float32Type) { return TXC_FLOAT32; })
      .Case([](Float64Type) { return TXC_FLOAT64; })
      .Case([](Float8E4M3FNType) { return TXC_FLOAT8E4M3FN; })
      .Case([](Float8E4M3FNUZType) { return TXC_FLOAT8E4M3FNUZ; })
      .Case([](Float8E5M2Type) { return TXC_FLOAT8E5M2; })
      .Case([](Float8E5M2FNUZType) { return TXC_FLOAT8E5M2FNUZ; })
      .Case([](Float8E8M0FNUType) { return TXC_FLOAT8E8M0; })
      .Case([](Float4E2M1FNType) { return TXC_FLOAT4E2M1; })
      .Default([](Type) { return std::nullopt; });
}
