//===- Array.cpp - A tensor and its elements --------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See Array.h.
///
//===----------------------------------------------------------------------===//

#include "tools/txc-run/Array.h"

#include "runtime/txc.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace txc::run;

namespace {

/// A binary floating-point format of at most 16 bits.
struct SmallFloat {
  int exponentBits;
  int mantissaBits;
  int bias;
  enum Specials {
    Ieee,            ///< All exponent bits set: infinity or NaN.
    FiniteNan,       ///< No infinity; all bits set is NaN (e4m3fn).
    NegativeZeroNan, ///< No infinity; the sign bit alone is NaN (fnuz).
    None,            ///< Every pattern is a number (float4).
  } specials;
};

const SmallFloat *getSmallFloat(int32_t type) {
  static constexpr SmallFloat half = {5, 10, 15, SmallFloat::Ieee};
  static constexpr SmallFloat bfloat = {8, 7, 127, SmallFloat::Ieee};
  static constexpr SmallFloat e4m3fn = {4, 3, 7, SmallFloat::FiniteNan};
  static constexpr SmallFloat e4m3fnuz = {4, 3, 8, SmallFloat::NegativeZeroNan};
  static constexpr SmallFloat e5m2 = {5, 2, 15, SmallFloat::Ieee};
  static constexpr SmallFloat e5m2fnuz = {5, 2, 16,
                                          SmallFloat::NegativeZeroNan};
  static constexpr SmallFloat e2m1 = {2, 1, 1, SmallFloat::None};
  switch (type) {
  case TXC_FLOAT16:
    return &half;
  case TXC_BFLOAT16:
    return &bfloat;
  case TXC_FLOAT8E4M3FN:
    return &e4m3fn;
  case TXC_FLOAT8E4M3FNUZ:
    return &e4m3fnuz;
  case TXC_FLOAT8E5M2:
    return &e5m2;
  case TXC_FLOAT8E5M2FNUZ:
    return &e5m2fnuz;
  case TXC_FLOAT4E2M1:
    return &e2m1;
  default:
    return nullptr;
  }
}

double decode(const SmallFloat &format, uint32_t bits) {
  int mantissaBits = format.mantissaBits;
  uint32_t mantissaMask = (1u << mantissaBits) - 1;
  uint32_t exponentMask = (1u << format.exponentBits) - 1;
  uint32_t mantissa = bits & mantissaMask;
  uint32_t exponent = bits >> mantissaBits & exponentMask;
  bool negative = bits >> (mantissaBits + format.exponentBits) & 1;
  double sign = negative ? -1 : 1;
  if (format.specials == SmallFloat::Ieee && exponent == exponentMask)
    return mantissa ? NAN : sign * INFINITY;
  if (format.specials == SmallFloat::FiniteNan && exponent == exponentMask &&
      mantissa == mantissaMask)
    return NAN;
  if (format.specials == SmallFloat::NegativeZeroNan && negative && !exponent &&
      !mantissa)
    return NAN;
  if (exponent == 0)
    return sign * std::ldexp(mantissa, 1 - format.bias - mantissaBits);
  return sign *
         std::ldexp((1u << mantissaBits) + mantissa,
                    static_cast<int>(exponent) - format.bias - mantissaBits);
}

/// For the 16-bit formats; finite numbers only, since that is what is stored.
uint32_t encode(const SmallFloat &format, double number) {
  uint32_t sign = std::signbit(number) ? 0x8000 : 0;
  int lowest = 1 - format.bias;
  int exponent = number != 0 ? std::max(std::ilogb(number), lowest) : lowest;
  // In units of the last place; a carry into the exponent is right as it is.
  double steps = std::nearbyint(
      std::ldexp(std::fabs(number), format.mantissaBits - exponent));
  auto binade = static_cast<uint32_t>(exponent - lowest);
  return sign |
         (static_cast<uint32_t>(steps) + (binade << format.mantissaBits));
}

template <typename T> T load(const char *data, int64_t index) {
  T number;
  std::memcpy(&number, data + index * static_cast<int64_t>(sizeof number),
              sizeof number);
  return number;
}

template <typename T> void store(char *data, int64_t index, double number) {
  T stored = static_cast<T>(number);
  std::memcpy(data + index * static_cast<int64_t>(sizeof stored), &stored,
              sizeof stored);
}

/// The bits of an element of at most 16 bits.
uint32_t loadBits(int32_t bits, const char *data, int64_t index) {
  if (bits == 16)
    return load<uint16_t>(data, index);
  auto octet = static_cast<unsigned char>(data[index * bits / 8]);
  return octet >> (index * bits % 8) & ((1u << bits) - 1);
}

struct TypeName {
  const char *name;
  int32_t bits;
};

const TypeName *getType(int32_t type) {
  static constexpr TypeName types[] = {
      {"undefined", 0},      {"float32", 32},   {"uint8", 8},
      {"int8", 8},           {"uint16", 16},    {"int16", 16},
      {"int32", 32},         {"int64", 64},     {"string", 0},
      {"bool", 8},           {"float16", 16},   {"float64", 64},
      {"uint32", 32},        {"uint64", 64},    {"complex64", 64},
      {"complex128", 128},   {"bfloat16", 16},  {"float8e4m3fn", 8},
      {"float8e4m3fnuz", 8}, {"float8e5m2", 8}, {"float8e5m2fnuz", 8},
      {"uint4", 4},          {"int4", 4},       {"float4e2m1", 4},
      {"float8e8m0", 8},     {"uint2", 2},      {"int2", 2},
  };
  if (type < 0 || type >= static_cast<int32_t>(std::size(types)))
    return nullptr;
  return &types[type];
}

} // namespace

std::string txc::run::getTypeName(int32_t type) {
  const TypeName *known = getType(type);
  return known ? known->name : "type " + std::to_string(type);
}

int32_t txc::run::getTypeBits(int32_t type) {
  const TypeName *known = getType(type);
  return known ? known->bits : 0;
}

bool txc::run::isFloat(int32_t type) {
  return type == TXC_FLOAT32 || type == TXC_FLOAT64 || type == TXC_FLOAT8E8M0 ||
         getSmallFloat(type);
}

bool txc::run::isInteger(int32_t type) {
  return getTypeBits(type) && !isFloat(type) && type != TXC_BOOL &&
         type != TXC_COMPLEX64 && type != TXC_COMPLEX128;
}

int64_t txc::run::countElements(const std::vector<int64_t> &dims) {
  int64_t count = 1;
  for (int64_t dim : dims)
    if (dim < 0 || __builtin_mul_overflow(count, dim, &count))
      return -1;
  return count;
}

int64_t txc::run::countBytes(int32_t type, int64_t elements) {
  int64_t bits;
  if (__builtin_mul_overflow(elements, int64_t{getTypeBits(type)}, &bits))
    return -1;
  return bits / 8 + (bits % 8 != 0);
}

double txc::run::getElement(int32_t type, const char *data, int64_t index) {
  int32_t bits = getTypeBits(type);
  if (const SmallFloat *format = getSmallFloat(type))
    return decode(*format, loadBits(bits, data, index));
  switch (type) {
  case TXC_FLOAT32:
    return load<float>(data, index);
  case TXC_COMPLEX64:
    return load<float>(data, 2 * index);
  case TXC_FLOAT64:
    return load<double>(data, index);
  case TXC_COMPLEX128:
    return load<double>(data, 2 * index);
  case TXC_INT8:
    return load<int8_t>(data, index);
  case TXC_INT16:
    return load<int16_t>(data, index);
  case TXC_INT32:
    return load<int32_t>(data, index);
  case TXC_UINT32:
    return load<uint32_t>(data, index);
  case TXC_INT64:
    return static_cast<double>(load<int64_t>(data, index));
  case TXC_UINT64:
    return static_cast<double>(load<uint64_t>(data, index));
  case TXC_FLOAT8E8M0: {
    uint32_t exponent = loadBits(8, data, index);
    return exponent == 255 ? NAN
                           : std::ldexp(1, static_cast<int>(exponent) - 127);
  }
  case TXC_INT4:
  case TXC_INT2: {
    auto number = static_cast<int32_t>(loadBits(bits, data, index));
    return number >> (bits - 1) ? number - (1 << bits) : number;
  }
  default: // uint8, uint16, bool, uint4, uint2
    return bits && bits <= 16 ? loadBits(bits, data, index) : NAN;
  }
}

void txc::run::setElement(int32_t type, char *data, int64_t index,
                          double number) {
  switch (type) {
  case TXC_FLOAT32:
    return store<float>(data, index, number);
  case TXC_FLOAT64:
    return store<double>(data, index, number);
  case TXC_FLOAT16:
  case TXC_BFLOAT16:
    return store<uint16_t>(data, index, encode(*getSmallFloat(type), number));
  case TXC_BOOL:
  case TXC_UINT8:
    return store<uint8_t>(data, index, number);
  case TXC_INT8:
    return store<int8_t>(data, index, number);
  case TXC_UINT16:
    return store<uint16_t>(data, index, number);
  case TXC_INT16:
    return store<int16_t>(data, index, number);
  case TXC_INT32:
    return store<int32_t>(data, index, number);
  case TXC_UINT32:
    return store<uint32_t>(data, index, number);
  case TXC_INT64:
    return store<int64_t>(data, index, number);
  case TXC_UINT64:
    return store<uint64_t>(data, index, number);
  default:
    return;
  }
}

std::string txc::run::formatDims(const std::vector<int64_t> &dims) {
  std::string text = "[";
  for (size_t i = 0; i < dims.size(); ++i)
    text += (i ? ", " : "") + std::to_string(dims[i]);
  return text + "]";
}
