//===- AttentionBench.cpp - Speed of generated attention --------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// One core, all tasks of an attention in order. The flops are those of the two
/// products; with causality only of visible keys.
///
//===----------------------------------------------------------------------===//

#include "bench/kernels/PeakProbe.h"
#include "test/unit/x86/AttentionHarness.h"

using namespace txc;
using namespace txc::test;

static double flopsOf(const AttentionCase &test) {
  double pairs = 0;
  for (int64_t s = 0; s < test.queries; ++s) {
    int64_t seen = test.causalOffset ? s + *test.causalOffset + 1 : test.keys;
    pairs += static_cast<double>(std::min(seen, test.keys));
  }
  auto heads = static_cast<double>(test.batch * test.heads);
  return 2.0 * heads * pairs * static_cast<double>(test.size + test.valueSize);
}

static void runAttention(benchmark::State &state, const TestCpu &cpu,
                         const AttentionCase &test) {
  auto kernel = AttentionKernel::create(test, cpu);
  if (!kernel) {
    state.SkipWithError(toString(kernel.takeError()).c_str());
    return;
  }
  std::mt19937 random;
  AttentionOperands operands(test, random);
  int64_t tasks = kernel->taskCount(test);
  kernel->run(operands, 0, tasks);
  double peak = bench::probePeak(cpu);
  double start = bench::threadSeconds();
  for (auto iteration : state)
    kernel->run(operands, 0, tasks);
  double seconds = bench::threadSeconds() - start;
  bench::reportRate(state, cpu, flopsOf(test), seconds, peak);
}

static const bool registered = [] {
  AttentionCase bert{1, 12, 1, 128, 128, 64, 64};
  bert.layout = HeadLayout::SequenceMajor;
  bert.mask = MaskKind::AdditivePerKey;
  AttentionCase small{1, 12, 1, 128, 128, 32, 32};
  small.layout = HeadLayout::SequenceMajor;
  AttentionCase medium{1, 4, 1, 512, 512, 64, 64};
  AttentionCase masked = medium;
  masked.mask = MaskKind::Additive;
  AttentionCase causal{1, 4, 2, 512, 512, 128, 128};
  causal.causalOffset = 0;
  AttentionCase decode{1, 8, 4, 1, 1024, 64, 64};
  const std::pair<const char *, AttentionCase> cases[] = {
      {"bert", bert},     {"small", small},   {"medium", medium},
      {"masked", masked}, {"causal", causal}, {"decode", decode}};
  for (const TestCpu &cpu : testCpus()) {
    if (!cpu.canRun)
      continue;
    for (auto &[name, test] : cases) {
      std::string fullName = "attention/" + cpu.name + "/" + name;
      AttentionCase copy = test;
      benchmark::RegisterBenchmark(fullName.c_str(),
                                   [&cpu, copy](benchmark::State &state) {
                                     runAttention(state, cpu, copy);
                                   })
          ->Unit(benchmark::kMicrosecond);
    }
  }
  return true;
}();
