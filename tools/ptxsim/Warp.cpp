//===- Warp.cpp - A warp that runs ------------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See Warp.h.
///
//===----------------------------------------------------------------------===//

#include "tools/ptxsim/Block.h"

#include <algorithm>

using namespace ptxsim;

Warp::Warp(Block &block, int id)
    : block(block), program(block.grid.program), id(id) {
  fileStorage.resize(program.fileSize + 64);
  file = fileStorage.data();
  file += -reinterpret_cast<uintptr_t>(file) & 63;
  localStorage.resize(program.localBytes * 32);
}

char *Warp::local(int lane) {
  return localStorage.data() + lane * program.localBytes;
}

void Warp::reset(uint32_t liveLanes) {
  // What was never written should not look like something.
  std::memset(file, 0xa5, program.fileSize);
  std::fill(localStorage.begin(), localStorage.end(), char(0xa5));
  for (const Program::Constant &constant : program.constants)
    if (constant.isWide)
      std::fill_n(slots<uint64_t>(constant.offset), 32, constant.bits);
    else
      std::fill_n(slots<uint32_t>(constant.offset), 32,
                  uint32_t(constant.bits));
  predicate(0) = ~uint32_t(0);
  const LaunchConfig &config = block.grid.config;
  for (auto [special, offset] : program.specials) {
    uint32_t *values = slots<uint32_t>(offset);
    for (uint32_t lane = 0; lane < 32; ++lane) {
      uint32_t thread = id * 32 + lane;
      const uint32_t *size = config.block;
      switch (special) {
      case Special::TidX:
        values[lane] = thread % size[0];
        break;
      case Special::TidY:
        values[lane] = thread / size[0] % size[1];
        break;
      case Special::TidZ:
        values[lane] = thread / size[0] / size[1];
        break;
      case Special::NtidX:
      case Special::NtidY:
      case Special::NtidZ:
        values[lane] = size[int(special) - int(Special::NtidX)];
        break;
      case Special::CtaidX:
      case Special::CtaidY:
      case Special::CtaidZ:
        values[lane] = block.coordinates[int(special) - int(Special::CtaidX)];
        break;
      case Special::NctaidX:
      case Special::NctaidY:
      case Special::NctaidZ:
        values[lane] = config.grid[int(special) - int(Special::NctaidX)];
        break;
      case Special::LaneId:
        values[lane] = lane;
        break;
      case Special::WarpId:
        values[lane] = id;
        break;
      case Special::NWarpId:
        values[lane] = 64;
        break;
      case Special::SmId:
      case Special::GridId:
        values[lane] = 0;
        break;
      case Special::NSmId:
        values[lane] = 1;
        break;
      case Special::LaneMaskEq:
        values[lane] = uint32_t(1) << lane;
        break;
      case Special::LaneMaskLt:
        values[lane] = (uint32_t(1) << lane) - 1;
        break;
      case Special::LaneMaskLe:
        values[lane] = (uint32_t(2) << lane) - 1;
        break;
      case Special::LaneMaskGt:
        values[lane] = ~((uint32_t(2) << lane) - 1);
        break;
      case Special::LaneMaskGe:
        values[lane] = ~((uint32_t(1) << lane) - 1);
        break;
      case Special::DynamicSharedSize:
        values[lane] = config.dynamicShared;
        break;
      case Special::TotalSharedSize:
        values[lane] = program.dynamicOffset + config.dynamicShared;
        break;
      case Special::WarpSize:
        values[lane] = 32;
        break;
      }
    }
  }
  pc = 0;
  live = active = liveLanes;
  stop = ~uint32_t(0);
  mustSettle = false;
  steps = 0;
  range = {};
  others.clear();
  copies.clear();
  groups.clear();
}

void Warp::fault(const Op &op, FaultKind kind, const std::string &message,
                 int lane) {
  mustSettle = true;
  const Statement &statement = *program.origin[&op - program.ops.data()];
  Fault fault;
  fault.kind = kind;
  fault.kernel = program.name;
  fault.line = statement.line;
  fault.instruction = statement.getText();
  fault.message = message;
  std::copy_n(block.coordinates, 3, fault.block);
  fault.thread = lane < 0 ? -1 : id * 32 + lane;
  block.setFault(fault);
}

void Warp::run(int64_t budget) {
  if (mustSettle || !active)
    if (!settle())
      return;
  const Op *ops = program.ops.data();
  OpCounters *counters = block.counters.data();
  while (budget-- > 0) {
    const Op &op = ops[pc];
    uint32_t mask = active & (predicate(op.guard) ^ op.guardFlip);
    ++counters[pc].issued;
    ++steps;
    ++pc;
    if (mask)
      op.run(*this, op, mask);
    if (pc >= stop || mustSettle)
      if (!settle())
        return;
  }
  // Lanes may wait for others that are further on in the program: let those
  // go ahead for a while.
  auto further = std::find_if(others.begin(), others.end(), [](Group &group) {
    return group.state == State::Ready;
  });
  if (further != others.end()) {
    std::swap(pc, further->pc);
    std::swap(active, further->mask);
    stop = ~uint32_t(0);
  }
}

bool Warp::canRun() const {
  if (active)
    return true;
  return std::any_of(others.begin(), others.end(), [](const Group &group) {
    return group.state == State::Ready;
  });
}

bool Warp::settle() {
  mustSettle = false;
  if (block.isFaulted())
    return false;
  if (active) {
    others.push_back({pc, active});
    active = 0;
  }
  if (others.empty())
    return false;
  // Those who wait for lanes are woken by any that come to their place.
  std::sort(others.begin(), others.end(),
            [](const Group &x, const Group &y) { return x.pc < y.pc; });
  size_t kept = 0;
  for (size_t i = 1; i < others.size(); ++i) {
    Group &last = others[kept], &group = others[i];
    if (last.pc == group.pc && last.state != State::AtBarrier &&
        group.state != State::AtBarrier &&
        (last.state == State::Ready || group.state == State::Ready)) {
      last.mask |= group.mask;
      last.state = State::Ready;
    } else {
      others[++kept] = group;
    }
  }
  others.resize(kept + 1);
  auto isReady = [](const Group &group) { return group.state == State::Ready; };
  auto chosen = std::find_if(others.begin(), others.end(), isReady);
  if (chosen == others.end()) {
    meetAnywhere();
    chosen = std::find_if(others.begin(), others.end(), isReady);
    if (chosen == others.end())
      return false;
  }
  pc = chosen->pc;
  active = chosen->mask;
  others.erase(chosen);
  stop = ~uint32_t(0);
  for (const Group &group : others)
    if (group.state == State::Ready ||
        (group.state != State::AtBarrier && group.pc > pc))
      stop = std::min(stop, group.pc);
  return true;
}

void Warp::meetAnywhere() {
  for (const Group &first : others) {
    if (first.state != State::Converging || !first.isAnywhere)
      continue;
    uint32_t needed = first.detail, here = 0;
    for (const Group &group : others)
      if (group.state == State::Converging && group.isAnywhere &&
          group.detail == needed)
        here |= group.mask;
    if ((needed & live) & ~here)
      continue;
    for (Group &group : others)
      if (group.state == State::Converging && group.isAnywhere &&
          group.detail == needed) {
        group.state = State::Ready;
        ++group.pc; // Past the bar.warp.sync.
      }
    return;
  }
}

bool Warp::converge(const Op &op, uint32_t mask, uint32_t member,
                    bool anywhere) {
  if (!((member & live) & ~mask))
    return true;
  // The lanes whose guard is false go on.
  uint32_t self = &op - program.ops.data();
  if (uint32_t rest = active & ~mask)
    others.push_back({self + 1, rest});
  others.push_back({self, mask, State::Converging, member, anywhere});
  active = 0;
  mustSettle = true;
  return false;
}

void Warp::jump(uint32_t mask, uint32_t target) {
  if (mask == active) {
    pc = target;
  } else {
    others.push_back({target, mask});
    active &= ~mask;
  }
  mustSettle |= !others.empty();
}

void Warp::jumpEach(uint32_t mask, const uint32_t *targets) {
  active &= ~mask;
  for (int lane = 0; lane < 32; ++lane)
    if (isLane(mask, lane))
      others.push_back({targets[lane], uint32_t(1) << lane});
  mustSettle = true;
}

void Warp::exit(uint32_t mask) {
  live &= ~mask;
  active &= ~mask;
  mustSettle = true;
  block.threadsExited();
}

void Warp::waitAtBarrier(const Op &op, uint32_t mask, int barrier) {
  others.push_back({uint32_t(&op - program.ops.data()) + 1, mask,
                    State::AtBarrier, uint32_t(barrier)});
  active &= ~mask;
  mustSettle = true;
}

void Warp::release(int barrier) {
  for (Group &group : others)
    if (group.state == State::AtBarrier && group.detail == uint32_t(barrier)) {
      group.state = State::Ready;
      mustSettle = true;
    }
}

void Warp::reportStuck() {
  for (const Group &group : others) {
    if (group.state == State::AtBarrier)
      return fault(program.ops[group.pc - 1], FaultKind::Deadlock,
                   "waits at barrier " + std::to_string(group.detail) +
                       " for threads that don't come");
    if (group.state == State::Converging)
      return fault(program.ops[group.pc], FaultKind::Divergent,
                   "waits for lanes that don't come");
  }
}

void Warp::land(const Copy &copy) {
  if (block.grid.config.copyMode == CopyMode::Late) {
    char *destination = block.shared.data() + copy.destination;
    if (copy.bytes)
      std::memcpy(destination, copy.source, copy.bytes);
    std::memset(destination + copy.bytes, 0, copy.total - copy.bytes);
  }
  if (block.grid.config.checkShared)
    block.shadow.endCopy(id, copy.destination, copy.total);
}

void Warp::commitCopies(uint32_t mask) {
  CopyGroup group{mask, {}};
  auto isMine = [&](const Copy &copy) { return isLane(mask, copy.lane); };
  std::copy_if(copies.begin(), copies.end(), std::back_inserter(group.copies),
               isMine);
  copies.erase(std::remove_if(copies.begin(), copies.end(), isMine),
               copies.end());
  groups.push_back(std::move(group));
}

void Warp::waitForCopies(uint32_t mask, unsigned pending) {
  unsigned newer[32] = {};
  for (auto group = groups.rbegin(); group != groups.rend(); ++group) {
    uint32_t done = 0;
    for (int lane = 0; lane < 32; ++lane)
      if (isLane(mask & group->lanes, lane) && newer[lane]++ >= pending)
        done |= uint32_t(1) << lane;
    if (!done)
      continue;
    auto isDone = [&](const Copy &copy) {
      if (!isLane(done, copy.lane))
        return false;
      land(copy);
      return true;
    };
    group->copies.erase(
        std::remove_if(group->copies.begin(), group->copies.end(), isDone),
        group->copies.end());
    group->lanes &= ~done;
  }
  while (!groups.empty() && !groups.front().lanes)
    groups.pop_front();
}
