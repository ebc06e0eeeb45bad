//===- Profile.cpp - Where the time goes ------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See Profile.h.
///
//===----------------------------------------------------------------------===//

#include "tools/txc-run/Profile.h"

#include "tools/txc-run/Format.h"

#include <algorithm>
#include <map>

using namespace txc::run;

void Profile::record(void *user, const txc_phase_event *event) {
  static_cast<Profile *>(user)->events.push_back(*event);
}

std::vector<KernelTime> Profile::sumByKernel() const {
  std::map<std::string, KernelTime> kernels;
  for (const txc_phase_event &event : events) {
    KernelTime &sum = kernels[event.kernel];
    if (sum.calls++ == 0) {
      sum.kernel = event.kernel;
      sum.nodes = event.nodes;
    }
    sum.nanoseconds += event.end_ns - event.begin_ns;
    sum.flops += static_cast<double>(std::max<int64_t>(event.flops, 0));
    sum.bytes += static_cast<double>(std::max<int64_t>(event.bytes, 0));
  }
  std::vector<KernelTime> sorted;
  sorted.reserve(kernels.size());
  for (auto &[name, sum] : kernels)
    sorted.push_back(std::move(sum));
  std::sort(sorted.begin(), sorted.end(),
            [](const KernelTime &a, const KernelTime &b) {
              return a.nanoseconds > b.nanoseconds;
            });
  return sorted;
}

std::string Profile::formatTrace() const {
  std::string text = "{\"traceEvents\": [";
  for (const txc_phase_event &event : events)
    text += format(
        "%s\n{\"name\": %s, \"ph\": \"X\", \"pid\": 1, \"tid\": 1, "
        "\"ts\": %.3f, \"dur\": %.3f, \"args\": {\"phase\": %zu, "
        "\"nodes\": %s, \"tasks\": %lld, \"threads\": %d, "
        "\"flops\": %lld, \"bytes\": %lld}}",
        &event == events.data() ? "" : ",", quoteJson(event.kernel).c_str(),
        static_cast<double>(event.begin_ns - events[0].begin_ns) / 1e3,
        static_cast<double>(event.end_ns - event.begin_ns) / 1e3, event.phase,
        quoteJson(event.nodes).c_str(), static_cast<long long>(event.tasks),
        event.threads, static_cast<long long>(event.flops),
        static_cast<long long>(event.bytes));
  return text + "\n]}\n";
}

std::string txc::run::formatKernels(const std::vector<KernelTime> &kernels,
                                    int64_t runs) {
  uint64_t total = 0;
  for (const KernelTime &kernel : kernels)
    total += kernel.nanoseconds;
  std::string text = "   ms/run      %  calls  GFLOP/s     GB/s  kernel\n";
  for (const KernelTime &kernel : kernels) {
    auto ns = static_cast<double>(std::max<uint64_t>(kernel.nanoseconds, 1));
    text +=
        format("%9.4f %6.1f %6lld %8.1f %8.1f  %s  %s\n",
               ns / 1e6 / static_cast<double>(runs),
               100 * ns / static_cast<double>(std::max<uint64_t>(total, 1)),
               static_cast<long long>(kernel.calls / runs), kernel.flops / ns,
               kernel.bytes / ns, kernel.kernel.c_str(), kernel.nodes.c_str());
  }
  return text;
}
