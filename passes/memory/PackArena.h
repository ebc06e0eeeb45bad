//===- PackArena.h - offsets of tensors that share memory -------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Lays tensors into one block of memory, so that those that are needed at the
/// same time lie apart, for all values of the symbols in their sizes.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_MEMORY_PACKARENA_H
#define TXC_PASSES_MEMORY_PACKARENA_H

#include "dialects/tx/SymExpr.h"

namespace txc {

/// A tensor that is written in phase `first` and read in phase `last` for the
/// last time.
struct ArenaTensor {
  tx::SymExprAttr bytes;
  int64_t first = 0;
  int64_t last = 0;
  /// Offsets depend on the sizes of tensors of the same stage or an earlier one
  /// only: sizes of a later one aren't known yet when this one is written.
  unsigned stage = 0;
};

struct PackedArena {
  /// For each tensor.
  llvm::SmallVector<tx::SymExprAttr> offsets;
  tx::SymExprAttr bytes;
};

/// Places the tensors one after the other, the largest first, each at the
/// lowest offset where it provably overlaps none that is there already and is
/// needed at the same time; behind all of those where no gap is proven large
/// enough. Sizes are at least 0; where they are multiples of a number, so are
/// the offsets. `estimate` gives an expression's value at typical symbols.
///
/// Source: "greedy by size for offset calculation", Y. Pisarchyk and J. Lee,
/// "Efficient Memory Management for Deep Neural Net Inference", 2020. There
/// sizes are numbers; here a gap has to be large enough for all symbols.
PackedArena packArena(mlir::MLIRContext *context,
                      llvm::ArrayRef<ArenaTensor> tensors,
                      const tx::SymbolBounds &bounds,
                      llvm::function_ref<int64_t(tx::SymExprAttr)> estimate);

} // namespace txc

#endif // TXC_PASSES_MEMORY_PACKARENA_H
