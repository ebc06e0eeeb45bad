//===- StridedLoop.h - walks over strided operands --------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// The loops that all ops of the reference interpreter share: an index space,
/// each operand of which has a stride a dim (0 where it repeats), walked row by
/// row; and the copy between two strided places. Strides and places count
/// elements.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_REFERENCE_STRIDEDLOOP_H
#define TXC_COMPILER_REFERENCE_STRIDEDLOOP_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>

namespace txc::reference {

using Strides = llvm::SmallVector<int64_t>;

/// Strides with which an operand of `dims` (row-major) is read under
/// `resultDims`: aligned at the right, 0 where it has 1 or no such dim.
Strides getBroadcastStrides(llvm::ArrayRef<int64_t> dims,
                            llvm::ArrayRef<int64_t> resultDims);

/// Row-major strides.
Strides getRowMajorStrides(llvm::ArrayRef<int64_t> dims);

class StridedLoop {
public:
  /// Dims that are neighbours in memory for every operand become one.
  StridedLoop(llvm::ArrayRef<int64_t> dims, llvm::ArrayRef<Strides> operands);

  int64_t getRowLength() const { return dims.back(); }
  /// The stride of an operand inside a row.
  int64_t getRowStep(unsigned operand) const {
    return operandStrides[operand].back();
  }
  /// Calls `visit` for each row, in row-major order, with the place of each
  /// operand's first element; not at all if the space is empty.
  void
  forEachRow(llvm::function_ref<void(llvm::ArrayRef<int64_t>)> visit) const;

private:
  /// At least one.
  llvm::SmallVector<int64_t> dims;
  llvm::SmallVector<Strides> operandStrides;
};

/// Where `copyStrided` reads or writes: the element at index 0 and the strides.
template <typename Byte> struct StridedPlace {
  Byte *data;
  llvm::ArrayRef<int64_t> strides;
};

/// target[i] = source[i] for each index i of `dims`, elements of 1, 2, 4 or 8
/// bytes. Tiled so that a transposition reads and writes whole cache lines.
void copyStrided(int64_t elementSize, llvm::ArrayRef<int64_t> dims,
                 StridedPlace<char> target, StridedPlace<const char> source);

} // namespace txc::reference

#endif // TXC_COMPILER_REFERENCE_STRIDEDLOOP_H
