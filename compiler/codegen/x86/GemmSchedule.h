//===- GemmSchedule.h - Blocking of a matrix product ------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The block sizes of a matrix product: a function of the target and of the
/// dims known while compiling, never of the number of threads.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_X86_GEMMSCHEDULE_H
#define TXC_COMPILER_CODEGEN_X86_GEMMSCHEDULE_H

#include "compiler/targets/VectorTarget.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace txc::x86 {

/// Lanes of a panel of packed weights, the same for every target.
constexpr int64_t panelLanes = 16;

/// Rows of the microkernel that reads A where it lies. With so few rows the
/// addresses fit the general registers, and packing would cost as much as the
/// product itself.
constexpr int64_t directRows = 4;

struct GemmSchedule {
  /// Rows and columns of a tile of accumulators in registers.
  int64_t MR, NR;
  /// Rows and columns of C that one task computes at most; MC is a multiple of
  /// MR, NC of NR and of panelLanes. The ceil(M / MC) blocks of rows have equal
  /// numbers of tiles, but for the last.
  int64_t MC, NC;
  /// Longest run along k before partial sums go to scratch; a multiple of
  /// panelLanes.
  int64_t KC;
  /// K may exceed KC.
  bool splitsK;

  /// Rows of the microkernels that read packed A, in falling order; tiles of
  /// at most directRows rows read A directly.
  llvm::SmallVector<int64_t> packedRows() const;
};

/// Dims of C[b,m,n] = Σ_k A[b,m,k] · B[b,k,n] that are known while compiling.
struct GemmShape {
  std::optional<int64_t> m, n, k;
};

GemmSchedule chooseGemmSchedule(const VectorTarget &target,
                                const GemmShape &shape);

/// Scratch of one worker, in bytes; it doesn't depend on run-time dims.
/// \p packsB: B is a tensor, packed by each task, rather than packed weights.
int64_t gemmScratchBytes(const GemmSchedule &schedule, bool packsB);

/// Byte offsets of the parts of a worker's scratch.
struct GemmScratch {
  int64_t a, b, c, total;
};
GemmScratch layOutGemmScratch(const GemmSchedule &schedule, bool packsB);

} // namespace txc::x86

#endif // TXC_COMPILER_CODEGEN_X86_GEMMSCHEDULE_H
