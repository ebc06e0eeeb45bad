//===- Fuse.h - fewer phases, fewer passes over memory ---------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Fusion of phases. Each function tries one fusion around an op and says by
/// notifyMatchFailure why it does not apply.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_FUSE_FUSE_H
#define TXC_PASSES_FUSE_FUSE_H

#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Pass/Pass.h"

namespace txc {

class Report;

/// Moves the body of a map that produces an input of `consumer` (a map or rows)
/// into the consumer's body, when the consumer is its only reader and computes
/// each of its elements about once.
llvm::LogicalResult fuseProducer(mlir::RewriterBase &rewriter,
                                 kernel::NestInterface consumer);

/// Moves the body of `consumer` to the end of the gemm or rows that produces
/// one of its inputs, element for element, and is read by nothing else.
llvm::LogicalResult fuseEpilogue(mlir::RewriterBase &rewriter,
                                 kernel::MapOp consumer);

/// Lets the phase whose result `copy` only reorders write it in that order:
/// this is how attention heads are merged.
llvm::LogicalResult foldCopy(mlir::RewriterBase &rewriter, kernel::MapOp copy);

/// All of them until nothing changes. `report` (may be null) is told why maps
/// were left alone.
llvm::LogicalResult fusePhases(mlir::func::FuncOp function,
                               Report *report = nullptr);

/// `txc-fuse`: fusePhases on every public function.
std::unique_ptr<mlir::Pass> createFusePass(Report *report = nullptr);

} // namespace txc

#endif // TXC_PASSES_FUSE_FUSE_H
