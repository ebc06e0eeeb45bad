//===- StridedLoop.cpp - walks over strided operands ----------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/reference/StridedLoop.h"
#include "llvm/ADT/STLExtras.h"
#include <cstring>

using namespace llvm;
using namespace txc::reference;

Strides txc::reference::getRowMajorStrides(ArrayRef<int64_t> dims) {
  Strides strides(dims.size(), 1);
  for (size_t d = dims.size(); d-- > 1;)
    strides[d - 1] = strides[d] * dims[d];
  return strides;
}

Strides txc::reference::getBroadcastStrides(ArrayRef<int64_t> dims,
                                            ArrayRef<int64_t> resultDims) {
  Strides strides = getRowMajorStrides(dims);
  for (auto [dim, stride] : zip(dims, strides))
    stride = dim == 1 ? 0 : stride;
  strides.insert(strides.begin(), resultDims.size() - dims.size(), 0);
  return strides;
}

StridedLoop::StridedLoop(ArrayRef<int64_t> allDims, ArrayRef<Strides> operands)
    : operandStrides(operands.size()) {
  // From the innermost dim outwards.
  for (size_t d = allDims.size(); d-- > 0;) {
    if (allDims[d] == 1)
      continue;
    bool isContinued =
        !dims.empty() && all_of(zip(operands, operandStrides), [&](auto pair) {
          auto &[all, kept] = pair;
          return all[d] == kept.back() * dims.back();
        });
    if (isContinued) {
      dims.back() *= allDims[d];
      continue;
    }
    dims.push_back(allDims[d]);
    for (auto [all, kept] : zip(operands, operandStrides))
      kept.push_back(all[d]);
  }
  if (dims.empty()) {
    dims.push_back(1);
    for (Strides &strides : operandStrides)
      strides.push_back(0);
  }
  std::reverse(dims.begin(), dims.end());
  for (Strides &strides : operandStrides)
    std::reverse(strides.begin(), strides.end());
}

void StridedLoop::forEachRow(
    function_ref<void(ArrayRef<int64_t>)> visit) const {
  if (is_contained(dims, 0))
    return;
  SmallVector<int64_t> index(dims.size(), 0);
  SmallVector<int64_t> places(operandStrides.size(), 0);
  while (true) {
    visit(places);
    // Odometer over all dims but the innermost.
    size_t d = dims.size() - 1;
    for (; d > 0; --d) {
      bool carries = ++index[d - 1] == dims[d - 1];
      for (auto [place, strides] : zip(places, operandStrides))
        place += strides[d - 1] * (carries ? 1 - dims[d - 1] : 1);
      if (!carries)
        break;
      index[d - 1] = 0;
    }
    if (d == 0)
      return;
  }
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

namespace {
/// A loop of a copy and the strides of both sides in it.
struct CopyLoop {
  int64_t size, target, source;
};
} // namespace

/// The two innermost loops of a copy, in square tiles whose rows and columns
/// both stay in the first-level cache.
template <typename Element>
static void copyTiled(CopyLoop outer, CopyLoop inner, char *target,
                      const char *source) {
  constexpr int64_t tile = 64;
  auto copyOne = [&](int64_t i, int64_t j) {
    std::memcpy(target + (i * outer.target + j * inner.target) *
                             static_cast<int64_t>(sizeof(Element)),
                source + (i * outer.source + j * inner.source) *
                             static_cast<int64_t>(sizeof(Element)),
                sizeof(Element));
  };
  for (int64_t ti = 0; ti < outer.size; ti += tile)
    for (int64_t tj = 0; tj < inner.size; tj += tile)
      for (int64_t i = ti; i < std::min(ti + tile, outer.size); ++i)
        for (int64_t j = tj; j < std::min(tj + tile, inner.size); ++j)
          copyOne(i, j);
}

static void copyTiled(int64_t elementSize, CopyLoop outer, CopyLoop inner,
                      char *target, const char *source) {
  switch (elementSize) {
  case 1:
    return copyTiled<uint8_t>(outer, inner, target, source);
  case 2:
    return copyTiled<uint16_t>(outer, inner, target, source);
  case 4:
    return copyTiled<uint32_t>(outer, inner, target, source);
  default:
    return copyTiled<uint64_t>(outer, inner, target, source);
  }
}

void txc::reference::copyStrided(int64_t elementSize, ArrayRef<int64_t> dims,
                                 StridedPlace<char> target,
                                 StridedPlace<const char> source) {
  StridedLoop rows(dims, {Strides(target.strides), Strides(source.strides)});
  if (rows.getRowStep(0) == 1 && rows.getRowStep(1) == 1) {
    rows.forEachRow([&](ArrayRef<int64_t> places) {
      std::memcpy(target.data + places[0] * elementSize,
                  source.data + places[1] * elementSize,
                  static_cast<size_t>(rows.getRowLength() * elementSize));
    });
    return;
  }

  // The two innermost loops are the one along which the target lies dense (the
  // last) and the one along which the source does.
  SmallVector<CopyLoop> loops;
  for (auto [size, to, from] : zip(dims, target.strides, source.strides))
    if (size != 1)
      loops.push_back({size, to, from});
  while (loops.size() < 2)
    loops.insert(loops.begin(), {1, 0, 0});
  CopyLoop inner = loops.pop_back_val();
  auto *dense =
      find_if(loops, [](const CopyLoop &loop) { return loop.source == 1; });
  if (dense == loops.end())
    dense = loops.end() - 1;
  CopyLoop outer = *dense;
  loops.erase(dense);

  SmallVector<int64_t> restDims;
  Strides restTarget, restSource;
  for (const CopyLoop &loop : loops) {
    restDims.push_back(loop.size);
    restTarget.push_back(loop.target);
    restSource.push_back(loop.source);
  }
  StridedLoop rest(restDims, {restTarget, restSource});
  rest.forEachRow([&](ArrayRef<int64_t> places) {
    for (int64_t i = 0; i < rest.getRowLength(); ++i)
      copyTiled(
          elementSize, outer, inner,
          target.data + (places[0] + i * rest.getRowStep(0)) * elementSize,
          source.data + (places[1] + i * rest.getRowStep(1)) * elementSize);
  });
}
