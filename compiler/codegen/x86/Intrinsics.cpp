//===- Intrinsics.cpp - Instructions by name --------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Bit casts and calls of LLVM's intrinsics.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/Intrinsics.h"
#include "llvm/ADT/Twine.h"

using namespace mlir;
using namespace txc::x86;

Value txc::x86::viewAs(CodeBuilder &code, Value vector, Type element) {
  auto from = cast<VectorType>(vector.getType());
  int64_t count = from.getNumElements() *
                  from.getElementType().getIntOrFloatBitWidth() /
                  element.getIntOrFloatBitWidth();
  return LLVM::BitcastOp::create(code.builder, code.loc,
                                 VectorType::get(count, element), vector);
}

Value txc::x86::callIntrinsic(CodeBuilder &code, Type result, const Twine &name,
                              ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(code.builder, code.loc, result,
                                       code.builder.getStringAttr(name),
                                       operands)
      .getResult(0);
}
