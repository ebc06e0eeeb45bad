//===- Warp.h - A warp that runs --------------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Registers, program counters and pending copies of 32 lanes. Lanes that are
/// at the same place run together; where they are not, those that are furthest
/// behind run first, so they meet where branches join.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_PTXSIM_WARP_H
#define TXC_TOOLS_PTXSIM_WARP_H

#include "tools/ptxsim/Launch.h"

#include <cstring>
#include <deque>

namespace ptxsim {

class Block;

class Warp {
public:
  Warp(Block &block, int id);

  /// At the kernel's beginning, with this many threads.
  void reset(uint32_t liveLanes);
  /// Runs until nothing is left to do for now, at most so many instructions.
  void run(int64_t steps);
  bool isDone() const { return live == 0; }
  bool canRun() const;
  /// Nobody in the block can go on: says what this warp waits for.
  void reportStuck();

  //===--- For handlers ---------------------------------------------------===//

  template <typename T> T *slots(uint32_t offset) {
    return reinterpret_cast<T *>(file + offset);
  }
  uint32_t &predicate(uint32_t offset) { return *slots<uint32_t>(offset); }

  /// The first fault of the block wins. Lane -1: the warp's.
  void fault(const Op &op, FaultKind kind, const std::string &message,
             int lane = -1);
  void jump(uint32_t mask, uint32_t target);
  void jumpEach(uint32_t mask, const uint32_t *targets);
  void exit(uint32_t mask);
  /// For what needs all of `member`: true if they are all here; else they wait
  /// and the operation is run again when others have come.
  bool converge(const Op &op, uint32_t mask, uint32_t member, bool anywhere);
  /// The running lanes wait behind `op` until the block releases them.
  void waitAtBarrier(const Op &op, uint32_t mask, int barrier);
  void release(int barrier);

  bool isLane(uint32_t mask, int lane) const { return mask >> lane & 1; }

  Block &block;
  const Program &program;
  const int id;
  uint32_t live = 0;
  uint64_t steps = 0;
  /// The last range of global memory that was used.
  Memory::Range range;

  struct Copy {
    uint64_t destination;
    const char *source;
    uint16_t bytes, total;
    uint8_t lane;
  };
  struct CopyGroup {
    uint32_t lanes;
    std::vector<Copy> copies;
  };
  /// Not committed yet.
  std::vector<Copy> copies;
  std::deque<CopyGroup> groups;
  void commitCopies(uint32_t mask);
  /// All but the last so many groups of these lanes arrive.
  void waitForCopies(uint32_t mask, unsigned pending);
  void land(const Copy &copy);

  char *local(int lane);

private:
  enum class State : uint8_t { Ready, Converging, AtBarrier };
  struct Group {
    uint32_t pc, mask;
    State state = State::Ready;
    /// Lanes it waits for, or the number of the barrier.
    uint32_t detail = 0;
    /// Waits for the lanes wherever they wait.
    bool isAnywhere = false;
  };
  /// Chooses what runs next; false if nothing can.
  bool settle();
  void meetAnywhere();

  char *file;
  uint32_t pc = 0, active = 0;
  /// Somebody else is there, or this much of the program is left.
  uint32_t stop = 0;
  bool mustSettle = false;
  /// Lanes that are elsewhere.
  std::vector<Group> others;
  std::vector<char> fileStorage, localStorage;
};

} // namespace ptxsim

#endif // TXC_TOOLS_PTXSIM_WARP_H
