//===- BoundedNumber.h - numbers with an error bound -----------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Running error analysis (Higham, Accuracy and Stability of Numerical
/// Algorithms, section 3.3): beside each exact value, how far a computation in
/// a narrower type may be off. Tests take their tolerances from it.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TEST_UNIT_CODEGEN_BOUNDEDNUMBER_H
#define TXC_TEST_UNIT_CODEGEN_BOUNDEDNUMBER_H

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace txc::test {

struct BoundedNumber {
  /// Of a float, in double precision.
  double value = 0;
  /// Of an integer, boolean or index.
  int64_t integer = 0;
  double error = 0;

  static BoundedNumber ofInteger(int64_t integer) { return {0, integer, 0}; }
  static BoundedNumber ofFloat(double value, double error = 0) {
    return {value, 0, error};
  }
  /// A result that is rounded to a unit roundoff of \p unit.
  static BoundedNumber rounded(double value, double error, double unit) {
    return {value, 0, error + unit * (std::abs(value) + error)};
  }
};

inline BoundedNumber add(BoundedNumber x, BoundedNumber y, double unit) {
  return BoundedNumber::rounded(x.value + y.value, x.error + y.error, unit);
}
inline BoundedNumber subtract(BoundedNumber x, BoundedNumber y, double unit) {
  return BoundedNumber::rounded(x.value - y.value, x.error + y.error, unit);
}
inline BoundedNumber multiply(BoundedNumber x, BoundedNumber y, double unit) {
  double error = std::abs(x.value) * y.error + std::abs(y.value) * x.error +
                 x.error * y.error;
  return BoundedNumber::rounded(x.value * y.value, error, unit);
}
inline BoundedNumber divide(BoundedNumber x, BoundedNumber y, double unit) {
  double quotient = x.value / y.value;
  double least = std::abs(y.value) - y.error;
  double error = (x.error + std::abs(quotient) * y.error) / least;
  return BoundedNumber::rounded(quotient, error, unit);
}

/// A function whose slope near x is at most \p slope, computed with \p ulps
/// units of error.
inline BoundedNumber apply(double (*function)(double), BoundedNumber x,
                           double slope, double unit, double ulps) {
  return BoundedNumber::rounded(function(x.value), x.error * slope,
                                2 * ulps * unit);
}

} // namespace txc::test

#endif // TXC_TEST_UNIT_CODEGEN_BOUNDEDNUMBER_H
