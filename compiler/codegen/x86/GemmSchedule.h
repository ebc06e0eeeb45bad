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

#include "compiler/codegen/x86/DotType.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace txc::x86 {

/// Lanes of a panel of packed weights, the same for every target.
constexpr int64_t panelLanes = 16;

/// Microkernels have multiples of so many rows.
constexpr int64_t rowStep = 4;

/// Fewer rows are not worth reading all of B for.
constexpr int64_t fewestRows = 48;

/// Along k, sizes count the steps of a DotAtom.
struct GemmSchedule {
  DotType type;
  /// Rows and columns of a tile of accumulators in registers.
  int64_t MR, NR;
  /// So few rows are multiplied by packed panels in the order in which these
  /// lie in memory, since reading them decides; 0: none are. See GemmStream.h.
  int64_t fewRows;
  /// Columns that are computed as dot products along k, for A with a k stride
  /// of 1 and packed B, or 0: so few would leave most lanes of a panel empty.
  int64_t dotColumns;
  /// Their length, a multiple of panelLanes.
  int64_t dotSteps;
  /// The last tile of a row may have just one panel, in a microkernel of its
  /// own: worth its code where there are few.
  bool hasNarrowTile;
  /// Rows and columns of C that one task computes at most; MC is a multiple of
  /// MR and rowStep, NC of two tiles and of panelLanes. The max(ceil(M / MC),
  /// min(2, M / fewestRows)) blocks of rows are of equal size, but for the
  /// last: where there are two or more, each of two threads keeps to its rows
  /// from phase to phase, and finds them in its cache.
  int64_t MC, NC;
  /// Longest run along k before partial sums go to scratch; a multiple of
  /// panelLanes.
  int64_t KC;
  /// K may exceed KC.
  bool splitsK;
  /// Scratch has room for the packed rows of all runs, so that those of one
  /// task serve the next.
  bool keepsRuns;
  /// Rows of the microkernel that reads A where it lies, or 0: with rowStep
  /// rows the addresses fit the general registers, and packing would cost as
  /// much as the product itself. But A that is converted is always packed.
  int64_t directRows;
  /// Words of packed A a row and step.
  int64_t leftWords;

  bool converts() const { return type != DotType::f32; }
  /// Scratch for packed A.
  int64_t packedWords;
  /// Rows of the microkernels that read packed A, in falling order; tiles of
  /// at most directRows rows read A directly. Some more rows than MR make two
  /// tiles of balancedRows() rather than one of MR and the rest.
  llvm::SmallVector<int64_t> packedRows() const;
  int64_t balancedRows() const;
};

/// Dims of C[b,m,n] = Σ_k A[b,m,k] · B[b,k,n] that are known while compiling,
/// and the type of the factors.
struct GemmShape {
  std::optional<int64_t> m, n, k;
  DotType type = DotType::f32;
};

GemmSchedule chooseGemmSchedule(const VectorTarget &target,
                                const GemmShape &shape);

/// Scratch of one worker, in bytes; it doesn't depend on run-time dims.
/// \p packsB: B is a tensor, packed by each task, rather than packed weights.
int64_t gemmScratchBytes(const GemmSchedule &schedule, bool packsB);

/// Byte offsets of the parts of a worker's scratch. `columns` has those of B,
/// dotSteps each, for dot products. When A is converted, `numbers` holds a
/// chunk of it in f32; the rest are the RowScales of i8.
struct GemmScratch {
  int64_t a, b, c, columns, numbers, factors, scales, zeros, total;
};
GemmScratch layOutGemmScratch(const GemmSchedule &schedule, bool packsB);

} // namespace txc::x86

#endif // TXC_COMPILER_CODEGEN_X86_GEMMSCHEDULE_H
