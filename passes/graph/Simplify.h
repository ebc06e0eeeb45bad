//===- Simplify.h - canonical forms of tx graphs ---------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Rewrites that give what exporters write in many ways one form, so that the
/// recognition patterns need not know the ways. None changes a rounding: the
/// results are the same numbers (the sign of a zero and the payload of a NaN
/// may differ).
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_GRAPH_SIMPLIFY_H
#define TXC_PASSES_GRAPH_SIMPLIFY_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"

namespace txc {

/// Neutral elements, powers and divisions with cheaper equals, chains of casts,
/// means written as sums, masks written as arithmetic on booleans.
void populateArithmeticPatterns(mlir::RewritePatternSet &patterns);

/// Transposes that are reshapes, transposes of merged dims, selects and logic
/// with a constant condition.
void populateViewPatterns(mlir::RewritePatternSet &patterns);

/// Broadcasts into and past the element-wise ops that use them.
void populateBroadcastPatterns(mlir::RewritePatternSet &patterns);

/// Comparisons of indices that the dims decide.
void populateComparisonPatterns(mlir::RewritePatternSet &patterns);

/// Gathers of tables that are stored narrower than they are read.
void populateGatherPatterns(mlir::RewritePatternSet &patterns);

/// Applies all of the above until nothing changes.
llvm::LogicalResult simplify(mlir::func::FuncOp func);

} // namespace txc

#endif // TXC_PASSES_GRAPH_SIMPLIFY_H
