//===- KernelCodegen.h - x86 code of phases --------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// From an op of the kernel dialect to the function that runs its tasks.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_KERNELCODEGEN_H
#define TXC_COMPILER_CODEGEN_KERNELCODEGEN_H

#include "compiler/targets/VectorTarget.h"
#include "dialects/tx/SymExpr.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

namespace txc {

/// A phase's code. Nothing in it comes from names or weights, so equal phases
/// give equal functions.
struct EmittedKernel {
  /// Arguments: for each operand, then each result, its elements as a flat
  /// `memref<?xT>` (row-major or as the `!pack.tensor` says; see
  /// getStorageType()); one `index` for each of `exprs`; scratch as
  /// `memref<?xi8>`; a `txc_fault` as `!llvm.ptr`; the first task and the one
  /// after the last as `index`.
  mlir::func::FuncOp function;
  /// What the host evaluates for the function: sizes, strides, blocking.
  llvm::SmallVector<tx::SymExprAttr> exprs;
};

/// Emits the function \p name at \p builder's insertion point, which must be
/// directly in a module: functions that kernels share go there too. \p phase
/// implements PhaseInterface. The body is of the dialects that
/// lowerToLLVMDialect() converts. Fails with a diagnostic on \p phase.
mlir::FailureOr<EmittedKernel> emitKernel(mlir::OpBuilder &builder,
                                          mlir::Operation *phase,
                                          llvm::StringRef name,
                                          const VectorTarget &target);

/// How many tasks a phase has; a function of its dims only, never of threads.
tx::SymExprAttr getTaskCount(mlir::Operation *phase,
                             const VectorTarget &target);

/// Bytes of scratch that a worker needs, aligned to 64.
tx::SymExprAttr getScratchBytes(mlir::Operation *phase,
                                const VectorTarget &target);

} // namespace txc

#endif // TXC_COMPILER_CODEGEN_KERNELCODEGEN_H
