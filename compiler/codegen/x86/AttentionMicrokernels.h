//===- AttentionMicrokernels.h - Register tiles of attention ----*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The two products of attention as functions that all kernels of a module
/// share.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_X86_ATTENTIONMICROKERNELS_H
#define TXC_COMPILER_CODEGEN_X86_ATTENTIONMICROKERNELS_H

#include "compiler/codegen/x86/AttentionSchedule.h"
#include "compiler/codegen/x86/DotAtom.h"

namespace txc::x86 {

/// The larger of both; \p a where \p b is NaN. This is maxps itself.
mlir::Value emitLarger(CodeBuilder &code, mlir::Value a, mlir::Value b);

struct ScoreTile {
  /// The first key, and how many of the tile's exist (≥ 1); the others repeat
  /// the last.
  mlir::Value keys, keyCount;
  mlir::OpFoldResult keyStride, elementStride;
  /// Keys are a panel [size][scoreKeys] of words instead.
  bool keysArePacked = false;
  /// The first of the tile's lanes in [size][queryBlock].
  mlir::Value queries;
  /// In steps of the atom.
  mlir::Value size;
  /// The first of the tile's lanes in [key][queryBlock].
  mlir::Value scores;
  /// The tile's lanes of maxima that its scores raise.
  mlir::Value maxima;
  /// Vectors of queries.
  int64_t vectors;
};

/// Emits a call that stores the scores of scoreKeys keys and the tile's
/// queries, and raises the maxima to the greatest.
void emitScoreTile(CodeBuilder &code, const DotAtom &atom,
                   const AttentionSchedule &schedule, const ScoreTile &tile);

struct OutputTile {
  /// The tile's first query in [key][queryBlock], and the number of keys in
  /// steps of the atom.
  mlir::Value weights, keyCount;
  /// The first of the tile's lanes in the first key's value.
  mlir::Value values;
  mlir::OpFoldResult valueStride;
  /// The tile's first element; rows of `outputPitch` elements.
  mlir::Value outputs;
  int64_t outputPitch;
  /// One factor for each row's earlier sum.
  mlir::Value corrections;
  int64_t vectors;
  /// Lanes of the last vector that exist in the values.
  int64_t lastLanes;
};

/// Emits a call that computes outputs = outputs · correction + weights · values
/// for outputRows queries.
void emitOutputTile(CodeBuilder &code, const DotAtom &atom,
                    const AttentionSchedule &schedule, const OutputTile &tile);

} // namespace txc::x86

#endif // TXC_COMPILER_CODEGEN_X86_ATTENTIONMICROKERNELS_H
