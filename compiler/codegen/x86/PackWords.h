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

/// Where the numbers of a block's rows lie, one of each a row.
struct RowScales {
  /// What a number is multiplied by to be an integer, and the other way.
  mlir::Value factors, scales;
  /// i32: what makes all integers of the row positive, at most 254.
  mlir::Value zeros;

  /// Those from row \p row on.
  RowScales advance(CodeBuilder &code, mlir::Value row) const;
};

/// Writes destination[(s * leftWords + w) * width + lane], word w of step s of
/// row `lane` of \p source, whose kCount counts numbers; those of the last step
/// beyond it are zero. \p rows is for i8. \p numbers is a place for
/// convertedNumbers * width floats. All may be read or overwritten up to a
/// vector past their ends, so panels go in increasing order.
void emitPackWords(CodeBuilder &code, const DotAtom &atom,
                   const PanelSource &source, int64_t width,
                   const RowScales &rows, mlir::Value numbers,
                   mlir::Value destination);

/// Writes for each row i of \p source, from its greatest number or 0 to its
/// least or 0:
///
///     factors[i] = min(254 / (greatest - least), the largest float)
///     scales[i] = (greatest - least) / 254
///     zeros[i] = round(-least * factors[i])
///
/// Rounding x * factors[i] + zeros[i] gives 0 to 255 with 254 rather than 255,
/// since both ends may be rounded up. The scale of a row with NaN is NaN.
void emitRowScales(CodeBuilder &code, const PanelSource &source,
                   const RowScales &rows);

} // namespace txc::x86

#endif // TXC_COMPILER_CODEGEN_X86_PACKWORDS_H
