//===- VectorMath.cpp - Functions computed in f32 ---------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The functions of activations and softmax, which must be fast.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/VectorMath.h"
#include "compiler/codegen/x86/VectorMathBuilder.h"
#include "compiler/codegen/x86/VectorMathCoefficients.h"

using namespace mlir;
using namespace txc;
using namespace txc::x86;
using arith::CmpFPredicate;

/// 1.5 · 2^23: added to a small number it leaves that, rounded to an integer,
/// in the low bits.
static constexpr double roundingMagic = 12582912.0;
static constexpr int64_t roundingMagicBits = 0x4b400000;

static constexpr int64_t exponentBias = 127, mantissaBits = 23;

/// Whether x is a vector that AVX-512 has instructions for.
static bool isAvx512Vector(Value x, const VectorTarget &target) {
  auto vector = dyn_cast<VectorType>(x.getType());
  return target.hasMaskedOps && target.vectorBits == 512 && vector &&
         vector.getNumElements() == 16;
}

/// An AVX-512 instruction on all 16 lanes of \p operands, in the current
/// rounding. The intrinsics take the source of masked lanes, a mask and the
/// rounding behind them.
static Value callOnAllLanes(VectorMathBuilder &m, StringRef name,
                            ArrayRef<Value> operands) {
  OpBuilder &builder = m.code.builder;
  Location loc = m.code.loc;
  SmallVector<Value> arguments(operands);
  arguments.push_back(operands.front());
  arguments.push_back(
      LLVM::ConstantOp::create(builder, loc, builder.getI16Type(), -1));
  arguments.push_back(
      LLVM::ConstantOp::create(builder, loc, builder.getI32Type(), 4));
  return LLVM::CallIntrinsicOp::create(builder, loc, operands.front().getType(),
                                       builder.getStringAttr(name), arguments)
      .getResult(0);
}

/// x - floor(x), 0 for infinities, by vreduceps.
static Value reduceToFraction(VectorMathBuilder &m, Value x) {
  // Downwards, no fraction bits, no exception for inexact results.
  Value how = LLVM::ConstantOp::create(m.code.builder, m.code.loc,
                                       m.code.builder.getI32Type(), 9);
  return callOnAllLanes(m, "llvm.x86.avx512.mask.reduce.ps.512", {x, how});
}

/// 2^floor(n) · p by vscalefps, right for every n and rounded once.
static Value scaleByInstruction(VectorMathBuilder &m, Value p, Value n) {
  return callOnAllLanes(m, "llvm.x86.avx512.mask.scalef.ps.512", {p, n});
}

/// 2^n · p for |n| ≤ 252, where \p shifted is n + roundingMagic. In two
/// factors, so that only the second product may leave the normal numbers, and
/// round.
static Value scaleByExponent(VectorMathBuilder &m, Value p, Value shifted) {
  auto powerOfTwo = [&](Value biased) {
    return m.floats(m.shiftLeft(biased, mantissaBits));
  };
  // n + 2 · bias is positive, so its half needs no signed shift.
  Value biased =
      m.addInt(m.bits(shifted), 2 * exponentBias - roundingMagicBits);
  Value half = m.shiftRight(biased, 1);
  Value rest = arith::SubIOp::create(m.code.builder, m.code.loc, biased, half);
  return m.mul(m.mul(p, powerOfTwo(half)), powerOfTwo(rest));
}

Value txc::x86::emitExp(OpBuilder &builder, Location loc, Value x,
                        const VectorTarget &target) {
  VectorMathBuilder m(builder, loc, target);
  // exp(x) = 2^n · exp(r), |r| ≤ log(2)/2. log(2) in two parts, the first with
  // so few bits that n times it is exact (Cody and Waite, 1980). Beyond the
  // bounds the result is 0 or infinite; without them n would leave its range
  // for the -3.4e38 of additive masks.
  constexpr double log2e = 1.4426950408889634;
  constexpr double log2High = 0.693145751953125;
  constexpr double log2Low = 1.42860682030941723212e-6;
  x = m.atMost(m.atLeast(x, -104.5), 89.0);
  Value shifted = m.fma(x, log2e, m.literal(x, roundingMagic));
  Value n = m.sub(shifted, roundingMagic);
  Value r = m.fma(n, -log2Low, m.fma(n, -log2High, x));
  // exp(r) = 1 + r + r² tail(r).
  SmallVector<double> series(std::begin(coefficients::expTail),
                             std::end(coefficients::expTail));
  series.append({1.0, 1.0});
  Value p = m.polynomial(series, r);

  return isAvx512Vector(x, target) ? scaleByInstruction(m, p, n)
                                   : scaleByExponent(m, p, shifted);
}

Value txc::x86::emitCoarseExp(OpBuilder &builder, Location loc, Value x,
                              const VectorTarget &target, double factor) {
  VectorMathBuilder m(builder, loc, target);
  if (!isAvx512Vector(x, target))
    return emitExp(builder, loc, factor == 1.0 ? x : m.mul(x, factor), target);
  // exp(x) = 2^floor(t) · 2^(t - floor(t)). Both instructions are right for
  // infinities, so no bounds are needed.
  constexpr double log2e = 1.4426950408889634;
  Value t = m.mul(x, factor * log2e);
  Value p = m.polynomial(coefficients::coarseExp2, reduceToFraction(m, t));
  return scaleByInstruction(m, p, t);
}

/// x · P(x²) / Q(x²), an odd function that is ±1 from ±limit on. Exactly: with
/// an error there gelu(-1e30) would not be 0.
static Value emitSigmoidal(VectorMathBuilder &m, Value x, double limit,
                           ArrayRef<double> numerator,
                           ArrayRef<double> denominator) {
  Value square = m.mul(x, x);
  Value above = m.mul(x, m.polynomial(numerator, square));
  Value ratio = m.div(above, m.polynomial(denominator, square));
  // Rounding may lead beyond 1 before the limit, and far outside the fit means
  // nothing.
  Value result = m.atLeast(m.atMost(ratio, 1.0), -1.0);
  result = m.select(m.compare(CmpFPredicate::OGE, x, limit), 1.0, result);
  return m.select(m.compare(CmpFPredicate::OLE, x, -limit), -1.0, result);
}

Value txc::x86::emitTanh(OpBuilder &builder, Location loc, Value x,
                         const VectorTarget &target) {
  VectorMathBuilder m(builder, loc, target);
  return emitSigmoidal(m, x, 9.01, coefficients::tanhNumerator,
                       coefficients::tanhDenominator);
}

Value txc::x86::emitErf(OpBuilder &builder, Location loc, Value x,
                        const VectorTarget &target) {
  VectorMathBuilder m(builder, loc, target);
  return emitSigmoidal(m, x, 3.925, coefficients::erfNumerator,
                       coefficients::erfDenominator);
}
