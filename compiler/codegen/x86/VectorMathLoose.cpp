//===- VectorMathLoose.cpp - Functions for factors of few bits --*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// What is rounded to 8 bits next needs no exact function.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/VectorMath.h"
#include "compiler/codegen/x86/VectorMathBuilder.h"
#include "compiler/codegen/x86/VectorMathCoefficients.h"

using namespace mlir;
using namespace txc::x86;

Value txc::x86::emitLooseErf(OpBuilder &builder, Location loc, Value x,
                             const VectorTarget &target) {
  VectorMathBuilder m(builder, loc, target);
  // A polynomial has no division to wait for, and is a little more than 1
  // behind the end of its range, whatever rounding adds: exactly 1 from there
  // on.
  x = m.atLeast(m.atMost(x, 3.21), -3.21);
  Value p = m.polynomial(coefficients::looseErf, m.mul(x, x));
  return m.atLeast(m.atMost(m.mul(x, p), 1.0), -1.0);
}
