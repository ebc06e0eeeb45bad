//===- ElementType.h - ONNX tensor element types ----------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The numbers of ONNX's TensorProto.DataType (onnx.proto, IR version 14).
/// Debian's onnx_pb.h stops at BFLOAT16, hence the list of our own.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_ELEMENTTYPE_H
#define TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_ELEMENTTYPE_H

#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>

namespace txc::onnx {

enum class ElementType : int32_t {
  Undefined = 0,
  Float = 1,
  UInt8 = 2,
  Int8 = 3,
  UInt16 = 4,
  Int16 = 5,
  Int32 = 6,
  Int64 = 7,
  String = 8,
  Bool = 9,
  Float16 = 10,
  Double = 11,
  UInt32 = 12,
  UInt64 = 13,
  Complex64 = 14,
  Complex128 = 15,
  BFloat16 = 16,
  Float8E4M3FN = 17,
  Float8E4M3FNUZ = 18,
  Float8E5M2 = 19,
  Float8E5M2FNUZ = 20,
  UInt4 = 21,
  Int4 = 22,
  Float4E2M1 = 23,
  Float8E8M0 = 24,
  UInt2 = 25,
  Int2 = 26,
  Float6E2M3 = 27,
  Float6E3M2 = 28,
};

/// The type that DataType number \p number stands for, or nothing for a number
/// newer than this list. 0 is Undefined.
std::optional<ElementType> elementTypeFromNumber(int64_t number);

/// ONNX's own spelling, e.g. "FLOAT8E4M3FN".
llvm::StringRef elementTypeName(ElementType type);

/// Bits one element takes in dense storage: 32 for Float, 8 for Bool, 4 for
/// Int4. 0 for Undefined and String, which have no dense storage. Types below
/// 8 bits are packed without gaps, the first element in the lowest bits.
unsigned elementTypeBits(ElementType type);

} // namespace txc::onnx

#endif // TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_ELEMENTTYPE_H
