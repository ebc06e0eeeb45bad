//===- Block.h - A block of threads that runs -------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Warps, shared memory and barriers of one block; and what is common to a
/// launch.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_PTXSIM_BLOCK_H
#define TXC_TOOLS_PTXSIM_BLOCK_H

#include "tools/ptxsim/SharedShadow.h"
#include "tools/ptxsim/Warp.h"

#include <atomic>
#include <mutex>

namespace ptxsim {

/// One launch, for all blocks.
struct Grid {
  Grid(const Program &program, const LaunchConfig &config, const Memory &memory)
      : program(program), config(config), memory(memory) {}

  const Program &program;
  const LaunchConfig &config;
  const Memory &memory;
  std::atomic<uint64_t> next{0};
  std::atomic<bool> isFaulted{false};
  /// Held by atomic operations on global memory.
  std::mutex atomics;
};

class Block {
public:
  explicit Block(Grid &grid);

  /// False if there was a fault.
  bool run(uint64_t index);

  void setFault(const Fault &value);
  bool isFaulted() const { return bool(fault); }

  /// `lanes` of a warp come to a barrier; `expected` threads, 0 for all. True
  /// if that releases it.
  struct Arrival {
    int barrier;
    uint32_t expected;
    uint32_t lanes;
    bool isArrivalOnly;
  };
  void arrive(Warp &warp, const Op &op, const Arrival &arrival);
  /// bar.red: what lanes bring.
  void contribute(int barrier, uint32_t lanes, uint32_t predicate);
  void threadsExited();

  Grid &grid;
  std::vector<std::unique_ptr<Warp>> warps;
  std::vector<char> shared;
  SharedShadow shadow;
  Counters counters;
  Fault fault;
  uint32_t coordinates[3] = {0, 0, 0};
  int threads = 0;

private:
  struct Barrier {
    uint32_t arrived[32] = {};
    uint32_t expected = 0;
    bool isUsed = false;
    /// Of bar.red: the sum and where results go.
    uint32_t sum = 0, contributions = 0;
    struct Result {
      Warp *warp;
      const Op *op;
      uint32_t lanes;
    };
    std::vector<Result> results;
  };
  bool isComplete(const Barrier &barrier) const;
  void completeBarrier(int number);
  void reportDeadlock();

  Barrier barriers[16];
};

/// Writes the result of a bar.red.
void storeBarrierResult(Warp &warp, const Op &op, uint32_t lanes, uint32_t sum,
                        uint32_t contributions);

} // namespace ptxsim

#endif // TXC_TOOLS_PTXSIM_BLOCK_H
