//===- AttentionPhase.h - code of kernel.attention -------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_COMPILER_CODEGEN_ATTENTIONPHASE_H
#define TXC_COMPILER_CODEGEN_ATTENTIONPHASE_H

#include "compiler/codegen/KernelFunction.h"
#include "dialects/kernel/Kernel.h"

namespace txc {

/// f32 attention with heads of up to 256 elements by the blocked generator
/// (x86/Attention.h), other attention row by row.
mlir::LogicalResult emitAttention(KernelFunction &function,
                                  kernel::AttentionOp op);

tx::SymExprAttr getAttentionTaskCount(kernel::AttentionOp op,
                                      const VectorTarget &target);
tx::SymExprAttr getAttentionScratchBytes(kernel::AttentionOp op,
                                         const VectorTarget &target);

} // namespace txc

#endif // TXC_COMPILER_CODEGEN_ATTENTIONPHASE_H
