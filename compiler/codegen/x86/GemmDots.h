//===- GemmDots.h - Products with few columns -------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// A classifier has two or three columns: the other lanes of a panel would be
/// computed for nothing. Here lanes go along k instead, and the lanes of a sum
/// are added at the end.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_X86_GEMMDOTS_H
#define TXC_COMPILER_CODEGEN_X86_GEMMDOTS_H

#include "compiler/codegen/x86/CodeBuilder.h"

namespace txc::x86 {

/// Rows that emitDotsCall() takes.
constexpr int64_t dotRows = 4;

/// Copies the first \p columns columns of a panel of f32 of \p steps steps to
/// \p destination, \p pitch numbers apart, with zeros after the last step.
void emitUnpackColumns(CodeBuilder &code, mlir::Value panel, mlir::Value steps,
                       int64_t columns, int64_t pitch, mlir::Value destination);

/// Computes c[i * ldc + j] = Σ_k rows[i][k] · columns[j * pitch + k] for the
/// dotRows \p rows, of \p steps f32 side by side each, and \p numColumns
/// columns.
void emitDotsCall(CodeBuilder &code, mlir::ValueRange rows, mlir::Value columns,
                  int64_t numColumns, int64_t pitch, mlir::Value steps,
                  mlir::Value c, int64_t ldc);

} // namespace txc::x86

#endif // TXC_COMPILER_CODEGEN_X86_GEMMDOTS_H
