//===- KernelTable.h - one function for equal phases -----------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Kernels are functions of a record (contract 5): the phases of 24 equal
/// layers run one function. Two phases are equal when their ops are, after the
/// expressions of their dims have been renamed in the order of appearance.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_PROGRAM_KERNELTABLE_H
#define TXC_COMPILER_PROGRAM_KERNELTABLE_H

#include "compiler/targets/VectorTarget.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"

namespace txc {

/// What one phase runs: a function of the type `txc_phase_fn`, and what its
/// record says behind the buffers of the phase's operands and results.
struct KernelInstance {
  std::string function;
  llvm::SmallVector<tx::SymExprAttr> exprs;
};

class KernelTable {
public:
  /// Functions are added to `module`.
  KernelTable(mlir::ModuleOp module, const VectorTarget &target)
      : module(module), target(target) {}

  /// The function is generated at the first phase of its structure.
  mlir::FailureOr<KernelInstance> get(kernel::PhaseInterface phase);

  /// Number of distinct kernels.
  size_t size() const { return kernels.size(); }

private:
  mlir::ModuleOp module;
  VectorTarget target;
  /// By structure; the expressions are of the renamed symbols.
  llvm::StringMap<KernelInstance> kernels;
  llvm::StringMap<unsigned> counts;
};

} // namespace txc

#endif // TXC_COMPILER_PROGRAM_KERNELTABLE_H
