//===- Memory.h - Device memory ---------------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Global memory is memory of this process, at the same addresses: an address
/// that is in no allocation is a fault, so a host pointer is. Shared, local and
/// parameter space have windows of generic addresses where no process has
/// memory.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_PTXSIM_MEMORY_H
#define TXC_TOOLS_PTXSIM_MEMORY_H

#include <cstddef>
#include <cstdint>
#include <map>

namespace ptxsim {

/// Where generic addresses of the other spaces begin; each window has 2^32
/// bytes, and no canonical user address is in it.
constexpr uint64_t sharedWindow = uint64_t(1) << 52;
constexpr uint64_t localWindow = uint64_t(2) << 52;
constexpr uint64_t paramWindow = uint64_t(3) << 52;
constexpr uint64_t windowSize = uint64_t(1) << 32;

class Memory {
public:
  struct Range {
    uint64_t begin = 0;
    uint64_t size = 0;
    bool contains(uint64_t address, uint64_t bytes) const {
      // For `bytes` > `size` too: the first comparison is false then.
      return address - begin <= size - bytes && bytes <= size;
    }
  };

  Memory() = default;
  Memory(const Memory &) = delete;
  ~Memory();

  /// Aligned to 256 bytes, filled with 0xff: a NaN as float, -1 as an index. 0
  /// if there is no memory.
  uint64_t allocate(uint64_t bytes);
  bool free(uint64_t address);
  /// Makes memory of somebody else's known: pinned host memory.
  void add(uint64_t address, uint64_t bytes) { ranges[address] = bytes; }
  void remove(uint64_t address) { ranges.erase(address); }
  /// An empty range if the address is in none.
  Range find(uint64_t address) const;
  /// The range that begins last before the address, whether it is in it or not.
  Range findBefore(uint64_t address) const;
  uint64_t getUsed() const { return used; }

private:
  std::map<uint64_t, uint64_t> ranges;
  std::map<uint64_t, void *> owned;
  uint64_t used = 0;
};

} // namespace ptxsim

#endif // TXC_TOOLS_PTXSIM_MEMORY_H
