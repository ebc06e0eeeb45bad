//===- VectorMathBuilder.h - Steps of elementary functions ------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Arithmetic on values of one shape, shared by the files of VectorMath.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_X86_VECTORMATHBUILDER_H
#define TXC_COMPILER_CODEGEN_X86_VECTORMATHBUILDER_H

#include "compiler/codegen/x86/CodeBuilder.h"
#include "llvm/ADT/ArrayRef.h"

namespace txc::x86 {

/// Operands of a binary step have one type, scalar or vector. Literals take the
/// type of the other operand.
class VectorMathBuilder {
public:
  VectorMathBuilder(mlir::OpBuilder &builder, mlir::Location loc,
                    const VectorTarget &target)
      : code(builder, loc, target) {}

  CodeBuilder code;

  /// \p shape with its elements replaced by \p element.
  static mlir::Type like(mlir::Type shape, mlir::Type element);

  mlir::Value literal(mlir::Value like, double value) {
    return code.constant(like.getType(), value);
  }
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value sub(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value div(mlir::Value a, mlir::Value b);
  mlir::Value neg(mlir::Value a);
  mlir::Value abs(mlir::Value a);
  mlir::Value fma(mlir::Value a, mlir::Value b, mlir::Value c) {
    return code.fma(a, b, c);
  }
  mlir::Value add(mlir::Value a, double b) { return add(a, literal(a, b)); }
  mlir::Value sub(mlir::Value a, double b) { return sub(a, literal(a, b)); }
  mlir::Value mul(mlir::Value a, double b) { return mul(a, literal(a, b)); }
  mlir::Value fma(mlir::Value a, double b, mlir::Value c) {
    return fma(a, literal(a, b), c);
  }
  /// NaN passes through the bounds: they are single instructions that return
  /// their second operand then.
  mlir::Value atLeast(mlir::Value a, double bound);
  mlir::Value atMost(mlir::Value a, double bound);
  /// The comparison is false for NaN unless its predicate is unordered.
  mlir::Value compare(mlir::arith::CmpFPredicate predicate, mlir::Value a,
                      mlir::Value b);
  mlir::Value compare(mlir::arith::CmpFPredicate predicate, mlir::Value a,
                      double b) {
    return compare(predicate, a, literal(a, b));
  }
  mlir::Value both(mlir::Value a, mlir::Value b);
  mlir::Value either(mlir::Value a, mlir::Value b);
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b) {
    return code.select(condition, a, b);
  }
  mlir::Value select(mlir::Value condition, double a, mlir::Value b) {
    return code.select(condition, literal(b, a), b);
  }
  /// Horner's scheme, highest coefficient first.
  mlir::Value polynomial(llvm::ArrayRef<double> coefficients, mlir::Value x);

  // Integers of the same width as the floats.
  mlir::Value bits(mlir::Value floats);
  mlir::Value floats(mlir::Value bits);
  mlir::Value addInt(mlir::Value a, int64_t b);
  mlir::Value andInt(mlir::Value a, int64_t b);
  mlir::Value orInt(mlir::Value a, mlir::Value b);
  mlir::Value shiftLeft(mlir::Value a, int64_t bits);
  mlir::Value shiftRight(mlir::Value a, int64_t bits);

  mlir::Value widen(mlir::Value f32);
  mlir::Value narrow(mlir::Value f64);

private:
  mlir::Value intLiteral(mlir::Value like, int64_t value);
};

} // namespace txc::x86

#endif // TXC_COMPILER_CODEGEN_X86_VECTORMATHBUILDER_H
