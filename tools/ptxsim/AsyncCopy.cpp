//===- AsyncCopy.cpp - cp.async ---------------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Copies from global to shared memory that arrive later. Addresses are checked
/// when the copy begins; shared memory counts as written when its group is
/// waited for, in either copy mode.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Access.h"
#include "tools/ptxsim/Instructions.h"

using namespace ptxsim;

namespace {

/// op.c: bytes to take from global memory, the rest is zero, if op.target is
/// 1; a predicate that says to take none if it is 2. op.count: bytes.
void runCopy(Warp &warp, const Op &op, uint32_t mask) {
  uint64_t from[32], to[32];
  Op source = op;
  source.a = op.b;
  source.width = op.mode;
  source.imm = int32_t(warp.program.lists[op.list]);
  getAddresses(warp, op, mask, to);
  getAddresses(warp, source, mask, from);
  Block &block = warp.block;
  uint32_t loading = 0;
  for (int lane = 0; lane < 32; ++lane) {
    if (!warp.isLane(mask, lane))
      continue;
    uint32_t bytes = op.count;
    if (op.target == 1)
      bytes = warp.slots<uint32_t>(op.c)[lane];
    else if (op.target == 2 && (warp.predicate(op.c) >> lane & 1))
      bytes = 0;
    if (bytes > op.count) {
      warp.fault(op, FaultKind::Invalid,
                 "takes " + std::to_string(bytes) + " bytes of " +
                     std::to_string(op.count),
                 lane);
      return;
    }
    if (to[lane] - sharedWindow < windowSize)
      to[lane] -= sharedWindow;
    if (!checkShared(warp, op, lane, to[lane], op.count))
      return;
    if (from[lane] % op.count) {
      warp.fault(op, FaultKind::Misaligned,
                 std::to_string(op.count) + " bytes of global memory", lane);
      return;
    }
    // What is not taken needs no memory behind it.
    const char *place = nullptr;
    if (bytes) {
      loading |= uint32_t(1) << lane;
      if (!warp.range.contains(from[lane], bytes)) {
        warp.range = block.grid.memory.find(from[lane]);
        if (!warp.range.contains(from[lane], bytes)) {
          warp.fault(op, FaultKind::OutOfBounds,
                     std::to_string(bytes) + " bytes of global memory", lane);
          warp.range = {};
          return;
        }
      }
      place = reinterpret_cast<const char *>(from[lane]);
    }
    if (block.grid.config.checkShared) {
      int other = -1;
      FaultKind kind =
          block.shadow.beginCopy(warp.id, to[lane], op.count, other);
      if (!checkShadow(warp, op, lane, to[lane], kind, other))
        return;
    }
    if (block.grid.config.copyMode == CopyMode::Eager) {
      char *destination = block.shared.data() + to[lane];
      if (bytes)
        std::memcpy(destination, place, bytes);
      std::memset(destination + bytes, 0, op.count - bytes);
    }
    warp.copies.push_back(
        {to[lane], place, uint16_t(bytes), uint16_t(op.count), uint8_t(lane)});
  }
  // Counted are the sectors of global memory.
  if (loading)
    countGlobal(warp, op, loading, from, op.count);
}

void runCommit(Warp &warp, const Op &, uint32_t mask) {
  warp.commitCopies(mask);
}
void runWait(Warp &warp, const Op &op, uint32_t mask) {
  if (op.target)
    warp.commitCopies(mask);
  warp.waitForCopies(mask, op.target ? 0 : op.imm);
}

bool decodeAsync(Decoder &decoder) {
  if (decoder.take("commit_group"))
    return decoder.expectOperands(0) && emitOp(decoder, runCommit, Op());
  Op op;
  uint64_t value;
  if (decoder.take("wait_all")) {
    op.target = 1;
    return decoder.expectOperands(0) && emitOp(decoder, runWait, op);
  }
  if (decoder.take("wait_group")) {
    if (!decoder.expectOperands(1) || !decoder.immediate(0, value))
      return false;
    op.imm = value;
    return emitOp(decoder, runWait, op);
  }
  int cache = decoder.takeOneOf({"ca", "cg"});
  bool isShared = decoder.take("shared") || decoder.take("shared::cta");
  if (cache < 0 || !isShared || !decoder.take("global"))
    return decoder.failModifiers();
  bool hasPolicy = decoder.take("L2::cache_hint");
  decoder.takeOneOf({"L2::64B", "L2::128B", "L2::256B"});
  size_t most = hasPolicy ? 5 : 4;
  if (!decoder.expectOperands(hasPolicy ? 4 : 3, most) ||
      !decoder.immediate(2, value))
    return false;
  if (value != 16 && (cache == 1 || (value != 4 && value != 8)))
    return decoder.fail("copies 4, 8 or 16 bytes, .cg 16 only");
  Space shared = Space::Shared, global = Space::Global;
  Op source;
  if (!decoder.address(0, op, shared) || !decoder.address(1, source, global))
    return false;
  op.b = source.a;
  op.mode = source.width;
  op.count = value;
  op.list = decoder.beginList();
  decoder.program.lists.push_back(source.imm);
  if (decoder.getNumOperands() == most) {
    const Operand &last = decoder.getStatement().operands[3];
    bool isNegated;
    op.target = 1;
    if (last.kind == Operand::Register && decoder.isPredicate(last)) {
      op.target = 2;
      if (!decoder.predicate(last, op.c, isNegated) || isNegated)
        return decoder.failModifiers();
    } else if (!decoder.source(3, Type::U32, op.c)) {
      return false;
    }
  }
  return emitOp(decoder, runCopy, op);
}

} // namespace

bool ptxsim::decodeCp(Decoder &decoder) {
  if (decoder.take("async") && !decoder.has("bulk") && !decoder.has("mbarrier"))
    return decodeAsync(decoder);
  return decoder.failModifiers();
}
