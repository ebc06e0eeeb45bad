//===- LoopsTest.cpp - loops that are written out -------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/frontend/FrontendTesting.h"

using namespace txc;
using namespace txc::frontend;
using onnx::node;
using testing::HasSubstr;

namespace {

Wire bodyAttribute(const TestGraph &body) {
  return onnx::graphAttribute("body", body.wire());
}

/// (i, condition, y) to (condition, y + y, y): powers of two.
TestGraph doublingBody() {
  TestGraph body;
  body.inputs = {value("i", kInt64, {}), value("goes_on", kBool, {}),
                 value("y", kFloat, {"B"})};
  body.nodes = {node("Add", {"y", "y"}, {"twice"}),
                node("Identity", {"goes_on"}, {"still"}),
                node("Identity", {"y"}, {"seen"})};
  body.outputs = {"still", "twice", "seen"};
  return body;
}

TestGraph loopOf(const TestGraph &body, const onnx::Names &operands) {
  TestGraph graph;
  graph.inputs = {value("x", kFloat, {"B"})};
  graph.initializers = {ints("three", {3})};
  graph.nodes = {
      node("Loop", operands, {"last", "all"}, {bodyAttribute(body)})};
  graph.outputs = {"last", "all"};
  return graph;
}

size_t count(llvm::StringRef text, llvm::StringRef part) {
  return text.count(part);
}

TEST(Loops, ALoopIsWrittenOutAndItsOutputsStacked) {
  Imported imported(loopOf(doublingBody(), {"three", "", "x"}));
  ASSERT_TRUE(imported.module) << imported.text();
  std::string text = imported.text();
  EXPECT_EQ(count(text, "tx.add"), 3U);
  EXPECT_THAT(text, HasSubstr("tensor<3x?xf32, #tx.dims<[3, B]>>"));
}

TEST(Loops, ACountThatARunDecidesMakesALoop) {
  TestGraph graph = loopOf(doublingBody(), {"n", "", "x"});
  graph.inputs.push_back(value("n", kInt64, {}));
  std::string text = Imported(graph).text();
  EXPECT_THAT(text, HasSubstr("tx.define_symbol \"last.trips\""));
  EXPECT_THAT(text, HasSubstr("tx.loop \"last.index\" to <last.trips>"));
  EXPECT_EQ(count(text, "tx.add"), 1U);
  EXPECT_THAT(text, HasSubstr("tensor<?x?xf32, #tx.dims<[last.trips, B]>>"));
}

TEST(Loops, ALoopWithoutAnEndIsRefused) {
  EXPECT_THAT(Imported(loopOf(doublingBody(), {"", "", "x"})).text(),
              HasSubstr("its outputs have an element for each of any number "
                        "of iterations"));
}

TEST(Loops, ABodyWithOtherInputsIsRefused) {
  EXPECT_THAT(Imported(loopOf(doublingBody(), {"three", "", "x", "x"})).text(),
              HasSubstr("Loop"));
}

TEST(Loops, AScanGoesThroughItsInputBackwards) {
  TestGraph body;
  body.inputs = {value("sum", kFloat, {"B"}), value("part", kFloat, {"B"})};
  body.nodes = {node("Add", {"sum", "part"}, {"next"}),
                node("Identity", {"next"}, {"seen"})};
  body.outputs = {"next", "seen"};
  TestGraph graph;
  graph.inputs = {value("start", kFloat, {"B"}),
                  value("x", kFloat, {"2", "B"})};
  graph.nodes = {node("Scan", {"start", "x"}, {"last", "all"},
                      {bodyAttribute(body), intAttribute("num_scan_inputs", 1),
                       intsAttribute("scan_input_directions", {1})})};
  graph.outputs = {"last", "all"};
  Imported imported(graph);
  ASSERT_TRUE(imported.module) << imported.text();
  std::string text = imported.text();
  EXPECT_EQ(count(text, "tx.add"), 2U);
  EXPECT_LT(text.find("tx.slice %arg1 [#tx.expr<1>"),
            text.find("tx.slice %arg1 [#tx.expr<0>"));
}

TEST(Loops, AScanOfAnUnknownLengthMakesALoop) {
  TestGraph body;
  body.inputs = {value("part", kFloat, {})};
  body.nodes = {node("Neg", {"part"}, {"y"})};
  body.outputs = {"y"};
  TestGraph graph;
  graph.inputs = {value("x", kFloat, {"S"})};
  graph.nodes = {
      node("Scan", {"x"}, {"y"},
           {bodyAttribute(body), intAttribute("num_scan_inputs", 1)})};
  graph.outputs = {"y"};
  std::string text = Imported(graph).text();
  EXPECT_THAT(text, HasSubstr("tx.loop"));
  EXPECT_THAT(text, HasSubstr("to <S>"));
}

} // namespace
