//===- BoundaryBench.cpp - What a phase costs beside its work ---*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// boundary/THREADS/WORK: runs of a program of many phases, each of one task a
/// thread that does so many nanoseconds of nothing. The counter is the median
/// over the phases of the time from one to the next, less the work.
///
//===----------------------------------------------------------------------===//

#include "benchmark/benchmark.h"
#include "test/unit/runtime/TestModel.h"
#include <algorithm>
#include <chrono>
#include <immintrin.h>

using namespace txc::test;

static constexpr int phases = 1000;

namespace {
enum Value { Tasks, Pauses, ArenaBytes, ScratchBytes, ValueCount };

struct Settings {
  int64_t threads = 1, pauses = 0;
};
} // namespace

/// The shape program has no other way to know.
static Settings settings;

static uint64_t now() {
  auto time = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
}

static void pause(int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    _mm_pause();
}

/// When the first task of each phase began.
static uint64_t began[phases + 1];

static void work(const txc_kernel_ctx *ctx, const int64_t *record,
                 int64_t begin, int64_t end) {
  if (begin == 0)
    began[record[0]] = now();
  for (int64_t task = begin; task < end; ++task)
    pause(ctx->values[Pauses]);
}

static void evaluate(const int64_t *, int64_t *values) {
  values[Tasks] = settings.threads;
  values[Pauses] = settings.pauses;
  values[ArenaBytes] = 64;
  values[ScratchBytes] = 64;
}

static double median(std::vector<double> numbers) {
  auto middle = numbers.begin() + static_cast<int64_t>(numbers.size() / 2);
  std::nth_element(numbers.begin(), middle, numbers.end());
  return *middle;
}

static double measurePauses(int64_t count) {
  std::vector<double> times;
  for (int i = 0; i < 100; ++i) {
    uint64_t start = now();
    pause(count);
    times.push_back(static_cast<double>(now() - start));
  }
  return median(times);
}

static void runBoundary(benchmark::State &state) {
  settings = {state.range(0), state.range(1)};
  TestModel source;
  source.addSymbol("n", 1, INT64_MAX);
  source.addInput("x", TXC_FLOAT32, {symbol(0)});
  source.addOutput("y", TXC_FLOAT32, {constant(1)}, ArenaBytes);
  for (int64_t i = 0; i <= phases; ++i)
    source.addKernel(work, Tasks, "/node", {i});
  source.program.evaluate = evaluate;
  source.program.value_count = ValueCount;
  source.program.arena_bytes_value = ArenaBytes;
  source.program.scratch_bytes_value = ScratchBytes;
  Model model(source);
  txc_session_options options =
      withThreads(static_cast<int32_t>(settings.threads));
  Session session(model, &options);
  float x = 0, y = 0;
  int64_t dim = 1;
  txc_tensor in = txc_tensor_make("x", TXC_FLOAT32, &x, 1, &dim);
  txc_tensor out = txc_tensor_make("y", TXC_FLOAT32, &y, 1, nullptr);
  double least = std::numeric_limits<double>::max();
  std::vector<double> between(phases);
  for (auto iteration : state) {
    if (txc_run(session, &in, 1, &out, 1) != TXC_OK) {
      state.SkipWithError(txc_error(session));
      return;
    }
    for (int i = 0; i < phases; ++i)
      between[i] = static_cast<double>(began[i + 1] - began[i]);
    least = std::min(least, median(between));
  }
  state.counters["ns/phase"] = least - measurePauses(settings.pauses);
}

BENCHMARK(runBoundary)
    ->Name("boundary")
    ->ArgNames({"threads", "pauses"})
    ->ArgsProduct({{1, 2}, {0, 100, 1000}})
    ->Unit(benchmark::kMicrosecond)
    ->UseRealTime();
