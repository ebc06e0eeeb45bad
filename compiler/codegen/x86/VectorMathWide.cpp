//===- VectorMathWide.cpp - Functions computed in f64 -----------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Logarithms and powers. Every f32 is a normal double, so denormals need no
/// care, and a product of double accuracy is a correct power.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/VectorMath.h"
#include "compiler/codegen/x86/VectorMathBuilder.h"
#include "compiler/codegen/x86/VectorMathCoefficients.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <limits>

using namespace mlir;
using namespace txc;
using namespace txc::x86;
using arith::CmpFPredicate;

static constexpr double infinity = std::numeric_limits<double>::infinity();
static constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();
static constexpr int64_t exponentBias = 1023, mantissaBits = 52;

/// log2 of a positive, finite double in the range of f32. log(2) · that, when
/// \p factor is log(2).
static Value emitScaledLog2(VectorMathBuilder &m, Value x, double factor) {
  OpBuilder &builder = m.code.builder;
  Location loc = m.code.loc;
  // x = 2^k · f with f in [sqrt(1/2), sqrt(2)): subtracting the bits of
  // sqrt(1/2) puts the carry there.
  constexpr int64_t sqrtHalfBits = 0x3fe6a09e667f3bcd;
  constexpr int64_t one = exponentBias << mantissaBits;
  Value bits = m.bits(x);
  Value shifted = m.addInt(bits, one - sqrtHalfBits);
  Value k = m.addInt(m.shiftRight(shifted, mantissaBits), -exponentBias);
  Value mantissa = m.andInt(shifted, (int64_t(1) << mantissaBits) - 1);
  Value f = m.floats(m.addInt(mantissa, sqrtHalfBits));

  // log2(f) = 2 atanh(s) / log(2).
  Value s = m.div(m.sub(f, 1.0), m.add(f, 1.0));
  Value series = m.polynomial(coefficients::log2Series, m.mul(s, s));
  // 32-bit integers convert everywhere in one instruction.
  Type i32 = VectorMathBuilder::like(x.getType(), builder.getI32Type());
  Value exponent = arith::TruncIOp::create(builder, loc, i32, k);
  exponent = arith::SIToFPOp::create(builder, loc, x.getType(), exponent);
  Value log2 = m.fma(s, series, exponent);
  return factor == 1.0 ? log2 : m.mul(log2, factor);
}

Value txc::x86::emitLog(OpBuilder &builder, Location loc, Value x,
                        const VectorTarget &target) {
  VectorMathBuilder m(builder, loc, target);
  constexpr double log2 = 0.693147180559945309417;
  Value result = m.narrow(emitScaledLog2(m, m.widen(x), log2));
  result = m.select(m.compare(CmpFPredicate::OEQ, x, infinity), x, result);
  result = m.select(m.compare(CmpFPredicate::OEQ, x, 0.0), -infinity, result);
  return m.select(m.compare(CmpFPredicate::ULT, x, 0.0), notANumber, result);
}

/// 2^z of a double, rounded to f32; overflow and denormals as rounding has
/// them.
static Value emitExp2(VectorMathBuilder &m, Value z) {
  constexpr double magic = 6755399441055744.0; // 1.5 · 2^52
  z = m.atMost(m.atLeast(z, -300.0), 300.0);
  Value shifted = m.add(z, magic);
  Value fraction = m.sub(z, m.sub(shifted, magic));
  Value p = m.polynomial(coefficients::exp2, fraction);
  // The low bits of `shifted` are the integer, whatever its sign: the rest of
  // them is shifted out.
  Value scaled =
      arith::AddIOp::create(m.code.builder, m.code.loc, m.bits(p),
                            m.shiftLeft(m.bits(shifted), mantissaBits));
  return m.narrow(m.floats(scaled));
}

Value txc::x86::emitPow(OpBuilder &builder, Location loc, Value x, Value y,
                        const VectorTarget &target) {
  VectorMathBuilder m(builder, loc, target);
  auto is = [&](CmpFPredicate predicate, Value value, double bound) {
    return m.compare(predicate, value, bound);
  };
  auto rounded = [&](Value value) -> Value {
    return math::RoundEvenOp::create(builder, loc, value);
  };
  Value magnitude = m.abs(x);
  Value log2 = emitScaledLog2(m, m.widen(magnitude), 1.0);
  Value isZero = is(CmpFPredicate::OEQ, x, 0.0);
  Value isInfinite = is(CmpFPredicate::OEQ, magnitude, infinity);
  log2 = m.select(isZero, -infinity, log2);
  log2 = m.select(isInfinite, infinity, log2);
  Value power = emitExp2(m, m.mul(m.widen(y), log2));

  // Negative bases: the sign of odd powers, NaN for powers that are no
  // integers. From 2^24 on every number is even.
  Value yIsInteger = m.compare(CmpFPredicate::OEQ, rounded(y), y);
  Value half = m.mul(y, 0.5);
  Value yIsOdd =
      m.both(m.both(yIsInteger, is(CmpFPredicate::OLT, m.abs(y), 0x1p24)),
             m.compare(CmpFPredicate::ONE, rounded(half), half));
  Value signedPower = math::CopySignOp::create(builder, loc, power, x);
  Value result = m.select(yIsOdd, signedPower, power);
  Value isFiniteNegative = m.both(is(CmpFPredicate::OLT, x, 0.0),
                                  is(CmpFPredicate::OGT, x, -infinity));
  Value isFractional = m.compare(CmpFPredicate::ONE, rounded(y), y);
  result = m.select(m.both(isFiniteNegative, isFractional), notANumber, result);
  result = m.select(m.either(m.compare(CmpFPredicate::UNO, x, x),
                             m.compare(CmpFPredicate::UNO, y, y)),
                    notANumber, result);

  // (±1)^±inf, 1^NaN and NaN^0 are 1.
  Value isUnit = m.both(is(CmpFPredicate::OEQ, magnitude, 1.0),
                        is(CmpFPredicate::OEQ, m.abs(y), infinity));
  Value isOne =
      m.either(is(CmpFPredicate::OEQ, x, 1.0), is(CmpFPredicate::OEQ, y, 0.0));
  return m.select(m.either(isUnit, isOne), 1.0, result);
}
