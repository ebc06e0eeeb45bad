//===- ExplainPrintTest.cpp - explanations as text, JSON and HTML --------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/driver/Explain.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace txc;
using testing::HasSubstr;
using testing::Not;

namespace {

/// A name that is no UTF-8 and has what HTML and JSON escape.
constexpr char oddName[] = "a<b>&\"\xff";

Explanation makeExplanation() {
  ExplainedPhase phase;
  phase.kernel = "gemm_0";
  for (int i = 0; i < 10; ++i)
    phase.nodes.push_back({"node" + std::to_string(i), "Add"});
  phase.nodes[0] = {oddName, ""};
  phase.sizes = {"B", "4"};
  phase.reads = {"f32 [B, 4]"};
  phase.writes = {"f32 [B, 2]"};
  phase.flops = {"16 * B", 1600};
  phase.bytes = {"B", std::nullopt};
  phase.roofline = Roofline{2'500'000, Bound::Memory};
  ExplainedWeight stored{"f32 [4]", {"w"}, {}, 2};
  ExplainedWeight made{"f32 [8]", {"v", "w"}, {"concat", "transpose"}, 1};

  Explanation explanation;
  explanation.model = "m.onnx";
  explanation.target = "znver5";
  explanation.dims = {{"B", 100}};
  explanation.phases = {phase};
  explanation.numKernels = 1;
  explanation.weights = {stored, made};
  explanation.weightBytes = 48'000;
  explanation.flops = {"16 * B", 3'200'000'000};
  explanation.cycles = 10'000'000;
  explanation.misses = {{"attention", {{"scores", "MatMul"}}, "two readers"}};
  return explanation;
}

template <typename Print> std::string print(Print printer) {
  std::string text;
  llvm::raw_string_ostream os(text);
  printer(makeExplanation(), os);
  return text;
}

TEST(ExplainPrint, Text) {
  std::string text = print(printText);
  EXPECT_THAT(text, HasSubstr("m.onnx: 1 phases of 1 kernels for znver5; "
                              "48.0 kB of weights in 2 tensors"));
  EXPECT_THAT(text, HasSubstr("at B = 100: 3.2 GFLOP a run, at least "
                              "10.0 Mcycles"));
  EXPECT_THAT(text, HasSubstr("2.5 Mcycles (memory)"));
  EXPECT_THAT(text, HasSubstr("gemm_0"));
  EXPECT_THAT(text, HasSubstr("1.6 kFLOP"));
  // What could not be evaluated.
  EXPECT_THAT(text, HasSubstr("?B"));
  EXPECT_THAT(text, HasSubstr("node1 (Add)"));
  EXPECT_THAT(text, HasSubstr("node7 (Add), 2 more"));
  EXPECT_THAT(text, Not(HasSubstr("node8")));
  EXPECT_THAT(text, HasSubstr("f32 [4]  w: as it is"));
  EXPECT_THAT(text, HasSubstr("f32 [8]  v, w: concat, transpose"));
  EXPECT_THAT(text, HasSubstr("attention: scores (MatMul): two readers"));
}

TEST(ExplainPrint, Json) {
  auto value = llvm::json::parse(print(printJson));
  ASSERT_TRUE(bool(value)) << llvm::toString(value.takeError());
  const llvm::json::Object &root = *value->getAsObject();
  EXPECT_EQ(root.getString("model"), "m.onnx");
  EXPECT_EQ(root.getObject("dims")->getInteger("B"), 100);
  EXPECT_EQ(root.getInteger("weight_bytes"), 48'000);
  const llvm::json::Array &phases = *root.getArray("phases");
  ASSERT_EQ(phases.size(), 1u);
  const llvm::json::Object &phase = *phases[0].getAsObject();
  EXPECT_EQ(phase.getObject("flops")->getString("expr"), "16 * B");
  EXPECT_EQ(phase.getObject("flops")->getInteger("value"), 1600);
  EXPECT_EQ(phase.getObject("bytes")->get("value"), nullptr);
  EXPECT_EQ(phase.getArray("nodes")->size(), 10u);
  EXPECT_EQ(phase.getObject("roofline")->getNumber("cycles"), 2.5e6);
  EXPECT_EQ(phase.getObject("roofline")->getString("bound"), "memory");
  EXPECT_EQ(root.getArray("weights")->size(), 2u);
  EXPECT_EQ((*root.getArray("misses"))[0].getAsObject()->getString("reason"),
            "two readers");
}

/// One phase of 64 GFLOP and 1 MB, one of 8 MB; a second of the same kernel.
Explanation makeMeasurable() {
  Explanation explanation = makeExplanation();
  explanation.l2Bytes = 2'000'000;
  ExplainedPhase &product = explanation.phases[0];
  product.flops.value = 64'000'000;
  product.bytes.value = 1'000'000;
  product.dotDepth = 2;
  ExplainedPhase copy = product;
  copy.kernel = "map_0";
  copy.flops.value = 0;
  copy.bytes.value = 8'000'000;
  ExplainedPhase small = copy;
  small.bytes.value = 1'000'000;
  copy.index = 2;
  // Index 1 is the definition of a symbol.
  small.index = 3;
  explanation.phases.insert(explanation.phases.end(), {copy, small});
  return explanation;
}

constexpr char profileText[] = R"({
  "threads": 2, "dims": {"S": 9, "B": 2}, "peak_gflops": 64, "l2_gbps": 100,
  "memory_gbps": 20, "phases": [
    {"phase": 0, "kernel": "gemm_0", "calls": 4, "ms": 9, "min_ms": 1, "threads": 2},
    {"phase": 2, "kernel": "map_0", "calls": 4, "ms": 9, "min_ms": 0.6, "threads": 2},
    {"phase": 3, "kernel": "map_0", "calls": 4, "ms": 9, "min_ms": 0.04, "threads": 1}]})";

TEST(ExplainProfile, ComparesWithTheMachinesRates) {
  auto profile = parseProfile(profileText);
  ASSERT_TRUE(bool(profile)) << llvm::toString(profile.takeError());
  EXPECT_THAT(profile->dims, testing::ElementsAre(testing::Pair("B", 2),
                                                  testing::Pair("S", 9)));
  Explanation explanation = makeMeasurable();
  ASSERT_FALSE(llvm::errorToBool(addProfile(*profile, explanation)));
  auto expectTime = [&](size_t phase, double took, double possible,
                        Bound bound) {
    const auto &measured = explanation.phases[phase].measured;
    ASSERT_TRUE(measured);
    EXPECT_DOUBLE_EQ(measured->milliseconds, took);
    EXPECT_DOUBLE_EQ(measured->possible, possible);
    EXPECT_EQ(measured->bound, bound);
  };
  // Two products an instruction.
  expectTime(0, 1, 0.5, Bound::Compute);
  expectTime(1, 0.6, 0.4, Bound::Memory);
  // One of two threads has half of their caches' rate.
  expectTime(2, 0.04, 0.02, Bound::Cache);

  std::string text;
  llvm::raw_string_ostream os(text);
  printText(explanation, os);
  EXPECT_THAT(
      text, HasSubstr("measured on 2 threads: 1.640 ms in the "
                      "phases' shortest runs, 1.78 of the 0.920 ms possible"));
  // What loses most comes first.
  EXPECT_THAT(text,
              HasSubstr("   0.5000    1.0000    0.5000   2.00  compute  1 of "
                        "gemm_0\n   0.2200    0.6400    0.4200   1.52  "));
  EXPECT_THAT(text, HasSubstr("took   0.6000 ms, 1.50 of the possible"));
}

TEST(ExplainProfile, RefusesWhatDoesNotFit) {
  auto getError = [](llvm::StringRef text) {
    auto profile = parseProfile(text);
    return profile ? "" : llvm::toString(profile.takeError());
  };
  EXPECT_THAT(getError("{"), Not(testing::IsEmpty()));
  EXPECT_THAT(getError("[]"), HasSubstr("no phases or dims"));
  EXPECT_THAT(getError(R"({"phases": [], "dims": {}})"),
              HasSubstr("what the machine can do"));
  auto profile = parseProfile(profileText);
  ASSERT_TRUE(bool(profile));
  Explanation explanation = makeMeasurable();
  explanation.phases[2].kernel = "map_1";
  EXPECT_THAT(llvm::toString(addProfile(*profile, explanation)),
              HasSubstr("whose phase 3 is map_0"));
  explanation.phases.pop_back();
  EXPECT_TRUE(llvm::errorToBool(addProfile(*profile, explanation)));
}

TEST(ExplainPrint, HtmlEscapesNames) {
  std::string page = print(printHtml);
  EXPECT_THAT(page, HasSubstr("a&lt;b&gt;&amp;&quot;"));
  EXPECT_THAT(page, Not(HasSubstr("a<b>")));
  EXPECT_THAT(page, HasSubstr("node9 (Add)"));
  EXPECT_THAT(page, HasSubstr("width:25.0%"));
  EXPECT_THAT(page, testing::StartsWith("<!DOCTYPE html>"));
}

} // namespace
