//===- GemvBench.cpp - Products of few rows by weights in memory -*- C++
//-*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// gemv/TYPE/CPU/MxNxK/THREADS: as many rows as tokens that a decoder adds at
/// once. The weights are read once, so that the limit is the bandwidth of where
/// they are: out of all caches, and in the last ones.
///
//===----------------------------------------------------------------------===//

#include "bench/kernels/Measure.h"
#include "test/unit/x86/GemmHarness.h"

using namespace txc;
using namespace txc::test;
using x86::DotType;

namespace {
struct Decoder {
  Decoder(const TestCpu &cpu, const GemmCase &test, int64_t bytes, int threads)
      : operands(test, /*filling=*/17), reader(cpu, bytes / threads) {
    // A kernel has the scratch of one thread.
    for (int thread = 0; thread < threads; ++thread)
      kernels.push_back(cantFail(GemmKernel::create(test, cpu)));
  }

  std::vector<GemmKernel> kernels;
  GemmOperands operands;
  bench::ReadProbe reader;
};
} // namespace

static void runGemv(benchmark::State &state, const std::string &name,
                    const TestCpu &cpu, const GemmCase &test, int threads) {
  int64_t bytes = test.n * test.k * 4 / x86::getDotDepth(test.type);
  auto &decoder = bench::keep<Decoder>(name, [&] {
    return std::make_shared<Decoder>(cpu, test, bytes, threads);
  });
  int64_t tasks = decoder.kernels[0].taskCount(test);
  bench::measureSpans(
      state, double(bytes),
      [&] {
        return bench::runTogether(threads, [&](int thread) {
          decoder.kernels[thread].run(decoder.operands,
                                      tasks * thread / threads,
                                      tasks * (thread + 1) / threads);
        });
      },
      [&] { return decoder.reader.probeTogether(threads); });
}

static void registerGemv(const TestCpu &cpu, GemmCase test, int threads) {
  test.fixed = true;
  std::string name = "gemv/" + getName(test.type).str() + "/" + cpu.name + "/" +
                     std::to_string(test.m) + "x" + std::to_string(test.n) +
                     "x" + std::to_string(test.k) + "/" +
                     std::to_string(threads);
  benchmark::RegisterBenchmark(
      name.c_str(),
      [&cpu, test, threads, name](benchmark::State &state) {
        runGemv(state, name, cpu, test, threads);
      })
      ->Unit(benchmark::kMicrosecond)
      ->UseManualTime();
}

static const bool registered = [] {
  for (const TestCpu &cpu : testCpus()) {
    if (!cpu.canRun || cpu.target.vectorBits < 256)
      continue;
    for (DotType type : {DotType::f32, DotType::bf16, DotType::i8}) {
      GemmCase test{1, 1, 0, 4096};
      test.type = type;
      for (int64_t m : {1, 2, 4}) {
        test.m = m;
        test.n = 16384 * x86::getDotDepth(type);
        for (int threads : {1, 2})
          registerGemv(cpu, test, threads);
      }
      // Short panels.
      test.m = 1;
      test.k = 384;
      test.n = 65536 * x86::getDotDepth(type);
      registerGemv(cpu, test, 1);
      // In the third and in the second cache of common servers.
      test.k = 4096;
      test.n = 512 * x86::getDotDepth(type);
      registerGemv(cpu, test, 1);
      test.k = 512;
      test.n = 256 * x86::getDotDepth(type);
      registerGemv(cpu, test, 1);
    }
  }
  return true;
}();
