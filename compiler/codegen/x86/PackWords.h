//===- PackWords.h - Converting an operand while packing it -----*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Packs f32 rows as the words of bf16 or i8 that a DotAtom multiplies.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_X86_PACKWORDS_H
#define TXC_COMPILER_CODEGEN_X86_PACKWORDS_H

#include "compiler/codegen/x86/DotAtom.h"
#include "compiler/codegen/x86/PackPanel.h"

namespace txc::x86 {

/// Writes destination[(s * leftWords + w) * width + lane], word w of step s of
/// row `lane` of \p source, whose kCount counts numbers; those of the last step
/// beyond it are zero. \p factors has what the rows are scaled by, for i8.
/// \p numbers is a place for convertedNumbers * width floats. Both, and the
/// destination, may be read or overwritten up to a vector past their ends, so
/// panels go in increasing order.
void emitPackWords(CodeBuilder &code, const DotAtom &atom,
                   const PanelSource &source, int64_t width,
                   mlir::Value factors, mlir::Value numbers,
                   mlir::Value destination);

/// Writes for each row i of \p source, with m = max_k |source(i, k)| and 0 for
/// no elements:
///
///     factors[i] = min(127 / m, the largest float),  scales[i] = m / 127
///
/// The scale of a row with NaN is NaN.
void emitRowScales(CodeBuilder &code, const PanelSource &source,
                   mlir::Value factors, mlir::Value scales);

} // namespace txc::x86

#endif // TXC_COMPILER_CODEGEN_X86_PACKWORDS_H
