//===- PhaseAbi.h - kernels as the runtime calls them ----------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Gives the function of a phase the signature `txc_phase_fn` of runtime/abi.h.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_PHASEABI_H
#define TXC_COMPILER_CODEGEN_PHASEABI_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace txc {

/// Rewrites a function that emitKernel() made, in place, to
///
///     void name(const txc_kernel_ctx *ctx, const int64_t *record,
///               int64_t task_begin, int64_t task_end)
///
/// Its record holds, for each buffer argument, an index into `bases` and an
/// index into `values` (the byte offset from the base), then for each
/// expression an index into `values`.
void convertToPhaseAbi(mlir::func::FuncOp function);

} // namespace txc

#endif // TXC_COMPILER_CODEGEN_PHASEABI_H
