//===- GemmBench.cpp - Speed of generated matrix products -------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// One core, all tasks of a product in order.
///
//===----------------------------------------------------------------------===//

#include "bench/kernels/PeakProbe.h"
#include "test/unit/x86/GemmHarness.h"

using namespace txc;
using namespace txc::test;

static void runGemm(benchmark::State &state, const TestCpu &cpu,
                    const GemmCase &test) {
  auto kernel = GemmKernel::create(test, cpu);
  if (!kernel) {
    state.SkipWithError(toString(kernel.takeError()).c_str());
    return;
  }
  std::mt19937 random;
  GemmOperands operands(test, random);
  int64_t tasks = kernel->taskCount(test);
  kernel->run(operands, 0, tasks);
  double peak = bench::probePeak(cpu, test.type);
  double start = bench::threadSeconds();
  for (auto iteration : state)
    kernel->run(operands, 0, tasks);
  double seconds = bench::threadSeconds() - start;
  double flops = 2.0 * test.batch * test.m * test.n * test.k;
  bench::reportRate(state, cpu, flops, seconds, peak, test.type);
}

static void registerGemm(const TestCpu &cpu, GemmCase test, x86::DotType type) {
  bool isPacked = test.b == Weights::Packed;
  if (!cpu.canRun || (type != x86::DotType::f32 && !isPacked))
    return;
  test.type = type;
  test.fixed = true;
  std::string name = type == x86::DotType::f32    ? "gemm"
                     : type == x86::DotType::bf16 ? "gemm-bf16"
                                                  : "gemm-int8";
  name += "/" + cpu.name + "/" + std::to_string(test.batch) + "x" +
          std::to_string(test.m) + "x" + std::to_string(test.n) + "x" +
          std::to_string(test.k) + (isPacked ? "" : "/tensor");
  benchmark::RegisterBenchmark(name.c_str(), [&cpu,
                                              test](benchmark::State &state) {
    runGemm(state, cpu, test);
  })->Unit(benchmark::kMicrosecond);
}

static const bool registered = [] {
  // BERT-like layers, a decode step, products of two tensors, odd dims.
  const GemmCase cases[] = {
      {1, 128, 384, 384},
      {1, 128, 1536, 384},
      {1, 128, 384, 1536},
      {1, 128, 3072, 768},
      {1, 512, 1024, 4096},
      {1, 1, 2048, 2048},
      {1, 4, 2048, 2048},
      {1, 9, 1024, 1024},
      {12, 128, 128, 64, Order::RowMajor, Weights::Transposed},
      {12, 128, 64, 128, Order::RowMajor, Weights::RowMajor},
      {1, 100, 500, 333},
  };
  for (const TestCpu &cpu : testCpus())
    for (const GemmCase &test : cases)
      for (x86::DotType type :
           {x86::DotType::f32, x86::DotType::bf16, x86::DotType::i8})
        registerGemm(cpu, test, type);
  return true;
}();
