//===- SimplifyViews.cpp - canonical forms of views ----------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mlir/Dialect/Utils/IndexingUtils.h"
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

/// reshape(transpose(x)) that splits dims is transpose(reshape(x)): dims are
/// split first. Exporters transpose the keys of attention in three dims, [B, H,
/// T, D] to [B*H, T, D] to [B*H, D, T] to [B, H, D, T]; this leaves one
/// transpose, since the two reshapes undo each other.
static LogicalResult splitBeforeTranspose(ReshapeOp op,
                                          PatternRewriter &rewriter) {
  auto transpose = op.getX().getDefiningOp<TransposeOp>();
  if (!transpose || !transpose->hasOneUse())
    return rewriter.notifyMatchFailure(op, "no transpose for it alone");
  SmallVector<SymExprAttr> result = getDims(op.getType());
  auto ends = groupDims(result, getDims(transpose.getType()));
  if (!ends)
    return rewriter.notifyMatchFailure(op, "it does not only split dims");
  // Where in the result the parts of each dim of x lie.
  ArrayRef<int64_t> permutation = transpose.getPermutation();
  SmallVector<std::pair<size_t, size_t>> parts(permutation.size());
  for (auto [i, axis] : llvm::enumerate(permutation))
    parts[axis] = {i == 0 ? 0 : (*ends)[i - 1], (*ends)[i]};
  SmallVector<SymExprAttr> splitDims;
  SmallVector<int64_t> inverse;
  for (auto [begin, end] : parts)
    for (size_t d = begin; d < end; ++d) {
      splitDims.push_back(result[d]);
      inverse.push_back(static_cast<int64_t>(d));
    }
  RankedTensorType splitType =
      tx::getTensorType(splitDims, op.getType().getElementType());
  Value split = rewriter.createOrFold<ReshapeOp>(op.getLoc(), splitType,
                                                 transpose.getX());
  rewriter.replaceOpWithNewOp<TransposeOp>(op, split,
                                           invertPermutationVector(inverse));
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

/// select(c, x, false) of booleans is c and x, select(c, true, y) is c or y.
static LogicalResult selectAsLogic(SelectOp op, PatternRewriter &rewriter) {
  if (!op.getType().getElementType().isInteger(1))
    return rewriter.notifyMatchFailure(op, "it does not choose booleans");
  bool isAnd = matchScalar(op.getRhs()) == 0.0;
  Value other = isAnd ? op.getLhs() : op.getRhs();
  SmallVector<Type> type;
  if ((!isAnd && matchScalar(op.getLhs()) != 1.0) ||
      failed(tx::inferBroadcastType(std::nullopt, {op.getCondition(), other},
                                    nullptr, type)) ||
      type.front() != op.getType())
    return rewriter.notifyMatchFailure(op, "no operand decides alone");
  if (isAnd)
    rewriter.replaceOpWithNewOp<AndOp>(op, op.getCondition(), other);
  else
    rewriter.replaceOpWithNewOp<OrOp>(op, op.getCondition(), other);
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
  patterns.add(splitBeforeTranspose);
  ReshapeOp::getCanonicalizationPatterns(patterns, patterns.getContext());
  TransposeOp::getCanonicalizationPatterns(patterns, patterns.getContext());
  patterns.add(selectByConstant);
  patterns.add(selectByNegation);
  patterns.add(selectAsLogic);
  patterns.add(dropDoubleNegation);
}

LogicalResult txc::simplify(func::FuncOp func) {
  RewritePatternSet patterns(func.getContext());
  populateArithmeticPatterns(patterns);
  populateViewPatterns(patterns);
  populateBroadcastPatterns(patterns);
  populateComparisonPatterns(patterns);
  populateGatherPatterns(patterns);
  return applyPatternsGreedily(func, std::move(patterns));
}
