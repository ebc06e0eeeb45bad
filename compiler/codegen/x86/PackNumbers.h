//===- PackNumbers.h - Packing what needs no conversion ---------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Packs bf16 and bytes that are multiplied as they are; see PackWords.h for
/// numbers that are converted.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_X86_PACKNUMBERS_H
#define TXC_COMPILER_CODEGEN_X86_PACKNUMBERS_H

#include "compiler/codegen/x86/DotAtom.h"
#include "compiler/codegen/x86/PackPanel.h"

namespace txc::x86 {

/// What a signed byte is more, as an unsigned one, with its sign bit flipped.
constexpr int64_t signedByteZero = 128;

/// Writes destination[(s * leftWords + w) * width + lane], word w of step s of
/// row `lane` of \p source: the bf16 2 s and 2 s + 1, in a buffer of i16, or
/// the bytes 4 s to 4 s + 3, unsigned; signed ones become it by adding
/// signedByteZero. Beyond kCount a bf16 is zero and a byte some number: the
/// right operand has zeros there. The destination may be overwritten up to a
/// vector past its end, so panels go in increasing order.
void emitPackNumbers(CodeBuilder &code, const DotAtom &atom,
                     const PanelSource &source, bool isSigned, int64_t width,
                     mlir::Value destination);

} // namespace txc::x86

#endif // TXC_COMPILER_CODEGEN_X86_PACKNUMBERS_H
