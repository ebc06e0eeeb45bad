//===- Carry.cpp - Extended-precision arithmetic ----------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// add.cc, addc, sub.cc, subc, mad.cc and madc: sums whose carry goes through a
/// flag of each thread.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Instructions.h"
#include "tools/ptxsim/Lanes.h"

using namespace ptxsim;

namespace {

enum Kind { AddCarry, SubCarry, MadLowCarry, MadHighCarry };

/// op.e: the flags. Bits of op.mode: 1 takes a carry, 2 leaves one.
template <typename T, Kind kind>
void runCarry(Warp &warp, const Op &op, uint32_t mask) {
  using U = std::make_unsigned_t<T>;
  auto *d = warp.slots<Slot<U>>(op.d);
  auto *a = warp.slots<Slot<U>>(op.a);
  auto *b = warp.slots<Slot<U>>(op.b);
  auto *c = warp.slots<Slot<U>>(op.c);
  uint32_t &flags = warp.predicate(op.e);
  using Product = std::conditional_t<
      sizeof(T) == 4,
      std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>,
      std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>>;
  for (int lane = 0; lane < 32; ++lane) {
    if (!warp.isLane(mask, lane))
      continue;
    unsigned __int128 x = a[lane], y = b[lane];
    if (kind == MadLowCarry || kind == MadHighCarry) {
      Product product = Product(T(a[lane])) * Product(T(b[lane]));
      x = U(kind == MadLowCarry ? product : product >> (sizeof(T) * 8));
      y = c[lane];
    }
    if (op.mode & 1)
      y += flags >> lane & 1;
    unsigned __int128 result = kind == SubCarry ? x - y : x + y;
    d[lane] = U(result);
    if (op.mode & 2) {
      uint32_t bit = uint32_t(result >> (sizeof(T) * 8) & 1) << lane;
      flags = (flags & ~(uint32_t(1) << lane)) | bit;
    }
  }
}

template <Kind kind> Handler pick(Type type) {
  return type == Type::U32   ? runCarry<uint32_t, kind>
         : type == Type::S32 ? runCarry<int32_t, kind>
         : type == Type::U64 ? runCarry<uint64_t, kind>
         : type == Type::S64 ? runCarry<int64_t, kind>
                             : nullptr;
}

} // namespace

bool ptxsim::decodeCarry(Decoder &decoder) {
  const std::string &opcode = decoder.getStatement().opcode;
  Op op;
  op.mode = opcode.back() == 'c' ? 1 : 0;
  op.mode |= decoder.take("cc") ? 2 : 0;
  op.e = decoder.carry();
  bool isMad = opcode[0] == 'm';
  int part = isMad ? decoder.takeOneOf({"lo", "hi"}) : 0;
  if (part < 0)
    return decoder.fail("needs .lo or .hi");
  Type type = decoder.takeType();
  Handler run = opcode[0] == 'a' ? pick<AddCarry>(type)
                : !isMad         ? pick<SubCarry>(type)
                : part           ? pick<MadHighCarry>(type)
                                 : pick<MadLowCarry>(type);
  return decoder.expectOperands(isMad ? 4 : 3) &&
         decoder.destination(0, type, op.d) && decoder.source(1, type, op.a) &&
         decoder.source(2, type, op.b) &&
         (!isMad || decoder.source(3, type, op.c)) && emitOp(decoder, run, op);
}
