//===- EmitPtx.h - kernels as PTX ------------------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_COMPILER_CODEGEN_PTX_EMITPTX_H
#define TXC_COMPILER_CODEGEN_PTX_EMITPTX_H

#include "dialects/kernel/Kernel.h"
#include <array>

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace txc::ptx {

/// A kernel and what is needed to launch it.
struct PtxKernel {
  /// PTX of one entry, which is called `name`.
  std::string text, name;
  /// The expressions whose values are the i64 parameters after the buffers.
  llvm::SmallVector<tx::SymExprAttr> parameters;
  /// Blocks along x, y and z. A launch with a zero is left out.
  std::array<tx::SymExprAttr, 3> grid;
  /// Threads of a block.
  int64_t threads;
};

/// Registers the dialects and translations that emitPtx() needs in the context.
void registerPtxDialects(mlir::DialectRegistry &registry);

/// Compiles \p op to PTX for sm_\p sm and newer GPUs. The context must be one
/// with registerPtxDialects(). Errors are diagnostics at \p op.
llvm::FailureOr<PtxKernel> emitPtx(kernel::GemmOp op, unsigned sm,
                                   llvm::StringRef name);

} // namespace txc::ptx

#endif // TXC_COMPILER_CODEGEN_PTX_EMITPTX_H
