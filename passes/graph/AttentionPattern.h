//===- AttentionPattern.h - attention as exporters write it ----*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Reads `softmax(q kᵀ + mask)` backwards, from the product with the values to
/// the product of queries and keys. Nothing here changes IR.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_GRAPH_ATTENTIONPATTERN_H
#define TXC_PASSES_GRAPH_ATTENTIONPATTERN_H

#include "passes/graph/AttentionMask.h"

namespace txc {

/// The probabilities that multiply the values.
struct Probabilities {
  /// Null if there is no softmax behind them.
  tx::SoftmaxOp softmax;
  /// NaN becomes 0 after the softmax.
  bool zeroesNan = false;
  /// Something else uses them, or a step towards them.
  bool isShared = false;
  llvm::SmallVector<mlir::Operation *> group;
};

Probabilities matchProbabilities(mlir::Value value);

/// The operand of the softmax: `cap(scale * product * factors) + terms`.
/// Reshapes may merge and split batch dims on the way.
struct Scores {
  /// Of queries and transposed keys.
  tx::MatmulOp product;
  /// Up to four dims, which the terms can be aligned with.
  mlir::RankedTensorType type;
  double scale = 1;
  /// Tensors that multiply the product and have one number for all keys.
  llvm::SmallVector<mlir::Value> factors;
  std::optional<double> softcap;
  llvm::SmallVector<MaskTerm> terms;
  llvm::SmallVector<mlir::Operation *> group;
};

/// Fails with a reason if `value` is anything else, or is used elsewhere.
mlir::FailureOr<Scores> matchScores(mlir::RewriterBase &rewriter,
                                    mlir::Value value);

} // namespace txc

#endif // TXC_PASSES_GRAPH_ATTENTIONPATTERN_H
