//===- ElementFormat.cpp - how one element lies in memory -----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/reference/ElementFormat.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace txc;

std::optional<ElementFormat> ElementFormat::get(Type type) {
  ElementFormat format;
  if (auto integer = dyn_cast<IntegerType>(type)) {
    if (integer.getWidth() == 0 || integer.getWidth() > 64)
      return std::nullopt;
    format.bitWidth = integer.getWidth();
    format.byteSize = llvm::PowerOf2Ceil(llvm::divideCeil(format.bitWidth, 8));
    format.unsignedInteger = integer.isUnsigned() || format.bitWidth == 1;
    return format;
  }
  auto floatType = dyn_cast<FloatType>(type);
  if (!floatType || floatType.getWidth() > 64)
    return std::nullopt;
  format.floating = true;
  format.bitWidth = floatType.getWidth();
  format.byteSize = llvm::PowerOf2Ceil(llvm::divideCeil(format.bitWidth, 8));
  if (isa<Float32Type, Float64Type>(floatType))
    return format;

  const llvm::fltSemantics &semantics = floatType.getFloatSemantics();
  format.isScale = isa<Float8E8M0FNUType>(floatType);
  if (format.isScale)
    return format;
  if (format.bitWidth > 16 || !APFloat::semanticsHasSignedRepr(semantics) ||
      !APFloat::semanticsHasZero(semantics))
    return std::nullopt;
  format.hasNan = APFloat::semanticsHasNaN(semantics);
  format.hasInfinity = APFloat::semanticsHasInf(semantics);
  format.hasNegativeZero =
      APFloat::getZero(semantics, /*Negative=*/true).isNegative();
  format.mantissaBits = APFloat::semanticsPrecision(semantics) - 1;
  format.minExponent = APFloat::semanticsMinExponent(semantics);
  format.largest = APFloat::getLargest(semantics).convertToDouble();
  // ONNX makes -0 of NaN where there is none.
  format.nanCode =
      format.hasNan
          ? APFloat::getQNaN(semantics).bitcastToAPInt().getZExtValue()
          : uint64_t(1) << (format.bitWidth - 1);
  return format;
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

int64_t txc::truncateToSigned(double value, unsigned bitWidth) {
  double limit = std::ldexp(1.0, static_cast<int>(bitWidth) - 1);
  if (std::isnan(value))
    return 0;
  if (value >= limit)
    return llvm::maxIntN(bitWidth);
  if (value < -limit)
    return llvm::minIntN(bitWidth);
  return static_cast<int64_t>(value);
}

uint64_t txc::truncateToUnsigned(double value, unsigned bitWidth) {
  if (std::isnan(value) || value < 1)
    return 0;
  if (value >= std::ldexp(1.0, static_cast<int>(bitWidth)))
    return llvm::maxUIntN(bitWidth);
  return static_cast<uint64_t>(value);
}

double txc::toDoubleSticky(int64_t value) {
  uint64_t magnitude = value < 0 ? 0 - static_cast<uint64_t>(value)
                                 : static_cast<uint64_t>(value);
  unsigned width = llvm::bit_width(magnitude);
  if (width > 53) {
    uint64_t lost = llvm::maskTrailingOnes<uint64_t>(width - 53);
    bool isInexact = (magnitude & lost) != 0;
    magnitude = (magnitude & ~lost) |
                (isInexact ? uint64_t(1) << (width - 53) : uint64_t(0));
  }
  auto result = static_cast<double>(magnitude);
  return value < 0 ? -result : result;
}

/// 2 ^ `exponent`, for exponents of normal doubles: ldexp without its branches.
static double powerOfTwo(int exponent) {
  return llvm::bit_cast<double>(static_cast<uint64_t>(exponent + 1023) << 52);
}

/// The exponent of a positive normal double; too small a number for a
/// subnormal.
static int exponentOf(double x) {
  return static_cast<int>(llvm::bit_cast<uint64_t>(x) >> 52) - 1023;
}

/// E8M0: the exponent of a power of two.
static constexpr uint64_t kScaleNan = 0xff;

static double decodeScale(uint64_t code) {
  return code == kScaleNan ? std::numeric_limits<double>::quiet_NaN()
                           : powerOfTwo(static_cast<int>(code) - 127);
}

/// Up to the next power of two; there is no sign, and no zero.
static uint64_t encodeScale(double value, Overflow overflow) {
  double magnitude = std::fabs(value);
  if (std::isnan(value))
    return kScaleNan;
  if (magnitude <= powerOfTwo(-127))
    return 0;
  if (magnitude > powerOfTwo(127))
    return overflow == Overflow::Saturate ? kScaleNan - 1 : kScaleNan;
  int exponent = exponentOf(magnitude);
  bool isBetween = magnitude > powerOfTwo(exponent);
  return static_cast<uint64_t>(exponent + 127) + (isBetween ? 1 : 0);
}

double ElementFormat::decodeSmallFloat(uint64_t code) const {
  if (isScale)
    return decodeScale(code);
  uint64_t signBit = uint64_t(1) << (bitWidth - 1);
  if (!hasNegativeZero && code == signBit)
    return std::numeric_limits<double>::quiet_NaN();
  uint64_t magnitude = code & (signBit - 1);
  uint64_t mantissa =
      magnitude & llvm::maskTrailingOnes<uint64_t>(mantissaBits);
  uint64_t exponent = magnitude >> mantissaBits;
  // Subnormal numbers have the exponent of the smallest normal ones and no
  // leading bit.
  uint64_t significand =
      exponent == 0 ? mantissa : mantissa | (uint64_t(1) << mantissaBits);
  int scale = minExponent - static_cast<int>(mantissaBits) +
              static_cast<int>(exponent == 0 ? 0 : exponent - 1);
  double result = static_cast<double>(significand) * powerOfTwo(scale);
  if (result > largest)
    result = hasInfinity && mantissa == 0
                 ? std::numeric_limits<double>::infinity()
                 : std::numeric_limits<double>::quiet_NaN();
  return code & signBit ? -result : result;
}

uint64_t ElementFormat::encodeSmallFloat(double value,
                                         Overflow overflow) const {
  if (isScale)
    return encodeScale(value, overflow);
  uint64_t sign = std::signbit(value) ? uint64_t(1) << (bitWidth - 1) : 0;
  if (std::isnan(value))
    return hasNegativeZero ? sign | nanCode : nanCode;
  double magnitude = std::fabs(value);
  // The exponent of the unit in the last place where `x` lies.
  auto ulpExponent = [&](double x) {
    return std::max(exponentOf(x), minExponent) -
           static_cast<int>(mantissaBits);
  };
  // Whatever is too large stays so. Doubles from 2^52 on are integers, so the
  // sum is where the number of units rounds to nearest even; the products are
  // exact.
  magnitude = std::min(magnitude, 2 * largest);
  int unit = ulpExponent(magnitude);
  magnitude =
      ((magnitude * powerOfTwo(-unit) + 0x1p52) - 0x1p52) * powerOfTwo(unit);
  if (magnitude > largest) {
    if (overflow == Overflow::Saturate || (!hasInfinity && !hasNan))
      magnitude = largest;
    else if (!hasInfinity)
      return hasNegativeZero ? sign | nanCode : nanCode;
    else
      magnitude = powerOfTwo(exponentOf(largest) + 1);
  }
  if (magnitude == 0)
    return hasNegativeZero ? sign : 0;
  int exponent = ulpExponent(magnitude);
  auto significand = static_cast<uint64_t>(magnitude * powerOfTwo(-exponent));
  auto normalExponent = static_cast<uint64_t>(
      exponent + static_cast<int>(mantissaBits) - minExponent);
  // A normal number's leading bit adds the 1 by which its exponent field is
  // ahead; the power of two after the largest number is infinity's code.
  return sign | ((normalExponent << mantissaBits) + significand);
}

//===----------------------------------------------------------------------===//
// Loads and stores
//===----------------------------------------------------------------------===//

uint64_t ElementFormat::loadBits(const char *bytes) const {
  uint64_t bits = 0;
  std::memcpy(&bits, bytes, byteSize);
  return bits;
}

void ElementFormat::storeBits(char *bytes, uint64_t bits) const {
  std::memcpy(bytes, &bits, byteSize);
}

double ElementFormat::loadDouble(const char *bytes) const {
  uint64_t bits = loadBits(bytes);
  if (!floating) {
    int64_t value = loadInt(bytes);
    return unsignedInteger ? static_cast<double>(static_cast<uint64_t>(value))
                           : static_cast<double>(value);
  }
  if (bitWidth == 64)
    return llvm::bit_cast<double>(bits);
  if (bitWidth == 32)
    return llvm::bit_cast<float>(static_cast<uint32_t>(bits));
  return decodeSmallFloat(bits);
}

int64_t ElementFormat::loadInt(const char *bytes) const {
  if (floating)
    return truncateToSigned(loadDouble(bytes), 64);
  uint64_t bits = loadBits(bytes) & llvm::maskTrailingOnes<uint64_t>(bitWidth);
  return unsignedInteger ? static_cast<int64_t>(bits)
                         : llvm::SignExtend64(bits, bitWidth);
}

void ElementFormat::storeDouble(char *bytes, double value,
                                Overflow overflow) const {
  if (!floating) {
    if (bitWidth == 1)
      return storeBits(bytes, value != 0);
    return storeBits(
        bytes, unsignedInteger
                   ? truncateToUnsigned(value, bitWidth)
                   : static_cast<uint64_t>(truncateToSigned(value, bitWidth)));
  }
  if (bitWidth == 64)
    return storeBits(bytes, llvm::bit_cast<uint64_t>(value));
  if (bitWidth == 32)
    return storeBits(bytes,
                     llvm::bit_cast<uint32_t>(static_cast<float>(value)));
  storeBits(bytes, encodeSmallFloat(value, overflow));
}

void ElementFormat::storeInt(char *bytes, int64_t value) const {
  if (floating)
    return storeDouble(bytes, bitWidth == 64 ? static_cast<double>(value)
                                             : toDoubleSticky(value));
  auto bits = static_cast<uint64_t>(value);
  storeBits(bytes,
            unsignedInteger
                ? bits & llvm::maskTrailingOnes<uint64_t>(bitWidth)
                : static_cast<uint64_t>(llvm::SignExtend64(bits, bitWidth)));
}
