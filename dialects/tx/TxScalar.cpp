//===- TxScalar.cpp - element-wise ops on scalars ------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// `buildScalar` of every element-wise op: the bridge from `tx` to the regions
/// of kernels. Values are of builtin signless types; `arith` and `math` ops
/// only, so that a region can be rebuilt on vectors op by op. f16 and bf16
/// compute in f32 (contract 11).
//
//===----------------------------------------------------------------------===//

#include "dialects/tx/Tx.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace txc::tx;

/// `x` in the type arithmetic is done in: f32 for narrower floats.
static Value widen(OpBuilder &b, Location loc, Value x) {
  auto type = dyn_cast<FloatType>(x.getType());
  if (!type || type.getWidth() >= 32)
    return x;
  return arith::ExtFOp::create(b, loc, b.getF32Type(), x);
}

static Value narrow(OpBuilder &b, Location loc, Value x, Type type) {
  if (x.getType() == type)
    return x;
  return arith::TruncFOp::create(b, loc, type, x);
}

static Value constant(OpBuilder &b, Location loc, Type type, double value) {
  if (auto floatType = dyn_cast<FloatType>(type))
    return arith::ConstantOp::create(b, loc, b.getFloatAttr(floatType, value));
  return arith::ConstantOp::create(
      b, loc, b.getIntegerAttr(type, static_cast<int64_t>(value)));
}

/// A unary op on floats, computed in f32 at least.
template <typename MathOp>
static Value floatUnary(OpBuilder &b, Location loc, Value x) {
  return narrow(b, loc, MathOp::create(b, loc, widen(b, loc, x)), x.getType());
}

/// A binary op with a float and an integer form.
template <typename FloatOp, typename IntOp>
static Value binary(OpBuilder &b, Location loc, ValueRange x) {
  if (!isa<FloatType>(x[0].getType()))
    return IntOp::create(b, loc, x[0], x[1]);
  Value result =
      FloatOp::create(b, loc, widen(b, loc, x[0]), widen(b, loc, x[1]));
  return narrow(b, loc, result, x[0].getType());
}

static bool isUnsigned(Value tensor) {
  Type type = getElementTypeOrSelf(tensor.getType());
  return type.isUnsignedInteger() || type.isInteger(1);
}

static Value select(OpBuilder &b, Location loc, Value condition, Value yes,
                    Value no) {
  return arith::SelectOp::create(b, loc, condition, yes, no);
}

static Value compareInt(OpBuilder &b, Location loc, arith::CmpIPredicate p,
                        Value x, Value y) {
  return arith::CmpIOp::create(b, loc, p, x, y);
}

static Value compareFloat(OpBuilder &b, Location loc, arith::CmpFPredicate p,
                          Value x, Value y) {
  return arith::CmpFOp::create(b, loc, p, x, y);
}

//===----------------------------------------------------------------------===//
// Unary
//===----------------------------------------------------------------------===//

Value NegOp::buildScalar(OpBuilder &b, Location loc, ValueRange x) {
  if (isa<FloatType>(x[0].getType()))
    return arith::NegFOp::create(b, loc, x[0]);
  return arith::SubIOp::create(b, loc, constant(b, loc, x[0].getType(), 0),
                               x[0]);
}

Value AbsOp::buildScalar(OpBuilder &b, Location loc, ValueRange x) {
  if (isa<FloatType>(x[0].getType()))
    return math::AbsFOp::create(b, loc, x[0]);
  if (isUnsigned(getX()))
    return x[0];
  return math::AbsIOp::create(b, loc, x[0]);
}

Value SignOp::buildScalar(OpBuilder &b, Location loc, ValueRange x) {
  Type type = x[0].getType();
  Value zero = constant(b, loc, type, 0), one = constant(b, loc, type, 1);
  if (!isa<FloatType>(type)) {
    auto greater = isUnsigned(getX()) ? arith::CmpIPredicate::ugt
                                      : arith::CmpIPredicate::sgt;
    Value positive = compareInt(b, loc, greater, x[0], zero);
    Value result = select(b, loc, positive, one, zero);
    if (isUnsigned(getX()))
      return result;
    Value negative = compareInt(b, loc, arith::CmpIPredicate::slt, x[0], zero);
    return select(b, loc, negative, constant(b, loc, type, -1), result);
  }
  Value positive = compareFloat(b, loc, arith::CmpFPredicate::OGT, x[0], zero);
  Value negative = compareFloat(b, loc, arith::CmpFPredicate::OLT, x[0], zero);
  // NaN stays; the sum makes 0 of -0.
  Value sum = arith::AddFOp::create(b, loc, x[0], zero);
  Value result = select(b, loc, positive, one, sum);
  return select(b, loc, negative, constant(b, loc, type, -1), result);
}

#define TXC_FLOAT_UNARY(TX_OP, MATH_OP)                                        \
  Value TX_OP::buildScalar(OpBuilder &b, Location loc, ValueRange x) {         \
    return floatUnary<MATH_OP>(b, loc, x[0]);                                  \
  }
TXC_FLOAT_UNARY(ExpOp, math::ExpOp)
TXC_FLOAT_UNARY(LogOp, math::LogOp)
TXC_FLOAT_UNARY(SqrtOp, math::SqrtOp)
TXC_FLOAT_UNARY(SinOp, math::SinOp)
TXC_FLOAT_UNARY(CosOp, math::CosOp)
TXC_FLOAT_UNARY(TanOp, math::TanOp)
TXC_FLOAT_UNARY(AsinOp, math::AsinOp)
TXC_FLOAT_UNARY(AcosOp, math::AcosOp)
TXC_FLOAT_UNARY(AtanOp, math::AtanOp)
TXC_FLOAT_UNARY(SinhOp, math::SinhOp)
TXC_FLOAT_UNARY(CoshOp, math::CoshOp)
TXC_FLOAT_UNARY(TanhOp, math::TanhOp)
TXC_FLOAT_UNARY(AsinhOp, math::AsinhOp)
TXC_FLOAT_UNARY(AcoshOp, math::AcoshOp)
TXC_FLOAT_UNARY(AtanhOp, math::AtanhOp)
TXC_FLOAT_UNARY(ErfOp, math::ErfOp)
#undef TXC_FLOAT_UNARY

// Rounding is the identity on integers.
#define TXC_ROUNDING(TX_OP, MATH_OP)                                           \
  Value TX_OP::buildScalar(OpBuilder &b, Location loc, ValueRange x) {         \
    if (!isa<FloatType>(x[0].getType()))                                       \
      return x[0];                                                             \
    return floatUnary<MATH_OP>(b, loc, x[0]);                                  \
  }
TXC_ROUNDING(FloorOp, math::FloorOp)
TXC_ROUNDING(CeilOp, math::CeilOp)
TXC_ROUNDING(RoundOp, math::RoundEvenOp)
#undef TXC_ROUNDING

static Value reciprocal(OpBuilder &b, Location loc, Value x) {
  Value one = constant(b, loc, x.getType(), 1);
  return arith::DivFOp::create(b, loc, one, x);
}

Value ReciprocalOp::buildScalar(OpBuilder &b, Location loc, ValueRange x) {
  return narrow(b, loc, reciprocal(b, loc, widen(b, loc, x[0])),
                x[0].getType());
}

static Value multiply(OpBuilder &b, Location loc, Value x, Value y) {
  return arith::MulFOp::create(b, loc, x, y);
}

/// With e = e ^ -|x|, which does not overflow: 1 / (1 + e) right of zero, e /
/// (1 + e) left of it, where 1 / (1 + e ^ -x) would be 0 instead of a denormal.
static Value sigmoid(OpBuilder &b, Location loc, Value x) {
  Value one = constant(b, loc, x.getType(), 1);
  Value magnitude = math::AbsFOp::create(b, loc, x);
  Value e =
      math::ExpOp::create(b, loc, arith::NegFOp::create(b, loc, magnitude));
  Value isNegative = compareFloat(b, loc, arith::CmpFPredicate::OLT, x,
                                  constant(b, loc, x.getType(), 0));
  return arith::DivFOp::create(b, loc, select(b, loc, isNegative, e, one),
                               arith::AddFOp::create(b, loc, one, e));
}

Value SigmoidOp::buildScalar(OpBuilder &b, Location loc, ValueRange x) {
  return narrow(b, loc, sigmoid(b, loc, widen(b, loc, x[0])), x[0].getType());
}

Value SiluOp::buildScalar(OpBuilder &b, Location loc, ValueRange x) {
  Value wide = widen(b, loc, x[0]);
  return narrow(b, loc, multiply(b, loc, wide, sigmoid(b, loc, wide)),
                x[0].getType());
}

Value GeluOp::buildScalar(OpBuilder &b, Location loc, ValueRange operands) {
  Value x = widen(b, loc, operands[0]);
  Type type = x.getType();
  auto c = [&](double value) { return constant(b, loc, type, value); };
  Value result;
  if (getKind() == GeluKind::sigmoid) {
    result =
        multiply(b, loc, x, sigmoid(b, loc, multiply(b, loc, x, c(1.702))));
  } else {
    Value inner;
    if (getKind() == GeluKind::erf) {
      inner = math::ErfOp::create(
          b, loc, multiply(b, loc, x, c(0.70710678118654752440)));
    } else {
      Value square = multiply(b, loc, x, x);
      Value factor = arith::AddFOp::create(
          b, loc, multiply(b, loc, square, c(0.044715)), c(1));
      Value argument = multiply(
          b, loc, multiply(b, loc, x, c(0.79788456080286535588)), factor);
      inner = math::TanhOp::create(b, loc, argument);
    }
    Value sum = arith::AddFOp::create(b, loc, inner, c(1));
    result = multiply(b, loc, multiply(b, loc, x, c(0.5)), sum);
  }
  return narrow(b, loc, result, operands[0].getType());
}

Value NotOp::buildScalar(OpBuilder &b, Location loc, ValueRange x) {
  return arith::XOrIOp::create(b, loc, x[0],
                               constant(b, loc, x[0].getType(), -1));
}

Value IsNanOp::buildScalar(OpBuilder &b, Location loc, ValueRange x) {
  return compareFloat(b, loc, arith::CmpFPredicate::UNO, x[0], x[0]);
}

Value IsInfOp::buildScalar(OpBuilder &b, Location loc, ValueRange x) {
  Value magnitude = math::AbsFOp::create(b, loc, x[0]);
  Value infinity =
      constant(b, loc, x[0].getType(), std::numeric_limits<double>::infinity());
  return compareFloat(b, loc, arith::CmpFPredicate::OEQ, magnitude, infinity);
}

//===----------------------------------------------------------------------===//
// Binary and ternary
//===----------------------------------------------------------------------===//

Value AddOp::buildScalar(OpBuilder &b, Location loc, ValueRange x) {
  return binary<arith::AddFOp, arith::AddIOp>(b, loc, x);
}
Value SubOp::buildScalar(OpBuilder &b, Location loc, ValueRange x) {
  return binary<arith::SubFOp, arith::SubIOp>(b, loc, x);
}
Value MulOp::buildScalar(OpBuilder &b, Location loc, ValueRange x) {
  return binary<arith::MulFOp, arith::MulIOp>(b, loc, x);
}
Value DivOp::buildScalar(OpBuilder &b, Location loc, ValueRange x) {
  return isUnsigned(getLhs())
             ? binary<arith::DivFOp, arith::DivUIOp>(b, loc, x)
             : binary<arith::DivFOp, arith::DivSIOp>(b, loc, x);
}
Value RemOp::buildScalar(OpBuilder &b, Location loc, ValueRange x) {
  return isUnsigned(getLhs())
             ? binary<arith::RemFOp, arith::RemUIOp>(b, loc, x)
             : binary<arith::RemFOp, arith::RemSIOp>(b, loc, x);
}

Value ModOp::buildScalar(OpBuilder &b, Location loc, ValueRange x) {
  Type type = x[0].getType();
  if (isUnsigned(getLhs()))
    return arith::RemUIOp::create(b, loc, x[0], x[1]);
  // The remainder has the dividend's sign: one divisor more if they differ.
  Value remainder = binary<arith::RemFOp, arith::RemSIOp>(b, loc, x);
  Value zero = constant(b, loc, type, 0);
  Value sum = binary<arith::AddFOp, arith::AddIOp>(b, loc, {remainder, x[1]});
  Value isZero, signsDiffer;
  if (isa<FloatType>(type)) {
    auto less = arith::CmpFPredicate::OLT;
    isZero = compareFloat(b, loc, arith::CmpFPredicate::OEQ, remainder, zero);
    signsDiffer = arith::XOrIOp::create(
        b, loc, compareFloat(b, loc, less, remainder, zero),
        compareFloat(b, loc, less, x[1], zero));
  } else {
    auto less = arith::CmpIPredicate::slt;
    isZero = compareInt(b, loc, arith::CmpIPredicate::eq, remainder, zero);
    signsDiffer =
        arith::XOrIOp::create(b, loc, compareInt(b, loc, less, remainder, zero),
                              compareInt(b, loc, less, x[1], zero));
  }
  Value result = select(b, loc, signsDiffer, sum, remainder);
  return select(b, loc, isZero, remainder, result);
}

Value PowOp::buildScalar(OpBuilder &b, Location loc, ValueRange x) {
  return binary<math::PowFOp, math::IPowIOp>(b, loc, x);
}

Value MaximumOp::buildScalar(OpBuilder &b, Location loc, ValueRange x) {
  return isUnsigned(getLhs())
             ? binary<arith::MaximumFOp, arith::MaxUIOp>(b, loc, x)
             : binary<arith::MaximumFOp, arith::MaxSIOp>(b, loc, x);
}
Value MinimumOp::buildScalar(OpBuilder &b, Location loc, ValueRange x) {
  return isUnsigned(getLhs())
             ? binary<arith::MinimumFOp, arith::MinUIOp>(b, loc, x)
             : binary<arith::MinimumFOp, arith::MinSIOp>(b, loc, x);
}

Value AndOp::buildScalar(OpBuilder &b, Location loc, ValueRange x) {
  return arith::AndIOp::create(b, loc, x[0], x[1]);
}
Value OrOp::buildScalar(OpBuilder &b, Location loc, ValueRange x) {
  return arith::OrIOp::create(b, loc, x[0], x[1]);
}
Value XorOp::buildScalar(OpBuilder &b, Location loc, ValueRange x) {
  return arith::XOrIOp::create(b, loc, x[0], x[1]);
}

/// A shift by the width or more is poison in `arith`; it is 0 here.
template <typename ShiftOp>
static Value shift(OpBuilder &b, Location loc, ValueRange x) {
  Type type = x[0].getType();
  Value width = constant(b, loc, type, type.getIntOrFloatBitWidth());
  Value zero = constant(b, loc, type, 0);
  Value inRange = compareInt(b, loc, arith::CmpIPredicate::ult, x[1], width);
  Value amount = select(b, loc, inRange, x[1], zero);
  return select(b, loc, inRange, ShiftOp::create(b, loc, x[0], amount), zero);
}
Value ShiftLeftOp::buildScalar(OpBuilder &b, Location loc, ValueRange x) {
  return shift<arith::ShLIOp>(b, loc, x);
}
Value ShiftRightOp::buildScalar(OpBuilder &b, Location loc, ValueRange x) {
  return shift<arith::ShRUIOp>(b, loc, x);
}

Value CompareOp::buildScalar(OpBuilder &b, Location loc, ValueRange x) {
  auto index = static_cast<unsigned>(getPredicate());
  if (isa<FloatType>(x[0].getType())) {
    using P = arith::CmpFPredicate;
    constexpr P table[] = {P::OEQ, P::UNE, P::OLT, P::OLE, P::OGT, P::OGE};
    return compareFloat(b, loc, table[index], x[0], x[1]);
  }
  using P = arith::CmpIPredicate;
  constexpr P signedTable[] = {P::eq, P::ne, P::slt, P::sle, P::sgt, P::sge};
  constexpr P unsignedTable[] = {P::eq, P::ne, P::ult, P::ule, P::ugt, P::uge};
  return compareInt(b, loc,
                    (isUnsigned(getLhs()) ? unsignedTable : signedTable)[index],
                    x[0], x[1]);
}

Value SelectOp::buildScalar(OpBuilder &b, Location loc, ValueRange x) {
  return select(b, loc, x[0], x[1], x[2]);
}

//===----------------------------------------------------------------------===//
// Casts
//===----------------------------------------------------------------------===//

static Value castToBool(OpBuilder &b, Location loc, Value x) {
  Value zero = constant(b, loc, x.getType(), 0);
  if (isa<FloatType>(x.getType()))
    return compareFloat(b, loc, arith::CmpFPredicate::UNE, x, zero);
  return compareInt(b, loc, arith::CmpIPredicate::ne, x, zero);
}

/// Truncates toward zero, saturating, NaN to 0; integers below a byte wrap. The
/// limits are powers of two, exact in every float type.
static Value floatToInt(OpBuilder &b, Location loc, Value x, Type to,
                        bool toUnsigned) {
  if (to.getIntOrFloatBitWidth() < 8) {
    Value wide = floatToInt(b, loc, x, b.getI32Type(), /*toUnsigned=*/false);
    return arith::TruncIOp::create(b, loc, to, wide);
  }
  x = widen(b, loc, x);
  Type from = x.getType();
  unsigned width = to.getIntOrFloatBitWidth();
  double upper = std::ldexp(1.0, toUnsigned ? width : width - 1);
  Value result = toUnsigned ? Value(arith::FPToUIOp::create(b, loc, to, x))
                            : Value(arith::FPToSIOp::create(b, loc, to, x));
  APInt least =
      toUnsigned ? APInt::getZero(width) : APInt::getSignedMinValue(width);
  APInt most =
      toUnsigned ? APInt::getMaxValue(width) : APInt::getSignedMaxValue(width);
  auto limit = [&](const APInt &value) -> Value {
    return arith::ConstantOp::create(b, loc, b.getIntegerAttr(to, value));
  };
  Value tooLarge = compareFloat(b, loc, arith::CmpFPredicate::OGE, x,
                                constant(b, loc, from, upper));
  Value tooSmall =
      compareFloat(b, loc, arith::CmpFPredicate::OLT, x,
                   constant(b, loc, from, toUnsigned ? 0 : -upper));
  Value isNan = compareFloat(b, loc, arith::CmpFPredicate::UNO, x, x);
  result = select(b, loc, tooLarge, limit(most), result);
  result = select(b, loc, tooSmall, limit(least), result);
  return select(b, loc, isNan, limit(APInt::getZero(width)), result);
}

static Value floatToFloat(OpBuilder &b, Location loc, Value x, FloatType to) {
  auto from = cast<FloatType>(x.getType());
  if (from == to)
    return x;
  if (from.getWidth() < to.getWidth())
    return arith::ExtFOp::create(b, loc, to, x);
  if (from.getWidth() > to.getWidth())
    return arith::TruncFOp::create(b, loc, to, x);
  Value wide = arith::ExtFOp::create(b, loc, b.getF32Type(), x);
  return arith::TruncFOp::create(b, loc, to, wide);
}

/// Cuts a number off at the largest of a narrow float; NaN stays.
static Value saturate(OpBuilder &b, Location loc, Value x, FloatType to) {
  using P = arith::CmpFPredicate;
  x = widen(b, loc, x);
  double largest =
      APFloat::getLargest(to.getFloatSemantics()).convertToDouble();
  Value most = constant(b, loc, x.getType(), largest);
  Value least = constant(b, loc, x.getType(), -largest);
  x = select(b, loc, compareFloat(b, loc, P::OGT, x, most), most, x);
  return select(b, loc, compareFloat(b, loc, P::OLT, x, least), least, x);
}

Value CastOp::buildScalar(OpBuilder &b, Location loc, ValueRange x) {
  Type target = getType().getElementType();
  bool fromUnsigned = isUnsigned(getX());
  if (target.isInteger(1))
    return x[0].getType().isInteger(1) ? x[0] : castToBool(b, loc, x[0]);
  if (auto to = dyn_cast<FloatType>(target)) {
    Value result = x[0];
    if (!isa<FloatType>(result.getType())) {
      Type wide = to.getWidth() < 32 ? b.getF32Type() : Type(to);
      result = fromUnsigned
                   ? Value(arith::UIToFPOp::create(b, loc, wide, x[0]))
                   : Value(arith::SIToFPOp::create(b, loc, wide, x[0]));
    }
    if (getSaturate())
      result = saturate(b, loc, result, to);
    return floatToFloat(b, loc, result, to);
  }
  unsigned width = target.getIntOrFloatBitWidth();
  Type to = b.getIntegerType(width);
  if (isa<FloatType>(x[0].getType()))
    return floatToInt(b, loc, x[0], to, target.isUnsignedInteger());
  unsigned from = x[0].getType().getIntOrFloatBitWidth();
  if (from == width)
    return x[0];
  if (from > width)
    return arith::TruncIOp::create(b, loc, to, x[0]);
  if (fromUnsigned)
    return arith::ExtUIOp::create(b, loc, to, x[0]);
  return arith::ExtSIOp::create(b, loc, to, x[0]);
}
