//===- Stopwatch.cpp - Times that a shared machine can be asked for -------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See Stopwatch.h.
///
//===----------------------------------------------------------------------===//

#include "bench/kernels/Stopwatch.h"
#include <algorithm>
#include <ctime>

using namespace txc::bench;

static double read(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_nsec) * 1e-9;
}

Span txc::bench::timeSpan(llvm::function_ref<void()> body) {
  // Asking for CPU time is a system call, of half a microsecond.
  constexpr double asking = 1e-6, tolerance = 0.01;
  double wall = read(CLOCK_MONOTONIC), start = read(CLOCK_THREAD_CPUTIME_ID);
  body();
  double seconds = read(CLOCK_THREAD_CPUTIME_ID) - start;
  wall = read(CLOCK_MONOTONIC) - wall;
  return {seconds, wall - seconds < asking + tolerance * wall};
}

void LeastTime::add(Span span) {
  if (!span.isWhole)
    interrupted.push_back(span.seconds);
  else if (least == 0 || span.seconds < least)
    least = span.seconds;
}

double LeastTime::getSeconds() const {
  if (least != 0 || interrupted.empty())
    return least;
  std::vector<double> spans = interrupted;
  auto quarter = spans.begin() + static_cast<int64_t>(spans.size() / 4);
  std::nth_element(spans.begin(), quarter, spans.end());
  return *quarter;
}
