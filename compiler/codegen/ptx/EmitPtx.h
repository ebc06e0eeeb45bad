//===- EmitPtx.h - kernels as PTX ------------------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_COMPILER_CODEGEN_PTX_EMITPTX_H
#define TXC_COMPILER_CODEGEN_PTX_EMITPTX_H

#include "compiler/codegen/ptx/GpuKernel.h"

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace txc::ptx {

/// Registers the dialects and translations that emitPtx() needs in the context.
void registerPtxDialects(mlir::DialectRegistry &registry);

/// Compiles the kernels that addGpuKernel() added to \p module, which is
/// changed, to PTX for sm_\p sm and newer GPUs. The context must be one with
/// registerPtxDialects().
llvm::FailureOr<std::string> emitPtx(mlir::ModuleOp module, unsigned sm);

} // namespace txc::ptx

#endif // TXC_COMPILER_CODEGEN_PTX_EMITPTX_H
