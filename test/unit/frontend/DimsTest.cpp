//===- DimsTest.cpp - symbolic dims of imported models --------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/frontend/FrontendTesting.h"

using namespace txc;
using namespace txc::frontend;
using onnx::node;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

namespace {

TestGraph addGraph(const Names &lhs, const Names &rhs) {
  TestGraph graph;
  graph.inputs = {value("a", kFloat, lhs), value("b", kFloat, rhs)};
  graph.nodes = {node("Add", {"a", "b"}, {"c"})};
  graph.outputs = {"c"};
  return graph;
}

ImportOptions withDim(DimOption option) {
  ImportOptions options;
  options.dims.push_back(std::move(option));
  return options;
}

TEST(Dims, NamesAreSymbols) {
  std::string text = Imported(addGraph({"B", "8"}, {"B", "8"})).text();
  EXPECT_THAT(text, HasSubstr("tx.symbols = {B = [0]}"));
  EXPECT_THAT(text, HasSubstr("tx.requirements = []"));
  EXPECT_THAT(text, HasSubstr("tx.name = \"a\""));
  EXPECT_THAT(text, HasSubstr("-> (tensor<?x8xf32, #tx.dims<[B, 8]>>"));
}

TEST(Dims, UnnamedDimsAreCalledByTheirInput) {
  std::string text = Imported(addGraph({"?", "2"}, {"2"})).text();
  EXPECT_THAT(text, HasSubstr("tensor<?x2xf32, #tx.dims<[a.0, 2]>>"));
}

TEST(Dims, OptionsFixAndBound) {
  TestGraph graph = addGraph({"B", "S"}, {"B", "S"});
  ImportOptions options;
  options.dims = {{"B", 3, 3}, {"S", 1, 512}};
  std::string text = Imported(graph, options).text();
  EXPECT_THAT(text, HasSubstr("tensor<3x?xf32, #tx.dims<[3, S]>>"));
  EXPECT_THAT(text, HasSubstr("tx.symbols = {S = [1, 512]}"));
}

TEST(Dims, UnknownOptionNamesTheNearest) {
  TestGraph graph = addGraph({"batch", "seq"}, {"seq"});
  Imported imported(graph, withDim({"bacth", 1, 1}));
  EXPECT_EQ(imported.text(), "m.onnx: no input has a dim "
                             "\"bacth\"; try -dim batch\n");
}

TEST(Dims, TextOfKnownNamesIsAnExpression) {
  TestGraph graph = addGraph({"past + seq"}, {"past + seq"});
  graph.inputs.push_back(value("p", kFloat, {"past"}));
  graph.inputs.push_back(value("s", kFloat, {"seq"}));
  std::string text = Imported(graph).text();
  EXPECT_THAT(text, HasSubstr("#tx.dims<[past + seq]>"));
  EXPECT_THAT(text, HasSubstr("tx.symbols = {past = [0], seq = [0]}"));
}

TEST(Dims, TextOfUnknownNamesIsASymbol) {
  std::string text = Imported(addGraph({"past + seq"}, {"past + seq"})).text();
  EXPECT_THAT(text, HasSubstr("#tx.dims<[\"past + seq\"]>"));
}

TEST(Dims, InnerDimsOfAProductAreUnified) {
  TestGraph graph;
  graph.inputs = {value("a", kFloat, {"M", "K"}),
                  value("b", kFloat, {"L", "N"})};
  graph.nodes = {node("MatMul", {"a", "b"}, {"c"})};
  graph.outputs = {"c"};
  std::string text = Imported(graph).text();
  EXPECT_THAT(text, HasSubstr("%arg1: tensor<?x?xf32, #tx.dims<[K, N]>>"));
  EXPECT_THAT(text, HasSubstr("tx.symbols = {K = [0], M = [0], N = [0]}"));
}

TEST(Dims, UnifiedRangesMeet) {
  TestGraph graph;
  graph.inputs = {value("a", kFloat, {"M", "K"}),
                  value("b", kFloat, {"L", "4"})};
  graph.nodes = {node("MatMul", {"a", "b"}, {"c"})};
  graph.outputs = {"c"};
  std::string text = Imported(graph, withDim({"L", 7, 9})).text();
  EXPECT_THAT(text, HasSubstr("tx.symbols = {K = [7, 9], M = [0]}"));
}

TEST(Dims, DimsThatCannotBeEqualAreRefused) {
  TestGraph graph;
  graph.inputs = {value("a", kFloat, {"M", "3"}),
                  value("b", kFloat, {"4", "N"})};
  graph.nodes = {node("MatMul", {"a", "b"}, {"c"}, {}, "mm")};
  graph.outputs = {"c"};
  EXPECT_EQ(Imported(graph).text(),
            "m.onnx: node \"mm\" (MatMul, ai.onnx 21): the inner "
            "dims of a matrix product must be equal, found 4 and 3\n");
}

TEST(Dims, ABroadcastThatARunDecidesIsExplicit) {
  std::string text = Imported(addGraph({"A"}, {"B"})).text();
  EXPECT_THAT(text, HasSubstr("tx.broadcast %arg0"));
  EXPECT_THAT(text, HasSubstr("tx.broadcast %arg1"));
  EXPECT_THAT(text, HasSubstr("#tx.dims<[max(A, B)]>"));
  EXPECT_THAT(text, HasSubstr("must be equal or one of them 1"));
}

TEST(Dims, DimsThatCannotBeOneAreUnified) {
  ImportOptions options;
  options.dims = {{"A", 2, 64}, {"B", 2, 64}};
  std::string text = Imported(addGraph({"A"}, {"B"}), options).text();
  EXPECT_THAT(text, Not(HasSubstr("tx.broadcast")));
  EXPECT_THAT(text, HasSubstr("tx.symbols = {A = [2, 64]}"));
}

TEST(Dims, ALaterUnificationRemovesTheBroadcast) {
  TestGraph graph = addGraph({"A"}, {"B"});
  graph.nodes.push_back(node("MatMul", {"a", "b"}, {"d"}));
  graph.outputs.push_back("d");
  std::string text = Imported(graph).text();
  EXPECT_THAT(text, Not(HasSubstr("tx.broadcast")));
  EXPECT_THAT(text, HasSubstr("tx.requirements = []"));
}

TEST(Dims, ShapeArithmeticFolds) {
  // Reshape(x, Concat(Shape(x)[0:2], [12, -1])): [B, S, 768] to [B, S, 12, 64].
  TestGraph graph;
  graph.inputs = {value("x", kFloat, {"B", "S", "768"})};
  graph.initializers = {ints("tail", {12, -1})};
  graph.nodes = {
      node("Shape", {"x"}, {"lead"}, {intAttribute("end", 2)}),
      node("Concat", {"lead", "tail"}, {"dims"}, {intAttribute("axis", 0)}),
      node("Reshape", {"x", "dims"}, {"y"})};
  graph.outputs = {"y"};
  std::string text = Imported(graph).text();
  EXPECT_THAT(text, HasSubstr("#tx.dims<[B, S, 12, 64]>"));
  EXPECT_THAT(text, Not(HasSubstr("tx.symbolic")));
  EXPECT_THAT(text, Not(HasSubstr("tx.concat")));
}

TEST(Dims, AReshapeOfFixedLengthFixesTheDim) {
  TestGraph graph;
  graph.inputs = {value("x", kFloat, {"B", "S", "6"})};
  graph.initializers = {ints("dims", {0, 128, 2, 3})};
  graph.nodes = {node("Reshape", {"x", "dims"}, {"y"})};
  graph.outputs = {"y"};
  EXPECT_THAT(Imported(graph).text(),
              HasSubstr("%arg0: tensor<?x128x6xf32, #tx.dims<[B, 128, 6]>>"));
}

TEST(Dims, ADimThatMustDivideIsCheckedInTheRun) {
  // [B, C] to [B, 2, -1]: C has to be even.
  TestGraph graph;
  graph.inputs = {value("x", kFloat, {"B", "C"})};
  graph.initializers = {ints("dims", {0, 2, -1})};
  graph.nodes = {node("Reshape", {"x", "dims"}, {"y"})};
  graph.outputs = {"y"};
  std::string text = Imported(graph).text();
  EXPECT_THAT(text, HasSubstr("#tx.dims<[B, 2, floordiv(C, 2)]>"));
  EXPECT_THAT(text, HasSubstr("\"eq\""));
}

TEST(Dims, AShapeThatARunDecides) {
  // Where(Shape(x) == Shape(y), 2, 5): 2 + 3 * min(1, |A - B|).
  TestGraph graph;
  graph.inputs = {value("x", kFloat, {"A"}), value("y", kFloat, {"B"})};
  graph.initializers = {ints("two", {2}), ints("five", {5})};
  graph.nodes = {node("Shape", {"x"}, {"a"}), node("Shape", {"y"}, {"b"}),
                 node("Equal", {"a", "b"}, {"same"}),
                 node("Where", {"same", "two", "five"}, {"dims"}),
                 node("ConstantOfShape", {"dims"}, {"z"})};
  graph.outputs = {"z"};
  EXPECT_THAT(
      Imported(graph).text(),
      HasSubstr("#tx.dims<[3 * min(1, max(A, B) + -1 * min(A, B)) + 2]>"));
}

TestGraph sliceGraph(int64_t start, int64_t end) {
  TestGraph graph;
  graph.inputs = {value("x", kFloat, {"S"})};
  graph.initializers = {ints("start", {start}), ints("end", {end})};
  graph.nodes = {node("Slice", {"x", "start", "end"}, {"y"})};
  graph.outputs = {"y"};
  return graph;
}

TEST(Dims, SlicesFollowOnnx) {
  constexpr int64_t most = std::numeric_limits<int64_t>::max();
  constexpr int64_t least = std::numeric_limits<int64_t>::min();
  EXPECT_THAT(Imported(sliceGraph(least, most)).text(),
              Not(HasSubstr("tx.slice")));
  // The last element: S has to be 1 at least.
  std::string last = Imported(sliceGraph(-1, most)).text();
  EXPECT_THAT(last, HasSubstr("[#tx.expr<S + -1>] [1]"));
  EXPECT_THAT(last, HasSubstr("to tensor<1xf32>"));
  EXPECT_THAT(last, HasSubstr("S = [1]"));
  // The last 8, or all if there are less.
  EXPECT_THAT(Imported(sliceGraph(-8, most)).text(),
              AllOf(HasSubstr("[#tx.expr<max(0, S + -8)>]"),
                    HasSubstr("#tx.dims<[min(S, 8)]>")));
  EXPECT_THAT(Imported(sliceGraph(0, 8)).text(), HasSubstr("min(S, 8)"));
}

TEST(Dims, ATableSlicedToALengthBoundsTheLength) {
  TestGraph graph;
  graph.inputs = {value("ids", kInt64, {"B", "S"})};
  graph.initializers = {floats("table", {512, 2}), ints("zero", {0})};
  graph.nodes = {node("Shape", {"ids"}, {"length"}, {intAttribute("start", 1)}),
                 node("Slice", {"table", "zero", "length"}, {"y"})};
  graph.outputs = {"y"};
  std::string text = Imported(graph).text();
  EXPECT_THAT(text, HasSubstr("#tx.dims<[S, 2]>"));
  EXPECT_THAT(text, HasSubstr("S = [0, 512]"));
}

TEST(Dims, ConstantInputsAreNoArguments) {
  TestGraph graph;
  graph.inputs = {value("x", kFloat, {"B", "4"}), value("axes", kInt64, {"1"})};
  graph.nodes = {node("ReduceSum", {"x", "axes"}, {"y"})};
  graph.outputs = {"y"};
  EXPECT_THAT(Imported(graph).text(), HasSubstr("axes depends on data"));

  mlir::MLIRContext context;
  auto type =
      mlir::RankedTensorType::get({1}, mlir::IntegerType::get(&context, 64));
  ImportOptions options;
  options.constants = {
      {"axes", mlir::DenseElementsAttr::get(type, llvm::ArrayRef<int64_t>(1))}};
  Imported imported(graph, options, {}, &context);
  EXPECT_THAT(imported.text(), HasSubstr("sum %arg0 [1]"));
  EXPECT_THAT(imported.text(), Not(HasSubstr("%arg1")));
}

//===----------------------------------------------------------------------===//
// Run-time symbols
//===----------------------------------------------------------------------===//

/// x of [B, 4], and `sizes`, two integers that only a run knows.
TestGraph withSizes(std::vector<Wire> nodes, const Names &outputs) {
  TestGraph graph;
  graph.inputs = {value("x", kFloat, {"B", "4"}),
                  value("sizes", kInt64, {"2"})};
  graph.nodes = std::move(nodes);
  graph.outputs = outputs;
  return graph;
}

TEST(RunTimeSymbols, NonZeroCounts) {
  std::string text =
      Imported(withSizes({node("NonZero", {"x"}, {"places"})}, {"places"}))
          .text();
  EXPECT_THAT(text, HasSubstr("tx.define_symbol \"places.count\""));
  EXPECT_THAT(text,
              HasSubstr("-> (tensor<2x?xi64, #tx.dims<[2, places.count]>>"));
}

TEST(RunTimeSymbols, OneConditionIsCountedOnce) {
  TestGraph graph = withSizes(
      {node("Compress", {"x", "keep"}, {"a"}, {intAttribute("axis", 0)}),
       node("NonZero", {"keep"}, {"places"}),
       node("Squeeze", {"places"}, {"rows"}), node("Add", {"a", "a"}, {"b"})},
      {"b", "rows"});
  graph.inputs.push_back(value("keep", kBool, {"B"}));
  std::string text = Imported(graph).text();
  EXPECT_THAT(text, HasSubstr("tx.define_symbol \"a.count\""));
  EXPECT_THAT(text, Not(HasSubstr("places.count")));
}

TEST(RunTimeSymbols, OneScalarIsOneSymbol) {
  std::string text =
      Imported(withSizes({node("ConstantOfShape", {"sizes"}, {"a"}),
                          node("ConstantOfShape", {"sizes"}, {"b"}),
                          node("Add", {"a", "b"}, {"c"})},
                         {"c"}))
          .text();
  EXPECT_THAT(text, HasSubstr("tensor<?x?xf32, #tx.dims<[a.size0, a.size1]>>"));
  EXPECT_THAT(text, Not(HasSubstr("b.size")));
}

// ONNX wants a product's inner dims equal: the input's dim stays, the run
// checks the data.
TEST(RunTimeSymbols, AreSolvedForAndChecked) {
  std::string text =
      Imported(withSizes({node("ConstantOfShape", {"sizes"}, {"a"}),
                          node("MatMul", {"a", "x"}, {"c"})},
                         {"c"}))
          .text();
  EXPECT_THAT(text, HasSubstr("[#tx.expr<a.size1>, \"eq\", #tx.expr<B>, "
                              "\"the data make a.size1 other than B\"]"));
  EXPECT_THAT(text, HasSubstr("-> (tensor<?x4xf32, #tx.dims<[a.size0, 4]>>"));
}

TEST(RunTimeSymbols, AShapeFromDataIsChecked) {
  std::string text =
      Imported(withSizes({node("Reshape", {"x", "sizes"}, {"y"})}, {"y"}))
          .text();
  EXPECT_THAT(text, HasSubstr("#tx.dims<[y.dim0, y.dim1]>"));
  EXPECT_THAT(text, HasSubstr("[#tx.expr<4 * B>, \"eq\", "
                              "#tx.expr<y.dim0 * y.dim1>"));
}

} // namespace
