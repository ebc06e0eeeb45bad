//===- MachinePeak.h - The machine's f32 FMA peak ---------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// What the arithmetic units could do at this moment. Clocks and neighbours
/// change from minute to minute, so a share of the peak means something only
/// when both were measured in the same run.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_TXC_RUN_MACHINEPEAK_H
#define TXC_TOOLS_TXC_RUN_MACHINEPEAK_H

#include <chrono>
#include <cstddef>

namespace txc::run {

/// f32 operations a second of \p threadCount threads together, while all of
/// them do nothing but the widest fused multiply-adds of this machine for
/// \p duration. 0: the machine has neither AVX-512 nor AVX2 with FMA.
double measurePeak(int threadCount, std::chrono::milliseconds duration);

/// Bytes a second that \p threadCount threads together read, each \p bytes of
/// its own over and over: of a cache that has room for them, or of memory. 0:
/// the machine has no AVX2.
double measureReads(int threadCount, size_t bytes,
                    std::chrono::milliseconds duration);

} // namespace txc::run

#endif // TXC_TOOLS_TXC_RUN_MACHINEPEAK_H
