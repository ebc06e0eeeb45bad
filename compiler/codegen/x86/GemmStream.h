//===- GemmStream.h - Products of few rows ----------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// A decoder adds one token at a time: each weight is read once and multiplied
/// by one row or a few, so that reading decides. Here panels are read one after
/// the other as they lie in memory, each along all of K: as one stream for one
/// row, several for more. Sums of several steps are kept apart to hide the
/// latency of adding.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_X86_GEMMSTREAM_H
#define TXC_COMPILER_CODEGEN_X86_GEMMSTREAM_H

#include "compiler/codegen/x86/GemmMicrokernel.h"

namespace txc::x86 {

struct GemmStream {
  MicrokernelRows a;
  /// Words between the rows of a step when packed.
  int64_t packedWidth;
  /// \p panelCount panels of \p steps steps, \p panelPitch words apart.
  mlir::Value panels, panelPitch, panelCount, steps;
  /// Where the sums go: rows of \p ldc elements.
  mlir::Value c, ldc;
};

/// Emits c[i][n] = left(i) · right(n) for all columns n of the panels.
void emitStreamCall(CodeBuilder &code, const DotAtom &atom,
                    const GemmStream &stream);

} // namespace txc::x86

#endif // TXC_COMPILER_CODEGEN_X86_GEMMSTREAM_H
