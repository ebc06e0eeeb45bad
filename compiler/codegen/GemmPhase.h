//===- GemmPhase.h - code of kernel.gemm -----------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_COMPILER_CODEGEN_GEMMPHASE_H
#define TXC_COMPILER_CODEGEN_GEMMPHASE_H

#include "compiler/codegen/KernelFunction.h"
#include "dialects/kernel/Kernel.h"

namespace txc {

/// Products of f32 matrices by the blocked generator (x86/Gemm.h), others as
/// rows that reduce over k.
mlir::LogicalResult emitGemm(KernelFunction &function, kernel::GemmOp op);

tx::SymExprAttr getGemmTaskCount(kernel::GemmOp op, const VectorTarget &target);
tx::SymExprAttr getGemmScratchBytes(kernel::GemmOp op,
                                    const VectorTarget &target);

} // namespace txc

#endif // TXC_COMPILER_CODEGEN_GEMMPHASE_H
