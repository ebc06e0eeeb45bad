//===- Move.cpp - Moves -----------------------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// mov, with its packing and unpacking of {…}, cvta and isspacep.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Instructions.h"
#include "tools/ptxsim/Lanes.h"

using namespace ptxsim;

namespace {

template <typename T> void runMov(Warp &warp, const Op &op, uint32_t mask) {
  T *d = warp.slots<T>(op.d), *a = warp.slots<T>(op.a);
  forLanes(mask, [=](int l) { d[l] = a[l]; });
}
void runMov128(Warp &warp, const Op &op, uint32_t mask) {
  auto *d = warp.slots<uint64_t>(op.d), *a = warp.slots<uint64_t>(op.a);
  forLanes(mask, [=](int l) {
    d[l] = a[l];
    d[l + 32] = a[l + 32];
  });
}
void runMovPredicate(Warp &warp, const Op &op, uint32_t mask) {
  uint32_t &d = warp.predicate(op.d);
  d = (d & ~mask) | ((warp.predicate(op.a) ^ op.extra) & mask);
}
void runClock(Warp &warp, const Op &op, uint32_t mask) {
  uint64_t now = warp.steps;
  if (op.width == 8) {
    auto *d = warp.slots<uint64_t>(op.d);
    forLanes(mask, [=](int l) { d[l] = now; });
  } else {
    auto *d = warp.slots<uint32_t>(op.d);
    forLanes(mask, [=](int l) { d[l] = now; });
  }
}

/// A slot is 4 or 8 bytes; op.width: bits of an element, op.imm: of the whole.
uint64_t readSlot(Warp &warp, uint32_t place, int bits, int lane) {
  return bits == 64 ? warp.slots<uint64_t>(place)[lane]
                    : warp.slots<uint32_t>(place)[lane];
}
void writeSlot(Warp &warp, uint32_t place, int bits, int lane, uint64_t value) {
  if (bits == 64)
    warp.slots<uint64_t>(place)[lane] = value;
  else
    warp.slots<uint32_t>(place)[lane] =
        bits < 32 ? value & ((1u << bits) - 1) : value;
}
void runPack(Warp &warp, const Op &op, uint32_t mask) {
  int width = op.width, total = op.imm;
  for (int lane = 0; lane < 32; ++lane) {
    if (!warp.isLane(mask, lane))
      continue;
    unsigned __int128 value = 0;
    for (int i = 0; i < op.count; ++i)
      value |= (unsigned __int128)(readSlot(
                   warp, warp.program.lists[op.list + i], width, lane))
               << (i * width);
    if (total == 128) {
      warp.slots<uint64_t>(op.d)[lane] = value;
      warp.slots<uint64_t>(op.d)[lane + 32] = value >> 64;
    } else {
      writeSlot(warp, op.d, total, lane, value);
    }
  }
}
void runUnpack(Warp &warp, const Op &op, uint32_t mask) {
  int width = op.width, total = op.imm;
  for (int lane = 0; lane < 32; ++lane) {
    if (!warp.isLane(mask, lane))
      continue;
    unsigned __int128 value =
        readSlot(warp, op.a, total == 128 ? 64 : total, lane);
    if (total == 128)
      value |= (unsigned __int128)(warp.slots<uint64_t>(op.a)[lane + 32]) << 64;
    for (int i = 0; i < op.count; ++i)
      writeSlot(warp, warp.program.lists[op.list + i], width, lane,
                uint64_t(value >> (i * width)));
  }
}

Type bitsType(int bits) {
  return bits == 8     ? Type::B8
         : bits == 16  ? Type::B16
         : bits == 32  ? Type::B32
         : bits == 64  ? Type::B64
         : bits == 128 ? Type::B128
                       : Type::None;
}

bool decodePacked(Decoder &decoder, Type type) {
  const std::vector<Operand> &operands = decoder.getStatement().operands;
  bool isUnpack = operands[0].kind == Operand::Vector;
  size_t count = operands[isUnpack ? 0 : 1].elements.size();
  if (count != 2 && count != 4)
    return decoder.fail("packs two or four");
  Type element = bitsType(getBits(type) / int(count));
  if (getBits(element) < 16 || isFloat(type))
    return decoder.failModifiers();
  Op op;
  op.width = getBits(element);
  op.imm = getBits(type);
  op.count = count;
  op.list = decoder.beginList();
  if (isUnpack)
    return decoder.destinations(0, element, count) &&
           decoder.source(1, type, op.a) && emitOp(decoder, runUnpack, op);
  return decoder.sources(1, element, count) &&
         decoder.destination(0, type, op.d) && emitOp(decoder, runPack, op);
}

uint64_t getWindow(Space space) {
  return space == Space::Shared  ? sharedWindow
         : space == Space::Local ? localWindow
         : space == Space::Param ? paramWindow
                                 : 0;
}

template <typename T> void runCvta(Warp &warp, const Op &op, uint32_t mask) {
  T *d = warp.slots<T>(op.d), *a = warp.slots<T>(op.a);
  T offset = T(op.imm);
  forLanes(mask, [=](int l) { d[l] = a[l] + offset; });
}
/// To a space that has a window: what is not in it becomes an address that is
/// nowhere, not a wrong one.
void runCvtaTo(Warp &warp, const Op &op, uint32_t mask) {
  auto *d = warp.slots<uint64_t>(op.d), *a = warp.slots<uint64_t>(op.a);
  uint64_t window = op.imm;
  forLanes(mask, [=](int l) {
    uint64_t offset = a[l] - window;
    d[l] = offset < windowSize ? offset : ~uint64_t(0) << 20;
  });
}

void runIsspacep(Warp &warp, const Op &op, uint32_t mask) {
  auto *a = warp.slots<uint64_t>(op.a);
  uint32_t result = 0;
  for (int lane = 0; lane < 32; ++lane) {
    uint64_t window = a[lane] >> 52;
    bool isIn = op.mode == 0 ? window == 0 : window == op.mode;
    result |= uint32_t(isIn) << lane;
  }
  uint32_t &d = warp.predicate(op.d);
  d = (d & ~mask) | (result & mask);
}

bool takeSpace(Decoder &decoder, Space &space) {
  static constexpr Space spaces[] = {
      Space::Global, Space::Shared, Space::Shared, Space::Local,
      Space::Param,  Space::Param,  Space::Const};
  int number = decoder.takeOneOf({"global", "shared", "shared::cta", "local",
                                  "param", "param::entry", "const"});
  if (number < 0)
    return decoder.fail("a state space is missing");
  space = spaces[number];
  return true;
}

} // namespace

bool ptxsim::decodeMov(Decoder &decoder) {
  Type type = decoder.takeType();
  if (!decoder.expectOperands(2))
    return false;
  const std::vector<Operand> &operands = decoder.getStatement().operands;
  Op op;
  if (type == Type::Pred) {
    bool isNegated;
    if (!decoder.predicateDestination(operands[0], op.d) ||
        !decoder.predicate(operands[1], op.a, isNegated))
      return false;
    op.extra = isNegated ? ~uint32_t(0) : 0;
    return emitOp(decoder, runMovPredicate, op);
  }
  if (operands[0].kind == Operand::Vector ||
      operands[1].kind == Operand::Vector)
    return decodePacked(decoder, type);
  const std::string &name = operands[1].name;
  bool isClock64 = name == "%clock64" || name == "%globaltimer";
  if (isClock64 || name == "%clock" || name == "%clock_hi") {
    op.width = isClock64 ? 8 : 4;
    return decoder.destination(0, isClock64 ? Type::U64 : Type::U32, op.d) &&
           emitOp(decoder, runClock, op);
  }
  bool isWhole = !isFloat(type) || type == Type::F32 || type == Type::F64;
  if (getBits(type) < 16 || !isWhole)
    return decoder.failModifiers();
  return decodeUnary(decoder, type, type,
                     getBits(type) == 128  ? runMov128
                     : getBits(type) == 64 ? runMov<uint64_t>
                                           : runMov<uint32_t>);
}

bool ptxsim::decodeCvta(Decoder &decoder) {
  bool isTo = decoder.take("to");
  Space space;
  if (!takeSpace(decoder, space))
    return false;
  Type type = decoder.takeType();
  if (type != Type::U64)
    return decoder.fail("addresses have 64 bits");
  Op op;
  op.imm = getWindow(space);
  return decoder.expectOperands(2) && decoder.destination(0, type, op.d) &&
         decoder.source(1, type, op.a) &&
         emitOp(decoder, isTo && op.imm ? runCvtaTo : runCvta<uint64_t>, op);
}

bool ptxsim::decodeIsspacep(Decoder &decoder) {
  Space space;
  if (!takeSpace(decoder, space))
    return false;
  Op op;
  op.mode = getWindow(space) >> 52;
  return decoder.expectOperands(2) &&
         decoder.predicateDestination(decoder.getStatement().operands[0],
                                      op.d) &&
         decoder.source(1, Type::U64, op.a) && emitOp(decoder, runIsspacep, op);
}
