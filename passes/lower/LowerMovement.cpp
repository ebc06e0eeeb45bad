//===- LowerMovement.cpp - data movement that is no view -----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/lower/Lowerings.h"
#include "passes/lower/NestBuilder.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

using Body = NestBuilder::Body;

static Value compare(const Body &body, arith::CmpIPredicate predicate, Value x,
                     Value y) {
  return arith::CmpIOp::create(body.b, body.loc, predicate, x, y);
}

/// An index as an element of an integer or float tensor.
static Value castIndex(const Body &body, Value index, Type type) {
  if (!isa<FloatType>(type))
    return arith::IndexCastOp::create(body.b, body.loc, type, index);
  Value integer =
      arith::IndexCastOp::create(body.b, body.loc, body.b.getI64Type(), index);
  return arith::SIToFPOp::create(body.b, body.loc, type, integer);
}

static SmallVector<Value> lowerIota(OpBuilder &b, IotaOp op) {
  NestBuilder nest(b, op.getLoc(), getDims(op.getType()));
  nest.addResult(op.getType());
  return nest
      .build([&](const Body &body) {
        return SmallVector<Value>{
            castIndex(body, body.index(0), getScalarType(op.getResult()))};
      })
      ->getResults();
}

/// A few numbers of the run's shape: element i by a chain of selects.
static SmallVector<Value> lowerSymbolic(OpBuilder &b, SymbolicOp op) {
  ArrayRef<SymExprAttr> exprs = op.getValue().getExprs();
  auto count = static_cast<int64_t>(exprs.size());
  auto flat = RankedTensorType::get({count}, op.getType().getElementType());
  NestBuilder nest(b, op.getLoc(), getDims(flat));
  nest.addResult(flat);
  Operation *map = nest.build([&](const Body &body) {
    Value element = body.size(exprs.front());
    for (auto [i, expr] : llvm::enumerate(exprs.drop_front())) {
      Value isHere = compare(body, arith::CmpIPredicate::eq, body.index(0),
                             body.constantIndex(i + 1));
      element = arith::SelectOp::create(body.b, body.loc, isHere,
                                        body.size(expr), element);
    }
    return SmallVector<Value>{
        castIndex(body, element, getScalarType(op.getResult()))};
  });
  return {ReshapeOp::create(b, op.getLoc(), op.getType(), map->getResult(0))};
}

/// A repeated dim is known only at run time: index min(i, dim - 1).
static SmallVector<Value> lowerBroadcast(OpBuilder &b, BroadcastOp op) {
  NestBuilder nest(b, op.getLoc(), getDims(op.getType()));
  unsigned table = nest.addTable(op.getX());
  nest.addResult(op.getType());
  int64_t offset = op.getType().getRank() - op.getX().getType().getRank();
  return nest
      .build([&](const Body &body) {
        SmallVector<Value> indices;
        for (auto [d, dim] : llvm::enumerate(getDims(op.getX().getType()))) {
          Value last = body.size(add(dim, -1));
          indices.push_back(arith::MinSIOp::create(
              body.b, body.loc, body.index(offset + d), last));
        }
        return SmallVector<Value>{body.fetch(table, indices)};
      })
      ->getResults();
}

/// Copies of the operands' blocks: for each index of the dims before the axis,
/// one run of elements an operand.
static SmallVector<Value> lowerConcat(OpBuilder &b, ConcatOp op) {
  MLIRContext *context = op.getContext();
  auto axis = static_cast<size_t>(op.getAxis());
  SmallVector<SymExprAttr> dims = getDims(op.getType());
  SymExprAttr outer = product(context, ArrayRef(dims).take_front(axis));
  SymExprAttr inner = product(context, ArrayRef(dims).drop_front(axis + 1));
  int64_t bytes = llvm::divideCeil(op.getType().getElementTypeBitWidth(), 8);
  SmallVector<Value> operands;
  SmallVector<Attribute> runs = {
      getConstantExpr(context, static_cast<int64_t>(op.getOperands().size()))};
  for (Value operand : op.getOperands()) {
    operands.push_back(operand);
    SymExprAttr length =
        getDim(cast<RankedTensorType>(operand.getType()), axis);
    runs.push_back(mul(mul(length, inner), bytes));
  }
  return kernel::CallOp::create(b, op.getLoc(), op.getType(), "txc_concat",
                                operands, b.getArrayAttr(runs), outer)
      .getResults();
}

/// The operand's index that a place of one padded dim shows, and whether it
/// lies inside (null if it always does).
static std::pair<Value, Value> getPaddedIndex(const Body &body, PadMode mode,
                                              Value index, Value size) {
  OpBuilder &b = body.b;
  Location loc = body.loc;
  Value zero = body.constantIndex(0), one = body.constantIndex(1);
  Value last = arith::SubIOp::create(b, loc, size, one);
  auto clamp = [&](Value x) -> Value {
    Value low = arith::MaxSIOp::create(b, loc, x, zero);
    return arith::MinSIOp::create(b, loc, low, last);
  };
  switch (mode) {
  case PadMode::constant: {
    Value isInside = compare(body, arith::CmpIPredicate::ult, index, size);
    Value safe = arith::SelectOp::create(b, loc, isInside, index, zero);
    return {safe, isInside};
  }
  case PadMode::edge:
    return {clamp(index), nullptr};
  case PadMode::wrap: {
    Value rest = arith::RemSIOp::create(b, loc, index, size);
    Value isNegative = compare(body, arith::CmpIPredicate::slt, rest, zero);
    Value wrapped = arith::AddIOp::create(b, loc, rest, size);
    return {arith::SelectOp::create(b, loc, isNegative, wrapped, rest),
            nullptr};
  }
  case PadMode::reflect: {
    // The pattern 0 … last … 1 has the period 2 * last.
    Value period = arith::MulIOp::create(b, loc, last, body.constantIndex(2));
    period = arith::MaxSIOp::create(b, loc, period, one);
    Value rest = arith::RemSIOp::create(b, loc, index, period);
    Value isNegative = compare(body, arith::CmpIPredicate::slt, rest, zero);
    Value wrapped = arith::AddIOp::create(b, loc, rest, period);
    rest = arith::SelectOp::create(b, loc, isNegative, wrapped, rest);
    Value mirrored = arith::SubIOp::create(b, loc, period, rest);
    return {arith::MinSIOp::create(b, loc, rest, mirrored), nullptr};
  }
  }
  llvm_unreachable("all modes are handled");
}

static SmallVector<Value> lowerPad(OpBuilder &b, PadOp op) {
  NestBuilder nest(b, op.getLoc(), getDims(op.getType()));
  unsigned table = nest.addTable(op.getX());
  if (op.getValue())
    nest.addInput(op.getValue());
  nest.addResult(op.getType());
  return nest
      .build([&](const Body &body) {
        SmallVector<Value> indices;
        Value isInside;
        for (auto [d, low, dim] :
             llvm::enumerate(op.getLow().getAsRange<SymExprAttr>(),
                             getDims(op.getX().getType()))) {
          Value index = arith::SubIOp::create(body.b, body.loc, body.index(d),
                                              body.size(low));
          auto [place, inside] =
              getPaddedIndex(body, op.getMode(), index, body.size(dim));
          indices.push_back(place);
          if (inside)
            isInside = isInside ? Value(arith::AndIOp::create(body.b, body.loc,
                                                              isInside, inside))
                                : inside;
        }
        Value element = body.fetch(table, indices);
        if (isInside) {
          Value padding = op.getValue() ? body.scalars[0]
                                        : body.constant(element.getType(), 0);
          element = arith::SelectOp::create(body.b, body.loc, isInside, element,
                                            padding);
        }
        return SmallVector<Value>{element};
      })
      ->getResults();
}

LoweredValues txc::lowerMovement(OpBuilder &b, Operation *op) {
  return llvm::TypeSwitch<Operation *, SmallVector<Value>>(op)
      .Case([&](IotaOp iota) { return lowerIota(b, iota); })
      .Case([&](SymbolicOp symbolic) { return lowerSymbolic(b, symbolic); })
      .Case([&](ConcatOp concat) { return lowerConcat(b, concat); })
      .Case([&](PadOp pad) { return lowerPad(b, pad); })
      .Case([&](BroadcastOp broadcast) {
        return isView(op) ? SmallVector<Value>() : lowerBroadcast(b, broadcast);
      })
      .Default([](Operation *) { return SmallVector<Value>(); });
}
