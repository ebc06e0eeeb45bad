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

#include "benchmark/benchmark.h"
#include "compiler/codegen/x86/DotType.h"
#include "test/unit/x86/KernelJit.h"

namespace txc::bench {

/// Seconds of CPU time that this thread has used: neighbours on the machine
/// don't count.
double threadSeconds();

/// Sets the counters GFLOPS and %peak of \p state from the time that its
/// iterations, of \p flops each, took in \p seconds. The peak of multiply-adds
/// of \p type on \p cpu is probed now and the better of this and \p peakBefore
/// counts.
void reportRate(benchmark::State &state, const test::TestCpu &cpu, double flops,
                double seconds, double peakBefore,
                x86::DotType type = x86::DotType::f32);

/// Operations a second of register-to-register multiply-adds: f32, or by the
/// instructions that DotAtom has for \p type on \p cpu.
double probePeak(const test::TestCpu &cpu,
                 x86::DotType type = x86::DotType::f32);

} // namespace txc::bench

#endif // TXC_BENCH_KERNELS_PEAKPROBE_H
