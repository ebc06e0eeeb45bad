//===- ExplainTest.cpp - what is explained of a model --------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// `tied.onnx` looks up rows of a table of 211 x 40 and multiplies them with
/// the same table transposed: costs can be counted by hand.
//
//===----------------------------------------------------------------------===//

#include "compiler/driver/Explain.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace txc;
using testing::Contains;
using testing::ElementsAre;
using testing::Pair;
using testing::SizeIs;

namespace {

Explanation explainModel(llvm::StringRef name,
                         std::vector<DimOption> dims = {}) {
  CompileOptions options;
  options.inputPath = (TXC_TEST_MODELS "/small/" + name).str();
  options.target = "x86-64-v3";
  options.dims = std::move(dims);
  std::string errors;
  options.onError = [&](const llvm::Twine &message) {
    errors += message.str();
  };
  Compilation compilation(std::move(options));
  for (auto step : {&Compilation::importModel, &Compilation::optimizeGraph,
                    &Compilation::buildPhases, &Compilation::buildProgram})
    if ((compilation.*step)() != Outcome::success) {
      ADD_FAILURE() << errors;
      return {};
    }
  return explain(compilation);
}

/// The phase that computes the node.
const ExplainedPhase *findPhase(const Explanation &explanation,
                                llvm::StringRef node) {
  for (const ExplainedPhase &phase : explanation.phases)
    for (const ExplainedNode &computed : phase.nodes)
      if (computed.name == node)
        return &phase;
  return nullptr;
}

TEST(Explain, CountsCostsAtOneShape) {
  Explanation explanation = explainModel("tied.onnx");
  EXPECT_THAT(explanation.dims,
              ElementsAre(Pair("batch", 1), Pair("sequence", 128)));
  const ExplainedPhase *gemm = findPhase(explanation, "head");
  ASSERT_TRUE(gemm);
  // A multiplication and an addition for each of 40 terms.
  EXPECT_EQ(gemm->flops.value, 2 * 128 * 211 * 40);
  // The table in panels of 16 columns: 211 are 14 panels.
  EXPECT_EQ(gemm->bytes.value, 4 * (128 * 40 + 14 * 16 * 40 + 128 * 211));
  ASSERT_THAT(gemm->nodes, SizeIs(1));
  EXPECT_EQ(gemm->nodes[0].op, "MatMul");
  // Bias and activation are with the product that they follow.
  const ExplainedPhase *project = findPhase(explanation, "project");
  ASSERT_TRUE(project);
  EXPECT_EQ(project, findPhase(explanation, "activate"));
}

TEST(Explain, PredictsByTheRoofline) {
  Explanation explanation = explainModel("tied.onnx");
  const ExplainedPhase *gemm = findPhase(explanation, "head");
  ASSERT_TRUE(gemm && gemm->roofline);
  // Two multiply-adds of 8 lanes a cycle.
  EXPECT_DOUBLE_EQ(gemm->roofline->cycles, 2.0 * 128 * 211 * 40 / 32);
  EXPECT_EQ(gemm->roofline->bound, Bound::Compute);
  double sum = 0;
  for (const ExplainedPhase &phase : explanation.phases)
    sum += phase.roofline->cycles;
  EXPECT_DOUBLE_EQ(explanation.cycles, sum);
}

TEST(Roofline, TellsWhatBounds) {
  VectorTarget target;
  target.vectorBits = 512;
  target.hasFma = true;
  target.l2Bytes = 1 << 20;
  EXPECT_EQ(getRoofline(target, 64'000, 100).cycles, 1000);
  EXPECT_EQ(getRoofline(target, 64'000, 100).bound, Bound::Compute);
  EXPECT_EQ(getRoofline(target, 64'000, 100, /*depth=*/4).cycles, 250);
  EXPECT_EQ(getRoofline(target, 64, 1 << 20).cycles, (1 << 20) / 32);
  EXPECT_EQ(getRoofline(target, 64, 1 << 20).bound, Bound::Cache);
  EXPECT_EQ(getRoofline(target, 64, 1 << 21).cycles, (1 << 21) / 8);
  EXPECT_EQ(getRoofline(target, 64, 1 << 21).bound, Bound::Memory);
}

TEST(Explain, ListsStoredTensorsWithTheirReaders) {
  Explanation explanation = explainModel("tied.onnx");
  ASSERT_THAT(explanation.weights, SizeIs(3));
  const ExplainedWeight &table = explanation.weights[0];
  EXPECT_THAT(table.sources, ElementsAre("table"));
  EXPECT_THAT(table.recipe, ElementsAre("transpose"));
  EXPECT_EQ(table.numReaders, 2u);
}

/// Greedy packing is not optimal, but comes near.
TEST(Explain, ArenaIsNearlyWhatLivesAtOnce) {
  for (const char *name : {"bert-ts17.onnx", "gpt2-dynamo18.onnx",
                           "t5-encoder-dynamo23.onnx", "vit-ts17.onnx"}) {
    Explanation explanation = explainModel(name);
    ASSERT_TRUE(explanation.liveBytes && explanation.arenaBytes.value);
    EXPECT_GE(*explanation.arenaBytes.value, *explanation.liveBytes) << name;
    EXPECT_LE(static_cast<double>(*explanation.arenaBytes.value),
              1.2 * static_cast<double>(*explanation.liveBytes))
        << name;
  }
}

TEST(Explain, TakesWhatOptionsFix) {
  DimOption sequence{"sequence", 7, 7};
  Explanation explanation = explainModel("tied.onnx", {sequence});
  EXPECT_THAT(explanation.dims, ElementsAre(Pair("batch", 1)));
  EXPECT_EQ(findPhase(explanation, "head")->flops.value, 2 * 7 * 211 * 40);
}

TEST(Explain, StaysWithinTheBoundsOfAModel) {
  Explanation explanation = explainModel("bert-ts17.onnx");
  // Its table of positions has 32 rows.
  EXPECT_THAT(explanation.dims, Contains(Pair("sequence", 32)));
  EXPECT_LT(explanation.numKernels, explanation.phases.size());
}

} // namespace
