//===- cpu.h - What the machine has -------------------------------*- C -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// CPU features, the number of threads worth having, and the floating-point
/// environment of kernels.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_RUNTIME_CPU_H
#define TXC_RUNTIME_CPU_H

#include "runtime/support.h"

#include <immintrin.h>

/// Compares a list of LLVM feature names with this machine: UNSUPPORTED_CPU
/// with all missing ones named, so that generated code never meets an illegal
/// instruction. A name that CpuFeatures.def doesn't have counts as missing.
txc_status txc_check_cpu(const char *features, const char *target,
                         txc_message *message);

/// Physical cores that the process may use, at least 1: hyper-threads of one
/// core share the vector units that kernels keep busy. Respects the affinity
/// mask and the CPU quota of a container (cgroup v2).
int32_t txc_default_threads(void);

/// Kernels run with round-to-nearest, subnormals kept and exceptions masked,
/// whatever the thread was set to. Returns what it was.
static inline uint32_t txc_enter_kernel_fp(void) {
  uint32_t before = _mm_getcsr();
  if (before != 0x1f80)
    _mm_setcsr(0x1f80);
  return before;
}
static inline void txc_leave_kernel_fp(uint32_t before) { _mm_setcsr(before); }

#endif // TXC_RUNTIME_CPU_H
