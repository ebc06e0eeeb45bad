//===- NestPlan.h - loops and tasks of a loop nest -------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Decides how kernel.map and kernel.rows run: which dims become one, which dim
/// the lanes of vectors go along, what a task is. A function of the op and the
/// target, so that code, task counts and scratch sizes agree.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_NESTPLAN_H
#define TXC_COMPILER_CODEGEN_NESTPLAN_H

#include "compiler/codegen/LinearAccess.h"
#include "compiler/targets/VectorTarget.h"
#include "dialects/kernel/Kernel.h"

namespace txc {

/// A loop over an iteration dim, or over several that are contiguous in all
/// operands.
struct NestLoop {
  tx::SymExprAttr size;
  /// The innermost iteration dim of the loop; its strides are the loop's, and
  /// the loop's index stands for it (the other dims' indices are zero).
  unsigned dim = 0;
};

struct NestPlan {
  NestPlan(kernel::NestInterface op, const VectorTarget &target);

  /// Parallel loops, outermost first, without `lanes`.
  llvm::SmallVector<NestLoop> outer;
  /// The loop whose indices are the lanes of vectors.
  NestLoop lanes;
  /// `lanes` is one of the row's loops: reductions combine across lanes. Else
  /// each lane has its own row.
  bool lanesInRow = false;
  /// The other loops of the row, outermost first.
  llvm::SmallVector<NestLoop> row;
  int64_t numLanes = 1;
  /// As many rows are computed side by side: their reductions, or the ends of
  /// these, long chains, hide each other. With parallel lanes they are
  /// neighbours along the last outer loop.
  int64_t rowsAtOnce = 1;
  /// Of the inputs, then of the results.
  llvm::SmallVector<LinearAccess> accesses;

  /// Parallel lanes are cut into runs of at most this many; 0 if they are in
  /// the row.
  int64_t run = 0;
  /// A unit is a point of the outer loops, or all neighbours, and a run: how
  /// many there are along each.
  llvm::SmallVector<tx::SymExprAttr> unitSizes;
  tx::SymExprAttr units, unitsPerTask, tasks;
  /// Points of a row, over all its loops.
  tx::SymExprAttr rowElements;
};

} // namespace txc

#endif // TXC_COMPILER_CODEGEN_NESTPLAN_H
