//===- Array.h - A tensor and its elements ----------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Element types, and a dense tensor that owns its memory: what is read from
/// files, filled at random and given to a model.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_TXC_RUN_ARRAY_H
#define TXC_TOOLS_TXC_RUN_ARRAY_H

#include <cstdint>
#include <string>
#include <vector>

namespace txc::run {

struct Array {
  /// txc_type: the numbers of ONNX's TensorProto.DataType.
  int32_t type = 0;
  std::vector<int64_t> dims;
  /// Row-major, little-endian; elements below 8 bits packed from the low bits.
  std::vector<char> data;
};

/// "float32"; "type 77" for a number that is none.
std::string getTypeName(int32_t type);
/// 0 for types without a fixed size.
int32_t getTypeBits(int32_t type);
bool isFloat(int32_t type);
/// Integers, bool excluded.
bool isInteger(int32_t type);

/// The number of elements; -1 when it does not fit or a dim is negative.
int64_t countElements(const std::vector<int64_t> &dims);
/// Bytes of so many packed elements; -1 when it does not fit.
int64_t countBytes(int32_t type, int64_t elements);

/// Element \p index as a number; the real part of a complex one.
double getElement(int32_t type, const char *data, int64_t index);
/// Stores a number, rounded to nearest; for types of 8 bits or more that are
/// no complex numbers and no 8-bit floats.
void setElement(int32_t type, char *data, int64_t index, double number);

/// "[2, 128]"
std::string formatDims(const std::vector<int64_t> &dims);

} // namespace txc::run

#endif // TXC_TOOLS_TXC_RUN_ARRAY_H
