//===- BuildProgram.h - from phases to code and tables ---------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// The step from a program of phases (kernel dialect) to what is emitted: a
/// module of functions and the tables that describe the program to the runtime.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_PROGRAM_BUILDPROGRAM_H
#define TXC_COMPILER_PROGRAM_BUILDPROGRAM_H

#include "compiler/emit/ModelDescription.h"
#include "compiler/emit/Weights.h"
#include "compiler/targets/VectorTarget.h"
#include "dialects/tx/SymExpr.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "python-free-frontend/WeightStore.h"

namespace txc {

struct Program {
  ModelDescription description;
  /// Kernels in scf, vector, arith, …, their entry points and the shape program
  /// in the LLVM dialect.
  mlir::OwningOpRef<mlir::ModuleOp> code;
  size_t numKernels = 0;
  /// In the program of a GPU: for each phase why it runs on the CPU; empty for
  /// those that don't.
  std::vector<std::string> hostReasons;
  /// Memory of a run, and of each of its workers besides.
  tx::SymExprAttr arenaBytes;
  tx::SymExprAttr scratchBytes;
};

/// Builds the program of `phases`, a module with one public function `main`.
/// Stored tensors go to `weights`, whose producers refer to `phases` and
/// `store`. `sm` is the GPU that phases run on where they can, 0 for none.
/// Errors are diagnostics.
mlir::FailureOr<Program> buildProgram(mlir::ModuleOp phases,
                                      llvm::StringRef modelName,
                                      const VectorTarget &target, unsigned sm,
                                      const WeightStore &store,
                                      WeightsImage &weights);

/// Bytes that a phase reads and writes, each operand and result once; of a
/// table no more than what is fetched.
tx::SymExprAttr getPhaseBytes(mlir::Operation *phase);

} // namespace txc

#endif // TXC_COMPILER_PROGRAM_BUILDPROGRAM_H
