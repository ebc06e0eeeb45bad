//===- NarrowFloats.cpp - floats of 16 bits and less ---------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/NarrowFloats.h"
#include "compiler/codegen/FloatBits.h"
#include "compiler/codegen/SmallFloats.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace txc;

/// What is computed in f32.
static bool isNarrow(Type type) {
  Type element = getElementTypeOrSelf(type);
  return element.isF16() || element.isBF16() || isSmallFloat(element);
}

constexpr uint32_t kSign = FloatBits::kSign, kInfinity = FloatBits::kInfinity;

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

/// Rounds to the upper 16 bits of an f32, ties to even.
static Value truncateToBf16(FloatBits &bits, Value x, Type type) {
  using P = arith::CmpIPredicate;
  Value word = bits.cast(bits.i32(), x);
  Value upper = bits.apply<arith::ShRUIOp>(word, 16);
  Value odd = bits.apply<arith::AndIOp>(upper, 1);
  Value rounded =
      bits.apply<arith::AddIOp>(word, bits.apply<arith::AddIOp>(odd, 0x7fff));
  rounded = bits.apply<arith::ShRUIOp>(rounded, 16);
  // Rounding could carry a NaN to infinity or zero.
  Value quiet = bits.apply<arith::OrIOp>(upper, 0x40);
  Value magnitude = bits.apply<arith::AndIOp>(word, ~kSign);
  Value isNan = bits.compare(P::ugt, magnitude, kInfinity);
  return bits.narrow(bits.select(isNan, quiet, rounded), type);
}

static Value extendBf16(FloatBits &bits, Value x) {
  Value word = bits.widen(x, 16);
  return bits.cast(bits.f32(), bits.apply<arith::ShLIOp>(word, 16));
}

/// The exponent's bias differs by 112: a product with 2^112 moves it, and makes
/// normal numbers of denormal ones.
static Value extendF16(FloatBits &bits, Value x) {
  Value half = bits.widen(x, 16);
  Value sign =
      bits.apply<arith::ShLIOp>(bits.apply<arith::AndIOp>(half, 0x8000), 16);
  Value shifted =
      bits.apply<arith::ShLIOp>(bits.apply<arith::AndIOp>(half, 0x7fff), 13);
  Value scaled = bits.apply<arith::MulFOp>(
      bits.cast(bits.f32(), shifted), bits.floatConstant((127 + 112) << 23));
  Value isSpecial = bits.compare(arith::CmpIPredicate::uge, shifted, 31 << 23);
  Value special = bits.apply<arith::OrIOp>(shifted, kInfinity);
  // Instructions quiet NaNs, too.
  Value isNan = bits.compare(arith::CmpIPredicate::ugt, shifted, 31 << 23);
  special =
      bits.select(isNan, bits.apply<arith::OrIOp>(special, 1 << 22), special);
  Value word = bits.select(isSpecial, special, bits.cast(bits.i32(), scaled));
  return bits.cast(bits.f32(), bits.apply<arith::OrIOp>(word, sign));
}

/// Numbers below the least normal f16 are rounded by an addition that pushes
/// their bits to the end of the significand, others by integer addition.
static Value truncateToF16(FloatBits &bits, Value x, Type type) {
  using P = arith::CmpIPredicate;
  Value word = bits.cast(bits.i32(), x);
  Value sign = bits.apply<arith::AndIOp>(word, kSign);
  Value magnitude = bits.apply<arith::AndIOp>(word, ~kSign);

  // 0.5 has the ulp 2^-24, that of f16's denormals.
  constexpr uint32_t kHalf = 126 << 23;
  Value pushed = bits.apply<arith::AddFOp>(bits.cast(bits.f32(), magnitude),
                                           bits.floatConstant(kHalf));
  Value denormal =
      bits.apply<arith::SubIOp>(bits.cast(bits.i32(), pushed), kHalf);

  Value odd =
      bits.apply<arith::AndIOp>(bits.apply<arith::ShRUIOp>(magnitude, 13), 1);
  Value normal =
      bits.apply<arith::AddIOp>(magnitude, bits.constant(0xfff - (112u << 23)));
  normal =
      bits.apply<arith::ShRUIOp>(bits.apply<arith::AddIOp>(normal, odd), 13);

  Value isDenormal = bits.compare(P::ult, magnitude, 113 << 23);
  // From 65520 on, half an ulp above the largest f16, all is infinity.
  Value isHuge = bits.compare(P::uge, magnitude, 0x477ff000);
  Value isNan = bits.compare(P::ugt, magnitude, kInfinity);
  Value payload = bits.apply<arith::AndIOp>(
      bits.apply<arith::ShRUIOp>(magnitude, 13), 0x3ff);
  Value nan = bits.apply<arith::OrIOp>(payload, 0x7e00);
  Value half = bits.select(isDenormal, denormal, normal);
  half = bits.select(isHuge, bits.constant(0x7c00), half);
  half = bits.select(isNan, nan, half);
  half = bits.apply<arith::OrIOp>(half, bits.apply<arith::ShRUIOp>(sign, 16));
  return bits.narrow(half, type);
}

/// Whether denormals may become zeros.
static bool mayFlush(arith::TruncFOp op) {
  return arith::bitEnumContainsAll(
      op.getFastmath().value_or(arith::FastMathFlags::none),
      arith::FastMathFlags::afn);
}

/// To f32 or from it; null if LLVM has an instruction for it.
static Value convert(OpBuilder &b, Operation *op, const VectorTarget &target) {
  Value x = op->getOperand(0);
  Type type = op->getResult(0).getType();
  Location loc = op->getLoc();
  FloatBits bits(b, loc, x.getType());
  if (isa<arith::ExtFOp>(op)) {
    Type from = getElementTypeOrSelf(x);
    if (isSmallFloat(from))
      return extendSmallFloat(b, loc, x);
    if (from.isBF16())
      return extendBf16(bits, x);
    return target.hasHalfConversions ? nullptr : extendF16(bits, x);
  }
  Type to = getElementTypeOrSelf(type);
  if (isSmallFloat(to))
    return truncateToSmallFloat(b, loc, x, type);
  // The instruction takes denormals for zeros.
  if (to.isBF16())
    return target.hasBf16Dot && mayFlush(cast<arith::TruncFOp>(op))
               ? nullptr
               : truncateToBf16(bits, x, type);
  return target.hasHalfConversions ? nullptr : truncateToF16(bits, x, type);
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

/// Conversions that f32 has no part in go through it: no instruction does them
/// directly. (From f64, rounding twice may err by an ulp in rare cases: one of
/// 2^29 for f16.)
static void convertThroughF32(OpBuilder &b, Operation *op) {
  Location loc = op->getLoc();
  Value x = op->getOperand(0);
  Type from = getElementTypeOrSelf(x);
  Type type = op->getResult(0).getType(), to = getElementTypeOrSelf(type);
  if (from.isF32() || to.isF32())
    return;
  Type f32 = withElement(type, b.getF32Type());
  Value middle = from.isF64() ? Value(arith::TruncFOp::create(b, loc, f32, x))
                              : Value(arith::ExtFOp::create(b, loc, f32, x));
  if (isa<arith::TruncFOp>(op) || to.isF64()) {
    op->setOperand(0, middle);
    return;
  }
  op->getResult(0).replaceAllUsesWith(
      arith::TruncFOp::create(b, loc, type, middle).getResult());
  op->erase();
}

/// The integer type of a float's codes.
static Type getCodeType(Type type) {
  Type element = getElementTypeOrSelf(type);
  return withElement(type, IntegerType::get(type.getContext(),
                                            element.getIntOrFloatBitWidth()));
}

/// A selection moves bits.
static void selectBits(OpBuilder &b, arith::SelectOp op) {
  Location loc = op.getLoc();
  Type type = op.getType(), code = getCodeType(type);
  auto cast = [&](Value value) -> Value {
    return arith::BitcastOp::create(b, loc, code, value);
  };
  Value selected = arith::SelectOp::create(b, loc, op.getCondition(),
                                           cast(op.getTrueValue()),
                                           cast(op.getFalseValue()));
  op.replaceAllUsesWith(
      arith::BitcastOp::create(b, loc, type, selected).getResult());
  op.erase();
}

/// LLVM has no constants of small floats.
static void expandConstant(OpBuilder &b, arith::ConstantOp op) {
  Type type = op.getType();
  if (!isSmallFloat(getElementTypeOrSelf(type)))
    return;
  TypedAttr code;
  if (auto elements = dyn_cast<DenseElementsAttr>(op.getValue()))
    code = elements.bitcast(getElementTypeOrSelf(getCodeType(type)));
  else
    code = b.getIntegerAttr(
        getCodeType(type),
        cast<FloatAttr>(op.getValue()).getValue().bitcastToAPInt());
  Value bits = arith::ConstantOp::create(b, op.getLoc(), code);
  op.replaceAllUsesWith(
      arith::BitcastOp::create(b, op.getLoc(), type, bits).getResult());
  op.erase();
}

/// Computes in f32 what is not just moving bits.
static void widenArithmetic(OpBuilder &b, Operation *op) {
  if (isa<arith::BitcastOp>(op))
    return;
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return expandConstant(b, constant);
  if (auto select = dyn_cast<arith::SelectOp>(op))
    return selectBits(b, select);
  Location loc = op->getLoc();
  for (OpOperand &operand : op->getOpOperands())
    if (isNarrow(operand.get().getType()))
      operand.set(arith::ExtFOp::create(
          b, loc, withElement(operand.get().getType(), b.getF32Type()),
          operand.get()));
  for (Value result : op->getResults()) {
    Type type = result.getType();
    if (!isNarrow(type))
      continue;
    result.setType(withElement(type, b.getF32Type()));
    b.setInsertionPointAfter(op);
    auto narrow = arith::TruncFOp::create(b, loc, type, result);
    result.replaceAllUsesExcept(narrow, narrow);
  }
}

static void walkArithmetic(Operation *function,
                           function_ref<void(Operation *)> rewrite) {
  SmallVector<Operation *> ops;
  function->walk([&](Operation *op) {
    bool isArithmetic = isa_and_present<arith::ArithDialect, math::MathDialect>(
        op->getDialect());
    auto isNarrowValue = [](Value value) { return isNarrow(value.getType()); };
    if (isArithmetic && (llvm::any_of(op->getOperands(), isNarrowValue) ||
                         llvm::any_of(op->getResults(), isNarrowValue)))
      ops.push_back(op);
  });
  llvm::for_each(ops, rewrite);
}

void txc::expandNarrowFloats(Operation *function, const VectorTarget &target) {
  OpBuilder b(function->getContext());
  walkArithmetic(function, [&](Operation *op) {
    b.setInsertionPoint(op);
    if (isa<arith::ExtFOp, arith::TruncFOp>(op))
      convertThroughF32(b, op);
    else
      widenArithmetic(b, op);
  });
  walkArithmetic(function, [&](Operation *op) {
    if (!isa<arith::ExtFOp, arith::TruncFOp>(op))
      return;
    b.setInsertionPoint(op);
    if (Value result = convert(b, op, target)) {
      op->getResult(0).replaceAllUsesWith(result);
      op->erase();
    }
  });
}
