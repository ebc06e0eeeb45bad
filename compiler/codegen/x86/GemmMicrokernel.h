//===- GemmMicrokernel.h - A register tile of a matrix product --*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The functions that compute one tile of C. They depend on the target and the
/// tile's shape only, so that all products of a module share them.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_X86_GEMMMICROKERNEL_H
#define TXC_COMPILER_CODEGEN_X86_GEMMMICROKERNEL_H

#include "compiler/codegen/x86/DotAtom.h"
#include "compiler/codegen/x86/GemmSchedule.h"

namespace txc::x86 {

/// Rows of A as a microkernel finds them.
struct MicrokernelRows {
  /// Rows the microkernel computes.
  int64_t count;
  /// A packed panel [k][words][MR], or each row where it lies.
  bool packed;
  /// One pointer if packed, otherwise one for each row.
  llvm::SmallVector<mlir::Value> pointers;
  /// Elements between steps along k when not packed.
  mlir::OpFoldResult kStride;
};

struct MicrokernelTile {
  MicrokernelRows a;
  int64_t columns;
  /// The panels [k][panelLanes] that hold the tile's columns.
  llvm::SmallVector<mlir::Value> panels;
  /// As many other panels: a step fetches its line of each to the cache.
  llvm::SmallVector<mlir::Value> fetched;
  /// As many places, or none, that it fetches to L2: \p laterStride bytes
  /// further each step.
  llvm::SmallVector<mlir::Value> later;
  mlir::Value laterStride;
  mlir::Value kCount;
  /// Where the sums go: rows of \p ldc elements.
  mlir::Value c, ldc;
  /// An i1: add to what is at \p c rather than overwrite it.
  mlir::Value accumulate;
};

/// Emits a call of the microkernel for \p tile.
void emitMicrokernelCall(CodeBuilder &code, const DotAtom &atom,
                         const GemmSchedule &schedule,
                         const MicrokernelTile &tile);

} // namespace txc::x86

#endif // TXC_COMPILER_CODEGEN_X86_GEMMMICROKERNEL_H
