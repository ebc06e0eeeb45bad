//===- PeakProbe.h - What this core can multiply ----------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Machines are shared and change their clock, so every benchmark measures the
/// peak beside itself and reports a percentage.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_BENCH_KERNELS_PEAKPROBE_H
#define TXC_BENCH_KERNELS_PEAKPROBE_H

#include "compiler/codegen/x86/DotType.h"
#include "test/unit/x86/KernelJit.h"

namespace txc::bench {

/// Operations a second of register-to-register multiply-adds: f32, or by the
/// instructions that DotAtom has for \p type on \p cpu.
double probePeak(const test::TestCpu &cpu,
                 x86::DotType type = x86::DotType::f32);

} // namespace txc::bench

#endif // TXC_BENCH_KERNELS_PEAKPROBE_H
