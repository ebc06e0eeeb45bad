//===- SimplifyGathers.cpp - gathers of quantized tables -----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/graph/Match.h"
#include "passes/graph/Simplify.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

/// The conversion of a weight to a wider type.
static CastOp matchWidenedWeight(Value value) {
  auto cast = value.getDefiningOp<CastOp>();
  if (!cast || !cast.getX().getDefiningOp<WeightOp>())
    return nullptr;
  unsigned from = getTensorType(cast.getX()).getElementTypeBitWidth();
  return getTensorType(value).getElementTypeBitWidth() > from ? cast : nullptr;
}

/// Whether a row of the table belongs to a row of `parameter`, which broadcasts
/// to it; otherwise all rows belong to the only one.
static bool hasRows(Value parameter, RankedTensorType table) {
  RankedTensorType type = getTensorType(parameter);
  return type.getRank() == table.getRank() && !getDim(type, 0).isConstant(1);
}

/// Whether `table` is a weight's conversion to a wider type, or scaled or moved
/// after one.
static bool isDequantizedWeight(Value table) {
  if (matchWidenedWeight(table))
    return true;
  Operation *op = table.getDefiningOp();
  return isa_and_present<CastOp, MulOp, SubOp>(op) && op->hasOneUse() &&
         getDims(getTensorType(op->getOperand(0))) ==
             getDims(getTensorType(table)) &&
         isDequantizedWeight(op->getOperand(0));
}

/// The rows `indices` of a dequantized weight.
static Value gatherRows(PatternRewriter &rewriter, GatherOp gather,
                        Value table) {
  Location loc = table.getLoc();
  auto createGather = [&](Value x) -> Value {
    return GatherOp::create(rewriter, gather.getLoc(), x, gather.getIndices(),
                            gather.getAxis());
  };
  Operation *op = table.getDefiningOp();
  if (auto cast = dyn_cast<CastOp>(op)) {
    Value rows = matchWidenedWeight(table)
                     ? createGather(cast.getX())
                     : gatherRows(rewriter, gather, cast.getX());
    Type type =
        getTensorType(rows).clone(getTensorType(table).getElementType());
    return CastOp::create(rewriter, loc, type, rows, cast.getSaturate());
  }
  Value rows = gatherRows(rewriter, gather, op->getOperand(0));
  Value parameter = op->getOperand(1);
  if (hasRows(parameter, getTensorType(table)))
    parameter = createGather(parameter);
  if (isa<MulOp>(op))
    return MulOp::create(rewriter, loc, rows, parameter);
  return SubOp::create(rewriter, loc, rows, parameter);
}

/// A table of embeddings that is stored narrow is not widened as a whole: only
/// the rows that are read.
static LogicalResult gatherBeforeWidening(GatherOp op,
                                          PatternRewriter &rewriter) {
  if (op.getAxis() != 0 || getTensorType(op.getX()).getRank() < 2)
    return rewriter.notifyMatchFailure(op, "not rows of a table");
  if (!isDequantizedWeight(op.getX()))
    return rewriter.notifyMatchFailure(op, "the table is as it is stored");
  rewriter.replaceOp(op, gatherRows(rewriter, op, op.getX()));
  return success();
}

void txc::populateGatherPatterns(RewritePatternSet &patterns) {
  patterns.add(gatherBeforeWidening);
}
