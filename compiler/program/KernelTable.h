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

#include "compiler/codegen/ptx/GpuKernel.h"
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
  /// Instead of the two above: a function of a GPU.
  std::optional<ptx::GpuKernel> gpu;
  /// Its number among the GPU's.
  int32_t gpuNumber = 0;
  /// Why there is none on the GPU that the program is for.
  std::string hostReason;
};

class KernelTable {
public:
  /// Functions are added to `module`, those for a GPU, of compute capability
  /// `sm` (0: for none), to `gpuModule`.
  KernelTable(mlir::ModuleOp module, const VectorTarget &target,
              mlir::ModuleOp gpuModule = nullptr, unsigned sm = 0)
      : module(module), target(target), gpuModule(gpuModule), sm(sm) {}

  /// The function is generated at the first phase of its structure.
  mlir::FailureOr<KernelInstance> get(kernel::PhaseInterface phase);

  /// Number of distinct kernels.
  size_t size() const { return kernels.size(); }

private:
  /// Adds the GPU's function; fails with the reason in `kernel`.
  mlir::LogicalResult addToGpu(mlir::Operation *phase, llvm::StringRef name,
                               KernelInstance &kernel);

  mlir::ModuleOp module;
  VectorTarget target;
  mlir::ModuleOp gpuModule;
  unsigned sm;
  int32_t gpuCount = 0;
  /// By structure; the expressions are of the renamed symbols.
  llvm::StringMap<KernelInstance> kernels;
  llvm::StringMap<unsigned> counts;
};

} // namespace txc

#endif // TXC_COMPILER_PROGRAM_KERNELTABLE_H
