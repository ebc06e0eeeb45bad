//===- FirstWrong.h - the value where a model begins to differ -*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Bisects a graph of values, as `git bisect` does one of commits.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_TXC_FIRSTWRONG_H
#define TXC_TOOLS_TXC_FIRSTWRONG_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace txc::tool {

/// The numbers of the values that a value is computed from, all lower than its
/// own, for each value.
using ValueGraph = std::vector<llvm::SmallVector<unsigned>>;

/// Among the values that lead to `ends`, and these, a wrong one that is
/// computed from right ones; nothing if none is wrong. Whatever is computed
/// from a wrong value is taken to be wrong, too. `isWrong` is called once for a
/// value at most, for about log2(n) of n values in a row; nothing from it means
/// that the value can't be told.
std::optional<unsigned>
findFirstWrong(const ValueGraph &graph, llvm::ArrayRef<unsigned> ends,
               llvm::function_ref<std::optional<bool>(unsigned)> isWrong);

} // namespace txc::tool

#endif // TXC_TOOLS_TXC_FIRSTWRONG_H
