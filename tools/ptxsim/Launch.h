//===- Launch.h - Runs a grid -----------------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The simulator as a function: a decoded kernel, sizes, parameters and memory
/// in; results in memory, counters and perhaps a fault out.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_PTXSIM_LAUNCH_H
#define TXC_TOOLS_PTXSIM_LAUNCH_H

#include "tools/ptxsim/Fault.h"
#include "tools/ptxsim/Memory.h"
#include "tools/ptxsim/Program.h"

namespace ptxsim {

/// When the bytes of a cp.async arrive. Hardware may do either.
enum class CopyMode : uint8_t {
  /// Not before the wait for its group.
  Late,
  /// At once.
  Eager,
};

struct LaunchConfig {
  uint32_t grid[3] = {1, 1, 1};
  uint32_t block[3] = {1, 1, 1};
  uint64_t dynamicShared = 0;
  /// Laid out as Program::parameters say.
  std::vector<uint8_t> parameters;
  CopyMode copyMode = CopyMode::Late;
  /// Of shared memory: races, unwritten bytes, missing waits.
  bool checkShared = true;
  /// After so many instructions of one warp it hangs; 0 for no limit.
  uint64_t stepLimit = 0;
  /// Blocks at the same time, each on a thread.
  int threads = 1;
};

/// What one instruction of a kernel did, over all warps and blocks.
struct OpCounters {
  uint64_t issued = 0;
  /// Accesses of warps to memory.
  uint64_t requests = 0;
  /// Global: sectors of 32 bytes touched. Shared: cycles of the banks.
  uint64_t transfers = 0;
  /// The least that the same bytes could have taken.
  uint64_t minimum = 0;

  void add(const OpCounters &other) {
    issued += other.issued;
    requests += other.requests;
    transfers += other.transfers;
    minimum += other.minimum;
  }
};

/// By Program::ops.
using Counters = std::vector<OpCounters>;

/// False with the fault. Counters may be null; they are added to.
bool launch(const Program &program, const LaunchConfig &config,
            const Memory &memory, Counters *counters, Fault &fault);

} // namespace ptxsim

#endif // TXC_TOOLS_PTXSIM_LAUNCH_H
