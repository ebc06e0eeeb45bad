//===- CollapseDims.h - merging iteration dims of a map --------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_PASSES_FUSE_COLLAPSEDIMS_H
#define TXC_PASSES_FUSE_COLLAPSEDIMS_H

#include "dialects/kernel/Kernel.h"
#include "mlir/IR/PatternMatch.h"

namespace txc {

/// A partition of consecutive dims: {{0, 1}, {2}} merges the first two.
using DimGroups = llvm::SmallVector<llvm::SmallVector<unsigned, 2>>;

/// Which dims of `to` each dim of `from` is the product of; nothing if they are
/// no refinement.
std::optional<DimGroups> matchDimGroups(llvm::ArrayRef<tx::SymExprAttr> from,
                                        llvm::ArrayRef<tx::SymExprAttr> to);

/// `value` under other dims, without a chain of reshapes.
mlir::Value createReshape(mlir::OpBuilder &b, mlir::Location loc,
                          mlir::Value value, mlir::RankedTensorType type);

/// Rewrites `op` to iterate over the merged dims: [B, S, N] becomes [B*S, N],
/// its operands and results get the merged dims by reshapes. Fails if an
/// operand addresses the dims of a group in another way than one after the
/// other, or the body asks for an index of a merged dim.
mlir::FailureOr<kernel::MapOp> collapseDims(mlir::RewriterBase &rewriter,
                                            kernel::MapOp op,
                                            const DimGroups &groups);

} // namespace txc

#endif // TXC_PASSES_FUSE_COLLAPSEDIMS_H
