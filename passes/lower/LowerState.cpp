//===- LowerState.cpp - state of the session -----------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/lower/Lowerings.h"
#include "passes/lower/NestBuilder.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

/// x's element i goes to position `length + i` of the buffer.
static LoweredValues lowerAppend(OpBuilder &b, StateAppendOp op) {
  RankedTensorType type = op.getX().getType();
  auto axis = static_cast<unsigned>(op.getAxis());
  MLIRContext *context = b.getContext();
  MappedOperands operands(context, type.getRank());
  Value source = operands.add(
      op.getX(), AffineMap::getMultiDimIdentityMap(type.getRank(), context));
  // The length is one more symbol, behind those of x's access.
  SmallVector<Attribute> symbols = llvm::to_vector(operands.getSymbols());
  AffineExpr length = b.getAffineSymbolExpr(symbols.size());
  symbols.push_back(op.getLengthAttr());
  SmallVector<AffineExpr> exprs;
  for (unsigned d = 0; d < type.getRank(); ++d)
    exprs.push_back(d == axis ? length + b.getAffineDimExpr(d)
                              : b.getAffineDimExpr(d));
  auto read = cast<AffineMapAttr>(operands.getMaps()[0]).getValue();
  SmallVector<AffineMap> maps = {
      AffineMap::get(type.getRank(), symbols.size(), read.getResults(),
                     context),
      AffineMap::get(type.getRank(), symbols.size(), exprs, context)};
  SmallVector<SymExprAttr> sizes = getDims(type);
  auto append = kernel::AppendOp::create(
      b, op.getLoc(), TypeRange{op.getType().getBuffer()}, op.getName(),
      ValueRange{source}, ValueRange(),
      b.getArrayAttr(SmallVector<Attribute>(sizes.begin(), sizes.end())),
      b.getArrayAttr(symbols), b.getAffineMapArrayAttr(maps));
  OpBuilder::InsertionGuard guard(b);
  Block *body = b.createBlock(&append.getBody());
  Value element = body->addArgument(getScalarType(op.getX()), op.getLoc());
  kernel::YieldOp::create(b, op.getLoc(), element);
  return SmallVector<Value>(append.getResults());
}

LoweredValues txc::lowerState(OpBuilder &b, Operation *op) {
  if (auto append = dyn_cast<StateAppendOp>(op))
    return lowerAppend(b, append);
  auto read = dyn_cast<StateReadOp>(op);
  if (!read)
    return SmallVector<Value>();
  // The append before it is lowered: the operand is the buffer as a tensor.
  int64_t rank = read.getType().getRank();
  SmallVector<Attribute> starts(rank, getConstantExpr(b.getContext(), 0));
  return SmallVector<Value>{
      SliceOp::create(b, op->getLoc(), read.getType(), op->getOperand(0),
                      b.getArrayAttr(starts), SmallVector<int64_t>(rank, 1))};
}
