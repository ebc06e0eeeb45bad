//===- SimplifyViews.cpp - canonical forms of views ----------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/Match.h"
#include "passes/graph/Simplify.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

/// A transpose that only moves dims of size 1 is a reshape.
static LogicalResult transposeAsReshape(TransposeOp op,
                                        PatternRewriter &rewriter) {
  RankedTensorType type = op.getX().getType();
  int64_t last = -1;
  for (int64_t axis : op.getPermutation()) {
    if (getDim(type, axis).isConstant(1))
      continue;
    if (axis < last)
      return rewriter.notifyMatchFailure(op, "it reorders dims that are not 1");
    last = axis;
  }
  rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(), op.getX());
  return success();
}

/// Splits `dims` into one group of consecutive dims for each dim of `merged`,
/// whose product that dim is. Returns where each group ends, or nothing.
static std::optional<SmallVector<size_t>>
groupDims(ArrayRef<SymExprAttr> dims, ArrayRef<SymExprAttr> merged) {
  SmallVector<size_t> ends;
  size_t next = 0;
  for (SymExprAttr dim : merged) {
    if (next == dims.size())
      return std::nullopt;
    SymExprAttr product = dims[next++];
    while (product != dim && next < dims.size())
      product = mul(product, dims[next++]);
    if (product != dim)
      return std::nullopt;
    ends.push_back(next);
  }
  if (next != dims.size())
    return std::nullopt;
  return ends;
}

/// reshape(transpose(reshape(x))) that merges dims, moves them together and
/// splits them again is one transpose. So exporters transpose the keys of
/// attention: [B, H, T, D] to [B*H, T, D] to [B*H, D, T] to [B, H, D, T].
static LogicalResult transposeUnmerged(ReshapeOp op,
                                       PatternRewriter &rewriter) {
  auto transpose = op.getX().getDefiningOp<TransposeOp>();
  auto merge =
      transpose ? transpose.getX().getDefiningOp<ReshapeOp>() : ReshapeOp();
  if (!merge)
    return rewriter.notifyMatchFailure(op, "no transpose of a reshape");
  SmallVector<SymExprAttr> source = getDims(merge.getX().getType());
  SmallVector<SymExprAttr> result = getDims(op.getType());
  auto sourceEnds = groupDims(source, getDims(merge.getType()));
  auto resultEnds = groupDims(result, getDims(transpose.getType()));
  if (!sourceEnds || !resultEnds)
    return rewriter.notifyMatchFailure(op, "the reshapes split other dims");
  SmallVector<int64_t> permutation;
  for (auto [i, axis] : llvm::enumerate(transpose.getPermutation())) {
    size_t from = axis == 0 ? 0 : (*sourceEnds)[axis - 1];
    size_t begin = i == 0 ? 0 : (*resultEnds)[i - 1];
    ArrayRef<SymExprAttr> group =
        ArrayRef(source).slice(from, (*sourceEnds)[axis] - from);
    if (group != ArrayRef(result).slice(begin, (*resultEnds)[i] - begin))
      return rewriter.notifyMatchFailure(
          op, "dims are merged in one way and split in another");
    for (size_t d = 0; d < group.size(); ++d)
      permutation.push_back(static_cast<int64_t>(from + d));
  }
  rewriter.replaceOpWithNewOp<TransposeOp>(op, merge.getX(), permutation);
  return success();
}

/// select(true, x, y) is x, select(false, x, y) is y.
static LogicalResult selectByConstant(SelectOp op, PatternRewriter &rewriter) {
  std::optional<double> condition = matchScalar(op.getCondition());
  if (!condition)
    return rewriter.notifyMatchFailure(op, "the condition is not constant");
  Value chosen = *condition != 0 ? op.getLhs() : op.getRhs();
  if (chosen.getType() == op.getType())
    rewriter.replaceOp(op, chosen);
  else
    rewriter.replaceOpWithNewOp<BroadcastOp>(op, op.getType(), chosen);
  return success();
}

/// select(not c, x, y) is select(c, y, x).
static LogicalResult selectByNegation(SelectOp op, PatternRewriter &rewriter) {
  auto negation = op.getCondition().getDefiningOp<NotOp>();
  if (!negation)
    return rewriter.notifyMatchFailure(op, "the condition is no negation");
  rewriter.replaceOpWithNewOp<SelectOp>(op, negation.getX(), op.getRhs(),
                                        op.getLhs());
  return success();
}

static LogicalResult dropDoubleNegation(NotOp op, PatternRewriter &rewriter) {
  auto inner = op.getX().getDefiningOp<NotOp>();
  if (!inner)
    return rewriter.notifyMatchFailure(op, "the operand is no negation");
  rewriter.replaceOp(op, inner.getX());
  return success();
}

void txc::populateViewPatterns(RewritePatternSet &patterns) {
  patterns.add(transposeAsReshape);
  // Before the canonical reshape(reshape(x)), which hides the merged dims.
  patterns.add(transposeUnmerged, PatternBenefit(2));
  patterns.add(selectByConstant);
  patterns.add(selectByNegation);
  patterns.add(dropDoubleNegation);
}

LogicalResult txc::simplify(func::FuncOp func) {
  RewritePatternSet patterns(func.getContext());
  populateArithmeticPatterns(patterns);
  populateViewPatterns(patterns);
  populateBroadcastPatterns(patterns);
  return applyPatternsGreedily(func, std::move(patterns));
}
