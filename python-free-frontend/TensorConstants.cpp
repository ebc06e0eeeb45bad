//===- TensorConstants.cpp - ONNX tensors as MLIR types and attributes ----===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "python-free-frontend/TensorConstants.h"

using namespace mlir;
using namespace txc;

Type frontend::getElementType(MLIRContext *context, onnx::ElementType type) {
  using onnx::ElementType;
  auto signless = [&](unsigned width) -> Type {
    return IntegerType::get(context, width);
  };
  auto isUnsigned = [&](unsigned width) -> Type {
    return IntegerType::get(context, width, IntegerType::Unsigned);
  };
  switch (type) {
  case ElementType::Float:
    return Float32Type::get(context);
  case ElementType::Double:
    return Float64Type::get(context);
  case ElementType::Float16:
    return Float16Type::get(context);
  case ElementType::BFloat16:
    return BFloat16Type::get(context);
  case ElementType::Float8E4M3FN:
    return Float8E4M3FNType::get(context);
  case ElementType::Float8E4M3FNUZ:
    return Float8E4M3FNUZType::get(context);
  case ElementType::Float8E5M2:
    return Float8E5M2Type::get(context);
  case ElementType::Float8E5M2FNUZ:
    return Float8E5M2FNUZType::get(context);
  case ElementType::Float8E8M0:
    return Float8E8M0FNUType::get(context);
  case ElementType::Float4E2M1:
    return Float4E2M1FNType::get(context);
  case ElementType::Bool:
    return signless(1);
  case ElementType::Int2:
    return signless(2);
  case ElementType::Int4:
    return signless(4);
  case ElementType::Int8:
    return signless(8);
  case ElementType::Int16:
    return signless(16);
  case ElementType::Int32:
    return signless(32);
  case ElementType::Int64:
    return signless(64);
  case ElementType::UInt2:
    return isUnsigned(2);
  case ElementType::UInt4:
    return isUnsigned(4);
  case ElementType::UInt8:
    return isUnsigned(8);
  case ElementType::UInt16:
    return isUnsigned(16);
  case ElementType::UInt32:
    return isUnsigned(32);
  case ElementType::UInt64:
    return isUnsigned(64);
  case ElementType::Undefined:
  case ElementType::String:
  case ElementType::Complex64:
  case ElementType::Complex128:
  case ElementType::Float6E2M3:
  case ElementType::Float6E3M2:
    return {};
  }
  llvm_unreachable("all element types are handled");
}

/// Types below a byte: one a byte, as DenseElementsAttr wants them.
static std::vector<char> unpack(ArrayRef<uint8_t> packed, int64_t count,
                                unsigned bits) {
  std::vector<char> result(count);
  unsigned perByte = 8 / bits;
  for (int64_t i = 0; i < count; ++i) {
    unsigned shift = i % perByte * bits;
    result[i] =
        static_cast<char>((packed[i / perByte] >> shift) & ((1U << bits) - 1));
  }
  return result;
}

DenseElementsAttr frontend::getElements(RankedTensorType type,
                                        const onnx::TensorData &data) {
  ArrayRef<uint8_t> bytes = data.bytes();
  int64_t count = type.getNumElements();
  unsigned bits = type.getElementTypeBitWidth();
  if (bits == 1) {
    SmallVector<bool> values;
    for (uint8_t byte : bytes)
      values.push_back(byte != 0);
    return DenseElementsAttr::get(type, values);
  }
  if (bits < 8)
    return DenseElementsAttr::getFromRawBuffer(type,
                                               unpack(bytes, count, bits));
  ArrayRef<char> raw(reinterpret_cast<const char *>(bytes.data()),
                     bytes.size());
  return DenseElementsAttr::getFromRawBuffer(type, raw);
}
