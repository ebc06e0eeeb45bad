//===- MachinePeak.cpp - The machine's f32 FMA peak -------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See MachinePeak.h.
///
//===----------------------------------------------------------------------===//

#include "tools/txc-run/MachinePeak.h"

#include <atomic>
#include <immintrin.h>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

/// Multiply-adds of one call of a burst below, counted in floating point
/// operations. Long enough that reading the clock between calls is nothing.
struct Burst {
  void (*run)();
  double flops;
};

constexpr int iterations = 4096;
// Two units of latency four need eight chains. More hide a renamer's stalls.
constexpr int chains = 12;

__attribute__((target("avx512f"))) void burst512() {
  __m512 sums[chains];
  for (__m512 &sum : sums)
    sum = _mm512_setzero_ps();
  __m512 a = _mm512_set1_ps(1.0f), b = a;
  for (int i = 0; i < iterations; ++i) {
    // Nothing is known of a and b, so the products can't leave the loop.
    asm volatile("" : "+v"(a), "+v"(b));
#pragma unroll
    for (__m512 &sum : sums)
      sum = _mm512_fmadd_ps(a, b, sum);
  }
  for (__m512 &sum : sums)
    asm volatile("" ::"v"(sum));
}

__attribute__((target("avx2,fma"))) void burst256() {
  __m256 sums[chains];
  for (__m256 &sum : sums)
    sum = _mm256_setzero_ps();
  __m256 a = _mm256_set1_ps(1.0f), b = a;
  for (int i = 0; i < iterations; ++i) {
    asm volatile("" : "+x"(a), "+x"(b));
#pragma unroll
    for (__m256 &sum : sums)
      sum = _mm256_fmadd_ps(a, b, sum);
  }
  for (__m256 &sum : sums)
    asm volatile("" ::"x"(sum));
}

/// The widest burst of this machine; run is null where it has no FMA at all.
Burst widestBurst() {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f"))
    return {burst512, 2.0 * 16 * chains * iterations};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return {burst256, 2.0 * 8 * chains * iterations};
  return {nullptr, 0};
}

} // namespace

double txc::run::measurePeak(int threadCount,
                             std::chrono::milliseconds duration) {
  Burst burst = widestBurst();
  if (!burst.run)
    return 0;
  std::atomic<int> waiting{threadCount};
  std::vector<double> rates(threadCount);
  std::vector<std::thread> threads;
  threads.reserve(threadCount);
  for (int t = 0; t < threadCount; ++t)
    threads.emplace_back([&, t] {
      burst.run(); // Wakes the vector units.
      waiting.fetch_sub(1);
      while (waiting.load() > 0)
        std::this_thread::yield();
      Clock::time_point begin = Clock::now(), now = begin;
      double flops = 0;
      for (; now - begin < duration; now = Clock::now()) {
        burst.run();
        flops += burst.flops;
      }
      rates[t] = flops / std::chrono::duration<double>(now - begin).count();
    });
  double sum = 0;
  for (int t = 0; t < threadCount; ++t) {
    threads[t].join();
    sum += rates[t];
  }
  return sum;
}
