//===- ElementFormat.h - how one element lies in memory ---------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Reads and writes single numbers of every element type of `tx` as `double` or
/// `int64_t`. A format is a small value, derived from the MLIR type once per
/// tensor. Floats narrower than 32 bits follow LLVM's APFloat semantics of
/// their type: which codes are NaN or infinite, and whether there are any.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_REFERENCE_ELEMENTFORMAT_H
#define TXC_COMPILER_REFERENCE_ELEMENTFORMAT_H

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <cstring>
#include <limits>

namespace txc {

/// What becomes of a float that is too large for a type.
enum class Overflow {
  Ieee,    ///< infinity, or NaN in a type without one
  Saturate ///< the largest finite number
};

class ElementFormat {
public:
  /// The format of integers of at most 64 bits (one element takes 1, 2, 4 or 8
  /// bytes: i1, i4 and f4 take a byte each) and of the floats that have a sign
  /// and a zero, and of E8M0; nothing for other types.
  static std::optional<ElementFormat> get(mlir::Type type);

  bool isFloat() const { return floating; }
  bool isBfloat16() const {
    return floating && bitWidth == 16 && mantissaBits == 7;
  }
  /// `ui*`, and i1 whose values are 0 and 1.
  bool isUnsigned() const { return unsignedInteger; }
  unsigned getBitWidth() const { return bitWidth; }
  unsigned getByteSize() const { return byteSize; }

  double loadDouble(const char *bytes) const;
  /// A float is truncated toward zero and saturated, a NaN is 0. 64-bit
  /// unsigned integers keep their bits.
  int64_t loadInt(const char *bytes) const;
  /// Floats round to nearest even. Integers truncate toward zero and saturate;
  /// a NaN is 0; for i1 any number but 0 is 1.
  void storeDouble(char *bytes, double value,
                   Overflow overflow = Overflow::Ieee) const;
  /// Integers wrap; floats round to nearest even, once.
  void storeInt(char *bytes, int64_t value) const;

  /// Calls `visit` with a value of the C++ type of the elements; false where
  /// there is none (f16, f8, i4, i1, …).
  template <typename Visitor> bool visitNative(Visitor visit) const;

private:
  ElementFormat() = default;
  double decodeSmallFloat(uint64_t code) const;
  uint64_t encodeSmallFloat(double value, Overflow overflow) const;
  uint64_t loadBits(const char *bytes) const;
  void storeBits(char *bytes, uint64_t bits) const;

  bool floating = false;
  bool unsignedInteger = false;
  unsigned bitWidth = 0;
  unsigned byteSize = 0;
  // Of floats below 32 bits.
  bool hasInfinity = false;
  bool hasNan = false;
  /// E8M0: a power of two.
  bool isScale = false;
  bool hasNegativeZero = false;
  unsigned mantissaBits = 0;
  int minExponent = 0;
  double largest = 0;
  uint64_t nanCode = 0;
};

/// Toward zero, saturated to [`least`, `most`]; NaN is 0. `most + 1` must be a
/// power of two or `most` be exact as double.
int64_t truncateToSigned(double value, unsigned bitWidth);
uint64_t truncateToUnsigned(double value, unsigned bitWidth);

/// The same for a C++ type, and the nearest float. No branches, so that loops
/// of it vectorize.
template <typename Element> Element convertDouble(double value) {
  if constexpr (std::is_floating_point_v<Element>) {
    return static_cast<Element>(value);
  } else {
    using Limits = std::numeric_limits<Element>;
    // A power of two is exact, where the largest 64-bit integer is not.
    constexpr double end =
        2.0 * static_cast<double>(uint64_t(1) << (Limits::digits - 1));
    constexpr double begin = Limits::min();
    bool isInside = value >= begin && value < end;
    auto inside = static_cast<Element>(isInside ? value : 0.0);
    return value >= end    ? Limits::max()
           : value < begin ? Limits::min()
                           : inside;
  }
}

/// The code of the nearest bfloat16, ties to even. As storeDouble() has it, but
/// without branches.
inline uint16_t encodeBfloat16(double value) {
  auto narrow = static_cast<float>(value);
  auto bits = llvm::bit_cast<uint32_t>(narrow);
  // Rounding twice would be wrong where the first rounding makes a tie; so the
  // float is the one next to zero, with its last bit set where bits are lost
  // (rounding to odd; Boldo and Melquiond, IEEE Trans. Comput. 57(4), 2008).
  auto nearest = static_cast<double>(narrow);
  bits -= std::fabs(nearest) > std::fabs(value) ? 1 : 0;
  bits |= nearest != value ? 1 : 0;
  uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  uint32_t nan = (bits >> 31) << 15 | 0x7fc0;
  return static_cast<uint16_t>(value != value ? nan : rounded);
}

/// A double that rounds to a float of at most 51 significant bits as `value`
/// itself would: bits that don't fit are not rounded but leave a sticky bit.
double toDoubleSticky(int64_t value);

template <typename Visitor>
bool ElementFormat::visitNative(Visitor visit) const {
  // NOLINTBEGIN(bugprone-branch-clone): the branches differ in their type.
  if (floating) {
    if (bitWidth == 64)
      visit(double());
    else if (bitWidth == 32)
      visit(float());
    return bitWidth >= 32;
  }
  if (bitWidth != 8 * byteSize)
    return false;
  auto visitInteger = [&](auto zero) {
    using Unsigned = decltype(zero);
    if (unsignedInteger)
      visit(Unsigned());
    else
      visit(std::make_signed_t<Unsigned>());
    return true;
  };
  switch (byteSize) {
  case 1:
    return visitInteger(uint8_t());
  case 2:
    return visitInteger(uint16_t());
  case 4:
    return visitInteger(uint32_t());
  default:
    return visitInteger(uint64_t());
  }
  // NOLINTEND(bugprone-branch-clone)
}

} // namespace txc

#endif // TXC_COMPILER_REFERENCE_ELEMENTFORMAT_H
