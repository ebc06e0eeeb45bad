//===- LoadStore.cpp - ld and st --------------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Loads and stores of registers and vectors of them, in every space.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Access.h"
#include "tools/ptxsim/Instructions.h"
#include "tools/ptxsim/Lanes.h"

using namespace ptxsim;

namespace {

// op.mode: the space; op.list, op.count: registers; op.extra: bits of each.
template <typename M> void runLoad(Warp &warp, const Op &op, uint32_t mask) {
  char *places[32];
  if (!resolve(warp, op, mask, static_cast<Space>(op.mode), AccessKind::Read,
               sizeof(M) * op.count, places))
    return;
  for (int i = 0; i < op.count; ++i) {
    uint32_t slot = warp.program.lists[op.list + i];
    auto load = [&](int lane) {
      M value;
      std::memcpy(&value, places[lane] + i * sizeof(M), sizeof(M));
      return value;
    };
    if (op.extra == 64) {
      auto *d = warp.slots<uint64_t>(slot);
      forLanes(mask, [&](int l) { d[l] = uint64_t(int64_t(load(l))); });
    } else if (op.extra == 32) {
      auto *d = warp.slots<uint32_t>(slot);
      forLanes(mask, [&](int l) { d[l] = uint32_t(int64_t(load(l))); });
    } else {
      auto *d = warp.slots<uint32_t>(slot);
      forLanes(mask, [&](int l) { d[l] = uint16_t(load(l)); });
    }
  }
}
template <typename M> void runStore(Warp &warp, const Op &op, uint32_t mask) {
  char *places[32];
  if (!resolve(warp, op, mask, static_cast<Space>(op.mode), AccessKind::Write,
               sizeof(M) * op.count, places))
    return;
  for (int i = 0; i < op.count; ++i) {
    uint32_t slot = warp.program.lists[op.list + i];
    bool isWide = op.extra == 64;
    for (uint32_t rest = mask; rest; rest &= rest - 1) {
      int lane = __builtin_ctz(rest);
      M value = isWide ? M(warp.slots<uint64_t>(slot)[lane])
                       : M(warp.slots<uint32_t>(slot)[lane]);
      std::memcpy(places[lane] + i * sizeof(M), &value, sizeof(M));
    }
  }
}

Handler pickLoad(Type type) {
  switch (getBits(type)) {
  case 8:
    return isSigned(type) ? runLoad<int8_t> : runLoad<uint8_t>;
  case 16:
    return isSigned(type) ? runLoad<int16_t> : runLoad<uint16_t>;
  case 32:
    return isSigned(type) ? runLoad<int32_t> : runLoad<uint32_t>;
  case 64:
    return runLoad<uint64_t>;
  default:
    return nullptr;
  }
}
Handler pickStore(Type type) {
  switch (getBits(type)) {
  case 8:
    return runStore<uint8_t>;
  case 16:
    return runStore<uint16_t>;
  case 32:
    return runStore<uint32_t>;
  case 64:
    return runStore<uint64_t>;
  default:
    return nullptr;
  }
}

Space takeSpace(Decoder &decoder) {
  static constexpr Space spaces[] = {
      Space::Global, Space::Shared, Space::Shared, Space::Local,
      Space::Param,  Space::Param,  Space::Param,  Space::Const};
  int number =
      decoder.takeOneOf({"global", "shared", "shared::cta", "local", "param",
                         "param::entry", "param::func", "const"});
  return number < 0 ? Space::Generic : spaces[number];
}

/// What a cache or a memory model makes of it: nothing, here. True if there is
/// a policy operand.
bool takeHints(Decoder &decoder, bool isLoad) {
  int order = decoder.takeOneOf(
      isLoad ? std::initializer_list<std::string_view>{"weak", "relaxed",
                                                       "acquire", "volatile",
                                                       "mmio"}
             : std::initializer_list<std::string_view>{
                   "weak", "relaxed", "release", "volatile", "mmio"});
  if (order == 1 || order == 2 || order == 4)
    decoder.takeOneOf({"cta", "cluster", "gpu", "sys"});
  if (isLoad)
    decoder.takeOneOf({"ca", "cg", "cs", "lu", "cv"});
  else
    decoder.takeOneOf({"wb", "cg", "cs", "wt"});
  decoder.takeOneOf({"L1::evict_normal", "L1::evict_unchanged",
                     "L1::evict_first", "L1::evict_last", "L1::no_allocate"});
  decoder.takeOneOf({"L2::evict_normal", "L2::evict_first", "L2::evict_last"});
  if (isLoad)
    decoder.takeOneOf({"L2::64B", "L2::128B", "L2::256B"});
  return decoder.take("L2::cache_hint");
}

bool decodeAccess(Decoder &decoder, bool isLoad) {
  bool hasPolicy = takeHints(decoder, isLoad);
  Space space = takeSpace(decoder);
  bool isUniform = decoder.getStatement().opcode == "ldu";
  if (isLoad && space == Space::Global && !isUniform)
    decoder.take("nc");
  int vector = decoder.takeOneOf({"v2", "v4"});
  Type type = decoder.takeType();
  bool isWhole = !isFloat(type) || type == Type::F32 || type == Type::F64;
  if (getBits(type) < 8 || !isWhole)
    return decoder.failModifiers();
  if (!decoder.expectOperands(hasPolicy ? 3 : 2))
    return false;
  if (!isLoad && space == Space::Const)
    return decoder.fail("constants can't be written");
  const std::vector<Operand> &operands = decoder.getStatement().operands;
  const Operand &value = operands[isLoad ? 0 : 1];
  Op op;
  if (!decoder.address(isLoad ? 1 : 0, op, space))
    return false;
  op.mode = static_cast<uint8_t>(space);
  op.count = vector < 0 ? 1 : vector ? 4 : 2;
  // A list of one is a vector of none.
  bool isList = value.kind == Operand::Vector;
  size_t given = isList ? value.elements.size() : 1;
  if (given != op.count)
    return decoder.fail("expected " + std::to_string(op.count) + " registers");
  if (getBytes(type) * op.count > 16)
    return decoder.fail("accesses have up to 16 bytes");
  std::vector<uint32_t> places;
  int bits = 0;
  for (size_t i = 0; i < given; ++i) {
    const Operand &element = isList ? value.elements[i] : value;
    int width;
    uint32_t place;
    bool isFound =
        isLoad ? decoder.destinationOfAnyWidth(element, type, place, width)
               : decoder.sourceOfAnyWidth(element, type, place, width);
    if (!isFound)
      return false;
    if (element.kind == Operand::Sink)
      width = bits ? bits : width;
    if (bits && element.kind == Operand::Register && width != bits)
      return decoder.fail("registers of different widths");
    bits = width;
    if (width < getBits(type))
      return decoder.fail("a register is too narrow");
    places.push_back(place);
  }
  op.list = decoder.beginList();
  decoder.program.lists.insert(decoder.program.lists.end(), places.begin(),
                               places.end());
  op.extra = bits < 16 ? 16 : bits;
  return emitOp(decoder, isLoad ? pickLoad(type) : pickStore(type), op);
}

void runNothing(Warp &, const Op &, uint32_t) {}

} // namespace

bool ptxsim::decodeLd(Decoder &decoder) { return decodeAccess(decoder, true); }
bool ptxsim::decodeSt(Decoder &decoder) { return decodeAccess(decoder, false); }

bool ptxsim::decodePrefetch(Decoder &decoder) {
  const std::string &opcode = decoder.getStatement().opcode;
  Space space = takeSpace(decoder);
  int level =
      decoder.takeOneOf({"L1", "L2", "L2::evict_last", "L2::evict_normal"});
  if (level < 0)
    return decoder.failModifiers();
  if (opcode == "discard")
    return decoder.fail("is not supported: what it leaves is undefined");
  Op op;
  return decoder.expectOperands(1) && decoder.address(0, op, space) &&
         emitOp(decoder, runNothing, op);
}
