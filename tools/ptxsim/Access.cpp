//===- Access.cpp - A warp's access to memory -------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See Access.h.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Access.h"

#include <algorithm>
#include <cstdio>

using namespace ptxsim;

static std::string toHex(uint64_t value) {
  char text[20];
  std::snprintf(text, sizeof(text), "0x%llx",
                static_cast<unsigned long long>(value));
  return text;
}

void ptxsim::getAddresses(Warp &warp, const Op &op, uint32_t /*mask*/,
                          uint64_t (&addresses)[32]) {
  if (op.width == 8) {
    const auto *base = warp.slots<uint64_t>(op.a);
    for (int lane = 0; lane < 32; ++lane)
      addresses[lane] = base[lane] + op.imm;
  } else {
    const auto *base = warp.slots<uint32_t>(op.a);
    for (int lane = 0; lane < 32; ++lane)
      addresses[lane] = uint32_t(base[lane] + uint32_t(op.imm));
  }
}

char *ptxsim::resolveGlobal(Warp &warp, const Op &op, int lane,
                            uint64_t address, unsigned bytes) {
  if (!warp.range.contains(address, bytes)) {
    warp.range = warp.block.grid.memory.find(address);
    if (!warp.range.contains(address, bytes)) {
      std::string message = std::to_string(bytes) + " bytes at " +
                            toHex(address) + " of global memory";
      Memory::Range near = warp.block.grid.memory.findBefore(address);
      if (near.size && address - near.begin < near.size + 4096)
        message +=
            ", " + std::to_string(address + bytes - near.begin - near.size) +
            " beyond the end of an allocation of " + std::to_string(near.size);
      else
        message += ", in no allocation";
      warp.fault(op, FaultKind::OutOfBounds, message, lane);
      warp.range = {};
      return nullptr;
    }
  }
  if (address % bytes) {
    warp.fault(op, FaultKind::Misaligned,
               std::to_string(bytes) + " bytes at " + toHex(address), lane);
    return nullptr;
  }
  return reinterpret_cast<char *>(address);
}

bool ptxsim::checkShared(Warp &warp, const Op &op, int lane, uint64_t offset,
                         unsigned bytes) {
  uint64_t size = warp.block.shared.size();
  if (offset > size || bytes > size - offset) {
    warp.fault(op, FaultKind::OutOfBounds,
               std::to_string(bytes) + " bytes at " + toHex(offset) +
                   " of shared memory, which has " + std::to_string(size),
               lane);
    return false;
  }
  if (offset % bytes) {
    warp.fault(op, FaultKind::Misaligned,
               std::to_string(bytes) + " bytes at " + toHex(offset) +
                   " of shared memory",
               lane);
    return false;
  }
  return true;
}

bool ptxsim::checkShadow(Warp &warp, const Op &op, int lane, uint64_t offset,
                         FaultKind kind, int other) {
  if (kind == FaultKind::None)
    return true;
  std::string message = "at " + toHex(offset) + " of shared memory";
  if (kind == FaultKind::Race)
    message += ", which warp " + std::to_string(other) +
               " used since the last barrier with it, as warp " +
               std::to_string(warp.id) + " does";
  else if (kind == FaultKind::MissingWait)
    message += ", to which a cp.async is under way";
  else
    message += ", which nothing has written";
  warp.fault(op, kind, message, lane);
  return false;
}

/// One lane's place in shared memory, with all checks.
static char *resolveShared(Warp &warp, const Op &op, int lane, uint64_t offset,
                           AccessKind kind, unsigned bytes) {
  if (!checkShared(warp, op, lane, offset, bytes))
    return nullptr;
  Block &block = warp.block;
  if (block.grid.config.checkShared) {
    int other = -1;
    FaultKind found = kind == AccessKind::Read
                          ? block.shadow.read(warp.id, offset, bytes, other)
                      : kind == AccessKind::Write
                          ? block.shadow.write(warp.id, offset, bytes, other)
                          : block.shadow.atomic(offset, bytes);
    if (!checkShadow(warp, op, lane, offset, found, other))
      return nullptr;
  }
  return block.shared.data() + offset;
}

static char *resolveLocal(Warp &warp, const Op &op, int lane, uint64_t offset,
                          unsigned bytes) {
  uint64_t size = warp.program.localBytes;
  if (offset > size || bytes > size - offset) {
    warp.fault(op, FaultKind::OutOfBounds,
               std::to_string(bytes) + " bytes at " + toHex(offset) +
                   " of local memory, of which a thread has " +
                   std::to_string(size),
               lane);
    return nullptr;
  }
  if (offset % bytes) {
    warp.fault(op, FaultKind::Misaligned,
               std::to_string(bytes) + " bytes at " + toHex(offset) +
                   " of local memory",
               lane);
    return nullptr;
  }
  return warp.local(lane) + offset;
}

static char *resolveParam(Warp &warp, const Op &op, int lane, uint64_t offset,
                          AccessKind kind, unsigned bytes) {
  const std::vector<uint8_t> &parameters = warp.block.grid.config.parameters;
  if (offset > parameters.size() || bytes > parameters.size() - offset ||
      kind != AccessKind::Read) {
    warp.fault(op, FaultKind::OutOfBounds,
               toHex(offset) + " of the kernel's parameters", lane);
    return nullptr;
  }
  auto *place = const_cast<uint8_t *>(parameters.data() + offset);
  return reinterpret_cast<char *>(place);
}

bool ptxsim::resolve(Warp &warp, const Op &op, uint32_t mask, Space space,
                     AccessKind kind, unsigned bytes, char *(&places)[32]) {
  uint64_t addresses[32];
  getAddresses(warp, op, mask, addresses);
  uint32_t inGlobal = 0, inShared = 0;
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    int lane = __builtin_ctz(rest);
    uint64_t &address = addresses[lane];
    Space actual = space;
    if (space == Space::Generic) {
      switch (address >> 52) {
      case sharedWindow >> 52:
        actual = Space::Shared;
        address -= sharedWindow;
        break;
      case localWindow >> 52:
        actual = Space::Local;
        address -= localWindow;
        break;
      case paramWindow >> 52:
        actual = Space::Param;
        address -= paramWindow;
        break;
      default:
        actual = Space::Global;
      }
    }
    switch (actual) {
    case Space::Shared:
      inShared |= uint32_t(1) << lane;
      places[lane] = resolveShared(warp, op, lane, address, kind, bytes);
      break;
    case Space::Local:
      places[lane] = resolveLocal(warp, op, lane, address, bytes);
      break;
    case Space::Param:
      places[lane] = resolveParam(warp, op, lane, address, kind, bytes);
      break;
    default:
      inGlobal |= uint32_t(1) << lane;
      places[lane] = resolveGlobal(warp, op, lane, address, bytes);
    }
    if (!places[lane])
      return false;
  }
  if (inGlobal)
    countGlobal(warp, op, inGlobal, addresses, bytes);
  if (inShared)
    countShared(warp, op, inShared, addresses, bytes);
  return true;
}

static OpCounters &getCounters(Warp &warp, const Op &op) {
  return warp.block.counters[&op - warp.program.ops.data()];
}

void ptxsim::countGlobal(Warp &warp, const Op &op, uint32_t mask,
                         const uint64_t (&addresses)[32], unsigned bytes) {
  uint64_t sorted[32];
  int count = 0;
  bool isSorted = true;
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    sorted[count] = addresses[__builtin_ctz(rest)];
    isSorted &= !count || sorted[count - 1] <= sorted[count];
    ++count;
  }
  if (!isSorted)
    std::sort(sorted, sorted + count);
  uint64_t sectors = 0, different = 0, last = ~uint64_t(0);
  for (int i = 0; i < count; ++i) {
    different += !i || sorted[i] != sorted[i - 1];
    // Aligned accesses of up to 32 bytes are in one sector.
    sectors += sorted[i] / 32 != last;
    last = sorted[i] / 32;
  }
  OpCounters &counters = getCounters(warp, op);
  ++counters.requests;
  counters.transfers += sectors;
  counters.minimum += (different * bytes + 31) / 32;
}

void ptxsim::countShared(Warp &warp, const Op &op, uint32_t mask,
                         const uint64_t (&offsets)[32], unsigned bytes) {
  // 8-byte accesses go in two halves of a warp, 16-byte ones in four quarters:
  // each time 32 banks of 4 bytes, or 128 / `bytes` groups of them.
  unsigned unit = std::max(bytes, 4u);
  int lanes = 128 / int(unit);
  OpCounters &counters = getCounters(warp, op);
  ++counters.requests;
  for (int first = 0; first < 32; first += lanes) {
    uint32_t taken = 0;
    bool isSimple = true;
    for (int lane = first; lane < first + lanes; ++lane) {
      if (!warp.isLane(mask, lane))
        continue;
      uint32_t bit = uint32_t(1) << (offsets[lane] / unit % lanes);
      isSimple &= !(taken & bit);
      taken |= bit;
    }
    if (!taken)
      continue;
    ++counters.minimum;
    if (isSimple) {
      ++counters.transfers;
      continue;
    }
    // Lanes that read the same place share it.
    uint64_t places[32];
    int counts[32] = {}, different = 0, cycles = 0;
    for (int lane = first; lane < first + lanes; ++lane) {
      uint64_t place = offsets[lane] / unit;
      if (!warp.isLane(mask, lane) ||
          std::find(places, places + different, place) != places + different)
        continue;
      places[different++] = place;
      cycles = std::max(cycles, ++counts[place % lanes]);
    }
    counters.transfers += cycles;
  }
}
