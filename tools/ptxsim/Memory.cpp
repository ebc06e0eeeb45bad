//===- Memory.cpp - Device memory -------------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See Memory.h.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Memory.h"

#include <cstdlib>
#include <cstring>

using namespace ptxsim;

Memory::~Memory() {
  for (auto &[address, pointer] : owned)
    std::free(pointer);
}

uint64_t Memory::allocate(uint64_t bytes) {
  if (!bytes || bytes > uint64_t(1) << 40)
    return 0;
  // The rest of the last 256 bytes belongs to nobody, so that a step beyond
  // the end is seen.
  void *pointer = std::aligned_alloc(256, (bytes + 511) / 256 * 256);
  if (!pointer)
    return 0;
  std::memset(pointer, 0xff, bytes);
  uint64_t address = reinterpret_cast<uint64_t>(pointer);
  ranges[address] = bytes;
  owned[address] = pointer;
  used += bytes;
  return address;
}

bool Memory::free(uint64_t address) {
  auto it = owned.find(address);
  if (it == owned.end())
    return false;
  std::free(it->second);
  used -= ranges[address];
  ranges.erase(address);
  owned.erase(it);
  return true;
}

Memory::Range Memory::findBefore(uint64_t address) const {
  auto it = ranges.upper_bound(address);
  if (it == ranges.begin())
    return {};
  --it;
  return {it->first, it->second};
}

Memory::Range Memory::find(uint64_t address) const {
  Range range = findBefore(address);
  return range.contains(address, 1) ? range : Range();
}
