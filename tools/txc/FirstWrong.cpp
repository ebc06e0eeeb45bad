//===- FirstWrong.cpp - the value where a model begins to differ ---------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/txc/FirstWrong.h"
#include "llvm/ADT/BitVector.h"

using namespace llvm;
using namespace txc::tool;

/// The values that lead to `ends`, and these.
static BitVector getLeading(const ValueGraph &graph, ArrayRef<unsigned> ends) {
  BitVector leading(graph.size());
  for (unsigned end : ends)
    leading.set(end);
  for (int value = leading.find_last(); value >= 0;
       value = leading.find_prev(value))
    for (unsigned operand : graph[value])
      leading.set(operand);
  return leading;
}

static unsigned getMiddle(const BitVector &candidates) {
  int middle = candidates.find_first();
  for (unsigned i = candidates.count() / 2; i > 0; --i)
    middle = candidates.find_next(middle);
  return middle;
}

std::optional<unsigned>
txc::tool::findFirstWrong(const ValueGraph &graph, ArrayRef<unsigned> ends,
                          function_ref<std::optional<bool>(unsigned)> isWrong) {
  std::optional<unsigned> found;
  BitVector candidates = getLeading(graph, ends);
  while (candidates.any()) {
    unsigned middle = getMiddle(candidates);
    std::optional<bool> answer = isWrong(middle);
    candidates.reset(middle);
    if (!answer)
      continue;
    BitVector leading = getLeading(graph, middle);
    if (*answer) {
      found = middle;
      candidates &= leading;
    } else {
      candidates.reset(leading);
    }
  }
  return found;
}
