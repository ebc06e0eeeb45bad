//===- LowerReduction.cpp - reductions, running sums, top-k --------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/lower/Lowerings.h"
#include "passes/lower/NestBuilder.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;
using kernel::Combine;

using Body = NestBuilder::Body;

std::string txc::getTypedRoutine(StringRef name, Type elementType) {
  std::string suffix;
  llvm::raw_string_ostream os(suffix);
  if (elementType.isInteger(1))
    os << "u8"; // a boolean is stored as a byte
  else if (elementType.isUnsignedInteger())
    os << "u" << elementType.getIntOrFloatBitWidth();
  else
    os << elementType;
  return (name + "_" + suffix).str();
}

/// The iteration space of a reduction: the kept dims, then the reduced ones,
/// and the maps from it to the operand and to the result (reduced dims are 1).
struct ReductionSpace {
  SmallVector<SymExprAttr> sizes;
  AffineMap operand, result;
  SymExprAttr count;
};

static ReductionSpace getReductionSpace(RankedTensorType type,
                                        ArrayRef<int64_t> axes) {
  MLIRContext *context = type.getContext();
  ReductionSpace space;
  SmallVector<AffineExpr> operand(type.getRank()), result(type.getRank());
  space.count = getConstantExpr(context, 1);
  for (bool reduced : {false, true}) {
    for (auto [d, dim] : llvm::enumerate(getDims(type))) {
      if (llvm::is_contained(axes, static_cast<int64_t>(d)) != reduced)
        continue;
      operand[d] = getAffineDimExpr(space.sizes.size(), context);
      result[d] = reduced ? getAffineConstantExpr(0, context) : operand[d];
      space.sizes.push_back(dim);
      if (reduced)
        space.count = mul(space.count, dim);
    }
  }
  space.operand = AffineMap::get(type.getRank(), 0, operand, context);
  space.result = AffineMap::get(type.getRank(), 0, result, context);
  return space;
}

static Combine getCombine(ReduceKind kind, bool isUnsigned) {
  switch (kind) {
  case ReduceKind::sum:
  case ReduceKind::mean:
    return Combine::sum;
  case ReduceKind::prod:
    return Combine::prod;
  case ReduceKind::max:
    return isUnsigned ? Combine::umax : Combine::max;
  case ReduceKind::min:
    return isUnsigned ? Combine::umin : Combine::min;
  }
  llvm_unreachable("all kinds are handled");
}

static SmallVector<Value> lowerReduce(OpBuilder &b, ReduceOp op) {
  RankedTensorType type = op.getX().getType();
  Type elementType = type.getElementType();
  bool isUnsigned = elementType.isUnsignedInteger() || elementType.isInteger(1);
  ReductionSpace space = getReductionSpace(type, op.getAxes());
  NestBuilder nest(b, op.getLoc(), space.sizes, op.getAxes().size());
  nest.addInput(op.getX(), space.operand);
  nest.addResult(op.getType(), space.result);
  return nest
      .build([&](const Body &body) {
        Value x = body.scalars[0];
        Type scalar = x.getType();
        // Half floats accumulate in f32.
        auto half = dyn_cast<FloatType>(scalar);
        bool widens = half && half.getWidth() < 32;
        if (widens)
          x = arith::ExtFOp::create(body.b, body.loc, body.b.getF32Type(), x);
        Value result = body.reduce(getCombine(op.getKind(), isUnsigned), x);
        if (op.getKind() == ReduceKind::mean) {
          Value count = arith::IndexCastOp::create(
              body.b, body.loc, body.b.getI64Type(), body.size(space.count));
          if (isa<FloatType>(scalar)) {
            count =
                arith::SIToFPOp::create(body.b, body.loc, x.getType(), count);
            result = arith::DivFOp::create(body.b, body.loc, result, count);
          } else {
            Value one = body.constant(count.getType(), 1);
            count = arith::MaxSIOp::create(body.b, body.loc, count, one);
            if (scalar.getIntOrFloatBitWidth() < 64)
              count = arith::TruncIOp::create(body.b, body.loc, scalar, count);
            result = arith::DivSIOp::create(body.b, body.loc, result, count);
          }
        }
        if (widens)
          result = arith::TruncFOp::create(body.b, body.loc, scalar, result);
        return SmallVector<Value>{result};
      })
      ->getResults();
}

/// First the extreme value, then the smallest (or largest) place that has it.
static SmallVector<Value> lowerArgReduce(OpBuilder &b, ArgReduceOp op) {
  RankedTensorType type = op.getX().getType();
  auto axis = static_cast<int64_t>(op.getAxis());
  ReductionSpace space = getReductionSpace(type, axis);
  NestBuilder nest(b, op.getLoc(), space.sizes, 1);
  nest.addInput(op.getX(), space.operand);
  nest.addResult(op.getType(), space.result);
  bool isUnsigned = type.getElementType().isUnsignedInteger() ||
                    type.getElementType().isInteger(1);
  return nest
      .build([&](const Body &body) {
        OpBuilder &builder = body.b;
        Location loc = body.loc;
        Value x = body.scalars[0];
        Value extreme = body.reduce(getCombine(op.getKind(), isUnsigned), x);
        Value isExtreme;
        if (isa<FloatType>(x.getType())) {
          isExtreme = arith::CmpFOp::create(
              builder, loc, arith::CmpFPredicate::OEQ, x, extreme);
          Value isNan = arith::CmpFOp::create(builder, loc,
                                              arith::CmpFPredicate::UNO, x, x);
          isExtreme = arith::OrIOp::create(builder, loc, isExtreme, isNan);
        } else {
          isExtreme = arith::CmpIOp::create(
              builder, loc, arith::CmpIPredicate::eq, x, extreme);
        }
        Type i64 = builder.getI64Type();
        Value place = arith::IndexCastOp::create(
            builder, loc, i64, body.index(space.sizes.size() - 1));
        int64_t elsewhere =
            op.getLast() ? -1 : std::numeric_limits<int64_t>::max();
        Value candidate = arith::SelectOp::create(
            builder, loc, isExtreme, place,
            arith::ConstantIntOp::create(builder, loc, i64, elsewhere));
        return SmallVector<Value>{
            body.reduce(op.getLast() ? Combine::max : Combine::min, candidate)};
      })
      ->getResults();
}

/// Parameters: elements before the axis, along it and behind it, then flags.
static SmallVector<Attribute> getAxisParameters(RankedTensorType type,
                                                uint64_t axis) {
  SmallVector<SymExprAttr> dims = getDims(type);
  MLIRContext *context = type.getContext();
  return {product(context, ArrayRef(dims).take_front(axis)), dims[axis],
          product(context, ArrayRef(dims).drop_front(axis + 1))};
}

static SmallVector<Value> lowerCumsum(OpBuilder &b, CumsumOp op) {
  MLIRContext *context = b.getContext();
  SmallVector<Attribute> parameters =
      getAxisParameters(op.getType(), op.getAxis());
  parameters.push_back(getConstantExpr(context, op.getExclusive()));
  parameters.push_back(getConstantExpr(context, op.getReverse()));
  return kernel::CallOp::create(
             b, op.getLoc(), op.getType(),
             getTypedRoutine("txc_cumsum", op.getType().getElementType()),
             op.getX(), b.getArrayAttr(parameters),
             cast<SymExprAttr>(parameters[0]))
      .getResults();
}

static SmallVector<Value> lowerTopk(OpBuilder &b, TopkOp op) {
  RankedTensorType type = op.getX().getType();
  MLIRContext *context = b.getContext();
  SmallVector<Attribute> parameters = getAxisParameters(type, op.getAxis());
  parameters.push_back(getDim(op.getValues().getType(), op.getAxis()));
  parameters.push_back(getConstantExpr(context, op.getSmallest()));
  return kernel::CallOp::create(
             b, op.getLoc(), op.getResultTypes(),
             getTypedRoutine("txc_topk", type.getElementType()), op.getX(),
             b.getArrayAttr(parameters), cast<SymExprAttr>(parameters[0]))
      .getResults();
}

static SmallVector<Value> lowerNonzero(OpBuilder &b, NonzeroOp op) {
  MLIRContext *context = b.getContext();
  SmallVector<Attribute> parameters = {
      getDim(op.getType(), 1),
      getConstantExpr(context, op.getX().getType().getRank())};
  llvm::append_range(parameters, getDims(op.getX().getType()));
  return kernel::CallOp::create(b, op.getLoc(), op.getType(), "txc_nonzero",
                                op.getX(), b.getArrayAttr(parameters),
                                getConstantExpr(context, 1))
      .getResults();
}

LoweredValues txc::lowerReduction(OpBuilder &b, Operation *op) {
  return llvm::TypeSwitch<Operation *, SmallVector<Value>>(op)
      .Case([&](ReduceOp reduce) { return lowerReduce(b, reduce); })
      .Case([&](ArgReduceOp reduce) { return lowerArgReduce(b, reduce); })
      .Case([&](CumsumOp cumsum) { return lowerCumsum(b, cumsum); })
      .Case([&](TopkOp topk) { return lowerTopk(b, topk); })
      .Case([&](NonzeroOp nonzero) { return lowerNonzero(b, nonzero); })
      .Default([](Operation *) { return SmallVector<Value>(); });
}
