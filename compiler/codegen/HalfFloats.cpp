//===- HalfFloats.cpp - f16 and bf16 without instructions ----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/HalfFloats.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace txc;

static bool isHalf(Type type) {
  auto element = dyn_cast<FloatType>(getElementTypeOrSelf(type));
  return element && element.getWidth() == 16;
}

/// `type` with another element type.
static Type withElement(Type type, Type element) {
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.clone(element);
  return element;
}

namespace {
/// Bit arithmetic on vectors of one length.
class Bits {
public:
  Bits(OpBuilder &b, Location loc, Type shape) : b(b), loc(loc), shape(shape) {}

  Type typeOf(Type element) const { return withElement(shape, element); }
  Type i16() const { return typeOf(b.getI16Type()); }
  Type i32() const { return typeOf(b.getI32Type()); }
  Type f32() const { return typeOf(b.getF32Type()); }

  Value constant(uint32_t bits) {
    TypedAttr attr = b.getI32IntegerAttr(static_cast<int32_t>(bits));
    if (auto vector = dyn_cast<VectorType>(i32()))
      attr = DenseElementsAttr::get(vector, Attribute(attr));
    return arith::ConstantOp::create(b, loc, attr);
  }
  Value cast(Type type, Value x) {
    return arith::BitcastOp::create(b, loc, type, x);
  }
  template <typename Op> Value apply(Value x, Value y) {
    return Op::create(b, loc, x, y);
  }
  template <typename Op> Value apply(Value x, uint32_t y) {
    return apply<Op>(x, constant(y));
  }
  Value compare(arith::CmpIPredicate predicate, Value x, uint32_t y) {
    return arith::CmpIOp::create(b, loc, predicate, x, constant(y));
  }
  Value select(Value condition, Value x, Value y) {
    return arith::SelectOp::create(b, loc, condition, x, y);
  }
  Value widen(Value x) { return arith::ExtUIOp::create(b, loc, i32(), x); }
  Value narrow(Value x) { return arith::TruncIOp::create(b, loc, i16(), x); }

private:
  OpBuilder &b;
  Location loc;
  Type shape;
};
} // namespace

constexpr uint32_t kSign = 0x80000000, kInfinity = 0x7f800000;

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

/// Rounds to the upper 16 bits of an f32, ties to even.
static Value truncateToBf16(Bits &bits, Value x, Type type) {
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
  return bits.cast(type, bits.narrow(bits.select(isNan, quiet, rounded)));
}

static Value extendBf16(Bits &bits, Value x) {
  Value word = bits.widen(bits.cast(bits.i16(), x));
  return bits.cast(bits.f32(), bits.apply<arith::ShLIOp>(word, 16));
}

/// The exponent's bias differs by 112: a product with 2^112 moves it, and makes
/// normal numbers of denormal ones.
static Value extendF16(Bits &bits, Value x) {
  Value half = bits.widen(bits.cast(bits.i16(), x));
  Value sign =
      bits.apply<arith::ShLIOp>(bits.apply<arith::AndIOp>(half, 0x8000), 16);
  Value shifted =
      bits.apply<arith::ShLIOp>(bits.apply<arith::AndIOp>(half, 0x7fff), 13);
  Value scaled = bits.apply<arith::MulFOp>(
      bits.cast(bits.f32(), shifted),
      bits.cast(bits.f32(), bits.constant((127 + 112) << 23)));
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
static Value truncateToF16(Bits &bits, Value x, Type type) {
  using P = arith::CmpIPredicate;
  Value word = bits.cast(bits.i32(), x);
  Value sign = bits.apply<arith::AndIOp>(word, kSign);
  Value magnitude = bits.apply<arith::AndIOp>(word, ~kSign);

  // 0.5 has the ulp 2^-24, that of f16's denormals.
  constexpr uint32_t kHalf = 126 << 23;
  Value pushed =
      bits.apply<arith::AddFOp>(bits.cast(bits.f32(), magnitude),
                                bits.cast(bits.f32(), bits.constant(kHalf)));
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
  return bits.cast(type, bits.narrow(half));
}

/// To f32 or from it; null if LLVM has an instruction for it.
static Value convert(OpBuilder &b, Operation *op, const VectorTarget &target) {
  Value x = op->getOperand(0);
  Type type = op->getResult(0).getType();
  Bits bits(b, op->getLoc(), x.getType());
  if (isa<arith::ExtFOp>(op)) {
    if (getElementTypeOrSelf(x).isBF16())
      return extendBf16(bits, x);
    return target.hasHalfConversions ? nullptr : extendF16(bits, x);
  }
  if (getElementTypeOrSelf(type).isBF16())
    return truncateToBf16(bits, x, type);
  return target.hasHalfConversions ? nullptr : truncateToF16(bits, x, type);
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

/// f64 goes through f32: no instruction does it directly. (Rounding twice may
/// err by an ulp of f16 in one case of 2^29.)
static void splitDoubleConversion(OpBuilder &b, Operation *op) {
  Type f32 = withElement(op->getOperand(0).getType(), b.getF32Type());
  bool extends = isa<arith::ExtFOp>(op);
  Type other =
      extends ? op->getResult(0).getType() : op->getOperand(0).getType();
  if (!getElementTypeOrSelf(other).isF64())
    return;
  Value middle = extends ? Value(arith::ExtFOp::create(b, op->getLoc(), f32,
                                                       op->getOperand(0)))
                         : Value(arith::TruncFOp::create(b, op->getLoc(), f32,
                                                         op->getOperand(0)));
  op->setOperand(0, middle);
}

/// A selection moves bits.
static void selectBits(OpBuilder &b, arith::SelectOp op) {
  Location loc = op.getLoc();
  Type type = op.getType(), bits = withElement(type, b.getI16Type());
  auto cast = [&](Value value) -> Value {
    return arith::BitcastOp::create(b, loc, bits, value);
  };
  Value selected = arith::SelectOp::create(b, loc, op.getCondition(),
                                           cast(op.getTrueValue()),
                                           cast(op.getFalseValue()));
  op.replaceAllUsesWith(
      arith::BitcastOp::create(b, loc, type, selected).getResult());
  op.erase();
}

/// Computes in f32 what is not just moving bits.
static void widenArithmetic(OpBuilder &b, Operation *op) {
  if (isa<arith::ConstantOp, arith::BitcastOp>(op))
    return;
  if (auto select = dyn_cast<arith::SelectOp>(op))
    return selectBits(b, select);
  Location loc = op->getLoc();
  for (OpOperand &operand : op->getOpOperands())
    if (isHalf(operand.get().getType()))
      operand.set(arith::ExtFOp::create(
          b, loc, withElement(operand.get().getType(), b.getF32Type()),
          operand.get()));
  for (Value result : op->getResults()) {
    Type type = result.getType();
    if (!isHalf(type))
      continue;
    result.setType(withElement(type, b.getF32Type()));
    b.setInsertionPointAfter(op);
    auto narrow = arith::TruncFOp::create(b, loc, type, result);
    result.replaceAllUsesExcept(narrow, narrow);
  }
}

static void walkArithmetic(func::FuncOp function,
                           function_ref<void(Operation *)> rewrite) {
  SmallVector<Operation *> ops;
  function.walk([&](Operation *op) {
    bool isArithmetic = isa_and_present<arith::ArithDialect, math::MathDialect>(
        op->getDialect());
    auto isHalfValue = [](Value value) { return isHalf(value.getType()); };
    if (isArithmetic && (llvm::any_of(op->getOperands(), isHalfValue) ||
                         llvm::any_of(op->getResults(), isHalfValue)))
      ops.push_back(op);
  });
  llvm::for_each(ops, rewrite);
}

void txc::expandHalfFloats(func::FuncOp function, const VectorTarget &target) {
  OpBuilder b(function.getContext());
  walkArithmetic(function, [&](Operation *op) {
    b.setInsertionPoint(op);
    if (isa<arith::ExtFOp, arith::TruncFOp>(op))
      splitDoubleConversion(b, op);
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
