//===- AttentionToGpu.h - attention on a GPU -------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_COMPILER_CODEGEN_PTX_ATTENTIONTOGPU_H
#define TXC_COMPILER_CODEGEN_PTX_ATTENTIONTOGPU_H

#include "compiler/codegen/ptx/GpuFunction.h"
#include "dialects/kernel/Kernel.h"

namespace txc::ptx {

/// Threads of a block.
constexpr int64_t kAttentionThreads = 128;

/// Emits attention of any element types, head sizes and maps, and ends the
/// function. A warp has one query: its lanes are keys while it makes scores,
/// and elements of the result while it adds values.
void emitAttention(GpuFunction &function, kernel::AttentionOp op);

} // namespace txc::ptx

#endif // TXC_COMPILER_CODEGEN_PTX_ATTENTIONTOGPU_H
