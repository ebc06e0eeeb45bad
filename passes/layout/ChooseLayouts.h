//===- ChooseLayouts.h - one stored layout per weight ----------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Decides how each stored tensor lies in memory, from all its users (contract
/// 4): the right operand of a gemm is stored in panels; a table of rows that is
/// gathered (an embedding) and whose transpose is such an operand is read from
/// the panels too, so a tied embedding is stored once.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_LAYOUT_CHOOSELAYOUTS_H
#define TXC_PASSES_LAYOUT_CHOOSELAYOUTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace txc {

/// Gives `!pack.tensor` types to the kernel.stored ops of `function`.
llvm::LogicalResult chooseLayouts(mlir::func::FuncOp function);

/// `txc-choose-layouts`: chooseLayouts on every public function.
std::unique_ptr<mlir::Pass> createChooseLayoutsPass();

} // namespace txc

#endif // TXC_PASSES_LAYOUT_CHOOSELAYOUTS_H
