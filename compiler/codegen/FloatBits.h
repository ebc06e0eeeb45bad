//===- FloatBits.h - bit arithmetic on floats ------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Short names for the operations of which conversions between float types are
/// made, on scalars and vectors alike.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_FLOATBITS_H
#define TXC_COMPILER_CODEGEN_FLOATBITS_H

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace txc {

/// \p type with another element type.
inline mlir::Type withElement(mlir::Type type, mlir::Type element) {
  if (auto vector = mlir::dyn_cast<mlir::VectorType>(type))
    return vector.clone(element);
  return element;
}

/// Emits on words of 32 bits, in the shape of one value: a scalar or a vector.
class FloatBits {
public:
  static constexpr uint32_t kSign = 0x80000000, kInfinity = 0x7f800000;

  FloatBits(mlir::OpBuilder &b, mlir::Location loc, mlir::Type shape)
      : b(b), loc(loc), shape(shape) {}

  mlir::Type code(unsigned width) const {
    return withElement(shape, b.getIntegerType(width));
  }
  mlir::Type i32() const { return code(32); }
  mlir::Type f32() const { return withElement(shape, b.getF32Type()); }

  mlir::Value constant(uint32_t bits) {
    mlir::TypedAttr attr = b.getI32IntegerAttr(static_cast<int32_t>(bits));
    if (auto vector = mlir::dyn_cast<mlir::VectorType>(i32()))
      attr = mlir::DenseElementsAttr::get(vector, mlir::Attribute(attr));
    return mlir::arith::ConstantOp::create(b, loc, attr);
  }
  mlir::Value floatConstant(uint32_t bits) {
    return cast(f32(), constant(bits));
  }
  mlir::Value cast(mlir::Type type, mlir::Value x) {
    return mlir::arith::BitcastOp::create(b, loc, type, x);
  }
  template <typename Op> mlir::Value apply(mlir::Value x, mlir::Value y) {
    return Op::create(b, loc, x, y);
  }
  template <typename Op> mlir::Value apply(mlir::Value x, uint32_t y) {
    return apply<Op>(x, constant(y));
  }
  mlir::Value compare(mlir::arith::CmpIPredicate predicate, mlir::Value x,
                      uint32_t y) {
    return mlir::arith::CmpIOp::create(b, loc, predicate, x, constant(y));
  }
  mlir::Value select(mlir::Value condition, mlir::Value x, mlir::Value y) {
    return mlir::arith::SelectOp::create(b, loc, condition, x, y);
  }
  /// The code of a float of \p width bits as a word.
  mlir::Value widen(mlir::Value x, unsigned width) {
    return mlir::arith::ExtUIOp::create(b, loc, i32(), cast(code(width), x));
  }
  /// The float of \p type whose code is in the low bits of a word.
  mlir::Value narrow(mlir::Value word, mlir::Type type) {
    unsigned width = mlir::getElementTypeOrSelf(type).getIntOrFloatBitWidth();
    return cast(type, mlir::arith::TruncIOp::create(b, loc, code(width), word));
  }

private:
  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::Type shape;
};

} // namespace txc

#endif // TXC_COMPILER_CODEGEN_FLOATBITS_H
