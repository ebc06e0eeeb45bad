//===- AttentionBench.cpp - Speed of generated attention --------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// One core, all tasks of an attention in order. The flops are those of the two
/// products; with causality only of visible keys. Of one query a head, bytes
/// count: those of keys and values, once for each group of heads that shares
/// them, against reading as many from where they lie.
///
/// Names say cpu, type of the products, queries x keys, size of a head, and
/// what is special.
///
//===----------------------------------------------------------------------===//

#include "bench/kernels/Measure.h"
#include "test/unit/x86/AttentionHarness.h"

using namespace txc;
using namespace txc::test;
using x86::DotType;

static double flopsOf(const AttentionCase &test) {
  double pairs = 0;
  for (int64_t s = 0; s < test.queries; ++s) {
    int64_t seen = test.causalOffset ? s + *test.causalOffset + 1 : test.keys;
    pairs += static_cast<double>(std::min(seen, test.keys));
  }
  auto heads = static_cast<double>(test.batch * test.heads);
  return 2.0 * heads * pairs * static_cast<double>(test.size + test.valueSize);
}

static double bytesOf(const AttentionCase &test) {
  int64_t keyHeads = test.batch * test.heads / test.group;
  return static_cast<double>(keyHeads * test.keys *
                             (test.size + test.valueSize)) *
         sizeof(float);
}

namespace {
struct Attention {
  Attention(AttentionKernel kernel, const AttentionCase &test,
            const TestCpu &cpu, std::mt19937 &random)
      : kernel(std::move(kernel)), operands(test, random),
        reader(cpu, static_cast<int64_t>(bytesOf(test))) {}

  AttentionKernel kernel;
  AttentionOperands operands;
  bench::ReadProbe reader;
};
} // namespace

/// One query a head multiplies little: reading keys and values decides.
static bool isRead(const AttentionCase &test) { return test.queries == 1; }

static void runAttention(benchmark::State &state, const std::string &name,
                         const TestCpu &cpu, const AttentionCase &test) {
  auto &attention = bench::keep<Attention>(name, [&] {
    // NOLINTNEXTLINE(bugprone-random-generator-seed): the same numbers each
    // time.
    std::mt19937 random;
    return std::make_shared<Attention>(
        cantFail(AttentionKernel::create(test, cpu)), test, cpu, random);
  });
  int64_t tasks = attention.kernel.taskCount(test);
  bench::measure(
      state, isRead(test) ? bytesOf(test) : flopsOf(test),
      [&] { attention.kernel.run(attention.operands, 0, tasks); },
      [&] {
        return isRead(test) ? attention.reader.probe()
                            : bench::probePeak(cpu, test.type);
      });
}

static std::vector<std::pair<std::string, AttentionCase>> listCases() {
  std::vector<std::pair<std::string, AttentionCase>> cases;
  auto add = [&](AttentionCase test, const std::string &what = "") {
    // As projections leave heads, or a cache of keys and values.
    bool isCache = test.queries < test.keys;
    test.layout = isCache ? HeadLayout::HeadMajor : HeadLayout::SequenceMajor;
    std::string name = std::to_string(test.queries) + "x" +
                       std::to_string(test.keys) + "/" +
                       std::to_string(test.size);
    if (test.causalOffset)
      name += "/causal";
    if (test.group > 1)
      name += "/group" + std::to_string(test.group);
    cases.emplace_back(name + what, test);
  };
  auto square = [](int64_t length, int64_t size) {
    return AttentionCase{1, 4, 1, length, length, size, size};
  };
  for (int64_t length : {512, 2048})
    for (int64_t size : {64, 128}) {
      AttentionCase test = square(length, size);
      add(test);
      test.causalOffset = 0;
      add(test);
    }
  // Other sizes of heads and lengths.
  for (int64_t size : {32, 40, 80, 96, 192, 256})
    add(square(512, size));
  for (int64_t length : {16, 17, 32, 33, 64, 97, 128, 197, 257, 384, 1500})
    add(square(length, length % 2 ? 32 : 64));
  // Heads that share keys and values, as in prefill.
  AttentionCase grouped{1, 8, 4, 512, 512, 64, 64};
  grouped.causalOffset = 0;
  add(grouped);
  // Masks.
  AttentionCase masked = square(512, 64);
  masked.mask = MaskKind::AdditivePerKey;
  add(masked, "/keymask");
  masked.mask = MaskKind::Additive;
  add(masked, "/mask");
  // Few queries behind many keys.
  for (int64_t queries : {1, 2, 4, 5, 8, 15})
    for (int64_t keys : {128, 1024, 4096}) {
      AttentionCase decode{1, 8, 4, queries, keys, 64, 64};
      decode.causalOffset = keys - queries;
      add(decode);
    }
  for (int64_t size : {64, 128})
    for (int64_t keys : {128, 1024, 4096})
      add(AttentionCase{1, 8, 1, 1, keys, size, size});
  return cases;
}

static const bool registered = [] {
  for (const TestCpu &cpu : testCpus()) {
    if (!cpu.canRun)
      continue;
    for (const auto &[name, shape] : listCases())
      for (DotType type : {DotType::f32, DotType::bf16}) {
        if (!x86::hasDotInstruction(type, cpu.target))
          continue;
        AttentionCase test = shape;
        test.type = type;
        std::string fullName = "attention/" + cpu.name + "/" +
                               x86::getName(type).str() + "/" + name;
        benchmark::RegisterBenchmark(
            fullName.c_str(),
            [&cpu, test, fullName](benchmark::State &state) {
              runAttention(state, fullName, cpu, test);
            })
            ->UseManualTime()
            ->Unit(benchmark::kMicrosecond);
      }
  }
  return true;
}();
