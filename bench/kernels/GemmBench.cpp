//===- GemmBench.cpp - Speed of generated matrix products -------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// One core, all tasks of a product in order, conversion of rows included:
/// gemm/TYPE/CPU/MxNxK. The limit is the peak of the type's multiply-adds.
///
//===----------------------------------------------------------------------===//

#include "bench/kernels/Measure.h"
#include "test/unit/x86/GemmHarness.h"

using namespace txc;
using namespace txc::test;
using x86::DotType;

namespace {
struct Product {
  Product(GemmKernel kernel, const GemmCase &test, std::mt19937 &random)
      : kernel(std::move(kernel)), operands(test, random) {}

  GemmKernel kernel;
  GemmOperands operands;
};
} // namespace

static void runGemm(benchmark::State &state, const std::string &name,
                    const TestCpu &cpu, const GemmCase &test) {
  auto &product = bench::keep<Product>(name, [&] {
    // NOLINTNEXTLINE(bugprone-random-generator-seed): the same numbers each
    // time.
    std::mt19937 random;
    return std::make_shared<Product>(cantFail(GemmKernel::create(test, cpu)),
                                     test, random);
  });
  int64_t tasks = product.kernel.taskCount(test);
  bench::measure(
      state, 2.0 * double(test.batch * test.m * test.n * test.k),
      [&] { product.kernel.run(product.operands, 0, tasks); },
      [&] { return bench::probePeak(cpu, test.type); });
}

static void registerGemm(const TestCpu &cpu, GemmCase test, DotType type) {
  bool isPacked = test.b == Weights::Packed;
  if (!cpu.canRun || (type != DotType::f32 && !isPacked))
    return;
  test.type = type;
  test.fixed = true;
  // Lanes that a mask leaves out cost hundreds of cycles on a guard page.
  test.guard = Guard::Front;
  std::string name = "gemm/" + getName(type).str() + "/" + cpu.name + "/" +
                     (test.batch == 1 ? "" : std::to_string(test.batch) + "x") +
                     std::to_string(test.m) + "x" + std::to_string(test.n) +
                     "x" + std::to_string(test.k) + (isPacked ? "" : "/tensor");
  benchmark::RegisterBenchmark(name.c_str(),
                               [&cpu, test, name](benchmark::State &state) {
                                 runGemm(state, name, cpu, test);
                               })
      ->Unit(benchmark::kMicrosecond)
      ->UseManualTime();
}

static const bool registered = [] {
  std::vector<GemmCase> cases = {
      // Layers of transformers.
      {1, 128, 384, 384},
      {1, 128, 1536, 384},
      {1, 128, 384, 1536},
      {1, 128, 3072, 768},
      {1, 512, 1024, 4096},
      {1, 256, 4096, 4096},
      // Few rows.
      {1, 16, 768, 768},
      {1, 16, 3072, 768},
      {1, 32, 1024, 4096},
      {1, 64, 768, 3072},
      // Two tensors.
      {12, 128, 128, 64, Order::RowMajor, Weights::Transposed},
      {12, 128, 64, 128, Order::RowMajor, Weights::RowMajor},
      // No multiples.
      {1, 17, 1000, 1000},
      {1, 100, 500, 333},
      {1, 131, 771, 515},
      {1, 16, 50257, 768},
      {1, 128, 2, 768},
      {1, 128, 3, 768},
      {1, 128, 16, 768},
      {1, 128, 40, 768},
  };
  for (int64_t m = 1; m <= 16; ++m)
    cases.push_back({1, m, 512, 512});
  for (const TestCpu &cpu : testCpus())
    for (const GemmCase &test : cases)
      for (DotType type : {DotType::f32, DotType::bf16, DotType::i8})
        registerGemm(cpu, test, type);
  return true;
}();
