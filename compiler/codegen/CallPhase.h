//===- CallPhase.h - code of kernel.call -----------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_COMPILER_CODEGEN_CALLPHASE_H
#define TXC_COMPILER_CODEGEN_CALLPHASE_H

#include "compiler/codegen/KernelFunction.h"
#include "dialects/kernel/Kernel.h"

namespace txc {

/// Passes the function's buffers, the parameters and the range of tasks to the
/// routine (`txc_call_fn` of runtime/kernels/calls.h), which it declares.
mlir::LogicalResult emitCall(KernelFunction &function, kernel::CallOp op);

} // namespace txc

#endif // TXC_COMPILER_CODEGEN_CALLPHASE_H
