//===- VectorMathTrigonometry.cpp - Sine and cosine -------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Sine and cosine of f32, reduced and evaluated in double precision.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/VectorMath.h"
#include "compiler/codegen/x86/VectorMathBuilder.h"
#include "compiler/codegen/x86/VectorMathCoefficients.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;
using namespace txc;
using namespace txc::x86;
using arith::CmpFPredicate;

namespace {
/// x = quadrant · pi/2 + rest, |rest| ≤ pi/4.
struct Reduced {
  /// i64; the low two bits are the quadrant's, others have no meaning.
  Value quadrant;
  /// f64, in radians.
  Value rest;
};
} // namespace

/// 1.5 · 2^52: adding it rounds a double to an integer, in the low bits.
static constexpr double roundingMagic = 6755399441055744.0;

/// Arguments from here on need more of 2/pi than two doubles hold.
static constexpr double largeArgument = 0x1p28;

/// Cody and Waite's reduction in doubles; the first part of pi/2 has 25 bits,
/// so its product with the quadrant is exact.
static Reduced reduceSmall(VectorMathBuilder &m, Value x) {
  constexpr double twoOverPi = 0.636619772367581343076;
  constexpr double halfPiHigh = 0x1.921fb5p+0;
  constexpr double halfPiLow = 0x1.110b4611a6263p-26;
  Value shifted = m.fma(x, twoOverPi, m.literal(x, roundingMagic));
  Value quadrant = m.sub(shifted, roundingMagic);
  Value rest = m.fma(quadrant, -halfPiHigh, x);
  return {m.bits(shifted), m.fma(quadrant, -halfPiLow, rest)};
}

/// The table of bits of 2/pi as a global of the enclosing symbol table.
static Value emitTwoOverPi(CodeBuilder &code) {
  constexpr llvm::StringLiteral name = "txc_two_over_pi";
  OpBuilder &builder = code.builder;
  ArrayRef<double> table(coefficients::twoOverPi);
  auto shape = static_cast<int64_t>(table.size());
  auto type = MemRefType::get({shape}, builder.getF64Type());
  Operation *scope = SymbolTable::getNearestSymbolTable(
      builder.getInsertionBlock()->getParentOp());
  if (!SymbolTable::lookupSymbolIn(scope, name)) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&scope->getRegion(0).front());
    auto values = DenseElementsAttr::get(
        RankedTensorType::get({shape}, builder.getF64Type()), table);
    memref::GlobalOp::create(builder, code.loc, name,
                             builder.getStringAttr("private"), type, values,
                             /*constant=*/true, /*alignment=*/IntegerAttr());
  }
  return memref::GetGlobalOp::create(builder, code.loc, type, name);
}

/// Payne and Hanek's reduction: x = mantissa · 2^e, so only mantissa times
/// (2^e · 2/pi mod 4) matters, which a table has for each e. Lanes with small
/// arguments get some finite result.
static Reduced reduceLarge(VectorMathBuilder &m, Value x, Value wide) {
  OpBuilder &builder = m.code.builder;
  Location loc = m.code.loc;
  auto vector = cast<VectorType>(x.getType());
  constexpr int64_t mantissaBits = 23, exponentBias = 127;
  // The entry of x ≥ 2^23 is its exponent minus 23, here clamped at zero.
  Value exponent = m.andInt(m.shiftRight(m.bits(x), mantissaBits), 0xff);
  Value zero = m.andInt(exponent, 0);
  Value entry = m.addInt(exponent, -(exponentBias + mantissaBits));
  entry = arith::MaxSIOp::create(builder, loc, entry, zero);
  // Infinities and NaN have the greatest exponent; the table ends before.
  constexpr int64_t lastEntry = 254 - exponentBias - mantissaBits;
  entry =
      arith::MinSIOp::create(builder, loc, entry, m.addInt(zero, lastEntry));
  // mantissa = x / 2^entry, exactly.
  constexpr int64_t wideBias = 1023, wideMantissaBits = 52;
  Type wideInt = vector.clone(builder.getI64Type());
  Value entryWide = arith::ExtUIOp::create(builder, loc, wideInt, entry);
  Value inverse = m.floats(m.shiftLeft(
      arith::SubIOp::create(
          builder, loc, m.addInt(m.andInt(entryWide, 0), wideBias), entryWide),
      wideMantissaBits));
  Value mantissa = m.mul(wide, inverse);

  Value table = emitTwoOverPi(m.code);
  Value first = m.shiftLeft(entry, 1);
  Value none = m.literal(wide, 0.0);
  Value all = m.code.firstLanes(vector, m.code.index(vector.getNumElements()));
  auto gather = [&](int64_t part) -> Value {
    return vector::GatherOp::create(
        builder, loc, cast<VectorType>(wide.getType()), table,
        ValueRange{m.code.index(part)}, first, all, none);
  };
  // The product with the 28-bit head is exact, and so is taking its integer
  // part; the tail's product is less than 1/8.
  Value head = m.mul(mantissa, gather(0));
  Value fours = m.sub(m.add(m.mul(head, 0.25), roundingMagic), roundingMagic);
  head = m.sub(head, m.mul(fours, 4.0));
  Value tail = m.mul(mantissa, gather(1));
  Value shifted = m.add(m.add(head, tail), roundingMagic);
  Value quarters = m.add(m.sub(head, m.sub(shifted, roundingMagic)), tail);
  constexpr double halfPi = 1.57079632679489661923;
  return {m.bits(shifted), m.mul(quarters, halfPi)};
}

static Reduced reduce(VectorMathBuilder &m, Value x) {
  OpBuilder &builder = m.code.builder;
  Location loc = m.code.loc;
  Value wide = m.widen(x);
  Reduced small = reduceSmall(m, wide);
  Value isLarge = m.compare(CmpFPredicate::OGE, m.abs(x), largeArgument);
  Value anyLarge = vector::ReductionOp::create(
      builder, loc, vector::CombiningKind::OR, isLarge);
  OpBuilder::InsertionGuard guard(builder);
  auto branch = scf::IfOp::create(
      builder, loc, TypeRange{small.quadrant.getType(), small.rest.getType()},
      anyLarge, /*withElseRegion=*/true);
  builder.setInsertionPointToStart(branch.thenBlock());
  Reduced large = reduceLarge(m, x, wide);
  Value quadrant = m.select(isLarge, large.quadrant, small.quadrant);
  Value rest = m.select(isLarge, large.rest, small.rest);
  scf::YieldOp::create(builder, loc, {quadrant, rest});
  builder.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(builder, loc, {small.quadrant, small.rest});
  return {branch.getResult(0), branch.getResult(1)};
}

/// sin(x + \p quarters · pi/2) of a vector.
static Value emitVectorSine(VectorMathBuilder &m, Value x, int64_t quarters) {
  OpBuilder &builder = m.code.builder;
  Location loc = m.code.loc;
  Reduced reduced = reduce(m, x);
  Value quadrant = m.addInt(reduced.quadrant, quarters);
  Value square = m.mul(reduced.rest, reduced.rest);
  Value sine = m.mul(reduced.rest, m.polynomial(coefficients::sine, square));
  Value cosine = m.polynomial(coefficients::cosine, square);
  Value odd = m.andInt(quadrant, 1);
  Value isOdd = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne,
                                      odd, m.andInt(odd, 0));
  Value result = m.select(isOdd, cosine, sine);
  // The second bit of the quadrant becomes the sign.
  Value sign = m.shiftLeft(m.andInt(quadrant, 2), 62);
  Value flipped = arith::XOrIOp::create(builder, loc, m.bits(result), sign);
  return m.narrow(m.floats(flipped));
}

static Value emitSine(OpBuilder &builder, Location loc, Value x,
                      const VectorTarget &target, int64_t quarters) {
  VectorMathBuilder m(builder, loc, target);
  if (isa<VectorType>(x.getType()))
    return emitVectorSine(m, x, quarters);
  Value lane = m.code.splat(x, VectorType::get(1, x.getType()));
  return vector::ExtractOp::create(builder, loc,
                                   emitVectorSine(m, lane, quarters), 0);
}

Value txc::x86::emitSin(OpBuilder &builder, Location loc, Value x,
                        const VectorTarget &target) {
  return emitSine(builder, loc, x, target, 0);
}

Value txc::x86::emitCos(OpBuilder &builder, Location loc, Value x,
                        const VectorTarget &target) {
  return emitSine(builder, loc, x, target, 1);
}
