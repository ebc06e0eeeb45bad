//===- PropertyTest.cpp - random phases against their definition ---------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Draws phases (types, views, masks, bodies) and sizes, and compares what is
/// generated for each CPU level with the phase's definition, with inaccessible
/// pages right behind or before every buffer.
///
/// The seeds are fixed; a box of CPU time ends a test early where code is made
/// slowly. TXC_PROPERTY_SEED and TXC_PROPERTY_SECONDS change both, to search
/// for more; a failure prints the seed and the text of its phase.
//
//===----------------------------------------------------------------------===//

#include "test/unit/codegen/PhaseTest.h"
#include "test/unit/codegen/RandomPhase.h"
#include <ctime>

using namespace txc::test;

namespace {

/// CPU time: other programs on the machine don't count.
double getSeconds() {
  timespec time = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_nsec) * 1e-9;
}

int64_t getNumber(const char *variable, int64_t otherwise) {
  const char *text = std::getenv(variable);
  return text ? std::stoll(text) : otherwise;
}

class PropertyTest : public PhaseTest {
protected:
  void run(RandomPhase (*drawPhase)(Draw &), uint64_t numPhases);
  void runPhase(const RandomPhase &phase, Draw &draw);

  int64_t numCases = 0;
};
TXC_INSTANTIATE_PHASE_TESTS(PropertyTest);

/// Mostly small, at times beyond a block of every kernel.
int64_t drawSize(Draw &draw) {
  return draw.pick({draw.number(1, 5), draw.number(1, 20), draw.number(1, 40),
                    draw.number(0, 70)});
}

/// Values of all symbols. The definition takes a while for each point, of which
/// there are few enough.
Symbols drawSizes(Draw &draw, llvm::ArrayRef<std::string> names) {
  constexpr int64_t mostPoints = 50000;
  for (;;) {
    Symbols symbols;
    int64_t points = 1;
    for (const std::string &name : names) {
      bool isBatch = name == "B" || name == "H";
      symbols.emplace_back(name, isBatch ? draw.number(1, 3) : drawSize(draw));
      points *= symbols.back().second;
    }
    if (points <= mostPoints)
      return symbols;
  }
}

void PropertyTest::runPhase(const RandomPhase &phase, Draw &draw) {
  std::vector<Symbols> cases;
  for (int i = phase.symbols.empty() ? 1 : 8; i > 0; --i)
    cases.push_back(drawSizes(draw, phase.symbols));
  numCases += static_cast<int64_t>(cases.size());
  guard = draw.pick({Guard::Front, Guard::Back});
  pieces = draw.number(1, 4);
  indexLimit = draw.number(2, 40);
  adjustOperands = [&](std::vector<NumberTensor> &operands) {
    if (phase.hasWideOperand)
      for (BoundedNumber &x : operands[0].elements)
        x.value = static_cast<float>(x.value * 0.9173);
    // Weights of both signs.
    if (operands.size() > 1)
      for (BoundedNumber &weight : operands[1].elements)
        weight.integer -= indexLimit / 2;
  };
  expectDefinition(phase.text, cases);
}

void PropertyTest::run(RandomPhase (*drawPhase)(Draw &), uint64_t numPhases) {
  if (!isGpu() && !cpu().canRun)
    GTEST_SKIP() << "this machine lacks instructions of " << cpu().name;
  auto seed = static_cast<uint64_t>(getNumber("TXC_PROPERTY_SEED", 1));
  bool isSearch = std::getenv("TXC_PROPERTY_SECONDS") != nullptr;
  auto box = static_cast<double>(getNumber("TXC_PROPERTY_SECONDS", 15));
  double begin = getSeconds();
  uint64_t i = 0;
  for (; getSeconds() - begin < box && (isSearch || i < numPhases); ++i) {
    Draw draw(seed + i);
    RandomPhase phase = drawPhase(draw);
    SCOPED_TRACE(testing::Message() << "seed " << seed + i << "\n"
                                    << phase.text);
    runPhase(phase, draw);
    if (HasFailure())
      return;
  }
  RecordProperty("phases", static_cast<int>(i));
  llvm::outs() << i << " phases, " << numCases << " cases\n";
}

TEST_P(PropertyTest, Gemm) { run(drawGemm, 60); }
TEST_P(PropertyTest, Attention) { run(drawAttention, 60); }
TEST_P(PropertyTest, Map) { run(drawMap, 100); }
TEST_P(PropertyTest, Rows) { run(drawRows, 80); }

} // namespace
