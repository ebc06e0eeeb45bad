//===- MergeMatmuls.h - one product for several weights --------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Queries, keys and values are products of one tensor with three weights. One
/// product with the weights side by side reads and packs that tensor once, and
/// is one phase instead of three.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_LAYOUT_MERGEMATMULS_H
#define TXC_PASSES_LAYOUT_MERGEMATMULS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace txc {

/// Replaces products `x * w_i + b_i` by slices of
/// `x * concat(w_i) + concat(b_i)`. The weights, k x n_i matrices, and the
/// biases are known before a run; where only some have a bias, the others get
/// one of zeros. Weights are floats or bytes; what makes numbers of sums of
/// bytes (zeros, scales, rounding) is merged with them, where it is the same
/// but for numbers that are known before a run. Each column is summed as
/// before. Products stay apart
///
/// - when something else reads one of their weights, which would then be stored
///   twice (a second set of products with the same weights is merged, too);
/// - when an element-wise op reads a result: it becomes the epilogue of that
///   product, and would be a pass over memory behind a merged one;
/// - when another product lies between them, or what they compute would wait in
///   memory for longer (all layers' keys and values of one encoder).
///
/// Run before outlineWeights(), which makes recipes of the concatenations.
void mergeMatmuls(mlir::func::FuncOp function);

/// `txc-merge-matmuls`: mergeMatmuls on every public function.
std::unique_ptr<mlir::Pass> createMergeMatmulsPass();

} // namespace txc

#endif // TXC_PASSES_LAYOUT_MERGEMATMULS_H
