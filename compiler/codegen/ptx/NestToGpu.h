//===- NestToGpu.h - loop nests on a GPU -----------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// kernel.map, kernel.rows and kernel.append: maps and a scalar body.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_PTX_NESTTOGPU_H
#define TXC_COMPILER_CODEGEN_PTX_NESTTOGPU_H

#include "compiler/codegen/ptx/GpuFunction.h"
#include "dialects/kernel/Kernel.h"

namespace txc::ptx {

/// Threads of a block.
constexpr int64_t kNestThreads = 128;

/// Emits \p nest, whose operands are in \p operands and results in \p results,
/// and ends the function. A warp computes a row whose points are neighbours in
/// memory, a thread any other row, or a point of a map.
void emitNest(GpuFunction &function, kernel::NestInterface nest,
              llvm::ArrayRef<mlir::Value> operands,
              llvm::ArrayRef<mlir::Value> results);

} // namespace txc::ptx

#endif // TXC_COMPILER_CODEGEN_PTX_NESTTOGPU_H
