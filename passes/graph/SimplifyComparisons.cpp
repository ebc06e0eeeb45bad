//===- SimplifyComparisons.cpp - comparisons that are always true --------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/graph/AffineIndex.h"
#include "passes/graph/Match.h"
#include "passes/graph/Simplify.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

/// A comparison of places that the dims decide. Masks of torch's exporters
/// begin with `iota >= 0`.
static LogicalResult decideComparison(CompareOp op, PatternRewriter &rewriter) {
  SymbolBounds bounds = getSymbolBounds(op);
  bool isTrue = isAlways(op, /*holds=*/true, bounds);
  if (!isTrue && !isAlways(op, /*holds=*/false, bounds))
    return rewriter.notifyMatchFailure(op, "it depends on the place");
  RankedTensorType scalar =
      tx::getTensorType(ArrayRef<SymExprAttr>(), rewriter.getI1Type());
  Value constant = createSplat(rewriter, op.getLoc(), scalar, isTrue);
  rewriter.replaceOpWithNewOp<BroadcastOp>(op, op.getType(), constant);
  return success();
}

void txc::populateComparisonPatterns(RewritePatternSet &patterns) {
  patterns.add(decideComparison);
}
