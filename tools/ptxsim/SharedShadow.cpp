//===- SharedShadow.cpp - Checks of shared memory ---------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See SharedShadow.h.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/SharedShadow.h"

#include <algorithm>
#include <cstring>

using namespace ptxsim;

void SharedShadow::reset(uint64_t bytes, int count) {
  warps = count;
  time = 1;
  states.assign(bytes, Unwritten);
  writes.assign(bytes, 0);
  reads.assign(bytes, 0);
  readers.assign(bytes / 4 + 1, 0);
  seen.assign(32 * 32, 1);
}

/// Whether all of them are the value; 16 bytes at once where there are so many.
template <typename T>
static bool allEqual(const T *values, unsigned count, T value) {
  constexpr unsigned wide = 16;
  unsigned i = 0;
  for (; i + wide <= count; i += wide) {
    T difference = 0;
    for (unsigned k = 0; k < wide; ++k)
      difference |= values[i + k] ^ value;
    if (difference)
      return false;
  }
  for (; i < count; ++i)
    if (values[i] != value)
      return false;
  return true;
}

bool SharedShadow::readersAreBefore(Stamp stamp, uint64_t offset, int warp,
                                    int &other) const {
  if (stamp == 0)
    return true;
  if (stamp % 64 != several) {
    other = stamp % 64;
    return other == warp || isBefore(stamp, warp);
  }
  for (int v = 0; v < warps; ++v)
    if (v != warp && (readers[offset / 4] >> v & 1) &&
        stamp / 64 >= seen[warp * 32 + v]) {
      other = v;
      return false;
    }
  return true;
}

FaultKind SharedShadow::read(int warp, uint64_t offset, unsigned bytes,
                             int &other) {
  const uint8_t *state = &states[offset];
  if (!allEqual<uint8_t>(state, bytes, Written))
    return std::count(state, state + bytes, Copying) ? FaultKind::MissingWait
                                                     : FaultKind::Uninitialized;
  // Mostly all bytes have one history.
  const Stamp *written = &writes[offset];
  bool isSame = allEqual<Stamp>(written, bytes, written[0]);
  for (unsigned i = 0; i < (isSame ? 1 : bytes); ++i)
    if (written[i] % 64 != warp && written[i] && !isBefore(written[i], warp)) {
      other = written[i] % 64;
      return FaultKind::Race;
    }
  Stamp *last = &reads[offset];
  const Stamp mine = makeStamp(warp), shared = makeStamp(several);
  if (allEqual<Stamp>(last, bytes, mine))
    return FaultKind::None;
  const uint32_t me = uint32_t(1) << warp;
  if (bytes % 4 == 0 && allEqual<Stamp>(last, bytes, shared)) {
    for (unsigned i = 0; i < bytes; i += 4)
      readers[(offset + i) / 4] |= me;
    return FaultKind::None;
  }
  int unused;
  if (bytes % 4 == 0 && last[0] % 64 != several &&
      allEqual<Stamp>(last, bytes, last[0])) {
    bool isFirst = readersAreBefore(last[0], offset, warp, unused);
    uint32_t mask = isFirst ? 0 : me | uint32_t(1) << (last[0] % 64);
    std::fill(last, last + bytes, isFirst ? mine : shared);
    for (unsigned i = 0; mask && i < bytes; i += 4)
      readers[(offset + i) / 4] = mask;
    return FaultKind::None;
  }
  for (unsigned i = 0; i < bytes; ++i) {
    uint32_t &mask = readers[(offset + i) / 4];
    if (readersAreBefore(last[i], offset + i, warp, unused)) {
      last[i] = mine;
      continue;
    }
    if (last[i] % 64 != several)
      mask = uint32_t(1) << (last[i] % 64);
    mask |= me;
    last[i] = shared;
  }
  return FaultKind::None;
}

FaultKind SharedShadow::write(int warp, uint64_t offset, unsigned bytes,
                              int &other) {
  uint8_t *state = &states[offset];
  for (unsigned i = 0; i < bytes; ++i)
    if (state[i] == Copying)
      return FaultKind::MissingWait;
  Stamp *written = &writes[offset], *last = &reads[offset];
  bool isSame = allEqual<Stamp>(written, bytes, written[0]) &&
                allEqual<Stamp>(last, bytes, last[0]) &&
                last[0] % 64 != several;
  for (unsigned i = 0; i < (isSame ? 1 : bytes); ++i) {
    if (written[i] && written[i] % 64 != warp && !isBefore(written[i], warp)) {
      other = written[i] % 64;
      return FaultKind::Race;
    }
    if (!readersAreBefore(last[i], offset + i, warp, other))
      return FaultKind::Race;
  }
  std::memset(state, Written, bytes);
  std::fill(written, written + bytes, makeStamp(warp));
  std::fill(last, last + bytes, Stamp(0));
  return FaultKind::None;
}

FaultKind SharedShadow::atomic(uint64_t offset, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i)
    if (states[offset + i] != Written)
      return states[offset + i] == Copying ? FaultKind::MissingWait
                                           : FaultKind::Uninitialized;
  return FaultKind::None;
}

FaultKind SharedShadow::beginCopy(int warp, uint64_t offset, unsigned bytes,
                                  int &other) {
  FaultKind kind = write(warp, offset, bytes, other);
  if (kind == FaultKind::None)
    std::memset(&states[offset], Copying, bytes);
  return kind;
}

void SharedShadow::endCopy(int warp, uint64_t offset, unsigned bytes) {
  std::memset(&states[offset], Written, bytes);
  std::fill(&writes[offset], &writes[offset] + bytes, makeStamp(warp));
}

void SharedShadow::synchronize(uint32_t mask) {
  ++time;
  uint32_t all = warps == 32 ? ~uint32_t(0) : (uint32_t(1) << warps) - 1;
  if (mask == all) {
    if (time > lastTime) {
      // Everything so far was before everything to come: start anew.
      time = 1;
      std::fill(writes.begin(), writes.end(), Stamp(0));
      std::fill(reads.begin(), reads.end(), Stamp(0));
    }
    std::fill(seen.begin(), seen.end(), uint16_t(time));
    return;
  }
  uint16_t joined[32] = {};
  for (int w = 0; w < warps; ++w)
    if (mask >> w & 1)
      for (int v = 0; v < warps; ++v)
        joined[v] = std::max(joined[v], seen[w * 32 + v]);
  for (int v = 0; v < warps; ++v)
    if (mask >> v & 1)
      joined[v] = time;
  for (int w = 0; w < warps; ++w)
    if (mask >> w & 1)
      std::copy(joined, joined + 32, &seen[w * 32]);
  if (time >= 1022) {
    // Without a barrier of all for a thousand barriers: forget.
    time = 1;
    std::fill(writes.begin(), writes.end(), Stamp(0));
    std::fill(reads.begin(), reads.end(), Stamp(0));
    std::fill(seen.begin(), seen.end(), uint16_t(1));
  }
}
