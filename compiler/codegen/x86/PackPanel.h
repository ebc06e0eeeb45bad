//===- PackPanel.h - Copying an operand to panels ---------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Packs a strided block into the order in which a microkernel reads it.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_X86_PACKPANEL_H
#define TXC_COMPILER_CODEGEN_X86_PACKPANEL_H

#include "compiler/codegen/x86/CodeBuilder.h"

namespace txc::x86 {

/// A block of \p lanes ≥ 1 rows (or columns) and \p kCount steps along k.
struct PanelSource {
  mlir::Value pointer;
  mlir::OpFoldResult laneStride, kStride;
  mlir::Value lanes, kCount;
};

/// Writes destination[k * width + lane] = source(lane, k) for k < kCount,
/// through a function that all kernels of the module share. Lanes from
/// source.lanes to
/// \p width get some finite or duplicated value of the block. \p width is below
/// the target's vector length or a multiple of it; when below, up to a vector
/// past the panel's end is overwritten, so panels go in increasing order.
void emitPackPanel(CodeBuilder &code, mlir::Type element,
                   const PanelSource &source, int64_t width,
                   mlir::Value destination);

/// One step of a transpose: exchanges the upper of each two blocks of \p half
/// lanes of \p a with the lower of \p b.
std::pair<mlir::Value, mlir::Value>
emitBlockSwap(CodeBuilder &code, mlir::Value a, mlir::Value b, int64_t half);

/// Transposes a square of vectors: lane i of result j is lane j of operand i.
/// The number of rows is a power of two and the vectors' length.
void emitTranspose(CodeBuilder &code, llvm::SmallVectorImpl<mlir::Value> &rows);

} // namespace txc::x86

#endif // TXC_COMPILER_CODEGEN_X86_PACKPANEL_H
