//===- AttentionRows.h - attention of any type, row by row -----*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Attention for what the blocked generator doesn't take: all element types,
/// head sizes and maps. A task is one query row; its scores are kept in
/// scratch.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_ATTENTIONROWS_H
#define TXC_COMPILER_CODEGEN_ATTENTIONROWS_H

#include "compiler/codegen/KernelFunction.h"
#include "dialects/kernel/Kernel.h"

namespace txc {

/// An element of an i64 operand of rank 1: a length, or a sequence's start.
mlir::Value loadCount(KernelFunction &function, unsigned operand,
                      mlir::Value index);

void emitAttentionRows(KernelFunction &function, kernel::AttentionOp op);

tx::SymExprAttr getAttentionRowsTaskCount(kernel::AttentionOp op);
tx::SymExprAttr getAttentionRowsScratchBytes(kernel::AttentionOp op,
                                             const VectorTarget &target);

} // namespace txc

#endif // TXC_COMPILER_CODEGEN_ATTENTIONROWS_H
