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

using namespace txc::x86;
using llvm::alignDown;
using llvm::alignTo;

static constexpr int64_t floatBytes = sizeof(float);

llvm::SmallVector<int64_t> GemmSchedule::packedRows() const {
  llvm::SmallVector<int64_t> rows;
  for (int64_t r = MR; r > directRows; r -= directRows)
    rows.push_back(r);
  return rows;
}

GemmSchedule txc::x86::chooseGemmSchedule(const VectorTarget &target,
                                          const GemmShape &shape) {
  GemmSchedule schedule;
  int64_t lanes = target.lanes(32);
  // Two vectors of columns: MR * 2 accumulators, 2 loads of B and a broadcast
  // must fit the registers, and at least 8 independent sums must hide the
  // latency of a multiply-add. 128-bit code has no memory operands for
  // unaligned loads and no three-operand forms, so it needs spare registers.
  schedule.NR = 2 * lanes;
  schedule.MR = target.numVectorRegisters >= 32 ? 12
                : target.vectorBits >= 256      ? 6
                                                : directRows;

  // Few columns make small tasks that spread over cores. A worker's consecutive
  // tasks share packed rows, so small wins until the columns run to thousands.
  int64_t columns = shape.n.value_or(1024);
  schedule.NC = alignTo(std::clamp<int64_t>(columns / 16, 32, 256),
                        std::max<int64_t>(schedule.NR, panelLanes));

  // The rows of A and one panel of B of a block stay in L2 while the tiles of
  // that panel are computed.
  constexpr int64_t fewestRows = 48, mostRows = 144;
  int64_t rowsInCache = fewestRows + schedule.NR;
  schedule.KC = std::clamp<int64_t>(
      alignDown(target.l2Bytes * 3 / 4 / (rowsInCache * floatBytes), 256), 256,
      2048);
  schedule.splitsK = !shape.k || *shape.k > schedule.KC;
  if (!schedule.splitsK)
    schedule.KC = alignTo(std::max<int64_t>(*shape.k, 1), panelLanes);

  // Each block of rows reads all of B, from memory when it is the first. The
  // more rows, the more work hides that; half of L2 is theirs.
  int64_t rows = target.l2Bytes / 2 / (schedule.KC * floatBytes);
  schedule.MC =
      std::clamp<int64_t>(alignDown(rows, schedule.MR), fewestRows, mostRows);
  return schedule;
}

GemmScratch txc::x86::layOutGemmScratch(const GemmSchedule &schedule,
                                        bool packsB) {
  constexpr int64_t cacheLine = 64;
  // Packing stores whole vectors, so the last row of a panel may be overrun by
  // almost one.
  constexpr int64_t slack = 2 * cacheLine;
  auto bytes = [&](int64_t elements) {
    return alignTo(elements * floatBytes + slack, cacheLine);
  };
  GemmScratch scratch;
  scratch.a = 0;
  scratch.b = bytes(schedule.MC * schedule.KC);
  scratch.c = scratch.b + (packsB ? bytes(schedule.NC * schedule.KC) : 0);
  int64_t sums =
      schedule.splitsK ? schedule.MC * schedule.NC : schedule.MR * schedule.NR;
  scratch.total = scratch.c + bytes(sums);
  return scratch;
}

int64_t txc::x86::gemmScratchBytes(const GemmSchedule &schedule, bool packsB) {
  return layOutGemmScratch(schedule, packsB).total;
}
