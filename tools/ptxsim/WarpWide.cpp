//===- WarpWide.cpp - Operations of a warp ----------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// shfl, vote, match, redux, activemask and elect: lanes see each other's
/// values.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Instructions.h"
#include "tools/ptxsim/Lanes.h"

#include <algorithm>

using namespace ptxsim;

namespace {

/// The member mask must be the same for all lanes that run, and name them.
bool getMembers(Warp &warp, const Op &op, uint32_t mask, uint32_t place,
                uint32_t &members) {
  const uint32_t *values = warp.slots<uint32_t>(place);
  members = values[__builtin_ctz(mask)];
  for (int lane = 0; lane < 32; ++lane)
    if (warp.isLane(mask, lane) &&
        (values[lane] != members || !warp.isLane(members, lane))) {
      warp.fault(op, FaultKind::Divergent,
                 "the member mask does not name the lane, or differs", lane);
      return false;
    }
  return warp.converge(op, mask, members, false);
}

enum Direction : uint8_t { Up, Down, Butterfly, Index };

// op.e: members; op.extra: whether op.imm is a predicate to write.
void runShfl(Warp &warp, const Op &op, uint32_t mask) {
  uint32_t members;
  if (!getMembers(warp, op, mask, op.e, members))
    return;
  uint32_t *d = warp.slots<uint32_t>(op.d), *b = warp.slots<uint32_t>(op.b),
           *c = warp.slots<uint32_t>(op.c), values[32], valid = 0;
  std::memcpy(values, warp.slots<uint32_t>(op.a), sizeof(values));
  for (int lane = 0; lane < 32; ++lane) {
    if (!warp.isLane(mask, lane))
      continue;
    int by = b[lane] & 31, clamp = c[lane] & 31, segment = c[lane] >> 8 & 31;
    int last = (lane & segment) | (clamp & ~segment), first = lane & segment;
    int from = 0;
    bool isIn = false;
    switch (op.mode) {
    case Up:
      from = lane - by;
      isIn = from >= last;
      break;
    case Down:
      from = lane + by;
      isIn = from <= last;
      break;
    case Butterfly:
      from = lane ^ by;
      isIn = from <= last;
      break;
    default:
      from = first | (by & ~segment);
      isIn = from <= last;
    }
    if (!isIn)
      from = lane;
    if (!warp.isLane(mask, from)) {
      warp.fault(op, FaultKind::Divergent,
                 "reads lane " + std::to_string(from) +
                     ", which does not take part",
                 lane);
      return;
    }
    valid |= uint32_t(isIn) << lane;
    d[lane] = values[from];
  }
  if (op.extra) {
    uint32_t &p = warp.predicate(op.imm);
    p = (p & ~mask) | valid;
  }
}

enum Vote : uint8_t { All, Any, Uni, Ballot };
void runVote(Warp &warp, const Op &op, uint32_t mask) {
  uint32_t members;
  if (!getMembers(warp, op, mask, op.e, members))
    return;
  uint32_t votes = (warp.predicate(op.a) ^ op.extra) & mask;
  if (op.mode == Ballot) {
    uint32_t *d = warp.slots<uint32_t>(op.d);
    forLanes(mask, [=](int l) { d[l] = votes; });
    return;
  }
  bool result = op.mode == All   ? votes == mask
                : op.mode == Any ? votes != 0
                                 : votes == mask || votes == 0;
  uint32_t &d = warp.predicate(op.d);
  d = result ? d | mask : d & ~mask;
}

template <typename T, bool isAll>
void runMatch(Warp &warp, const Op &op, uint32_t mask) {
  uint32_t members;
  if (!getMembers(warp, op, mask, op.e, members))
    return;
  T *a = warp.slots<T>(op.a);
  uint32_t *d = warp.slots<uint32_t>(op.d), equal[32];
  for (int lane = 0; lane < 32; ++lane) {
    equal[lane] = 0;
    for (int other = 0; other < 32; ++other)
      if (warp.isLane(mask, other) && a[other] == a[lane])
        equal[lane] |= uint32_t(1) << other;
  }
  bool isSame = equal[__builtin_ctz(mask)] == mask;
  forLanes(mask, [&](int l) { d[l] = !isAll || isSame ? equal[l] : 0; });
  if (isAll && op.extra) {
    uint32_t &p = warp.predicate(op.imm);
    p = isSame ? p | mask : p & ~mask;
  }
}

enum Reduction : uint8_t { Add, Min, Max, And, Or, Xor };
template <typename T> void runRedux(Warp &warp, const Op &op, uint32_t mask) {
  uint32_t members;
  if (!getMembers(warp, op, mask, op.e, members))
    return;
  uint32_t *a = warp.slots<uint32_t>(op.a), *d = warp.slots<uint32_t>(op.d);
  T result = T(a[__builtin_ctz(mask)]);
  for (uint32_t rest = mask & (mask - 1); rest; rest &= rest - 1) {
    T value = T(a[__builtin_ctz(rest)]);
    switch (op.mode) {
    case Add:
      result = T(uint32_t(result) + uint32_t(value));
      break;
    case Min:
      result = std::min(result, value);
      break;
    case Max:
      result = std::max(result, value);
      break;
    case And:
      result &= value;
      break;
    case Or:
      result |= value;
      break;
    default:
      result ^= value;
    }
  }
  forLanes(mask, [=](int l) { d[l] = uint32_t(result); });
}

void runActivemask(Warp &warp, const Op &op, uint32_t mask) {
  uint32_t *d = warp.slots<uint32_t>(op.d);
  forLanes(mask, [=](int l) { d[l] = mask; });
}

void runElect(Warp &warp, const Op &op, uint32_t mask) {
  uint32_t members;
  if (!getMembers(warp, op, mask, op.e, members))
    return;
  uint32_t leader = __builtin_ctz(mask);
  uint32_t *d = warp.slots<uint32_t>(op.d);
  forLanes(mask, [=](int l) { d[l] = leader; });
  uint32_t &p = warp.predicate(op.imm);
  p = (p & ~mask) | uint32_t(1) << leader;
}

bool needSync(Decoder &decoder) {
  return decoder.take("sync") || decoder.fail("needs .sync");
}

} // namespace

bool ptxsim::decodeShfl(Decoder &decoder) {
  if (!needSync(decoder))
    return false;
  int direction = decoder.takeOneOf({"up", "down", "bfly", "idx"});
  Type type = decoder.takeType();
  if (direction < 0 || type != Type::B32)
    return decoder.failModifiers();
  Op op;
  op.mode = direction;
  if (!decoder.expectOperands(5) || !decoder.destination(0, type, op.d) ||
      !decoder.source(1, type, op.a) || !decoder.source(2, type, op.b) ||
      !decoder.source(3, type, op.c) || !decoder.source(4, type, op.e))
    return false;
  uint32_t place;
  if (int second = decoder.getStatement().operands[0].second; second >= 0) {
    if (!decoder.predicateDestination(second, place))
      return false;
    op.extra = 1;
    op.imm = place;
  }
  return emitOp(decoder, runShfl, op);
}

bool ptxsim::decodeVote(Decoder &decoder) {
  if (!needSync(decoder))
    return false;
  int vote = decoder.takeOneOf({"all", "any", "uni", "ballot"});
  Type type = decoder.takeType();
  if (vote < 0 || type != (vote == Ballot ? Type::B32 : Type::Pred))
    return decoder.failModifiers();
  Op op;
  op.mode = vote;
  bool isNegated;
  if (!decoder.expectOperands(3))
    return false;
  const std::vector<Operand> &operands = decoder.getStatement().operands;
  bool hasPlace = vote == Ballot
                      ? decoder.destination(0, type, op.d)
                      : decoder.predicateDestination(operands[0], op.d);
  if (!hasPlace || !decoder.predicate(operands[1], op.a, isNegated) ||
      !decoder.source(2, Type::B32, op.e))
    return false;
  op.extra = isNegated ? ~uint32_t(0) : 0;
  return emitOp(decoder, runVote, op);
}

bool ptxsim::decodeMatch(Decoder &decoder) {
  int kind = decoder.takeOneOf({"any", "all"});
  if (kind < 0 || !needSync(decoder))
    return decoder.failModifiers();
  Type type = decoder.takeType();
  if (type != Type::B32 && type != Type::B64)
    return decoder.failModifiers();
  Op op;
  if (!decoder.expectOperands(3) || !decoder.destination(0, Type::B32, op.d) ||
      !decoder.source(1, type, op.a) || !decoder.source(2, Type::B32, op.e))
    return false;
  uint32_t place;
  if (int second = decoder.getStatement().operands[0].second; second >= 0) {
    if (!decoder.predicateDestination(second, place))
      return false;
    op.extra = 1;
    op.imm = place;
  }
  bool isWide = type == Type::B64;
  return emitOp(
      decoder,
      kind ? (isWide ? runMatch<uint64_t, true> : runMatch<uint32_t, true>)
           : (isWide ? runMatch<uint64_t, false> : runMatch<uint32_t, false>),
      op);
}

bool ptxsim::decodeRedux(Decoder &decoder) {
  if (!needSync(decoder))
    return false;
  int reduction = decoder.takeOneOf({"add", "min", "max", "and", "or", "xor"});
  Type type = decoder.takeType();
  bool isLogic = reduction >= And;
  bool isAllowed =
      isLogic ? type == Type::B32 : type == Type::U32 || type == Type::S32;
  if (reduction < 0 || !isAllowed)
    return decoder.failModifiers();
  Op op;
  op.mode = reduction;
  return decoder.expectOperands(3) && decoder.destination(0, type, op.d) &&
         decoder.source(1, type, op.a) && decoder.source(2, Type::B32, op.e) &&
         emitOp(decoder,
                type == Type::S32 ? runRedux<int32_t> : runRedux<uint32_t>, op);
}

bool ptxsim::decodeActivemask(Decoder &decoder) {
  Type type = decoder.takeType();
  Op op;
  return decoder.expectOperands(1) && decoder.destination(0, type, op.d) &&
         emitOp(decoder, type == Type::B32 ? runActivemask : nullptr, op);
}

bool ptxsim::decodeElect(Decoder &decoder) {
  Op op;
  uint32_t place;
  if (!needSync(decoder) || !decoder.expectOperands(2) ||
      !decoder.destination(0, Type::B32, op.d) ||
      !decoder.predicateDestination(decoder.getStatement().operands[0].second,
                                    place) ||
      !decoder.source(1, Type::B32, op.e))
    return false;
  op.imm = place;
  return emitOp(decoder, runElect, op);
}
