//===- AttentionParts.h - heads and masks of attention ----------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// What ONNX's Attention and com.microsoft's share. As in NodeContext, a null
/// Value in gives a null Value out.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PYTHON_FREE_FRONTEND_OPS_ATTENTIONPARTS_H
#define TXC_PYTHON_FREE_FRONTEND_OPS_ATTENTIONPARTS_H

#include "python-free-frontend/NodeContext.h"

namespace txc::frontend {

/// [B, S, H*D] to [B, H, S, D].
mlir::Value splitHeads(NodeContext &context, mlir::Value x, int64_t heads);

/// [B, H, S, D] to [B, S, H*D].
mlir::Value mergeHeads(NodeContext &context, mlir::Value x);

/// x [B, H, T, D] with each head as often, one after the other, as it takes to
/// have `heads` of them; a number of heads that does not divide is an error.
mlir::Value repeatHeads(NodeContext &context, mlir::Value x,
                        tx::SymExprAttr heads);

/// x / sqrt(size), for a head size that only a run may know.
mlir::Value scaleBySize(NodeContext &context, mlir::Value x,
                        tx::SymExprAttr size);

/// The scale of the scores, of which 0 stands for 1 / sqrt(D): a number or,
/// where only a run knows D, what is left after q [.., D] was multiplied by it.
double resolveScale(NodeContext &context, mlir::Value &q, double scale);

/// `past` and `fresh`, [B, H, T, D], one after the other; a null past is none.
mlir::Value appendToPast(NodeContext &context, mlir::Value past,
                         mlir::Value fresh);

/// Which keys a query at the absolute place p may see: [p - left, p + right];
/// a side without a number is open.
struct KeyWindow {
  std::optional<int64_t> left, right;
};

/// Combines two masks, which may be null: a boolean one of allowed keys and one
/// of either kind.
mlir::Value restrictMask(NodeContext &context, mlir::Value mask,
                         mlir::Value allowed, mlir::Type floatType);

/// A mask with `length` keys (its last dim): the keys that it lacks are masked.
/// Without `mayBeShorter` two symbols are one length.
mlir::Value padMask(NodeContext &context, mlir::Value mask,
                    tx::SymExprAttr length, bool mayBeShorter);

/// The mask with the dims of the scores, [B, H, S, T], where they are not a
/// static 1. A dim that may be 1 is repeated.
mlir::Value matchMask(NodeContext &context, mlir::Value mask,
                      llvm::ArrayRef<tx::SymExprAttr> scores);

/// The keys inside the window: [S, T] with query s at the place s + offset;
/// with `lengths` [B] at s + offset + lengths[b] instead, [B, 1, S, T].
mlir::Value createWindowMask(NodeContext &context, KeyWindow window,
                             mlir::Value lengths, tx::SymExprAttr offset,
                             tx::SymExprAttr queries, tx::SymExprAttr keys);

} // namespace txc::frontend

#endif // TXC_PYTHON_FREE_FRONTEND_OPS_ATTENTIONPARTS_H
