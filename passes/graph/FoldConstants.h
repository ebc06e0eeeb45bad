//===- FoldConstants.h - evaluate what is constant --------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Folds ops on constants by the reference interpreter: floats, and all ops
/// that the folders of `tx` (shape arithmetic, TxFold.h) leave. Each op rounds
/// its result to its element type as a run would.
///
/// A result of more than `kMaxConstantElements` elements is never made: such a
/// tensor is computed at run time, or is a weight. Faults (an index out of
/// range) are left to the run, which may never come to them.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_GRAPH_FOLDCONSTANTS_H
#define TXC_PASSES_GRAPH_FOLDCONSTANTS_H

#include "mlir/IR/Operation.h"

namespace txc {

/// The value of the only result of a `tx` op all of whose operands are
/// `tx.constant`; null if it is no such op, has several results, is too large
/// or can't be evaluated. The op is left as it is.
mlir::Attribute foldWithReference(mlir::Operation *op);

/// Replaces each op inside `root` that can be folded by `tx.constant`, also
/// those with several results; true if there was one.
bool foldConstants(mlir::Operation *root);

} // namespace txc

#endif // TXC_PASSES_GRAPH_FOLDCONSTANTS_H
