//===- OutlineWeights.h - what is known before a run -----------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Moves computation on weights alone (a transpose, a concatenation, a scaling
/// by γ) out of the program: it becomes a *recipe*, a private function that is
/// evaluated once, when the weights image is written (contract 3).
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_LAYOUT_OUTLINEWEIGHTS_H
#define TXC_PASSES_LAYOUT_OUTLINEWEIGHTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace txc {

/// Replaces every value that depends on weights and constants only, and that
/// something else uses, by a kernel.stored with a recipe. An op whose result
/// has more bytes than the weights it comes from is not moved: decoding a
/// quantized weight stays in the program. Equal recipes are one function. Splat
/// constants stay constants.
llvm::LogicalResult outlineWeights(mlir::func::FuncOp function);

/// `txc-outline-weights`: outlineWeights on every public function.
std::unique_ptr<mlir::Pass> createOutlineWeightsPass();

} // namespace txc

#endif // TXC_PASSES_LAYOUT_OUTLINEWEIGHTS_H
