//===- Compare.cpp - Comparison and selection -------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// setp, set, selp and slct.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Instructions.h"
#include "tools/ptxsim/Lanes.h"

#include <cmath>
#include <limits>

using namespace ptxsim;

namespace {

// clang-format off
enum Comparison : uint8_t {
  Eq, Ne, Lt, Le, Gt, Ge, Equ, Neu, Ltu, Leu, Gtu, Geu, Num, Nan,
};
// clang-format on

template <bool ftz, typename T> T prepare(T value) { return value; }
template <> float prepare<true, float>(float value) {
  return std::fabs(value) < std::numeric_limits<float>::min() ? 0.0f : value;
}
float toComparable(Half value) { return toFloat(value); }
float toComparable(BFloat value) { return toFloat(value); }
template <typename T> T toComparable(T value) { return value; }

template <Comparison comparison, typename T> bool compare(T a, T b) {
  bool isUnordered = a != a || b != b;
  switch (comparison) {
  case Eq:
    return a == b;
  case Ne:
    return !isUnordered && a != b;
  case Lt:
    return a < b;
  case Le:
    return a <= b;
  case Gt:
    return a > b;
  case Ge:
    return a >= b;
  case Equ:
    return isUnordered || a == b;
  case Neu:
    return isUnordered || a != b;
  case Ltu:
    return isUnordered || a < b;
  case Leu:
    return isUnordered || a <= b;
  case Gtu:
    return isUnordered || a > b;
  case Geu:
    return isUnordered || a >= b;
  case Num:
    return !isUnordered;
  case Nan:
    return isUnordered;
  }
}

/// A bit for each lane; the lanes of the mask are right.
using Compare = uint32_t (*)(Warp &warp, const Op &op, uint32_t mask);
template <Comparison comparison, typename T, bool ftz>
uint32_t compareLanes(Warp &warp, const Op &op, uint32_t /*mask*/) {
  auto *a = warp.slots<Slot<T>>(op.a), *b = warp.slots<Slot<T>>(op.b);
  uint32_t result = 0;
  for (int lane = 0; lane < 32; ++lane) {
    auto x = prepare<ftz>(toComparable(fromSlot<T>(a[lane])));
    auto y = prepare<ftz>(toComparable(fromSlot<T>(b[lane])));
    result |= uint32_t(compare<comparison>(x, y)) << lane;
  }
  return result;
}

enum Combination : uint8_t { And, Or, XorOf, None };
uint32_t combine(uint32_t value, uint32_t with, uint8_t combination) {
  switch (combination) {
  case And:
    return value & with;
  case Or:
    return value | with;
  case XorOf:
    return value ^ with;
  default:
    return value;
  }
}

/// op.mode: the combination; op.width: whether its predicate is negated;
/// op.e: the second destination.
template <Comparison comparison, typename T, bool ftz>
void runSetp(Warp &warp, const Op &op, uint32_t mask) {
  uint32_t value = compareLanes<comparison, T, ftz>(warp, op, mask);
  uint32_t with = warp.predicate(op.c) ^ (op.width ? ~uint32_t(0) : 0);
  uint32_t positive = combine(value, with, op.mode);
  uint32_t negative = combine(~value, with, op.mode);
  uint32_t &p = warp.predicate(op.d);
  p = (p & ~mask) | (positive & mask);
  if (op.extra) {
    uint32_t &q = warp.predicate(op.e);
    q = (q & ~mask) | (negative & mask);
  }
}
/// op.imm: what is stored for true.
template <Comparison comparison, typename T, bool ftz>
void runSet(Warp &warp, const Op &op, uint32_t mask) {
  uint32_t value = compareLanes<comparison, T, ftz>(warp, op, mask);
  uint32_t with = warp.predicate(op.c) ^ (op.width ? ~uint32_t(0) : 0);
  value = combine(value, with, op.mode);
  uint32_t *d = warp.slots<uint32_t>(op.d), yes = op.imm;
  forLanes(mask, [=](int l) { d[l] = value >> l & 1 ? yes : 0; });
}

template <typename T, bool ftz> Handler pickSetp(int comparison, bool isSet) {
#define PTXSIM_CASE(name)                                                      \
  case name:                                                                   \
    return isSet ? runSet<name, T, ftz> : runSetp<name, T, ftz>;
  switch (comparison) {
    PTXSIM_CASE(Eq)
    PTXSIM_CASE(Ne)
    PTXSIM_CASE(Lt)
    PTXSIM_CASE(Le)
    PTXSIM_CASE(Gt)
    PTXSIM_CASE(Ge)
  default:
    break;
  }
  if constexpr (!std::is_integral_v<T>)
    switch (comparison) {
      PTXSIM_CASE(Equ)
      PTXSIM_CASE(Neu)
      PTXSIM_CASE(Ltu)
      PTXSIM_CASE(Leu)
      PTXSIM_CASE(Gtu)
      PTXSIM_CASE(Geu)
      PTXSIM_CASE(Num)
      PTXSIM_CASE(Nan)
    default:
      break;
    }
#undef PTXSIM_CASE
  return nullptr;
}

Handler pick(Type type, int comparison, bool ftz, bool isSet) {
  bool isEquality = comparison == Eq || comparison == Ne;
  if (isUntyped(type) && !isEquality)
    return nullptr;
  if (ftz && type != Type::F32)
    return nullptr;
  switch (type) {
  case Type::B16:
  case Type::U16:
    return pickSetp<uint16_t, false>(comparison, isSet);
  case Type::S16:
    return pickSetp<int16_t, false>(comparison, isSet);
  case Type::B32:
  case Type::U32:
    return pickSetp<uint32_t, false>(comparison, isSet);
  case Type::S32:
    return pickSetp<int32_t, false>(comparison, isSet);
  case Type::B64:
  case Type::U64:
    return pickSetp<uint64_t, false>(comparison, isSet);
  case Type::S64:
    return pickSetp<int64_t, false>(comparison, isSet);
  case Type::F16:
    return pickSetp<Half, false>(comparison, isSet);
  case Type::BF16:
    return pickSetp<BFloat, false>(comparison, isSet);
  case Type::F32:
    return ftz ? pickSetp<float, true>(comparison, isSet)
               : pickSetp<float, false>(comparison, isSet);
  case Type::F64:
    return pickSetp<double, false>(comparison, isSet);
  default:
    return nullptr;
  }
}

int takeComparison(Decoder &decoder) {
  int comparison =
      decoder.takeOneOf({"eq", "ne", "lt", "le", "gt", "ge", "equ", "neu",
                         "ltu", "leu", "gtu", "geu", "num", "nan"});
  if (comparison >= 0)
    return comparison;
  static constexpr int ofUnsigned[] = {Lt, Le, Gt, Ge};
  int number = decoder.takeOneOf({"lo", "ls", "hi", "hs"});
  if (number >= 0)
    return ofUnsigned[number];
  decoder.fail("a comparison is missing");
  return -1;
}

/// [.and p] of setp and set, from the operand on.
bool takeCombination(Decoder &decoder, size_t operand, Op &op) {
  int combination = decoder.takeOneOf({"and", "or", "xor"});
  op.mode = combination < 0 ? uint8_t(None) : combination;
  if (combination < 0)
    return decoder.expectOperands(operand);
  bool isNegated;
  if (!decoder.expectOperands(operand + 1) ||
      !decoder.predicate(decoder.getStatement().operands[operand], op.c,
                         isNegated))
    return false;
  op.width = isNegated;
  return true;
}

template <typename T> void runSelp(Warp &warp, const Op &op, uint32_t mask) {
  auto *d = warp.slots<T>(op.d), *a = warp.slots<T>(op.a),
       *b = warp.slots<T>(op.b);
  uint32_t chosen = warp.predicate(op.c) ^ op.extra;
  forLanes(mask, [=](int l) { d[l] = chosen >> l & 1 ? a[l] : b[l]; });
}

template <typename T> struct Slct {
  template <typename A> A operator()(A a, A b, T c) const {
    return c >= 0 ? a : b;
  }
};
struct SlctFtz {
  template <typename A> A operator()(A a, A b, float c) const {
    return prepare<true>(c) >= 0 ? a : b;
  }
};

} // namespace

bool ptxsim::decodeSetp(Decoder &decoder) {
  int comparison = takeComparison(decoder);
  if (comparison < 0)
    return false;
  Op op;
  if (!takeCombination(decoder, 3, op))
    return false;
  bool ftz = decoder.take("ftz");
  Type type = decoder.takeType();
  const Operand &d = decoder.getStatement().operands[0];
  op.extra = d.second >= 0;
  return decoder.predicateDestination(d, op.d) &&
         (!op.extra || decoder.predicateDestination(d.second, op.e)) &&
         decoder.source(1, type, op.a) && decoder.source(2, type, op.b) &&
         emitOp(decoder, pick(type, comparison, ftz, false), op);
}

bool ptxsim::decodeSet(Decoder &decoder) {
  int comparison = takeComparison(decoder);
  if (comparison < 0)
    return false;
  Op op;
  if (!takeCombination(decoder, 3, op))
    return false;
  bool ftz = decoder.take("ftz");
  Type to = decoder.takeType(), type = decoder.takeType();
  switch (to) {
  case Type::U32:
  case Type::S32:
    op.imm = 0xffffffff;
    break;
  case Type::F32:
    op.imm = 0x3f800000;
    break;
  case Type::U16:
  case Type::S16:
    op.imm = 0xffff;
    break;
  case Type::F16:
    op.imm = 0x3c00;
    break;
  case Type::BF16:
    op.imm = 0x3f80;
    break;
  default:
    return decoder.failModifiers();
  }
  return decoder.destination(0, to, op.d) && decoder.source(1, type, op.a) &&
         decoder.source(2, type, op.b) &&
         emitOp(decoder, pick(type, comparison, ftz, true), op);
}

bool ptxsim::decodeSelp(Decoder &decoder) {
  Type type = decoder.takeType();
  Op op;
  bool isNegated = false;
  bool isWhole = !isFloat(type) || type == Type::F32 || type == Type::F64;
  if (getBits(type) < 16 || getBits(type) > 64 || !isWhole)
    return decoder.failModifiers();
  if (!decoder.expectOperands(4) || !decoder.destination(0, type, op.d) ||
      !decoder.source(1, type, op.a) || !decoder.source(2, type, op.b) ||
      !decoder.predicate(decoder.getStatement().operands[3], op.c, isNegated))
    return false;
  op.extra = isNegated ? ~uint32_t(0) : 0;
  return emitOp(
      decoder, getBits(type) == 64 ? runSelp<uint64_t> : runSelp<uint32_t>, op);
}

bool ptxsim::decodeSlct(Decoder &decoder) {
  bool ftz = decoder.take("ftz");
  Type type = decoder.takeType(), by = decoder.takeType();
  using u32 = uint32_t;
  using u64 = uint64_t;
  bool isWide = getBits(type) == 64;
  Handler run = nullptr;
  if (by == Type::S32 && !ftz)
    run = isWide ? runTernary<Slct<int32_t>, u64, u64, u64, int32_t>
                 : runTernary<Slct<int32_t>, u32, u32, u32, int32_t>;
  else if (by == Type::F32 && ftz)
    run = isWide ? runTernary<SlctFtz, u64, u64, u64, float>
                 : runTernary<SlctFtz, u32, u32, u32, float>;
  else if (by == Type::F32)
    run = isWide ? runTernary<Slct<float>, u64, u64, u64, float>
                 : runTernary<Slct<float>, u32, u32, u32, float>;
  return decodeTernary(decoder, type, type, by, run);
}
