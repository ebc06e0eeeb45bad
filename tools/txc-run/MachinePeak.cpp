//===- MachinePeak.cpp - What the machine can do ----------------*- C++ -*-===//
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
#include <cstdint>
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

/// Vectors that no compiler flag is needed for.
using Words = uint64_t __attribute__((vector_size(32)));

/// Reads \p count of them once.
__attribute__((target("avx2"))) void readWords(const Words *words,
                                               size_t count) {
  Words sums[4] = {};
  for (size_t i = 0; i + 4 <= count; i += 4)
#pragma unroll
    for (size_t j = 0; j < 4; ++j)
      sums[j] |= words[i + j];
  for (Words &sum : sums)
    asm volatile("" ::"x"(sum));
}

/// Calls \p work, which returns how much it did, on each of \p threadCount
/// threads for \p duration; what all did together in a second.
template <typename Work>
double measureRate(int threadCount, std::chrono::milliseconds duration,
                   Work work) {
  std::atomic<int> waiting{threadCount};
  std::vector<double> rates(threadCount);
  std::vector<std::thread> threads;
  threads.reserve(threadCount);
  for (int t = 0; t < threadCount; ++t)
    threads.emplace_back([&, t] {
      work(t); // Wakes the vector units, fills caches.
      waiting.fetch_sub(1);
      while (waiting.load() > 0)
        std::this_thread::yield();
      Clock::time_point begin = Clock::now(), now = begin;
      double done = 0;
      for (; now - begin < duration; now = Clock::now())
        done += work(t);
      rates[t] = done / std::chrono::duration<double>(now - begin).count();
    });
  double sum = 0;
  for (int t = 0; t < threadCount; ++t) {
    threads[t].join();
    sum += rates[t];
  }
  return sum;
}

} // namespace

double txc::run::measurePeak(int threadCount,
                             std::chrono::milliseconds duration) {
  Burst burst = widestBurst();
  if (!burst.run)
    return 0;
  return measureRate(threadCount, duration, [&](int) {
    burst.run();
    return burst.flops;
  });
}

double txc::run::measureReads(int threadCount, size_t bytes,
                              std::chrono::milliseconds duration) {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2"))
    return 0;
  size_t count = bytes / sizeof(Words);
  // Not zero pages, which would all be one.
  std::vector<std::vector<Words>> buffers(
      threadCount, std::vector<Words>(count, Words{1, 2, 3, 4}));
  return measureRate(threadCount, duration, [&](int thread) {
    readWords(buffers[thread].data(), count);
    return static_cast<double>(count * sizeof(Words));
  });
}
