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

TEST(ExplainPrint, HtmlEscapesNames) {
  std::string page = print(printHtml);
  EXPECT_THAT(page, HasSubstr("a&lt;b&gt;&amp;&quot;"));
  EXPECT_THAT(page, Not(HasSubstr("a<b>")));
  EXPECT_THAT(page, HasSubstr("node9 (Add)"));
  EXPECT_THAT(page, HasSubstr("width:25.0%"));
  EXPECT_THAT(page, testing::StartsWith("<!DOCTYPE html>"));
}

} // namespace
