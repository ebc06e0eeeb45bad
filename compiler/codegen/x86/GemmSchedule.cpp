//===- GemmSchedule.cpp - Blocking of a matrix product ----------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Chooses block sizes from register and cache sizes.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/GemmSchedule.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <numeric>

using namespace txc::x86;
using llvm::alignDown;
using llvm::alignTo;

/// f32, or a word of several numbers.
static constexpr int64_t wordBytes = 4;

llvm::SmallVector<int64_t> GemmSchedule::packedRows() const {
  llvm::SmallVector<int64_t> rows;
  for (int64_t r : {12, 8, 6, 4})
    if (r <= MR && r > directRows)
      rows.push_back(r);
  return rows;
}

int64_t GemmSchedule::balancedRows() const {
  return MR % 3 == 0 ? MR / 3 * 2 : MR;
}

GemmSchedule txc::x86::chooseGemmSchedule(const VectorTarget &target,
                                          const GemmShape &shape) {
  GemmSchedule schedule;
  schedule.type = shape.type;
  bool hasDot = hasDotInstruction(shape.type, target);
  schedule.leftWords = hasDot ? 1 : 2;
  schedule.directRows = schedule.converts() ? 0 : rowStep;
  int64_t lanes = target.lanes(32);
  // Two vectors of columns: MR * 2 accumulators, 2 loads of B and a broadcast
  // must fit the registers, and at least 8 independent sums must hide the
  // latency of a multiply-add. 128-bit code has no memory operands for
  // unaligned loads and no three-operand forms, so it needs spare registers,
  // and so does taking the words of B apart.
  schedule.NR = 2 * lanes;
  schedule.MR = target.numVectorRegisters >= 32      ? 12
                : target.vectorBits >= 256 && hasDot ? 6
                                                     : rowStep;

  // Few columns make small tasks that spread over cores. A worker's consecutive
  // tasks share packed rows, so small wins until the columns run to thousands.
  int64_t columns = shape.n.value_or(1024);
  schedule.NC = alignTo(std::clamp<int64_t>(columns / 16, 32, 256),
                        std::max<int64_t>(2 * schedule.NR, panelLanes));
  constexpr int64_t fewColumns = 8 * panelLanes;
  schedule.hasNarrowTile = schedule.NR > panelLanes && shape.n &&
                           *shape.n <= fewColumns &&
                           llvm::divideCeil(*shape.n, panelLanes) % 2 == 1;

  // Four rows of so many columns fit the registers.
  constexpr int64_t mostDotColumns = 3, longestDot = 1 << 16;
  bool hasDots = shape.type == DotType::f32 && target.vectorBits >= 256 &&
                 shape.n && *shape.n <= mostDotColumns && shape.k &&
                 *shape.k <= longestDot;
  schedule.dotColumns = hasDots ? *shape.n : 0;
  schedule.dotSteps = hasDots ? alignTo(*shape.k, panelLanes) : 0;

  // The rows of A and one panel of B of a block stay in L2 while the tiles of
  // that panel are computed.
  constexpr int64_t mostRows = 144;
  int64_t rowsInCache = fewestRows * schedule.leftWords + schedule.NR;
  schedule.KC = std::clamp<int64_t>(
      alignDown(target.l2Bytes * 3 / 4 / (rowsInCache * wordBytes), 256), 256,
      2048);
  std::optional<int64_t> steps;
  if (shape.k)
    steps = llvm::divideCeil(*shape.k, getDotDepth(shape.type));
  // A run costs little once it is this long, and more rows are worth more.
  int64_t longestRun = 1024;
  // A step of 256-bit code takes so little time that L2 can't follow: the panel
  // stays in L1.
  if (target.vectorBits == 256 && shape.type == DotType::f32) {
    longestRun = target.l1Bytes * 3 / 4 / (schedule.NR * wordBytes);
    schedule.KC = std::min(schedule.KC, longestRun);
  }
  schedule.splitsK = !steps || *steps > schedule.KC;
  schedule.KC =
      schedule.splitsK
          ? std::min(schedule.KC, longestRun)
          : int64_t(alignTo(std::max<int64_t>(*steps, 1), panelLanes));

  // Each block of rows reads all of B, from memory when it is the first. The
  // more rows, the more work hides that; half of L2 is theirs. Rows of all runs
  // may fill it: they are read once a run, in order.
  int64_t stepBytes = schedule.leftWords * wordBytes;
  int64_t packedSteps = schedule.KC, budget = target.l2Bytes / 2;
  constexpr int64_t longestKept = 8192;
  schedule.keepsRuns = schedule.splitsK && steps && *steps <= longestKept;
  if (schedule.keepsRuns) {
    packedSteps = alignTo(*steps, panelLanes);
    budget = target.l2Bytes;
  }
  schedule.MC =
      std::clamp<int64_t>(alignDown(budget / (packedSteps * stepBytes),
                                    std::lcm(schedule.MR, rowStep)),
                          fewestRows, mostRows);

  // Eight sums of each step hide the latency of adding, as far as the rows go
  // round; more don't fit the registers. The rows are as long as K.
  int64_t vectorsOfPanel = panelLanes / lanes;
  schedule.fewRows =
      steps.value_or(0) == 0 ? 0 : std::min<int64_t>(4, 8 / vectorsOfPanel);
  schedule.packedWords = std::max(schedule.MC * packedSteps,
                                  schedule.fewRows * steps.value_or(0)) *
                         schedule.leftWords;
  return schedule;
}

GemmScratch txc::x86::layOutGemmScratch(const GemmSchedule &schedule,
                                        bool packsB) {
  constexpr int64_t cacheLine = 64;
  // Packing stores whole vectors, so the last row of a panel may be overrun by
  // almost one.
  constexpr int64_t slack = 2 * cacheLine;
  GemmScratch scratch = {};
  auto add = [&](int64_t words) {
    int64_t begin = scratch.total;
    scratch.total += alignTo(words * wordBytes + slack, cacheLine);
    return begin;
  };
  scratch.a = add(schedule.packedWords);
  if (packsB)
    scratch.b = add(schedule.NC * schedule.KC);
  scratch.c = add(schedule.splitsK ? schedule.MC * schedule.NC
                                   : std::max(schedule.MR * schedule.NR,
                                              schedule.fewRows * schedule.NC));
  if (schedule.dotColumns)
    scratch.columns = add(schedule.dotColumns * schedule.dotSteps);
  if (schedule.converts())
    scratch.numbers = add(schedule.MR * convertedNumbers);
  if (schedule.type == DotType::i8) {
    scratch.factors = add(schedule.MC);
    scratch.scales = add(schedule.MC);
    scratch.zeros = add(schedule.MC);
  }
  return scratch;
}

int64_t txc::x86::gemmScratchBytes(const GemmSchedule &schedule, bool packsB) {
  return layOutGemmScratch(schedule, packsB).total;
}
