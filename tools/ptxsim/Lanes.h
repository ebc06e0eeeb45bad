//===- Lanes.h - Element-wise operations ------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Turns a function of scalars into a handler that maps it over the lanes of a
/// warp.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_PTXSIM_LANES_H
#define TXC_TOOLS_PTXSIM_LANES_H

#include "tools/ptxsim/Half.h"
#include "tools/ptxsim/Warp.h"

#include <type_traits>

namespace ptxsim {

/// What a lane's value of the type is stored in.
template <typename T>
using Slot = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;

template <typename T> inline T fromSlot(Slot<T> slot) {
  T value;
  std::memcpy(&value, &slot, sizeof(T));
  return value;
}
template <typename T> inline Slot<T> toSlot(T value) {
  Slot<T> slot = 0;
  std::memcpy(&slot, &value, sizeof(T));
  return slot;
}

/// `each(lane)` for the lanes of the mask; written so that a full warp is a
/// loop that vectorizes.
template <typename F> inline void forLanes(uint32_t mask, F each) {
  if (mask == ~uint32_t(0)) {
    for (int lane = 0; lane < 32; ++lane)
      each(lane);
    return;
  }
  for (uint32_t rest = mask; rest; rest &= rest - 1)
    each(__builtin_ctz(rest));
}

/// d = F()(a), F()(a, b), F()(a, b, c).
template <typename F, typename D, typename A>
void runUnary(Warp &warp, const Op &op, uint32_t mask) {
  auto *d = warp.slots<Slot<D>>(op.d);
  auto *a = warp.slots<Slot<A>>(op.a);
  forLanes(mask, [=](int l) { d[l] = toSlot<D>(F()(fromSlot<A>(a[l]))); });
}
template <typename F, typename D, typename A, typename B>
void runBinary(Warp &warp, const Op &op, uint32_t mask) {
  auto *d = warp.slots<Slot<D>>(op.d);
  auto *a = warp.slots<Slot<A>>(op.a);
  auto *b = warp.slots<Slot<B>>(op.b);
  forLanes(mask, [=](int l) {
    d[l] = toSlot<D>(F()(fromSlot<A>(a[l]), fromSlot<B>(b[l])));
  });
}
template <typename F, typename D, typename A, typename B, typename C>
void runTernary(Warp &warp, const Op &op, uint32_t mask) {
  auto *d = warp.slots<Slot<D>>(op.d);
  auto *a = warp.slots<Slot<A>>(op.a);
  auto *b = warp.slots<Slot<B>>(op.b);
  auto *c = warp.slots<Slot<C>>(op.c);
  forLanes(mask, [=](int l) {
    d[l] =
        toSlot<D>(F()(fromSlot<A>(a[l]), fromSlot<B>(b[l]), fromSlot<C>(c[l])));
  });
}

} // namespace ptxsim

#endif // TXC_TOOLS_PTXSIM_LANES_H
