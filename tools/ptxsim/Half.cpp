//===- Half.cpp - Narrow floating point -------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See Half.h.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Half.h"

#include <cmath>
#include <limits>

using namespace ptxsim;

float ptxsim::e4m3ToFloat(uint8_t bits) {
  int exponent = bits >> 3 & 15, fraction = bits & 7;
  float sign = bits & 0x80 ? -1.0f : 1.0f;
  if (exponent == 15 && fraction == 7)
    return std::numeric_limits<float>::quiet_NaN();
  if (exponent == 0)
    return sign * std::ldexp(float(fraction), -9);
  return sign * std::ldexp(float(8 + fraction), exponent - 10);
}

float ptxsim::e5m2ToFloat(uint8_t bits) {
  // The upper half of an f16.
  return toFloat(Half{uint16_t(bits << 8)});
}

double ptxsim::roundTo(double value, const FloatFormat &format,
                       Rounding rounding) {
  if (value == 0 || !std::isfinite(value))
    return value;
  int exponent = std::ilogb(value);
  int unit = (exponent < format.smallest ? format.smallest : exponent) -
             format.fraction;
  // Scaling by powers of two is exact unless the result is a subnormal double.
  double scaled = std::ldexp(std::fabs(value), -unit);
  double whole = std::floor(scaled), rest = scaled - whole;
  bool isNegative = std::signbit(value), isUp = false;
  switch (rounding) {
  case Rounding::Nearest:
    isUp = rest > 0.5 || (rest == 0.5 && std::fmod(whole, 2) != 0);
    break;
  case Rounding::NearestAway:
    isUp = rest >= 0.5;
    break;
  case Rounding::Zero:
    break;
  case Rounding::Down:
    isUp = isNegative && rest > 0;
    break;
  case Rounding::Up:
    isUp = !isNegative && rest > 0;
    break;
  }
  double result = std::ldexp(whole + isUp, unit);
  double limit =
      std::ldexp(2 - std::ldexp(1.0, -format.fraction), format.largest);
  if (result > limit) {
    bool isClamped = rounding == Rounding::Zero ||
                     (rounding == Rounding::Down && !isNegative) ||
                     (rounding == Rounding::Up && isNegative);
    result = isClamped ? limit : std::numeric_limits<double>::infinity();
  }
  return isNegative ? -result : result;
}

Half ptxsim::toHalf(double value, Rounding rounding) {
  uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  if (std::isnan(value))
    return {0x7fff};
  double magnitude = std::fabs(roundTo(value, halfFormat, rounding));
  if (std::isinf(magnitude))
    return {uint16_t(sign | 0x7c00)};
  if (magnitude < 0x1p-14)
    return {uint16_t(sign | uint16_t(magnitude * 0x1p24))};
  int exponent = std::ilogb(magnitude);
  uint16_t fraction = uint16_t(std::ldexp(magnitude, 10 - exponent)) & 0x3ff;
  return {uint16_t(sign | (exponent + 15) << 10 | fraction)};
}

BFloat ptxsim::toBFloat(double value, Rounding rounding) {
  if (std::isnan(value))
    return {0x7fff};
  float rounded = float(roundTo(value, bfloatFormat, rounding));
  return {uint16_t(bitCast<uint32_t>(rounded) >> 16)};
}

Half ptxsim::toHalfNearest(float value) {
  uint32_t bits = bitCast<uint32_t>(value), sign = bits >> 16 & 0x8000;
  uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000)
    return {0x7fff};
  if (magnitude >= 0x47800000)
    return {uint16_t(sign | 0x7c00)};
  if (magnitude < 0x38800000) {
    // Adding 0.5 puts the last bit of a subnormal half at the last of a float.
    float shifted = bitCast<float>(magnitude) + 0.5f;
    return {uint16_t(sign | (bitCast<uint32_t>(shifted) - 0x3f000000))};
  }
  uint32_t odd = magnitude >> 13 & 1;
  return {uint16_t(sign | (magnitude - 0x38000000 + 0xfff + odd) >> 13)};
}

BFloat ptxsim::toBFloatNearest(float value) {
  uint32_t bits = bitCast<uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000)
    return {0x7fff};
  return {uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}

uint8_t ptxsim::toE4M3(double value) {
  if (std::isnan(value))
    return 0x7f;
  uint8_t sign = std::signbit(value) ? 0x80 : 0;
  double magnitude = std::fabs(roundTo(value, e4m3Format, Rounding::Nearest));
  if (magnitude > 448)
    magnitude = 448;
  if (magnitude < 0x1p-6)
    return sign | uint8_t(magnitude * 512);
  int exponent = std::ilogb(magnitude);
  uint8_t fraction = uint8_t(std::ldexp(magnitude, 3 - exponent)) & 7;
  return sign | uint8_t((exponent + 7) << 3) | fraction;
}

uint8_t ptxsim::toE5M2(double value) {
  if (std::isnan(value))
    return 0x7f;
  double rounded = roundTo(value, e5m2Format, Rounding::Nearest);
  if (std::fabs(rounded) > 57344)
    rounded = std::copysign(57344.0, value);
  return toHalf(rounded).bits >> 8;
}

float ptxsim::toFloatRounded(double value, Rounding rounding) {
  return float(roundTo(value, floatFormat, rounding));
}
