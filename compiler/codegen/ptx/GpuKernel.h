//===- GpuKernel.h - GPU code of phases ------------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// From an op of the kernel dialect to the function that a GPU runs.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_PTX_GPUKERNEL_H
#define TXC_COMPILER_CODEGEN_PTX_GPUKERNEL_H

#include "dialects/tx/SymExpr.h"
#include "mlir/IR/BuiltinOps.h"
#include <array>

namespace txc::ptx {

/// What is needed to launch a kernel.
struct GpuKernel {
  std::string name;
  /// The expressions whose values are the i64 parameters after the buffers.
  llvm::SmallVector<tx::SymExprAttr> parameters;
  /// Blocks along x, y and z. A launch with a zero is left out.
  std::array<tx::SymExprAttr, 3> grid;
  /// Threads of a block.
  int64_t threads = 0;
  /// Whether a `txc_fault` is between buffers and parameters.
  bool reportsFaults = false;
};

/// Adds the function \p name to \p module that computes \p phase on sm_\p sm:
/// warp, scf, arith, LLVM and NVVM ops. Fails, with a diagnostic at \p phase
/// that gives the reason, for what only a CPU computes.
llvm::FailureOr<GpuKernel> addGpuKernel(mlir::ModuleOp module,
                                        mlir::Operation *phase, unsigned sm,
                                        llvm::StringRef name);

} // namespace txc::ptx

#endif // TXC_COMPILER_CODEGEN_PTX_GPUKERNEL_H
