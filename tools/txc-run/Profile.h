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

/// What one phase, or all phases of one kernel, took.
struct ProfileRow {
  std::string kernel;
  /// The ONNX nodes of the (first) phase.
  std::string nodes;
  size_t phase = 0; ///< Its index, or that of the first.
  int32_t threads = 0;
  int64_t calls = 0;
  uint64_t nanoseconds = 0;
  uint64_t shortest = UINT64_MAX; ///< One call, in nanoseconds.
  double flops = 0;               ///< 0: not known.
  double bytes = 0;
};

/// Collects the events of a session's runs.
class Profile {
public:
  /// The callback of a session; user is the Profile.
  static void record(void *user, const txc_phase_event *event);

  void clear() { events.clear(); }

  /// The phases, in the order of the program.
  std::vector<ProfileRow> sumByPhase() const;

  /// The kernels, those that take longest first.
  std::vector<ProfileRow> sumByKernel() const;

  /// A trace in the format of chrome://tracing, which Perfetto reads: one slice
  /// a phase, times in microseconds from the first event. \p process is what
  /// the viewer calls it all.
  /// Source: "Trace Event Format", catapult.
  std::string formatTrace(const std::string &process) const;

private:
  std::vector<txc_phase_event> events;
};

/// What both tables are related to.
struct ProfileScale {
  int64_t runs = 1;
  /// f32 operations a second that the machine could do on the session's
  /// threads; 0: not known.
  double peak = 0;
  /// Bytes a second that they read of their second caches, and of memory.
  double cacheRate = 0;
  double memoryRate = 0;
};

/// A line a phase, then a line a kernel.
std::string formatProfile(const Profile &profile, const ProfileScale &scale);
std::string formatProfileJson(const Profile &profile,
                              const ProfileScale &scale);

} // namespace txc::run

#endif // TXC_TOOLS_TXC_RUN_PROFILE_H
