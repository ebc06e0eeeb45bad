//===- IndexRanges.h - inputs that are indices -----------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_PASSES_LOWER_INDEXRANGES_H
#define TXC_PASSES_LOWER_INDEXRANGES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace txc {

/// Gives each integer argument that is the index of a gather in a dim of known
/// size (a token id and the vocabulary) the attribute `tx.index_range = [0,
/// size]`, half open: tools that make up inputs stay inside it. The smallest
/// size wins.
void annotateIndexRanges(mlir::func::FuncOp function);

} // namespace txc

#endif // TXC_PASSES_LOWER_INDEXRANGES_H
