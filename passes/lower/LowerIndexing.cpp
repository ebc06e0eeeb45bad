//===- LowerIndexing.cpp - gathers and scatters --------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/lower/Lowerings.h"
#include "passes/lower/NestBuilder.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

using Body = NestBuilder::Body;

static SmallVector<Value> lowerGather(OpBuilder &b, GatherOp op) {
  auto axis = static_cast<unsigned>(op.getAxis());
  unsigned rank = op.getType().getRank();
  unsigned indexRank = op.getIndices().getType().getRank();
  NestBuilder nest(b, op.getLoc(), getDims(op.getType()));
  SmallVector<AffineExpr> exprs;
  for (unsigned d = 0; d < indexRank; ++d)
    exprs.push_back(b.getAffineDimExpr(axis + d));
  nest.addInput(op.getIndices(),
                AffineMap::get(rank, 0, exprs, b.getContext()));
  unsigned table = nest.addTable(op.getX());
  nest.addResult(op.getType());
  return nest
      .build([&](const Body &body) {
        SmallVector<Value> indices;
        for (auto [d, dim] : llvm::enumerate(getDims(op.getX().getType()))) {
          if (d == axis)
            indices.push_back(
                body.checkedIndex(body.scalars[0], body.size(dim)));
          else
            indices.push_back(body.index(d < axis ? d : d - 1 + indexRank));
        }
        return SmallVector<Value>{body.fetch(table, indices)};
      })
      ->getResults();
}

static SmallVector<Value> lowerGatherElements(OpBuilder &b,
                                              GatherElementsOp op) {
  NestBuilder nest(b, op.getLoc(), getDims(op.getType()));
  nest.addInput(op.getIndices());
  unsigned table = nest.addTable(op.getX());
  nest.addResult(op.getType());
  return nest
      .build([&](const Body &body) {
        SmallVector<Value> indices;
        for (auto [d, dim] : llvm::enumerate(getDims(op.getX().getType())))
          indices.push_back(
              d == op.getAxis()
                  ? body.checkedIndex(body.scalars[0], body.size(dim))
                  : body.index(d));
        return SmallVector<Value>{body.fetch(table, indices)};
      })
      ->getResults();
}

static SmallVector<Value> lowerGatherNd(OpBuilder &b, GatherNdOp op) {
  MLIRContext *context = b.getContext();
  RankedTensorType indexType = op.getIndices().getType();
  auto batchDims = static_cast<unsigned>(op.getBatchDims());
  unsigned rank = op.getType().getRank();
  unsigned outer = indexType.getRank() - 1;
  auto tuple = static_cast<unsigned>(indexType.getShape().back());
  NestBuilder nest(b, op.getLoc(), getDims(op.getType()));
  // One input per member of the index tuple.
  for (unsigned i = 0; i < tuple; ++i) {
    SmallVector<AffineExpr> exprs;
    for (unsigned d = 0; d < outer; ++d)
      exprs.push_back(b.getAffineDimExpr(d));
    exprs.push_back(b.getAffineConstantExpr(i));
    nest.addInput(op.getIndices(), AffineMap::get(rank, 0, exprs, context));
  }
  unsigned table = nest.addTable(op.getX());
  nest.addResult(op.getType());
  return nest
      .build([&](const Body &body) {
        SmallVector<Value> indices;
        for (auto [d, dim] : llvm::enumerate(getDims(op.getX().getType()))) {
          if (d < batchDims)
            indices.push_back(body.index(d));
          else if (d < batchDims + tuple)
            indices.push_back(
                body.checkedIndex(body.scalars[d - batchDims], body.size(dim)));
          else
            indices.push_back(body.index(d - batchDims - tuple + outer));
        }
        return SmallVector<Value>{body.fetch(table, indices)};
      })
      ->getResults();
}

/// Scatters are sequential: a later update of an element wins.
static SmallVector<Value> lowerScatterElements(OpBuilder &b,
                                               ScatterElementsOp op) {
  MLIRContext *context = b.getContext();
  RankedTensorType type = op.getType();
  // Parameters: kind, index bytes, axis, rank, dims of x, dims of
  // the indices (see runtime/kernels/calls.h).
  SmallVector<Attribute> parameters = {
      getConstantExpr(context, static_cast<int64_t>(op.getKind())),
      getConstantExpr(context,
                      op.getIndices().getType().getElementTypeBitWidth() / 8),
      getConstantExpr(context, static_cast<int64_t>(op.getAxis())),
      getConstantExpr(context, type.getRank())};
  llvm::append_range(parameters, getDims(type));
  llvm::append_range(parameters, getDims(op.getIndices().getType()));
  return kernel::CallOp::create(
             b, op.getLoc(), type,
             getTypedRoutine("txc_scatter_elements", type.getElementType()),
             ValueRange{op.getX(), op.getIndices(), op.getUpdates()},
             b.getArrayAttr(parameters), getConstantExpr(context, 1))
      .getResults();
}

static SmallVector<Value> lowerScatterNd(OpBuilder &b, ScatterNdOp op) {
  MLIRContext *context = b.getContext();
  RankedTensorType type = op.getType();
  RankedTensorType indexType = op.getIndices().getType();
  auto tuple = static_cast<size_t>(indexType.getShape().back());
  SmallVector<SymExprAttr> indexDims = getDims(indexType);
  SmallVector<SymExprAttr> dims = getDims(type);
  // Parameters: kind, index bytes, number of tuples, tuple length, elements of
  // a slice, the tuple's dims.
  SmallVector<Attribute> parameters = {
      getConstantExpr(context, static_cast<int64_t>(op.getKind())),
      getConstantExpr(context, indexType.getElementTypeBitWidth() / 8),
      product(context, ArrayRef(indexDims).drop_back()),
      getConstantExpr(context, static_cast<int64_t>(tuple)),
      product(context, ArrayRef(dims).drop_front(tuple)),
      getElementCount(type)};
  llvm::append_range(parameters, ArrayRef(dims).take_front(tuple));
  return kernel::CallOp::create(
             b, op.getLoc(), type,
             getTypedRoutine("txc_scatter_nd", type.getElementType()),
             ValueRange{op.getX(), op.getIndices(), op.getUpdates()},
             b.getArrayAttr(parameters), getConstantExpr(context, 1))
      .getResults();
}

LoweredValues txc::lowerIndexing(OpBuilder &b, Operation *op) {
  return llvm::TypeSwitch<Operation *, SmallVector<Value>>(op)
      .Case([&](GatherOp gather) { return lowerGather(b, gather); })
      .Case([&](GatherElementsOp gather) {
        return lowerGatherElements(b, gather);
      })
      .Case([&](GatherNdOp gather) { return lowerGatherNd(b, gather); })
      .Case([&](ScatterElementsOp scatter) {
        return lowerScatterElements(b, scatter);
      })
      .Case([&](ScatterNdOp scatter) { return lowerScatterNd(b, scatter); })
      .Default([](Operation *) { return SmallVector<Value>(); });
}
