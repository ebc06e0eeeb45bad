//===- VectorMathBuilder.cpp - Steps of elementary functions ----*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Arithmetic on values of one shape. No fast-math flags anywhere.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/VectorMathBuilder.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace txc::x86;
using arith::CmpFPredicate;

Type VectorMathBuilder::like(Type shape, Type element) {
  if (auto vector = dyn_cast<VectorType>(shape))
    return vector.clone(element);
  return element;
}

Value VectorMathBuilder::add(Value a, Value b) {
  return arith::AddFOp::create(code.builder, code.loc, a, b);
}

Value VectorMathBuilder::sub(Value a, Value b) {
  return arith::SubFOp::create(code.builder, code.loc, a, b);
}

Value VectorMathBuilder::mul(Value a, Value b) {
  return arith::MulFOp::create(code.builder, code.loc, a, b);
}

Value VectorMathBuilder::div(Value a, Value b) {
  return arith::DivFOp::create(code.builder, code.loc, a, b);
}

Value VectorMathBuilder::neg(Value a) {
  return arith::NegFOp::create(code.builder, code.loc, a);
}

Value VectorMathBuilder::abs(Value a) {
  return math::AbsFOp::create(code.builder, code.loc, a);
}

// b > a ? b : a is maxps itself, without the fixing of NaN and zeros that
// arith.maximumf needs.
Value VectorMathBuilder::atLeast(Value a, double bound) {
  Value limit = literal(a, bound);
  return select(compare(CmpFPredicate::OGT, limit, a), limit, a);
}

Value VectorMathBuilder::atMost(Value a, double bound) {
  Value limit = literal(a, bound);
  return select(compare(CmpFPredicate::OLT, limit, a), limit, a);
}

Value VectorMathBuilder::compare(CmpFPredicate predicate, Value a, Value b) {
  return arith::CmpFOp::create(code.builder, code.loc, predicate, a, b);
}

Value VectorMathBuilder::both(Value a, Value b) {
  return arith::AndIOp::create(code.builder, code.loc, a, b);
}

Value VectorMathBuilder::either(Value a, Value b) {
  return arith::OrIOp::create(code.builder, code.loc, a, b);
}

Value VectorMathBuilder::polynomial(ArrayRef<double> coefficients, Value x) {
  Value sum = literal(x, coefficients.front());
  for (double coefficient : coefficients.drop_front())
    sum = fma(sum, x, literal(x, coefficient));
  return sum;
}

Value VectorMathBuilder::bits(Value floats) {
  Type type = floats.getType();
  unsigned width = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
  return arith::BitcastOp::create(
      code.builder, code.loc, like(type, code.builder.getIntegerType(width)),
      floats);
}

Value VectorMathBuilder::floats(Value bits) {
  Type type = bits.getType();
  bool isWide = getElementTypeOrSelf(type).isInteger(64);
  Type element = isWide ? Type(code.builder.getF64Type())
                        : Type(code.builder.getF32Type());
  return arith::BitcastOp::create(code.builder, code.loc, like(type, element),
                                  bits);
}

Value VectorMathBuilder::intLiteral(Value like, int64_t value) {
  Type type = like.getType();
  Type element = getElementTypeOrSelf(type);
  TypedAttr attr = code.builder.getIntegerAttr(element, value);
  if (auto vector = dyn_cast<VectorType>(type))
    attr = DenseElementsAttr::get(vector, Attribute(attr));
  return arith::ConstantOp::create(code.builder, code.loc, attr);
}

Value VectorMathBuilder::addInt(Value a, int64_t b) {
  return arith::AddIOp::create(code.builder, code.loc, a, intLiteral(a, b));
}

Value VectorMathBuilder::andInt(Value a, int64_t b) {
  return arith::AndIOp::create(code.builder, code.loc, a, intLiteral(a, b));
}

Value VectorMathBuilder::orInt(Value a, Value b) {
  return arith::OrIOp::create(code.builder, code.loc, a, b);
}

Value VectorMathBuilder::shiftLeft(Value a, int64_t bits) {
  return arith::ShLIOp::create(code.builder, code.loc, a, intLiteral(a, bits));
}

Value VectorMathBuilder::shiftRight(Value a, int64_t bits) {
  return arith::ShRUIOp::create(code.builder, code.loc, a, intLiteral(a, bits));
}

Value VectorMathBuilder::widen(Value f32) {
  return arith::ExtFOp::create(code.builder, code.loc,
                               like(f32.getType(), code.builder.getF64Type()),
                               f32);
}

Value VectorMathBuilder::narrow(Value f64) {
  return arith::TruncFOp::create(code.builder, code.loc,
                                 like(f64.getType(), code.builder.getF32Type()),
                                 f64);
}
