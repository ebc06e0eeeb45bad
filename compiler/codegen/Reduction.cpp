//===- Reduction.cpp - vectors of partial results ------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/Reduction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace txc;
using kernel::Combine;

static Type getAccumulatorType(Type type) {
  if (isa<FloatType>(type) && type.getIntOrFloatBitWidth() < 32)
    return Float32Type::get(type.getContext());
  return type;
}

Reduction::Reduction(x86::CodeBuilder &code, kernel::ReduceOp op,
                     int64_t numLanes)
    : code(code), kind(op.getKind()), resultType(op.getType()),
      type(VectorType::get(numLanes, getAccumulatorType(resultType))) {}

bool Reduction::isFloatExtreme() const {
  return isFloat() && (kind == Combine::max || kind == Combine::min);
}

Value Reduction::select(Value condition, Value a, Value b) {
  return arith::SelectOp::create(code.builder, code.loc, condition, a, b);
}

Value Reduction::isNan(Value value) {
  return arith::CmpFOp::create(code.builder, code.loc,
                               arith::CmpFPredicate::UNO, value, value);
}

TypedAttr Reduction::getNeutralElement() {
  Type element = type.getElementType();
  OpBuilder &b = code.builder;
  if (isFloat()) {
    double infinity = std::numeric_limits<double>::infinity();
    switch (kind) {
    case Combine::prod:
      return b.getFloatAttr(element, 1);
    case Combine::max:
      return b.getFloatAttr(element, -infinity);
    case Combine::min:
      return b.getFloatAttr(element, infinity);
    default:
      return b.getFloatAttr(element, 0);
    }
  }
  unsigned width = element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
  switch (kind) {
  case Combine::prod:
    return b.getIntegerAttr(element, APInt(width, 1));
  case Combine::max:
    return b.getIntegerAttr(element, APInt::getSignedMinValue(width));
  case Combine::min:
    return b.getIntegerAttr(element, APInt::getSignedMaxValue(width));
  case Combine::umin:
    return b.getIntegerAttr(element, APInt::getMaxValue(width));
  default:
    return b.getIntegerAttr(element, APInt::getZero(width));
  }
}

Reduction::State Reduction::getNeutral() {
  State state = {arith::ConstantOp::create(
      code.builder, code.loc,
      DenseElementsAttr::get(type, Attribute(getNeutralElement())))};
  if (isFloatExtreme())
    state.push_back(code.constant(type, 0));
  return state;
}

Value Reduction::combineVectors(Value a, Value b) {
  OpBuilder &builder = code.builder;
  Location loc = code.loc;
  switch (kind) {
  case Combine::sum:
    return isFloat() ? Value(arith::AddFOp::create(builder, loc, a, b))
                     : Value(arith::AddIOp::create(builder, loc, a, b));
  case Combine::prod:
    return isFloat() ? Value(arith::MulFOp::create(builder, loc, a, b))
                     : Value(arith::MulIOp::create(builder, loc, a, b));
  case Combine::max:
  case Combine::min: {
    bool isMax = kind == Combine::max;
    if (!isFloat())
      return isMax ? Value(arith::MaxSIOp::create(builder, loc, a, b))
                   : Value(arith::MinSIOp::create(builder, loc, a, b));
    // One maxps: false for a NaN in b, which is kept apart.
    auto predicate =
        isMax ? arith::CmpFPredicate::OGT : arith::CmpFPredicate::OLT;
    return select(arith::CmpFOp::create(builder, loc, predicate, b, a), b, a);
  }
  case Combine::umax:
    return arith::MaxUIOp::create(builder, loc, a, b);
  case Combine::umin:
    return arith::MinUIOp::create(builder, loc, a, b);
  }
  llvm_unreachable("all kinds are handled");
}

Reduction::State Reduction::combine(ValueRange state, LaneValue value,
                                    Lanes &lanes) {
  Value vector = lanes.getVector(value);
  if (vector.getType() != type)
    vector = arith::ExtFOp::create(code.builder, code.loc, type, vector);
  if (lanes.getMask())
    vector = select(lanes.getMask(), vector, getNeutral().front());
  State result = {combineVectors(state[0], vector)};
  if (isFloatExtreme())
    result.push_back(select(isNan(vector), vector, state[1]));
  return result;
}

bool Reduction::addsProducts(const Lanes &lanes) const {
  return kind == Combine::sum && resultType == type.getElementType() &&
         resultType.isF32() && !lanes.getMask();
}

Reduction::State Reduction::addProduct(ValueRange state, LaneValue a,
                                       LaneValue b, Lanes &lanes) {
  return {code.fma(lanes.getVector(a), lanes.getVector(b), state[0])};
}

Reduction::State Reduction::merge(ValueRange a, ValueRange b) {
  State result = {combineVectors(a[0], b[0])};
  if (isFloatExtreme())
    result.push_back(select(isNan(b[1]), b[1], a[1]));
  return result;
}

Value Reduction::narrow(Value result) {
  Type target = resultType;
  if (getElementTypeOrSelf(result) == target)
    return result;
  if (isa<VectorType>(result.getType()))
    target = VectorType::get(type.getShape(), target);
  return arith::TruncFOp::create(code.builder, code.loc, target, result);
}

Value Reduction::finishLanes(ValueRange state) {
  Value result = state[0];
  if (isFloatExtreme())
    result = select(isNan(state[1]), state[1], result);
  return narrow(result);
}

static vector::CombiningKind getVectorKind(Combine kind, bool isFloat) {
  using K = vector::CombiningKind;
  switch (kind) {
  case Combine::sum:
    return K::ADD;
  case Combine::prod:
    return K::MUL;
  case Combine::max:
    return isFloat ? K::MAXNUMF : K::MAXSI;
  case Combine::min:
    return isFloat ? K::MINNUMF : K::MINSI;
  case Combine::umax:
    return K::MAXUI;
  case Combine::umin:
    return K::MINUI;
  }
  llvm_unreachable("all kinds are handled");
}

Value Reduction::finishAcross(ValueRange state) {
  using arith::FastMathFlags;
  auto reduce = [&](vector::CombiningKind kind, Value vector,
                    FastMathFlags flags) -> Value {
    return vector::ReductionOp::create(code.builder, code.loc, kind, vector,
                                       isFloat() ? flags : FastMathFlags::none);
  };
  vector::CombiningKind vectorKind = getVectorKind(kind, isFloat());
  if (!isFloatExtreme())
    // Reassociation makes a tree of what would be a chain of scalar adds.
    return narrow(reduce(vectorKind, state[0], FastMathFlags::reassoc));
  // NaNs are in the second vector only, and the sign of zero is as good as any.
  Value extreme =
      reduce(vectorKind, state[0], FastMathFlags::nnan | FastMathFlags::nsz);
  Value nan =
      reduce(vector::CombiningKind::ADD, state[1], FastMathFlags::reassoc);
  return narrow(select(isNan(nan), nan, extreme));
}
