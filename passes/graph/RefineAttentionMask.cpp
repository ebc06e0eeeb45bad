//===- RefineAttentionMask.cpp - masks of attention nodes ----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Opset 23 and com.microsoft have attention as one node, but its mask may be
/// as large as the scores and only say what is causal.
//
//===----------------------------------------------------------------------===//

#include "passes/graph/AttentionMask.h"
#include "passes/graph/Match.h"
#include "passes/graph/Recognize.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

static LogicalResult rewriteMask(Operation *op, RewriterBase &rewriter) {
  auto attention = cast<AttentionOp>(op);
  Value mask = attention.getMask();
  RankedTensorType qType = attention.getQ().getType();
  SmallVector<SymExprAttr> dims = getDims(qType);
  dims[3] = getDim(attention.getK().getType(), 2);
  MaskTerm term = getAddedTerm(mask, dims);
  if (txc::getTensorType(mask).getElementType().isInteger(1))
    term = {mask,
            attention.getType().getElementType(),
            dims,
            /*isBoolean=*/true,
            /*keeps=*/true,
            -std::numeric_limits<double>::infinity()};
  if (!term.isBoolean)
    return rewriter.notifyMatchFailure(op, "the mask is not boolean");
  // A row of such fills is the mean of the keys that the others let count, and
  // `uniform` is that of all.
  if (std::isfinite(term.fill) &&
      (attention.getCausal() || attention.getLengths()))
    return rewriter.notifyMatchFailure(
        op, "the mask is finite beside conditions that are not");
  AttentionMask known;
  known.causal = attention.getCausalAttr();
  known.window = attention.getWindow();
  known.maskedRow = attention.getMaskedRow();
  AttentionMask refined =
      buildMask(rewriter, op->getLoc(), term,
                tx::getTensorType(dims, qType.getElementType()), known,
                getSymbolBounds(op));
  rewriter.modifyOpInPlace(op, [&] {
    attention.getMaskMutable().clear();
    if (refined.mask)
      attention.getMaskMutable().assign(refined.mask);
    attention.setCausalAttr(refined.causal);
    attention.setWindow(refined.window);
    attention.setMaskedRow(refined.maskedRow);
  });
  return success();
}

bool txc::refineAttentionMasks(func::FuncOp func) {
  auto hasMask = [](Operation *op) {
    auto attention = dyn_cast<AttentionOp>(op);
    return attention && attention.getMask();
  };
  return rewriteCandidates(func, "attention mask", nullptr, hasMask,
                           rewriteMask);
}
