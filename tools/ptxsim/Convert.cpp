//===- Convert.cpp - cvt ----------------------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Every numeric type to every other one, by way of int64 or double, which hold
/// all of them but the largest u64; quicker where kernels spend time.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Instructions.h"
#include "tools/ptxsim/Lanes.h"

#include <cmath>
#include <limits>

using namespace ptxsim;

namespace {

enum Flags : uint8_t { Ftz = 1, Sat = 2, Relu = 4, SatFinite = 8 };

/// How a float becomes whole: .rni and its like, or not at all.
enum WholeRounding : uint8_t { Exact, Rni, Rzi, Rmi, Rpi };

double toWhole(double value, int rounding) {
  switch (rounding) {
  case Rni:
    return std::nearbyint(value);
  case Rzi:
    return std::trunc(value);
  case Rmi:
    return std::floor(value);
  case Rpi:
    return std::ceil(value);
  default:
    return value;
  }
}

double flush(double value, double least) {
  return std::fabs(value) < least ? std::copysign(0.0, value) : value;
}

double readFloat(uint64_t bits, Type type, int flags) {
  switch (type) {
  case Type::F16:
    return toFloat(Half{uint16_t(bits)});
  case Type::BF16:
    return toFloat(BFloat{uint16_t(bits)});
  case Type::F32: {
    double value = bitCast<float>(uint32_t(bits));
    return flags & Ftz ? flush(value, 0x1p-126) : value;
  }
  default:
    return bitCast<double>(bits);
  }
}

uint64_t writeFloat(double value, Type type, Rounding rounding, int flags) {
  if (flags & Sat)
    value = value > 0 ? std::fmin(value, 1.0) : 0.0;
  if ((flags & Relu) && value <= 0)
    value = 0;
  switch (type) {
  case Type::F16: {
    Half half = toHalf(value, rounding);
    if ((flags & SatFinite) && (half.bits & 0x7fff) == 0x7c00)
      half.bits -= 1;
    return half.bits;
  }
  case Type::BF16: {
    BFloat result = toBFloat(value, rounding);
    if ((flags & SatFinite) && (result.bits & 0x7fff) == 0x7f80)
      result.bits -= 1;
    return result.bits;
  }
  case Type::TF32: {
    if (value != value)
      return 0x7fffffff;
    double result = roundTo(value, tf32Format, rounding);
    if ((flags & SatFinite) && std::isinf(result))
      result = std::copysign(0x1.ffcp127, result);
    return bitCast<uint32_t>(float(result));
  }
  case Type::F32: {
    double result =
        value != value ? value : roundTo(value, floatFormat, rounding);
    if (flags & Ftz)
      result = flush(result, 0x1p-126);
    return result != result ? 0x7fffffff : bitCast<uint32_t>(float(result));
  }
  case Type::E4M3:
    return toE4M3(value);
  case Type::E5M2:
    return toE5M2(value);
  default:
    return bitCast<uint64_t>(value);
  }
}

int64_t smallest(Type type) {
  return isSigned(type) ? int64_t(~uint64_t(0) << (getBits(type) - 1)) : 0;
}
uint64_t largest(Type type) {
  return ~uint64_t(0) >> (64 - getBits(type) + (isSigned(type) ? 1 : 0));
}

uint64_t floatToInteger(double value, Type from, Type to, int rounding) {
  if (value != value) {
    bool isZero = from != Type::F64 && getBits(to) != 64;
    return isZero ? 0 : uint64_t(1) << (getBits(to) - 1);
  }
  value = toWhole(value, rounding);
  if (value <= double(smallest(to)))
    return smallest(to);
  if (value >= double(largest(to)))
    return largest(to);
  return isSigned(to) ? uint64_t(int64_t(value)) : uint64_t(value);
}

/// A result of the type in a register of so many bits.
uint64_t extend(uint64_t value, Type type, int bits) {
  int unused = 64 - getBits(type);
  value = isSigned(type) ? uint64_t(int64_t(value << unused) >> unused)
                         : value << unused >> unused;
  return bits == 64 ? value : value & ((uint64_t(1) << bits) - 1);
}

struct Conversion {
  Type from, to;
  uint8_t flags;
  Rounding rounding;
  uint8_t whole;
  int bits;
};
// In op: mode, width, extra (three bytes), count.
Conversion getConversion(const Op &op) {
  return {
      static_cast<Type>(op.mode), static_cast<Type>(op.width),
      uint8_t(op.extra),          static_cast<Rounding>(op.extra >> 8 & 0xff),
      uint8_t(op.extra >> 16),    op.count};
}

uint64_t convert(uint64_t bits, const Conversion &how) {
  bool isFromFloat = isFloat(how.from), isToFloat = isFloat(how.to);
  if (isFromFloat) {
    double value = readFloat(bits, how.from, how.flags);
    if (!isToFloat)
      return floatToInteger(value, how.from, how.to, how.whole);
    return writeFloat(toWhole(value, how.whole), how.to, how.rounding,
                      how.flags);
  }
  int unused = 64 - getBits(how.from);
  bool isNegative = isSigned(how.from) && (bits << unused >> 63);
  uint64_t value = isSigned(how.from)
                       ? uint64_t(int64_t(bits << unused) >> unused)
                       : bits << unused >> unused;
  if (isToFloat) {
    // Beyond 53 bits a double would round first: keep what is lost as a last
    // odd bit.
    uint64_t magnitude = isNegative ? -value : value;
    if (how.to != Type::F64 && magnitude >> 53)
      magnitude = magnitude >> 11 << 11 | uint64_t((magnitude & 2047) != 0)
                                              << 11;
    double wide = 0;
    if (how.to == Type::F64 && magnitude >> 53) {
      int shift = 11 - __builtin_clzll(magnitude);
      uint64_t kept = magnitude >> shift, lost = magnitude - (kept << shift);
      uint64_t half = uint64_t(1) << (shift - 1);
      bool isUp = false;
      switch (how.rounding) {
      case Rounding::Up:
        isUp = lost && !isNegative;
        break;
      case Rounding::Down:
        isUp = lost && isNegative;
        break;
      case Rounding::Zero:
        break;
      default:
        isUp = lost > half || (lost == half && (kept & 1));
      }
      wide = std::ldexp(double(kept + isUp), shift);
    } else {
      wide = double(magnitude);
    }
    return writeFloat(isNegative ? -wide : wide, how.to, how.rounding,
                      how.flags);
  }
  if (how.flags & Sat) {
    if (isNegative)
      return int64_t(value) < smallest(how.to) ? smallest(how.to) : value;
    return value > largest(how.to) ? largest(how.to) : value;
  }
  return value;
}

template <typename From, typename To>
void runConvert(Warp &warp, const Op &op, uint32_t mask) {
  Conversion how = getConversion(op);
  From *a = warp.slots<From>(op.a);
  To *d = warp.slots<To>(op.d);
  forLanes(mask, [&](int l) {
    uint64_t result = convert(a[l], how);
    d[l] = isFloat(how.to) ? result : extend(result, how.to, how.bits);
  });
}

/// Integers without saturation. D is the type as the register has room for it.
template <typename From, typename To, typename D>
void runIntegers(Warp &warp, const Op &op, uint32_t mask) {
  auto *a = warp.slots<Slot<From>>(op.a);
  auto *d = warp.slots<Slot<D>>(op.d);
  forLanes(mask, [=](int l) { d[l] = Slot<D>(D(To(fromSlot<From>(a[l])))); });
}
template <typename From, typename To> Handler pickRegister(int bits) {
  if (bits == 64)
    return runIntegers<
        From, To, std::conditional_t<std::is_signed_v<To>, int64_t, uint64_t>>;
  return bits == 32
             ? runIntegers<
                   From, To,
                   std::conditional_t<std::is_signed_v<To>, int32_t, uint32_t>>
             : nullptr;
}
template <typename From> Handler pickIntegers(Type to, int bits) {
  return to == Type::U32   ? pickRegister<From, uint32_t>(bits)
         : to == Type::S32 ? pickRegister<From, int32_t>(bits)
         : to == Type::U64 ? pickRegister<From, uint64_t>(bits)
         : to == Type::S64 ? pickRegister<From, int64_t>(bits)
                           : nullptr;
}
Handler pickIntegers(Type from, Type to, int fromBits, int toBits) {
  // Of a register that is as wide as the type only, or the slot's other half
  // would be read.
  bool isExact = fromBits == getBits(from);
  if (!isExact)
    return nullptr;
  return from == Type::U32   ? pickIntegers<uint32_t>(to, toBits)
         : from == Type::S32 ? pickIntegers<int32_t>(to, toBits)
         : from == Type::U64 ? pickIntegers<uint64_t>(to, toBits)
         : from == Type::S64 ? pickIntegers<int64_t>(to, toBits)
         : from == Type::U16 ? pickIntegers<uint16_t>(to, toBits)
         : from == Type::S16 ? pickIntegers<int16_t>(to, toBits)
                             : nullptr;
}

struct HalfToFloat {
  float operator()(Half a) const { return toFloat(a); }
};
struct BFloatToFloat {
  float operator()(BFloat a) const { return toFloat(a); }
};
struct FloatToHalf {
  Half operator()(float a) const { return toHalfNearest(a); }
};
struct FloatToBFloat {
  BFloat operator()(float a) const { return toBFloatNearest(a); }
};
struct FloatToDouble {
  double operator()(float a) const { return a; }
};
struct SignedToFloat {
  float operator()(int32_t a) const { return float(a); }
};
struct UnsignedToFloat {
  float operator()(uint32_t a) const { return float(a); }
};

Handler pickQuick(Type from, Type to) {
  if (from == Type::F16 && to == Type::F32)
    return runUnary<HalfToFloat, float, Half>;
  if (from == Type::BF16 && to == Type::F32)
    return runUnary<BFloatToFloat, float, BFloat>;
  if (from == Type::F32 && to == Type::F16)
    return runUnary<FloatToHalf, Half, float>;
  if (from == Type::F32 && to == Type::BF16)
    return runUnary<FloatToBFloat, BFloat, float>;
  if (from == Type::F32 && to == Type::F64)
    return runUnary<FloatToDouble, double, float>;
  if (from == Type::S32 && to == Type::F32)
    return runUnary<SignedToFloat, float, int32_t>;
  if (from == Type::U32 && to == Type::F32)
    return runUnary<UnsignedToFloat, float, uint32_t>;
  return nullptr;
}

/// d = {high a, low b}.
void runPackFloats(Warp &warp, const Op &op, uint32_t mask) {
  Conversion how = getConversion(op);
  uint32_t *a = warp.slots<uint32_t>(op.a), *b = warp.slots<uint32_t>(op.b),
           *d = warp.slots<uint32_t>(op.d);
  int bits = getBits(how.to);
  forLanes(mask, [&](int l) {
    d[l] = uint32_t(convert(a[l], how) << bits | convert(b[l], how));
  });
}
template <typename T, T (*round)(float)>
void runPackNearest(Warp &warp, const Op &op, uint32_t mask) {
  auto *a = warp.slots<uint32_t>(op.a), *b = warp.slots<uint32_t>(op.b),
       *d = warp.slots<uint32_t>(op.d);
  forLanes(mask, [=](int l) {
    d[l] = uint32_t(round(bitCast<float>(a[l])).bits) << 16 |
           round(bitCast<float>(b[l])).bits;
  });
}
/// Pairs of fp8 from and to pairs of f16.
void runPairs(Warp &warp, const Op &op, uint32_t mask) {
  Conversion how = getConversion(op);
  uint32_t *a = warp.slots<uint32_t>(op.a), *d = warp.slots<uint32_t>(op.d);
  forLanes(mask, [&](int l) {
    uint32_t result = 0;
    for (int i = 0; i < 2; ++i) {
      if (how.from == Type::F16) {
        result |= uint32_t(convert(uint16_t(a[l] >> (16 * i)), how)) << (8 * i);
        continue;
      }
      uint8_t byte = a[l] >> (8 * i);
      float value =
          how.from == Type::E4M3 ? e4m3ToFloat(byte) : e5m2ToFloat(byte);
      result |=
          uint32_t(writeFloat(value, Type::F16, Rounding::Nearest, how.flags))
          << (16 * i);
    }
    d[l] = result;
  });
}
/// cvt.pack: two saturated integers before the upper part of c.
void runPackIntegers(Warp &warp, const Op &op, uint32_t mask) {
  Conversion how = getConversion(op);
  uint32_t *a = warp.slots<uint32_t>(op.a), *b = warp.slots<uint32_t>(op.b),
           *c = warp.slots<uint32_t>(op.c), *d = warp.slots<uint32_t>(op.d);
  int bits = getBits(how.to);
  uint32_t ones = (1u << bits) - 1;
  forLanes(mask, [&](int l) {
    uint32_t pair = (uint32_t(convert(a[l], how)) & ones) << bits |
                    (uint32_t(convert(b[l], how)) & ones);
    d[l] = op.target ? c[l] << (2 * bits) | pair : pair;
  });
}

void setConversion(Op &op, Type from, Type to, int flags, int rounding,
                   int whole) {
  op.mode = static_cast<uint8_t>(from);
  op.width = static_cast<uint8_t>(to);
  op.extra = flags | (rounding < 0 ? 0 : rounding) << 8 | whole << 16;
}

Type elementOf(Type type) {
  return type == Type::F16X2    ? Type::F16
         : type == Type::BF16X2 ? Type::BF16
         : type == Type::E4M3X2 ? Type::E4M3
         : type == Type::E5M2X2 ? Type::E5M2
                                : Type::None;
}

bool decodeCvtPack(Decoder &decoder) {
  if (!decoder.take("sat"))
    return decoder.failModifiers();
  Type to = decoder.takeType(), from = decoder.takeType();
  bool hasMore = decoder.takeOptionalType() == Type::B32;
  if (from != Type::S32 || isFloat(to) || getBits(to) > 16)
    return decoder.failModifiers();
  Op op;
  op.target = hasMore;
  setConversion(op, from, to, Sat, 0, 0);
  return decoder.expectOperands(hasMore ? 4 : 3) &&
         decoder.destination(0, Type::B32, op.d) &&
         decoder.source(1, from, op.a) && decoder.source(2, from, op.b) &&
         (!hasMore || decoder.source(3, Type::B32, op.c)) &&
         emitOp(decoder, runPackIntegers, op);
}

bool decodePairs(Decoder &decoder, Type to, Type from, int flags,
                 int rounding) {
  Op op;
  Type element = elementOf(to);
  if (from == Type::F32) {
    setConversion(op, from, element, flags, rounding, 0);
    bool isPlain = !flags && rounding == int(Rounding::Nearest);
    Handler run = runPackFloats;
    if (isPlain && element == Type::F16)
      run = runPackNearest<Half, toHalfNearest>;
    else if (isPlain && element == Type::BF16)
      run = runPackNearest<BFloat, toBFloatNearest>;
    return decoder.expectOperands(3) && decoder.destination(0, to, op.d) &&
           decoder.source(1, from, op.a) && decoder.source(2, from, op.b) &&
           emitOp(decoder, run, op);
  }
  Type fromElement = elementOf(from);
  bool isFp8 = element == Type::E4M3 || element == Type::E5M2;
  bool isFromFp8 = fromElement == Type::E4M3 || fromElement == Type::E5M2;
  if (isFp8 ? fromElement != Type::F16 : !isFromFp8 || element != Type::F16)
    return decoder.failModifiers();
  setConversion(op, fromElement, element, flags, rounding, 0);
  return decoder.expectOperands(2) && decoder.destination(0, to, op.d) &&
         decoder.source(1, from, op.a) && emitOp(decoder, runPairs, op);
}

} // namespace

bool ptxsim::decodeCvt(Decoder &decoder) {
  if (decoder.take("pack"))
    return decodeCvtPack(decoder);
  int whole = decoder.takeOneOf({"rni", "rzi", "rmi", "rpi"}) + 1;
  int rounding = decoder.takeOneOf({"rn", "rz", "rm", "rp", "rna"});
  int flags = (decoder.take("ftz") ? Ftz : 0) |
              (decoder.take("sat") ? Sat : 0) |
              (decoder.take("relu") ? Relu : 0) |
              (decoder.take("satfinite") ? SatFinite : 0);
  Type to = decoder.takeType(), from = decoder.takeType();
  if (elementOf(to) != Type::None)
    return decodePairs(decoder, to, from, flags, rounding);
  if (isUntyped(to) || isUntyped(from) || getBits(to) < 8 ||
      getBits(from) < 8 || elementOf(from) != Type::None)
    return decoder.failModifiers();
  bool isToFloat = isFloat(to), isFromFloat = isFloat(from);
  if (!isToFloat && isFromFloat && !whole)
    return decoder.fail("needs a rounding to integers");
  bool isNarrowing = isToFloat && (!isFromFloat || getBits(to) < getBits(from));
  if (isNarrowing && rounding < 0)
    return decoder.fail("needs a rounding");
  if (to == Type::TF32 && (from != Type::F32 || rounding < 0))
    return decoder.failModifiers();
  Op op;
  setConversion(op, from, to, flags, rounding, whole);
  int fromBits, toBits;
  const std::vector<Operand> &operands = decoder.getStatement().operands;
  if (!decoder.expectOperands(2) ||
      !decoder.destinationOfAnyWidth(operands[0], to, op.d, toBits) ||
      !decoder.sourceOfAnyWidth(operands[1], from, op.a, fromBits))
    return false;
  if (toBits < getBits(to) || fromBits < getBits(from) ||
      (isToFloat && toBits != getBits(to)) ||
      (isFromFloat && fromBits != getBits(from)))
    return decoder.fail("a register is too narrow");
  op.count = toBits;
  Handler run = nullptr;
  if (!isToFloat && !isFromFloat && !(flags & Sat))
    run = pickIntegers(from, to, fromBits, toBits);
  else if (!flags && !whole && rounding <= int(Rounding::Nearest))
    run = pickQuick(from, to);
  if (!run)
    run = fromBits == 64 ? (toBits == 64 ? runConvert<uint64_t, uint64_t>
                                         : runConvert<uint64_t, uint32_t>)
                         : (toBits == 64 ? runConvert<uint32_t, uint64_t>
                                         : runConvert<uint32_t, uint32_t>);
  return emitOp(decoder, run, op);
}
