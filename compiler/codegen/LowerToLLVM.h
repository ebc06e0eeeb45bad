//===- LowerToLLVM.h - From loops and vectors to LLVM -----------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The one place that knows which upstream conversions generated kernels need.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_LOWERTOLLVM_H
#define TXC_COMPILER_CODEGEN_LOWERTOLLVM_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace txc {

/// Registers the dialects that kernels are written in.
void registerKernelCodegenDialects(mlir::DialectRegistry &registry);

/// Converts \p module from arith, cf, func, index, math, memref, scf, ub and
/// vector to the LLVM dialect, in place. Folds constants, merges common
/// subexpressions and hoists loop invariants on the way, so that LLVM's own
/// optimizer may be skipped. Diagnostics name the operation that can't be
/// converted.
mlir::LogicalResult lowerToLLVMDialect(mlir::ModuleOp module);

} // namespace txc

#endif // TXC_COMPILER_CODEGEN_LOWERTOLLVM_H
