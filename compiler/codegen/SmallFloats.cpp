//===- SmallFloats.cpp - conversions of f8 and f4 ------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/SmallFloats.h"
#include "compiler/codegen/FloatBits.h"

using namespace mlir;
using namespace txc;

namespace {
/// Where the bits of a type are, and its codes that are no numbers.
struct SmallFormat {
  explicit SmallFormat(Type type);

  unsigned width;
  unsigned mantissaBits;
  /// Of the smallest normal number.
  int minExponent;
  uint32_t largest;
  bool hasInfinity;
  bool hasNan;
  /// What NaN becomes, without its sign: the type's NaN, or -0.
  uint32_t nan;
  /// The code of a negative zero is NaN instead.
  bool isNegativeZeroNan;
  /// What becomes of what is too large.
  uint32_t overflow;

  uint32_t getSign() const { return 1u << (width - 1); }
  /// Mantissas of f32 are longer by this.
  unsigned getShift() const { return 23 - mantissaBits; }
  /// Exponent fields of f32 are greater by this.
  uint32_t getBias() const { return 126 + minExponent; }
};
} // namespace

static uint32_t getCode(const APFloat &value) {
  return static_cast<uint32_t>(value.bitcastToAPInt().getZExtValue());
}

SmallFormat::SmallFormat(Type type) {
  const llvm::fltSemantics &semantics =
      cast<FloatType>(getElementTypeOrSelf(type)).getFloatSemantics();
  width = APFloat::semanticsSizeInBits(semantics);
  mantissaBits = APFloat::semanticsPrecision(semantics) - 1;
  minExponent = APFloat::semanticsMinExponent(semantics);
  largest = getCode(APFloat::getLargest(semantics));
  hasInfinity = APFloat::semanticsHasInf(semantics);
  hasNan = APFloat::semanticsHasNaN(semantics);
  nan = hasNan ? getCode(APFloat::getQNaN(semantics)) : getSign();
  isNegativeZeroNan = hasNan && nan == getSign();
  overflow = hasInfinity ? largest + 1 : hasNan ? nan : largest;
}

bool txc::isSmallFloat(Type element) {
  auto type = dyn_cast<FloatType>(element);
  return type && type.getWidth() <= 8 &&
         (isa<Float8E8M0FNUType>(type) ||
          (APFloat::semanticsHasSignedRepr(type.getFloatSemantics()) &&
           APFloat::semanticsHasZero(type.getFloatSemantics())));
}

//===----------------------------------------------------------------------===//
// E8M0: the exponent field of an f32
//===----------------------------------------------------------------------===//

/// Where the field is 0 the f32 is denormal, with 2^-127 as its upper half.
static constexpr uint32_t kLeastScale = 1 << 22;
static constexpr uint32_t kScaleNan = 0xff;

static Value extendScale(OpBuilder &b, Location loc, Value x) {
  using P = arith::CmpIPredicate;
  FloatBits bits(b, loc, x.getType());
  Value code = bits.widen(x, 8);
  Value word = bits.apply<arith::ShLIOp>(code, 23);
  word = bits.select(bits.compare(P::eq, code, 0), bits.constant(kLeastScale),
                     word);
  word = bits.select(bits.compare(P::eq, code, kScaleNan),
                     bits.constant(FloatBits::kInfinity | kLeastScale), word);
  return bits.cast(bits.f32(), word);
}

/// A significand that is not 1 carries into the exponent; beyond 2^127 that is
/// NaN's code.
static Value truncateToScale(OpBuilder &b, Location loc, Value x, Type type) {
  using P = arith::CmpIPredicate;
  FloatBits bits(b, loc, x.getType());
  Value magnitude =
      bits.apply<arith::AndIOp>(bits.cast(bits.i32(), x), ~FloatBits::kSign);
  Value code = bits.apply<arith::ShRUIOp>(
      bits.apply<arith::AddIOp>(magnitude, (1 << 23) - 1), 23);
  code = bits.apply<arith::MinUIOp>(code, kScaleNan);
  Value isLeast = bits.compare(P::ule, magnitude, kLeastScale);
  return bits.narrow(bits.select(isLeast, bits.constant(0), code), type);
}

//===----------------------------------------------------------------------===//
// The others
//===----------------------------------------------------------------------===//

/// A product moves the exponent, and makes normal numbers of denormal ones.
Value txc::extendSmallFloat(OpBuilder &b, Location loc, Value x) {
  using P = arith::CmpIPredicate;
  if (isa<Float8E8M0FNUType>(getElementTypeOrSelf(x)))
    return extendScale(b, loc, x);
  SmallFormat format(x.getType());
  FloatBits bits(b, loc, x.getType());
  Value code = bits.widen(x, format.width);
  Value sign = bits.apply<arith::ShLIOp>(
      bits.apply<arith::AndIOp>(code, format.getSign()), 32 - format.width);
  Value magnitude = bits.apply<arith::AndIOp>(code, format.getSign() - 1);
  Value shifted = bits.apply<arith::ShLIOp>(magnitude, format.getShift());
  Value scaled = bits.apply<arith::MulFOp>(
      bits.cast(bits.f32(), shifted),
      bits.floatConstant((127 + format.getBias()) << 23));
  Value word = bits.cast(bits.i32(), scaled);
  constexpr uint32_t kNan = FloatBits::kInfinity | 1 << 22;
  if (format.isNegativeZeroNan) {
    Value isNan = bits.compare(P::eq, code, format.nan);
    word = bits.select(isNan, bits.constant(kNan), word);
  } else if (format.hasNan) {
    Value isNan = bits.compare(P::ugt, magnitude,
                               format.largest + (format.hasInfinity ? 1 : 0));
    word = bits.select(isNan, bits.constant(kNan), word);
  }
  if (format.hasInfinity) {
    Value isInfinity = bits.compare(P::eq, magnitude, format.largest + 1);
    word = bits.select(isInfinity, bits.constant(FloatBits::kInfinity), word);
  }
  return bits.cast(bits.f32(), bits.apply<arith::OrIOp>(word, sign));
}

/// Codes of magnitudes, not yet cut off at the largest. Numbers below the least
/// normal one are rounded by an addition that pushes their bits to the end of
/// the significand, others by integer addition.
static Value roundMagnitude(FloatBits &bits, const SmallFormat &format,
                            Value magnitude) {
  // The power of two whose ulp is that of the denormal numbers.
  auto half = static_cast<uint32_t>(
      (127 + format.minExponent + static_cast<int>(format.getShift())) << 23);
  Value pushed = bits.apply<arith::AddFOp>(bits.cast(bits.f32(), magnitude),
                                           bits.floatConstant(half));
  Value denormal =
      bits.apply<arith::SubIOp>(bits.cast(bits.i32(), pushed), half);

  unsigned shift = format.getShift();
  Value odd = bits.apply<arith::AndIOp>(
      bits.apply<arith::ShRUIOp>(magnitude, shift), 1);
  uint32_t belowHalf = (1u << (shift - 1)) - 1;
  Value normal = bits.apply<arith::AddIOp>(
      magnitude, belowHalf - (format.getBias() << 23));
  normal =
      bits.apply<arith::ShRUIOp>(bits.apply<arith::AddIOp>(normal, odd), shift);
  Value isDenormal =
      bits.compare(arith::CmpIPredicate::ult, magnitude,
                   static_cast<uint32_t>(127 + format.minExponent) << 23);
  return bits.select(isDenormal, denormal, normal);
}

Value txc::truncateToSmallFloat(OpBuilder &b, Location loc, Value x,
                                Type type) {
  using P = arith::CmpIPredicate;
  if (isa<Float8E8M0FNUType>(getElementTypeOrSelf(type)))
    return truncateToScale(b, loc, x, type);
  SmallFormat format(type);
  FloatBits bits(b, loc, x.getType());
  Value word = bits.cast(bits.i32(), x);
  Value magnitude = bits.apply<arith::AndIOp>(word, ~FloatBits::kSign);
  Value sign = bits.apply<arith::ShRUIOp>(
      bits.apply<arith::AndIOp>(word, FloatBits::kSign), 32 - format.width);

  Value code = roundMagnitude(bits, format, magnitude);
  Value isTooLarge = bits.compare(P::ugt, code, format.largest);
  Value isNan = bits.compare(P::ugt, magnitude, FloatBits::kInfinity);
  if (format.isNegativeZeroNan) {
    // There is no negative zero to give a sign to.
    Value isZero = bits.compare(P::eq, code, 0);
    sign = bits.select(isZero, bits.constant(0), sign);
  }
  code = bits.select(isTooLarge, bits.constant(format.overflow), code);
  code = bits.select(isNan, bits.constant(format.nan), code);
  return bits.narrow(bits.apply<arith::OrIOp>(code, sign), type);
}
