//===- Bits.cpp - Logic, shifts, permutation --------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// and, or, xor, not, cnot, shl, shr, shf, lop3 and prmt.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Instructions.h"
#include "tools/ptxsim/Lanes.h"

#include <algorithm>

using namespace ptxsim;

namespace {

struct And {
  template <typename T> T operator()(T a, T b) const { return a & b; }
};
struct Or {
  template <typename T> T operator()(T a, T b) const { return a | b; }
};
struct Xor {
  template <typename T> T operator()(T a, T b) const { return a ^ b; }
};
struct Not {
  template <typename T> T operator()(T a) const { return ~a; }
};
struct Cnot {
  template <typename T> T operator()(T a) const { return a == 0; }
};
// Amounts beyond the width shift everything out.
struct ShiftLeft {
  template <typename T> T operator()(T a, uint32_t b) const {
    return b >= sizeof(T) * 8 ? T(0) : T(a << b);
  }
};
struct ShiftRight {
  template <typename T> T operator()(T a, uint32_t b) const {
    if (b >= sizeof(T) * 8)
      return std::is_signed_v<T> && a < 0 ? T(-1) : T(0);
    return T(a >> b);
  }
};
template <bool isLeft, bool isWrap> struct Funnel {
  uint32_t operator()(uint32_t a, uint32_t b, uint32_t c) const {
    uint32_t amount = isWrap ? c & 31 : c < 32 ? c : 32;
    uint64_t both = uint64_t(b) << 32 | a;
    return isLeft ? uint32_t(both << amount >> 32) : uint32_t(both >> amount);
  }
};
void runLop3(Warp &warp, const Op &op, uint32_t mask) {
  uint32_t *d = warp.slots<uint32_t>(op.d), *a = warp.slots<uint32_t>(op.a),
           *b = warp.slots<uint32_t>(op.b), *c = warp.slots<uint32_t>(op.c);
  uint32_t table = op.imm;
  forLanes(mask, [=](int l) {
    uint32_t result = 0;
    for (int i = 0; i < 8; ++i) {
      uint32_t term = (i & 4 ? a[l] : ~a[l]) & (i & 2 ? b[l] : ~b[l]) &
                      (i & 1 ? c[l] : ~c[l]);
      result |= table >> i & 1 ? term : 0;
    }
    d[l] = result;
  });
}

enum PrmtMode { Index = -1, F4E, B4E, Rc8, Ecl, Ecr, Rc16 };

uint32_t permute(uint32_t a, uint32_t b, uint32_t c, PrmtMode mode) {
  uint64_t bytes = uint64_t(b) << 32 | a;
  uint32_t result = 0;
  int n = c & 3;
  for (int i = 0; i < 4; ++i) {
    int from = 0;
    bool isSign = false;
    switch (mode) {
    case Index:
      from = c >> (4 * i) & 7;
      isSign = c >> (4 * i) & 8;
      break;
    case F4E:
      from = n + i;
      break;
    case B4E:
      from = (n - i) & 7;
      break;
    case Rc8:
      from = n;
      break;
    case Ecl:
      from = i < n ? n : i;
      break;
    case Ecr:
      from = i > n ? n : i;
      break;
    case Rc16:
      from = (n & 1) * 2 + (i & 1);
      break;
    }
    uint32_t byte = bytes >> (8 * from) & 0xff;
    if (isSign)
      byte = byte & 0x80 ? 0xff : 0;
    result |= byte << (8 * i);
  }
  return result;
}
void runPrmt(Warp &warp, const Op &op, uint32_t mask) {
  uint32_t *d = warp.slots<uint32_t>(op.d), *a = warp.slots<uint32_t>(op.a),
           *b = warp.slots<uint32_t>(op.b), *c = warp.slots<uint32_t>(op.c);
  int mode = int(op.mode) - 1;
  forLanes(mask, [=](int l) {
    d[l] = permute(a[l], b[l], c[l], static_cast<PrmtMode>(mode));
  });
}

template <typename F> Handler pickLogic(Type type) {
  using u16 = uint16_t;
  return type == Type::B16   ? runBinary<F, u16, u16, u16>
         : type == Type::B32 ? runBinary<F, uint32_t, uint32_t, uint32_t>
         : type == Type::B64 ? runBinary<F, uint64_t, uint64_t, uint64_t>
                             : nullptr;
}
template <typename F> Handler pickBits(Type type) {
  return type == Type::B16   ? runUnary<F, uint16_t, uint16_t>
         : type == Type::B32 ? runUnary<F, uint32_t, uint32_t>
         : type == Type::B64 ? runUnary<F, uint64_t, uint64_t>
                             : nullptr;
}
/// Bits 1 and 2 of op.mode: operands that are negated.
template <typename F>
void runPredicates(Warp &warp, const Op &op, uint32_t mask) {
  uint32_t a = warp.predicate(op.a) ^ (op.mode & 1 ? ~0u : 0);
  uint32_t b = warp.predicate(op.b) ^ (op.mode & 2 ? ~0u : 0);
  uint32_t &d = warp.predicate(op.d);
  d = (d & ~mask) | (F()(a, b) & mask);
}
template <typename F> bool decodeLogic(Decoder &decoder) {
  Type type = decoder.takeType();
  if (type != Type::Pred)
    return decodeBinary(decoder, type, pickLogic<F>(type));
  Op op;
  bool isNegated[2];
  if (!decoder.expectOperands(3))
    return false;
  const std::vector<Operand> &operands = decoder.getStatement().operands;
  if (!decoder.predicateDestination(operands[0], op.d) ||
      !decoder.predicate(operands[1], op.a, isNegated[0]) ||
      !decoder.predicate(operands[2], op.b, isNegated[1]))
    return false;
  op.mode = isNegated[0] | isNegated[1] << 1;
  return emitOp(decoder, runPredicates<F>, op);
}
void runNotPredicate(Warp &warp, const Op &op, uint32_t mask) {
  uint32_t a = warp.predicate(op.a), &d = warp.predicate(op.d);
  d = (d & ~mask) | (~a & mask);
}

/// The amount has 32 bits whatever the type.
bool decodeShiftBy(Decoder &decoder, Type type, Handler run) {
  Op op;
  return decoder.expectOperands(3) && decoder.destination(0, type, op.d) &&
         decoder.source(1, type, op.a) && decoder.source(2, Type::U32, op.b) &&
         emitOp(decoder, run, op);
}

} // namespace

bool ptxsim::decodeAnd(Decoder &decoder) { return decodeLogic<And>(decoder); }
bool ptxsim::decodeOr(Decoder &decoder) { return decodeLogic<Or>(decoder); }
bool ptxsim::decodeXor(Decoder &decoder) { return decodeLogic<Xor>(decoder); }

bool ptxsim::decodeNot(Decoder &decoder) {
  Type type = decoder.takeType();
  if (type != Type::Pred)
    return decodeUnary(decoder, type, type, pickBits<Not>(type));
  Op op;
  bool isNegated;
  if (!decoder.expectOperands(2))
    return false;
  const std::vector<Operand> &operands = decoder.getStatement().operands;
  return decoder.predicateDestination(operands[0], op.d) &&
         decoder.predicate(operands[1], op.a, isNegated) &&
         emitOp(decoder, isNegated ? nullptr : runNotPredicate, op);
}

bool ptxsim::decodeCnot(Decoder &decoder) {
  Type type = decoder.takeType();
  return decodeUnary(decoder, type, type, pickBits<Cnot>(type));
}

bool ptxsim::decodeShl(Decoder &decoder) {
  using F = ShiftLeft;
  Type type = decoder.takeType();
  return decodeShiftBy(
      decoder, type,
      type == Type::B16   ? runBinary<F, uint16_t, uint16_t, uint32_t>
      : type == Type::B32 ? runBinary<F, uint32_t, uint32_t, uint32_t>
      : type == Type::B64 ? runBinary<F, uint64_t, uint64_t, uint32_t>
                          : nullptr);
}

bool ptxsim::decodeShr(Decoder &decoder) {
  using F = ShiftRight;
  Type type = decoder.takeType();
  bool isNarrow = getBits(type) == 16, isWide = getBits(type) == 64;
  if (isFloat(type) || getBits(type) < 16)
    return decoder.failModifiers();
  Handler run = isSigned(type)
                    ? (isNarrow ? runBinary<F, int16_t, int16_t, uint32_t>
                       : isWide ? runBinary<F, int64_t, int64_t, uint32_t>
                                : runBinary<F, int32_t, int32_t, uint32_t>)
                    : (isNarrow ? runBinary<F, uint16_t, uint16_t, uint32_t>
                       : isWide ? runBinary<F, uint64_t, uint64_t, uint32_t>
                                : runBinary<F, uint32_t, uint32_t, uint32_t>);
  return decodeShiftBy(decoder, type, run);
}

bool ptxsim::decodeShf(Decoder &decoder) {
  using u32 = uint32_t;
  int direction = decoder.takeOneOf({"l", "r"});
  int mode = decoder.takeOneOf({"clamp", "wrap"});
  Type type = decoder.takeType();
  if (direction < 0 || mode < 0 || type != Type::B32)
    return decoder.failModifiers();
  Handler run =
      direction == 0
          ? (mode ? runTernary<Funnel<true, true>, u32, u32, u32, u32>
                  : runTernary<Funnel<true, false>, u32, u32, u32, u32>)
          : (mode ? runTernary<Funnel<false, true>, u32, u32, u32, u32>
                  : runTernary<Funnel<false, false>, u32, u32, u32, u32>);
  return decodeTernary(decoder, type, type, type, run);
}

bool ptxsim::decodeLop3(Decoder &decoder) {
  Type type = decoder.takeType();
  Op op;
  uint64_t table;
  if (type != Type::B32)
    return decoder.failModifiers();
  if (!decoder.expectOperands(5) || !decoder.destination(0, type, op.d) ||
      !decoder.source(1, type, op.a) || !decoder.source(2, type, op.b) ||
      !decoder.source(3, type, op.c) || !decoder.immediate(4, table))
    return false;
  if (table > 255)
    return decoder.fail("a table has 8 bits");
  op.imm = table;
  return emitOp(decoder, runLop3, op);
}

bool ptxsim::decodePrmt(Decoder &decoder) {
  Type type = decoder.takeType();
  Op op;
  op.mode = decoder.takeOneOf({"f4e", "b4e", "rc8", "ecl", "ecr", "rc16"}) + 1;
  return decoder.expectOperands(4) && decoder.destination(0, type, op.d) &&
         decoder.source(1, type, op.a) && decoder.source(2, type, op.b) &&
         decoder.source(3, Type::U32, op.c) &&
         emitOp(decoder, type == Type::B32 ? runPrmt : nullptr, op);
}
