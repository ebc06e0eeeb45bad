//===- Measure.h - Shares of what the machine can do ------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// A machine's clock and its neighbours change from one millisecond to the
/// next. So the limit is probed again and again between the repetitions, and
/// the fastest repetition is compared with the fastest probe.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_BENCH_KERNELS_MEASURE_H
#define TXC_BENCH_KERNELS_MEASURE_H

#include "bench/kernels/PeakProbe.h"
#include "bench/kernels/Stopwatch.h"
#include "benchmark/benchmark.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <any>
#include <memory>

namespace txc::bench {

/// Runs \p body once an iteration of \p state, which must use manual time, and
/// \p probe, the limit in units a second, every few milliseconds. Sets the
/// counters `G/s`, from \p units a call in the least CPU time of this thread,
/// and `%`, the share of the greatest limit.
void measure(benchmark::State &state, double units,
             llvm::function_ref<void()> body,
             llvm::function_ref<double()> probe);

/// The same where \p body says how long it took.
void measureSpans(benchmark::State &state, double units,
                  llvm::function_ref<Span()> body,
                  llvm::function_ref<double()> probe);

/// What \p make makes for the benchmark of name \p name: kept until another
/// benchmark asks, since a benchmark is called several times, with more
/// iterations each.
template <typename T>
T &keep(const std::string &name,
        llvm::function_ref<std::shared_ptr<T>()> make) {
  static std::string keptName;
  static std::shared_ptr<T> kept;
  if (keptName != name) {
    kept.reset();
    kept = make();
    keptName = name;
  }
  return *kept;
}

/// Reads of data in a cache or in memory.
class ReadProbe {
public:
  /// \p bytes is rounded up to some KiB.
  ReadProbe(const test::TestCpu &cpu, int64_t bytes);
  ~ReadProbe();

  /// Bytes a second of CPU time of one thread, the better way of reading.
  double probe();
  /// The same of \p threads threads at once, each of its own data.
  double probeTogether(int threads);

private:
  struct State;
  std::unique_ptr<State> state;
};

/// Calls \p body(thread) on \p threads threads that start together, and returns
/// the greatest CPU time of one, whole if all were.
Span runTogether(int threads, llvm::function_ref<void(int thread)> body);

} // namespace txc::bench

#endif // TXC_BENCH_KERNELS_MEASURE_H
