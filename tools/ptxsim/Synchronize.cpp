//===- Synchronize.cpp - Barriers and fences --------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// bar and barrier in all their forms. Fences are no operations: memory here is
/// sequentially consistent.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Block.h"
#include "tools/ptxsim/Instructions.h"
#include "tools/ptxsim/Lanes.h"

using namespace ptxsim;

namespace {

enum Kind : uint8_t { Sync, Arrive, RedPopc, RedAnd, RedOr };

/// op.a: number, op.b: threads if op.target; op.c: predicate of bar.red, whose
/// negation is op.extra; op.width: whether all lanes must come together.
void runBarrier(Warp &warp, const Op &op, uint32_t mask) {
  if (op.width && mask != warp.live) {
    warp.fault(op, FaultKind::Divergent,
               "only some lanes of the warp came to the barrier",
               __builtin_ctz(mask));
    return;
  }
  int lane = __builtin_ctz(mask);
  uint32_t number = warp.slots<uint32_t>(op.a)[lane];
  uint32_t expected = op.target ? warp.slots<uint32_t>(op.b)[lane] : 0;
  bool isWrong = number > 15 || (op.target && (!expected || expected % 32));
  for (int other = 0; other < 32 && !isWrong; ++other)
    isWrong = warp.isLane(mask, other) &&
              (warp.slots<uint32_t>(op.a)[other] != number ||
               (op.target && warp.slots<uint32_t>(op.b)[other] != expected));
  if (isWrong) {
    warp.fault(op, FaultKind::Invalid,
               "barrier " + std::to_string(number) + " of " +
                   std::to_string(expected) + " threads",
               lane);
    return;
  }
  if (op.mode >= RedPopc)
    warp.block.contribute(number, mask, warp.predicate(op.c) ^ op.extra);
  warp.block.arrive(warp, op, {int(number), expected, mask, op.mode == Arrive});
}

void runWarpBarrier(Warp &warp, const Op &op, uint32_t mask) {
  uint32_t members = warp.slots<uint32_t>(op.a)[__builtin_ctz(mask)];
  if (mask & ~members) {
    warp.fault(op, FaultKind::Divergent, "a lane is not in its own mask",
               __builtin_ctz(mask & ~members));
    return;
  }
  warp.converge(op, mask, members, true);
}

void runNothing(Warp &, const Op &, uint32_t) {}

} // namespace

void ptxsim::storeBarrierResult(Warp &warp, const Op &op, uint32_t lanes,
                                uint32_t sum, uint32_t contributions) {
  if (op.mode == RedPopc) {
    uint32_t *d = warp.slots<uint32_t>(op.d);
    forLanes(lanes, [=](int l) { d[l] = sum; });
  } else if (op.mode == RedAnd || op.mode == RedOr) {
    bool result = op.mode == RedAnd ? sum == contributions : sum != 0;
    uint32_t &d = warp.predicate(op.d);
    d = result ? d | lanes : d & ~lanes;
  }
}

bool ptxsim::decodeBar(Decoder &decoder) {
  bool isBar = decoder.getStatement().opcode == "bar";
  const std::vector<Operand> &operands = decoder.getStatement().operands;
  Op op;
  if (isBar && decoder.take("warp")) {
    return decoder.take("sync") && decoder.expectOperands(1) &&
           decoder.source(0, Type::B32, op.a) &&
           emitOp(decoder, runWarpBarrier, op);
  }
  decoder.take("cta");
  int kind = decoder.takeOneOf({"sync", "arrive", "red"});
  // barrier without .aligned may be run by lanes at different times.
  op.width = decoder.take("aligned") || isBar;
  if (kind < 0)
    return decoder.failModifiers();
  op.mode = kind;
  size_t first = 0, last = operands.size();
  if (kind == 2) {
    int reduction = decoder.takeOneOf({"popc", "and", "or"});
    Type type = decoder.takeType();
    bool isNegated;
    if (reduction < 0 || type != (reduction ? Type::Pred : Type::U32))
      return decoder.failModifiers();
    op.mode = RedPopc + reduction;
    first = 1;
    --last;
    if (!decoder.expectOperands(3, 4) ||
        !decoder.predicate(operands[last], op.c, isNegated))
      return false;
    op.extra = isNegated ? ~uint32_t(0) : 0;
    bool hasPlace = reduction ? decoder.predicateDestination(operands[0], op.d)
                              : decoder.destination(0, Type::U32, op.d);
    if (!hasPlace)
      return false;
  } else if (!decoder.expectOperands(kind == Arrive ? 2 : 1, 2)) {
    return false;
  }
  op.target = last - first == 2;
  return decoder.source(first, Type::U32, op.a) &&
         (!op.target || decoder.source(first + 1, Type::U32, op.b)) &&
         emitOp(decoder, runBarrier, op);
}

bool ptxsim::decodeFence(Decoder &decoder) {
  bool isKnown =
      decoder.getStatement().opcode == "membar"
          ? decoder.takeOneOf({"cta", "gl", "sys"}) >= 0
          : (decoder.takeOneOf({"sc", "acq_rel", "acquire", "release"}),
             decoder.takeOneOf({"cta", "cluster", "gpu", "sys"}) >= 0);
  return decoder.expectOperands(0) &&
         emitOp(decoder, isKnown ? runNothing : nullptr, Op());
}
