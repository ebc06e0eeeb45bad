//===- ConcatToGpu.h - joining tensors on a GPU ----------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_COMPILER_CODEGEN_PTX_CONCATTOGPU_H
#define TXC_COMPILER_CODEGEN_PTX_CONCATTOGPU_H

#include "compiler/codegen/ptx/GpuFunction.h"
#include "dialects/kernel/Kernel.h"

namespace txc::ptx {

/// Threads of a block.
constexpr int64_t kConcatThreads = 128;

/// Whether \p call is of `txc_concat` (runtime/kernels/calls.h), the one
/// routine that is no more than copies.
bool isConcat(kernel::CallOp call);

/// Emits it and ends the function: a thread copies an element of each operand.
void emitConcat(GpuFunction &function, kernel::CallOp call);

} // namespace txc::ptx

#endif // TXC_COMPILER_CODEGEN_PTX_CONCATTOGPU_H
