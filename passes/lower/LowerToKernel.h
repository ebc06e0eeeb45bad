//===- LowerToKernel.h - from tx to kernel ---------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_PASSES_LOWER_LOWERTOKERNEL_H
#define TXC_PASSES_LOWER_LOWERTOKERNEL_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace txc {

/// Replaces every computing tx op of `function` by one phase. Views (transpose,
/// slice, broadcast) vanish into the maps of the phases that read them, or are
/// copied where something needs a row-major tensor; reshapes of row-major
/// tensors stay, as names of a buffer. Afterwards the function holds kernel
/// phases, tx.reshape, tx.constant and kernel.stored (weights are outlined
/// before, see passes/layout/OutlineWeights.h). Arguments that are indices are
/// annotated on the way (IndexRanges.h).
llvm::LogicalResult lowerToKernel(mlir::func::FuncOp function);

/// `txc-lower-to-kernel`: lowerToKernel on every public function.
std::unique_ptr<mlir::Pass> createLowerToKernelPass();

} // namespace txc

#endif // TXC_PASSES_LOWER_LOWERTOKERNEL_H
