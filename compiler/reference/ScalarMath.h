//===- ScalarMath.h - arithmetic on f64 and i64 -----------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Sums, products and extremes under one name for both domains the reference
/// interpreter computes in: `double` for floats, `int64_t` for integers, which
/// wrap.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_REFERENCE_SCALARMATH_H
#define TXC_COMPILER_REFERENCE_SCALARMATH_H

#include <cmath>
#include <cstdint>
#include <limits>

namespace txc::reference {

inline double plus(double x, double y) { return x + y; }
inline int64_t plus(int64_t x, int64_t y) {
  return static_cast<int64_t>(static_cast<uint64_t>(x) +
                              static_cast<uint64_t>(y));
}
inline double times(double x, double y) { return x * y; }
inline int64_t times(int64_t x, int64_t y) {
  return static_cast<int64_t>(static_cast<uint64_t>(x) *
                              static_cast<uint64_t>(y));
}

/// Of 64-bit patterns that are unsigned numbers, or signed ones.
inline bool isLess(bool isUnsigned, int64_t x, int64_t y) {
  return isUnsigned ? static_cast<uint64_t>(x) < static_cast<uint64_t>(y)
                    : x < y;
}

/// IEEE 754-2019 maximum and minimum: NaN wins, -0 is below 0.
inline double maximum(double x, double y) {
  if (std::isnan(x) || std::isnan(y))
    return std::numeric_limits<double>::quiet_NaN();
  if (x == y)
    return std::signbit(x) ? y : x;
  return x > y ? x : y;
}
inline double minimum(double x, double y) { return -maximum(-x, -y); }

/// The same for both domains; floats have no use for `isUnsigned`.
inline double maximum(bool, double x, double y) { return maximum(x, y); }
inline double minimum(bool, double x, double y) { return minimum(x, y); }
inline int64_t maximum(bool isUnsigned, int64_t x, int64_t y) {
  return isLess(isUnsigned, x, y) ? y : x;
}
inline int64_t minimum(bool isUnsigned, int64_t x, int64_t y) {
  return isLess(isUnsigned, y, x) ? y : x;
}

} // namespace txc::reference

#endif // TXC_COMPILER_REFERENCE_SCALARMATH_H
