//===- Half.h - Narrow floating point ---------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// f16, bf16, tf32 and the two fp8 formats. Widening is exact; narrowing rounds
/// once, from double.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_PTXSIM_HALF_H
#define TXC_TOOLS_PTXSIM_HALF_H

#include <cstdint>
#include <cstring>

namespace ptxsim {

enum class Rounding : uint8_t { Nearest, Zero, Down, Up, NearestAway };

struct Half {
  uint16_t bits;
};
struct BFloat {
  uint16_t bits;
};
struct Half2 {
  Half low, high;
};
struct BFloat2 {
  BFloat low, high;
};

template <typename To, typename From> inline To bitCast(From from) {
  static_assert(sizeof(To) == sizeof(From), "of one size");
  To to;
  std::memcpy(&to, &from, sizeof(To));
  return to;
}

/// Branchless, for vectorizers: shifts the fraction to its place and lets a
/// multiplication correct the exponent, of subnormals too.
inline float toFloat(Half half) {
  uint32_t magnitude = uint32_t(half.bits & 0x7fff) << 13;
  float scaled = bitCast<float>(magnitude) * bitCast<float>(0x77800000u);
  uint32_t special = magnitude >= 0x0f800000u ? 0x7f800000u : 0;
  return bitCast<float>(bitCast<uint32_t>(scaled) | special |
                        uint32_t(half.bits & 0x8000) << 16);
}
inline float toFloat(BFloat value) {
  return bitCast<float>(uint32_t(value.bits) << 16);
}
inline double toDouble(Half value) { return toFloat(value); }
inline double toDouble(BFloat value) { return toFloat(value); }
inline double toDouble(float value) { return value; }
inline double toDouble(double value) { return value; }
float e4m3ToFloat(uint8_t bits);
float e5m2ToFloat(uint8_t bits);

/// A binary format as IEEE has them: `fraction` bits, exponents from `smallest`
/// (of normal numbers) to `largest`.
struct FloatFormat {
  int fraction, smallest, largest;
};
constexpr FloatFormat halfFormat = {10, -14, 15};
constexpr FloatFormat bfloatFormat = {7, -126, 127};
constexpr FloatFormat tf32Format = {10, -126, 127};
constexpr FloatFormat e5m2Format = {2, -14, 15};
/// Without infinities; 448 is the largest.
constexpr FloatFormat e4m3Format = {3, -6, 8};
constexpr FloatFormat floatFormat = {23, -126, 127};

/// The value of the format that is nearest in the direction, as a double;
/// infinite if too large. NaN and infinities stay.
double roundTo(double value, const FloatFormat &format, Rounding rounding);

Half toHalf(double value, Rounding rounding = Rounding::Nearest);
BFloat toBFloat(double value, Rounding rounding = Rounding::Nearest);
/// To nearest; faster.
Half toHalfNearest(float value);
BFloat toBFloatNearest(float value);
/// Too large becomes the largest; fp8 conversions know nothing else.
uint8_t toE4M3(double value);
uint8_t toE5M2(double value);
float toFloatRounded(double value, Rounding rounding);

} // namespace ptxsim

#endif // TXC_TOOLS_PTXSIM_HALF_H
