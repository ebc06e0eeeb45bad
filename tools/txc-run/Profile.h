//===- Profile.h - Where the time goes --------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Collects the events of phases and sums them by kernel.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_TXC_RUN_PROFILE_H
#define TXC_TOOLS_TXC_RUN_PROFILE_H

#include "runtime/txc.h"

#include <string>
#include <vector>

namespace txc::run {

/// All phases of one kernel, over all runs.
struct KernelTime {
  std::string kernel;
  /// The ONNX nodes of its first phase.
  std::string nodes;
  int64_t calls = 0;
  uint64_t nanoseconds = 0;
  double flops = 0; ///< 0: not known.
  double bytes = 0;
};

class Profile {
public:
  /// The callback of a session; user is the Profile.
  static void record(void *user, const txc_phase_event *event);

  void clear() { events.clear(); }

  /// The kernels, those that take longest first.
  std::vector<KernelTime> sumByKernel() const;

  /// A trace in the format of chrome://tracing, which Perfetto reads: one slice
  /// a phase, times in microseconds from the first event.
  /// Source: "Trace Event Format", catapult.
  std::string formatTrace() const;

private:
  std::vector<txc_phase_event> events;
};

/// A table: time a run, share, calls a run, GFLOP/s, GB/s, kernel, nodes.
std::string formatKernels(const std::vector<KernelTime> &kernels, int64_t runs);

} // namespace txc::run

#endif // TXC_TOOLS_TXC_RUN_PROFILE_H
