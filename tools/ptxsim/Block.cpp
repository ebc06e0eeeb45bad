//===- Block.cpp - A block of threads that runs -----------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See Block.h.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Block.h"

#include <algorithm>
#include <thread>

using namespace ptxsim;

Block::Block(Grid &grid) : grid(grid) {
  const LaunchConfig &config = grid.config;
  threads = config.block[0] * config.block[1] * config.block[2];
  shared.resize(grid.program.dynamicOffset + config.dynamicShared);
  counters.resize(grid.program.ops.size());
  for (int i = 0; i * 32 < threads; ++i)
    warps.push_back(std::make_unique<Warp>(*this, i));
}

void Block::setFault(const Fault &value) {
  if (!fault)
    fault = value;
}

bool Block::run(uint64_t index) {
  const LaunchConfig &config = grid.config;
  coordinates[0] = index % config.grid[0];
  coordinates[1] = index / config.grid[0] % config.grid[1];
  coordinates[2] = index / config.grid[0] / config.grid[1];
  // A NaN in every floating point type.
  std::fill(shared.begin(), shared.end(), char(0xff));
  if (config.checkShared)
    shadow.reset(shared.size(), warps.size());
  for (Barrier &barrier : barriers)
    barrier = Barrier();
  for (auto &warp : warps) {
    int rest = threads - warp->id * 32;
    warp->reset(rest >= 32 ? ~uint32_t(0) : (uint32_t(1) << rest) - 1);
  }
  // A warp runs until it must wait, but not for ever: another may have to
  // write what it looks for.
  constexpr int64_t turn = 1 << 14;
  while (!fault) {
    bool isAnyLive = false, hasRun = false;
    for (auto &warp : warps) {
      isAnyLive |= !warp->isDone();
      if (warp->isDone() || !warp->canRun())
        continue;
      hasRun = true;
      warp->run(turn);
      if (config.stepLimit && warp->steps > config.stepLimit && !fault)
        warp->fault(grid.program.ops[0], FaultKind::Deadlock,
                    "a warp has run for " + std::to_string(config.stepLimit) +
                        " instructions");
      if (fault)
        return false;
    }
    if (!isAnyLive)
      return true;
    if (!hasRun)
      reportDeadlock();
  }
  return false;
}

void Block::reportDeadlock() {
  for (auto &warp : warps)
    if (!warp->isDone()) {
      warp->reportStuck();
      return;
    }
}

bool Block::isComplete(const Barrier &barrier) const {
  if (!barrier.isUsed)
    return false;
  uint32_t sum = 0;
  bool areAllHere = true;
  for (auto &warp : warps) {
    uint32_t arrived = barrier.arrived[warp->id];
    bool isWhole = !(warp->live & ~arrived);
    areAllHere &= isWhole;
    // Hardware counts whole warps.
    if (arrived)
      sum += isWhole ? 32 : __builtin_popcount(arrived);
  }
  return barrier.expected ? sum >= barrier.expected : areAllHere;
}

void Block::arrive(Warp &warp, const Op &op, const Arrival &arrival) {
  Barrier &barrier = barriers[arrival.barrier];
  if (barrier.isUsed && barrier.expected != arrival.expected) {
    warp.fault(op, FaultKind::Divergent,
               "barrier " + std::to_string(arrival.barrier) +
                   " is waited at with different numbers of threads");
    return;
  }
  barrier.isUsed = true;
  barrier.expected = arrival.expected;
  barrier.arrived[warp.id] |= arrival.lanes;
  if (!arrival.isArrivalOnly) {
    barrier.results.push_back({&warp, &op, arrival.lanes});
    warp.waitAtBarrier(op, arrival.lanes, arrival.barrier);
  }
  if (isComplete(barrier))
    completeBarrier(arrival.barrier);
}

void Block::contribute(int barrier, uint32_t lanes, uint32_t predicate) {
  barriers[barrier].sum += __builtin_popcount(lanes & predicate);
  barriers[barrier].contributions += __builtin_popcount(lanes);
}

void Block::completeBarrier(int number) {
  Barrier &barrier = barriers[number];
  uint32_t participants = 0;
  for (auto &warp : warps)
    if (barrier.arrived[warp->id] || (!barrier.expected && warp->isDone()))
      participants |= uint32_t(1) << warp->id;
  if (grid.config.checkShared)
    shadow.synchronize(participants);
  Barrier finished = std::move(barrier);
  barrier = Barrier();
  for (const Barrier::Result &result : finished.results)
    storeBarrierResult(*result.warp, *result.op, result.lanes, finished.sum,
                       finished.contributions);
  for (auto &warp : warps)
    if (finished.arrived[warp->id])
      warp->release(number);
}

void Block::threadsExited() {
  for (int i = 0; i < 16; ++i)
    if (barriers[i].isUsed && isComplete(barriers[i]) &&
        !barriers[i].results.empty())
      completeBarrier(i);
}

bool ptxsim::launch(const Program &program, const LaunchConfig &config,
                    const Memory &memory, Counters *counters, Fault &fault) {
  Grid grid(program, config, memory);
  uint64_t blocks = uint64_t(config.grid[0]) * config.grid[1] * config.grid[2];
  int threads = std::max<int>(1, std::min<uint64_t>(config.threads, blocks));
  std::vector<std::unique_ptr<Block>> states;
  states.reserve(threads);
  for (int i = 0; i < threads; ++i)
    states.push_back(std::make_unique<Block>(grid));
  auto work = [&](Block &block) {
    for (uint64_t index; (index = grid.next++) < blocks && !grid.isFaulted;)
      if (!block.run(index))
        grid.isFaulted = true;
  };
  std::vector<std::thread> workers;
  for (int i = 1; i < threads; ++i)
    workers.emplace_back(work, std::ref(*states[i]));
  work(*states[0]);
  for (std::thread &worker : workers)
    worker.join();
  if (counters)
    counters->resize(program.ops.size());
  for (auto &state : states) {
    if (counters)
      for (size_t i = 0; i < counters->size(); ++i)
        (*counters)[i].add(state->counters[i]);
    if (state->fault && !fault)
      fault = state->fault;
  }
  return !fault;
}
