//===- futex.h - Waiting for a word to change ---------------------*- C -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Spinning, then sleeping, on a 32-bit word. A wake costs 30 to 60 us, a
/// spinning waiter sees a change in 0.2 us; so whoever expects work soon spins
/// first. Spins are measured by the clock, since the length of a pause differs
/// tenfold between CPUs.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_RUNTIME_FUTEX_H
#define TXC_RUNTIME_FUTEX_H

#include "runtime/support.h"

#include <immintrin.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Sleeps until woken, unless the word differs from value already. May return
/// without a reason.
static inline void txc_futex_wait(const _Atomic uint32_t *word,
                                  uint32_t value) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static inline void txc_futex_wake_all(const _Atomic uint32_t *word) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/// Spins until the word differs from value; false when the time is over.
static inline bool txc_spin_while(const _Atomic uint32_t *word, uint32_t value,
                                  uint64_t nanoseconds) {
  enum { PausesPerLook = 32 };
  uint64_t begin = 0;
  for (int pauses = 1;; ++pauses) {
    if (atomic_load_explicit(word, memory_order_acquire) != value)
      return true;
    if (nanoseconds == 0)
      return false;
    _mm_pause();
    if (pauses % PausesPerLook != 0)
      continue;
    uint64_t now = txc_now_ns();
    if (begin == 0)
      begin = now;
    else if (now - begin > nanoseconds)
      return false;
  }
}

#endif // TXC_RUNTIME_FUTEX_H
