//===- BitFields.cpp - Bit fields, counts, dot products ---------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// bfe, bfi, bmsk, szext, popc, clz, bfind, brev, fns, dp4a and dp2a.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Instructions.h"
#include "tools/ptxsim/Lanes.h"

#include <algorithm>

using namespace ptxsim;

namespace {

struct Popc {
  template <typename T> uint32_t operator()(T a) const {
    return __builtin_popcountll(a);
  }
};
struct Clz {
  template <typename T> uint32_t operator()(T a) const {
    return a ? __builtin_clzll(a) - (64 - sizeof(T) * 8) : sizeof(T) * 8;
  }
};
/// The highest bit that differs from the sign.
template <bool isShiftAmount> struct Bfind {
  template <typename T> uint32_t operator()(T a) const {
    using U = std::make_unsigned_t<T>;
    U bits = std::is_signed_v<T> && a < 0 ? ~U(a) : U(a);
    if (bits == 0)
      return ~uint32_t(0);
    uint32_t highest = 63 - __builtin_clzll(bits);
    return isShiftAmount ? sizeof(T) * 8 - 1 - highest : highest;
  }
};
struct Brev {
  template <typename T> T operator()(T a) const {
    T result = 0;
    for (unsigned i = 0; i < sizeof(T) * 8; ++i)
      result |= (a >> i & 1) << (sizeof(T) * 8 - 1 - i);
    return result;
  }
};
struct Bfe {
  template <typename T> T operator()(T a, uint32_t b, uint32_t c) const {
    int top = sizeof(T) * 8 - 1, position = b & 0xff, length = c & 0xff;
    using U = std::make_unsigned_t<T>;
    bool fill = false;
    if (std::is_signed_v<T> && length)
      fill = U(a) >> std::min(position + length - 1, top) & 1;
    U result = fill ? ~U(0) : U(0);
    for (int i = 0; i <= top && i < length; ++i) {
      if (position + i > top)
        break;
      U bit = U(1) << i;
      result = (U(a) >> (position + i) & 1) ? result | bit : result & ~bit;
    }
    return T(result);
  }
};
template <typename T> T insertField(T a, T b, uint32_t c, uint32_t d) {
  unsigned position = c & 0xff, length = d & 0xff, width = sizeof(T) * 8;
  T result = b;
  for (unsigned i = 0; i < length && position + i < width; ++i) {
    T bit = T(1) << (position + i);
    result = (a >> i & 1) ? result | bit : result & ~bit;
  }
  return result;
}
template <typename T> void runBfi(Warp &warp, const Op &op, uint32_t mask) {
  T *d = warp.slots<T>(op.d), *a = warp.slots<T>(op.a),
    *b = warp.slots<T>(op.b);
  uint32_t *c = warp.slots<uint32_t>(op.c), *e = warp.slots<uint32_t>(op.e);
  forLanes(mask, [=](int l) { d[l] = insertField(a[l], b[l], c[l], e[l]); });
}
template <bool isWrap> struct Bmsk {
  uint32_t operator()(uint32_t a, uint32_t b) const {
    uint32_t position = isWrap ? a & 31 : a, length = isWrap ? b & 31 : b;
    if (position >= 32)
      return 0;
    uint32_t ones = length >= 32 ? ~uint32_t(0) : (uint32_t(1) << length) - 1;
    return ones << position;
  }
};
template <bool isWrap> struct Szext {
  template <typename T> T operator()(T a, uint32_t b) const {
    uint32_t width = isWrap ? b & 31 : b;
    if (width >= 32)
      return a;
    if (width == 0)
      return 0;
    uint32_t field = uint32_t(a) & ((uint32_t(1) << width) - 1);
    if (std::is_signed_v<T> && (field >> (width - 1) & 1))
      field |= ~uint32_t(0) << width;
    return T(field);
  }
};

/// The n-th set bit from a position, either way.
struct Fns {
  uint32_t operator()(uint32_t bits, uint32_t base, uint32_t n) const {
    int offset = int(n), position = int(base);
    if (base > 31)
      return ~uint32_t(0);
    if (offset == 0)
      return bits >> base & 1 ? base : ~uint32_t(0);
    int step = offset > 0 ? 1 : -1, found = 0;
    for (; position >= 0 && position < 32; position += step) {
      if (bits >> position & 1)
        found += step;
      if (found == offset)
        return position;
    }
    return ~uint32_t(0);
  }
};

/// The lowest byte, with its sign if B has one.
template <typename B> int64_t extendByte(uint32_t word) {
  auto byte = static_cast<int64_t>(word & 0xff);
  return std::is_signed_v<B> && byte >= 128 ? byte - 256 : byte;
}

template <typename A, typename B, int count, bool isHigh> struct Dot {
  // Four bytes each, or two halves and two bytes.
  uint32_t operator()(uint32_t a, uint32_t b, uint32_t c) const {
    uint32_t sum = c;
    for (int i = 0; i < count; ++i) {
      int64_t x =
          count == 4
              ? int64_t(A(a >> (8 * i)))
              : int64_t(
                    std::conditional_t<std::is_signed_v<A>, int16_t, uint16_t>(
                        a >> (16 * i)));
      int64_t y = extendByte<B>(b >> (8 * (i + (isHigh ? 2 : 0))));
      sum += uint32_t(x * y);
    }
    return sum;
  }
};
template <typename A, int count, bool isHigh> Handler pickDot(Type b) {
  using u32 = uint32_t;
  return b == Type::S32
             ? runTernary<Dot<A, int8_t, count, isHigh>, u32, u32, u32, u32>
         : b == Type::U32
             ? runTernary<Dot<A, uint8_t, count, isHigh>, u32, u32, u32, u32>
             : nullptr;
}

template <typename F> Handler pickCount(Type type) {
  return type == Type::B32 || type == Type::U32
             ? runUnary<F, uint32_t, uint32_t>
         : type == Type::S32 ? runUnary<F, uint32_t, int32_t>
         : type == Type::B64 || type == Type::U64
             ? runUnary<F, uint32_t, uint64_t>
         : type == Type::S64 ? runUnary<F, uint32_t, int64_t>
                             : nullptr;
}

bool decodeCount(Decoder &decoder, Type type, Handler run) {
  return decodeUnary(decoder, Type::U32, type, run);
}

} // namespace

bool ptxsim::decodeBfe(Decoder &decoder) {
  using u32 = uint32_t;
  Type type = decoder.takeType();
  Handler run =
      type == Type::U32   ? runTernary<Bfe, u32, u32, u32, u32>
      : type == Type::S32 ? runTernary<Bfe, int32_t, int32_t, u32, u32>
      : type == Type::U64 ? runTernary<Bfe, uint64_t, uint64_t, u32, u32>
      : type == Type::S64 ? runTernary<Bfe, int64_t, int64_t, u32, u32>
                          : nullptr;
  Op op;
  return decoder.expectOperands(4) && decoder.destination(0, type, op.d) &&
         decoder.source(1, type, op.a) && decoder.source(2, Type::U32, op.b) &&
         decoder.source(3, Type::U32, op.c) && emitOp(decoder, run, op);
}

bool ptxsim::decodeBfi(Decoder &decoder) {
  Type type = decoder.takeType();
  Op op;
  Handler run = type == Type::B32   ? runBfi<uint32_t>
                : type == Type::B64 ? runBfi<uint64_t>
                                    : nullptr;
  return decoder.expectOperands(5) && decoder.destination(0, type, op.d) &&
         decoder.source(1, type, op.a) && decoder.source(2, type, op.b) &&
         decoder.source(3, Type::U32, op.c) &&
         decoder.source(4, Type::U32, op.e) && emitOp(decoder, run, op);
}

bool ptxsim::decodeBmsk(Decoder &decoder) {
  int mode = decoder.takeOneOf({"clamp", "wrap"});
  Type type = decoder.takeType();
  if (mode < 0 || type != Type::B32)
    return decoder.failModifiers();
  using u32 = uint32_t;
  return decodeBinary(decoder, type,
                      mode ? runBinary<Bmsk<true>, u32, u32, u32>
                           : runBinary<Bmsk<false>, u32, u32, u32>);
}

bool ptxsim::decodeSzext(Decoder &decoder) {
  int mode = decoder.takeOneOf({"clamp", "wrap"});
  Type type = decoder.takeType();
  if (mode < 0 || (type != Type::U32 && type != Type::S32))
    return decoder.failModifiers();
  using u32 = uint32_t;
  Handler run = type == Type::U32
                    ? (mode ? runBinary<Szext<true>, u32, u32, u32>
                            : runBinary<Szext<false>, u32, u32, u32>)
                    : (mode ? runBinary<Szext<true>, int32_t, int32_t, u32>
                            : runBinary<Szext<false>, int32_t, int32_t, u32>);
  Op op;
  return decoder.expectOperands(3) && decoder.destination(0, type, op.d) &&
         decoder.source(1, type, op.a) && decoder.source(2, Type::U32, op.b) &&
         emitOp(decoder, run, op);
}

bool ptxsim::decodePopc(Decoder &decoder) {
  Type type = decoder.takeType();
  return decodeCount(decoder, type,
                     isUntyped(type) ? pickCount<Popc>(type) : nullptr);
}
bool ptxsim::decodeClz(Decoder &decoder) {
  Type type = decoder.takeType();
  return decodeCount(decoder, type,
                     isUntyped(type) ? pickCount<Clz>(type) : nullptr);
}
bool ptxsim::decodeBfind(Decoder &decoder) {
  bool isShift = decoder.take("shiftamt");
  Type type = decoder.takeType();
  if (isUntyped(type))
    return decoder.failModifiers();
  return decodeCount(decoder, type,
                     isShift ? pickCount<Bfind<true>>(type)
                             : pickCount<Bfind<false>>(type));
}
bool ptxsim::decodeBrev(Decoder &decoder) {
  Type type = decoder.takeType();
  return decodeUnary(decoder, type, type,
                     type == Type::B32   ? runUnary<Brev, uint32_t, uint32_t>
                     : type == Type::B64 ? runUnary<Brev, uint64_t, uint64_t>
                                         : nullptr);
}

bool ptxsim::decodeFns(Decoder &decoder) {
  using u32 = uint32_t;
  Type type = decoder.takeType();
  return decodeTernary(decoder, type, type, type,
                       type == Type::B32 ? runTernary<Fns, u32, u32, u32, u32>
                                         : nullptr);
}

bool ptxsim::decodeDp4a(Decoder &decoder) {
  Type a = decoder.takeType(), b = decoder.takeType();
  Handler run = a == Type::S32   ? pickDot<int8_t, 4, false>(b)
                : a == Type::U32 ? pickDot<uint8_t, 4, false>(b)
                                 : nullptr;
  return decodeTernary(decoder, Type::B32, Type::B32, Type::B32, run);
}

bool ptxsim::decodeDp2a(Decoder &decoder) {
  int half = decoder.takeOneOf({"lo", "hi"});
  Type a = decoder.takeType(), b = decoder.takeType();
  if (half < 0)
    return decoder.fail("needs .lo or .hi");
  Handler run = a == Type::S32   ? (half ? pickDot<int8_t, 2, true>(b)
                                         : pickDot<int8_t, 2, false>(b))
                : a == Type::U32 ? (half ? pickDot<uint8_t, 2, true>(b)
                                         : pickDot<uint8_t, 2, false>(b))
                                 : nullptr;
  return decodeTernary(decoder, Type::B32, Type::B32, Type::B32, run);
}
