//===- AttentionMask.h - which keys a query sees ---------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// What a graph adds to attention scores, or puts in their place, sorted into
/// the parts that tx.attention knows: causal offset, window, and a mask with as
/// few elements as its information has.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_GRAPH_ATTENTIONMASK_H
#define TXC_PASSES_GRAPH_ATTENTIONMASK_H

#include "dialects/tx/Tx.h"
#include "mlir/IR/PatternMatch.h"

namespace txc {

/// One thing done to the scores on their way to the softmax.
struct MaskTerm {
  /// The float tensor added, or the boolean one that chooses (a float constant
  /// is true where it is 0); it broadcasts to the scores.
  mlir::Value value;
  /// Of the scores at that place: a sum overflows and rounds as in the graph.
  mlir::Type elementType;
  /// Those of the scores at that place, whose batch dims may be merged or split
  /// later.
  llvm::SmallVector<tx::SymExprAttr> scores;
  /// For a boolean: where it is `keeps`, a score stays; elsewhere `fill` is
  /// added, or is put in its place if `replaces`.
  bool isBoolean = false;
  bool keeps = true;
  double fill = 0;
  bool replaces = false;
  /// What the addend is multiplied by; a fill has it already.
  double factor = 1;
};

/// Whether `fill + score == fill` in f32 for all scores below 2^75 (f16 has no
/// such finite number): adding it is the same as putting it in their place.
bool isAbsorbing(double fill);

/// Whether each dim of a mask is that of the scores or 1, aligned at the right.
/// A dim of another name broadcasts in some runs only.
bool isAlignedMask(mlir::Value mask, llvm::ArrayRef<tx::SymExprAttr> scores);

/// A float tensor added to scores of these dims, as a boolean term if it is
/// `select(condition, 0, fill)` or a constant of zeros and one fill.
MaskTerm getAddedTerm(mlir::Value addend,
                      llvm::ArrayRef<tx::SymExprAttr> scores);

/// Multiplies what the term adds. Fails if a fill is no such fill then.
llvm::LogicalResult scaleTerm(MaskTerm &term, double factor);

/// Whether the term can be given the batch dims of `scores`, into which those
/// of its own scores are reshaped.
bool canAlign(const MaskTerm &term, llvm::ArrayRef<tx::SymExprAttr> scores);

/// The mask operands and attributes of tx.attention.
struct AttentionMask {
  /// Null if every key counts that `causal` and `window` let count. Aligned at
  /// the right with the scores.
  mlir::Value mask;
  tx::SymExprAttr causal;
  std::optional<int64_t> window;
  tx::MaskedRow maskedRow = tx::MaskedRow::nan;
};

/// Combines the terms, of which the first is the last thing done to the scores;
/// creates the ops of the mask at the rewriter's insertion point. `known` is
/// what is known without the terms: how rows without keys end, perhaps a causal
/// offset and a window.
AttentionMask buildMask(mlir::RewriterBase &rewriter, mlir::Location loc,
                        llvm::ArrayRef<MaskTerm> terms,
                        mlir::RankedTensorType scores, AttentionMask known,
                        const tx::SymbolBounds &bounds);

} // namespace txc

#endif // TXC_PASSES_GRAPH_ATTENTIONMASK_H
