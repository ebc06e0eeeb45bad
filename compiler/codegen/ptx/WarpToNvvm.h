//===- WarpToNvvm.h - instructions of warps --------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_COMPILER_CODEGEN_PTX_WARPTONVVM_H
#define TXC_COMPILER_CODEGEN_PTX_WARPTONVVM_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace txc {

/// Replaces all warp ops of \p module by NVVM, LLVM, arith and scf ops. A
/// fragment becomes its registers, one value each; a tile a pointer to a global
/// in address space 3.
llvm::LogicalResult convertWarpToNvvm(mlir::ModuleOp module);

/// `txc-warp-to-nvvm`: convertWarpToNvvm.
std::unique_ptr<mlir::Pass> createWarpToNvvmPass();

} // namespace txc

#endif // TXC_COMPILER_CODEGEN_PTX_WARPTONVVM_H
