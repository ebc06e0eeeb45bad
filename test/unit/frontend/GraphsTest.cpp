//===- GraphsTest.cpp - functions, branches, names, problems --------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "test/unit/frontend/FrontendTesting.h"

using namespace txc;
using llvm::cast;
using namespace txc::frontend;
using onnx::node;
using testing::HasSubstr;
using testing::Not;

namespace {

TestGraph graphOf(std::vector<Wire> nodes, Names outputs) {
  TestGraph graph;
  graph.inputs = {value("x", kFloat, {"B", "4"})};
  graph.nodes = std::move(nodes);
  graph.outputs = std::move(outputs);
  return graph;
}

//===----------------------------------------------------------------------===//
// Problems
//===----------------------------------------------------------------------===//

TEST(Problems, AllAreListedAndNoneTwice) {
  Imported imported(graphOf(
      {node("Frobnicate", {"x"}, {"a"}, {}, "first"),
       node("Relu", {"a"}, {"b"}, {}, "behind"),
       node("Twist", {"b"}, {"c"}, {}, "second"),
       node("Softmax", {"x"}, {"d"}, {intAttribute("axis", 7)}, "third")},
      {"c", "d"}));
  ASSERT_EQ(imported.problems.size(), 3U);
  EXPECT_EQ(imported.problems[0].node, "first");
  EXPECT_EQ(imported.problems[0].op, "Frobnicate");
  EXPECT_EQ(imported.problems[0].domain, "ai.onnx");
  EXPECT_EQ(imported.problems[0].opset, 21);
  EXPECT_EQ(imported.problems[1].node, "second");
  EXPECT_EQ(imported.problems[2].reason,
            "axis 7 is outside a tensor of rank 2");
}

TEST(Problems, AnUnknownAttributeIsRefusedByName) {
  EXPECT_THAT(Imported(graphOf({node("Relu", {"x"}, {"y"},
                                     {intAttribute("consumed_inputs", 1)})},
                               {"y"}))
                  .text(),
              HasSubstr("node \"#0\" (Relu, ai.onnx 21): unknown attribute "
                        "\"consumed_inputs\""));
}

TEST(Problems, AnOperatorNewerThanTheImportedOpset) {
  EXPECT_THAT(
      Imported(graphOf({node("Swish", {"x"}, {"y"})}, {"y"})).text(),
      HasSubstr("the operator in opset 21 is not supported, only from opset "
                "24 on"));
}

TEST(Problems, MissingAndSurplusInputs) {
  EXPECT_THAT(Imported(graphOf({node("Add", {"x", ""}, {"y"})}, {"y"})).text(),
              HasSubstr("input 1 is missing"));
  EXPECT_THAT(
      Imported(graphOf({node("Relu", {"x", "x"}, {"y"})}, {"y"})).text(),
      HasSubstr("it has 2 inputs, expected at most 1"));
}

TEST(Problems, AnAttributeOfAnotherType) {
  EXPECT_THAT(Imported(graphOf({node("Softmax", {"x"}, {"y"},
                                     {intsAttribute("axis", {1})})},
                               {"y"}))
                  .text(),
              HasSubstr("attribute \"axis\" has the wrong type"));
}

TEST(Problems, ARankThatDependsOnData) {
  TestGraph graph = graphOf({node("Reshape", {"x", "dims"}, {"y"})}, {"y"});
  graph.inputs.push_back(value("dims", kInt64, {"N"}));
  EXPECT_THAT(Imported(graph).text(),
              HasSubstr("the shape of a Reshape depends on data of the run, "
                        "and so does how many numbers it has"));
}

TEST(Problems, InputsThatCannotBeTensors) {
  TestGraph graph = graphOf({node("Identity", {"x"}, {"y"})}, {"y"});
  graph.inputs = {value("x", kString, {"2"})};
  EXPECT_EQ(Imported(graph).text(),
            "m.onnx: input \"x\" has elements of type STRING, "
            "which can't be compiled\n");
}

TEST(Problems, IndicesThatAreNoIntegers) {
  TestGraph graph = graphOf({node("Gather", {"x", "i"}, {"y"})}, {"y"});
  graph.inputs.push_back(value("i", kBool, {"2"}));
  EXPECT_THAT(Imported(graph).text(),
              HasSubstr("its indices are i1; try a Cast of them to INT64"));
}

TEST(Problems, PlacesBeyondTheInput) {
  TestGraph graph = graphOf({node("GatherElements", {"x", "i"}, {"y"})}, {"y"});
  graph.inputs = {value("x", kFloat, {"5", "3"}),
                  value("i", kInt64, {"5", "4"})};
  EXPECT_THAT(Imported(graph).text(),
              HasSubstr("dims of indices and input: 4 <= 3 can't hold"));
}

TEST(Problems, AWindowInThePaddingAlone) {
  TestGraph graph = graphOf({node("MaxPool", {"x"}, {"y"},
                                  {intsAttribute("kernel_shape", {2}),
                                   intsAttribute("pads", {1, 1})})},
                            {"y"});
  graph.inputs = {value("x", kFloat, {"1", "1", "0"})};
  EXPECT_THAT(Imported(graph).text(),
              HasSubstr("the padded dims of its input: 1 <= 0 can't hold"));
}

TEST(Problems, UpdatesOfAnotherType) {
  TestGraph graph =
      graphOf({node("ScatterElements", {"x", "i", "u"}, {"y"})}, {"y"});
  graph.inputs = {value("x", kFloat, {"5"}), value("i", kInt64, {"2"}),
                  value("u", kBool, {"2"})};
  EXPECT_THAT(Imported(graph).text(),
              HasSubstr("its updates have another type than its input; try a "
                        "Cast of them"));
}

TEST(Problems, ArgMaxOfBools) {
  TestGraph graph = graphOf({node("ArgMax", {"x"}, {"y"})}, {"y"});
  graph.inputs = {value("x", kBool, {"2"})};
  EXPECT_THAT(Imported(graph).text(),
              HasSubstr("its input is bool; try a Cast of it"));
}

TEST(Problems, ArithmeticOfBools) {
  TestGraph graph = graphOf({node("Mul", {"x", "x"}, {"y"})}, {"y"});
  graph.inputs = {value("x", kBool, {"2"})};
  EXPECT_THAT(Imported(graph).text(),
              HasSubstr("its input 0 is bool; try a Cast of it"));
}

TEST(Problems, AnOutputOfAnotherType) {
  TestGraph graph = graphOf({node("Relu", {"x"}, {"y"})}, {});
  graph.typedOutputs = {value("y", kInt64, {"3"})};
  EXPECT_EQ(Imported(graph).text(),
            "m.onnx: output \"y\" is declared as INT64, and the graph computes "
            "f32; try the type that is computed, or a Cast before it\n");
}

//===----------------------------------------------------------------------===//
// Names and initializers
//===----------------------------------------------------------------------===//

TEST(Graphs, OutputsMayBeInputsInitializersAndEqual) {
  TestGraph graph = graphOf({node("Relu", {"x"}, {"y"})}, {"x", "y", "y", "w"});
  graph.initializers = {floats("w", {3})};
  Imported imported(graph);
  ASSERT_TRUE(imported.module) << imported.text();
  EXPECT_THAT(imported.text(), HasSubstr("return %arg0, %1, %1, %2"));
}

TEST(Graphs, UnusedInputsStayAndUnusedInitializersGo) {
  TestGraph graph = graphOf({node("Relu", {"x"}, {"y"})}, {"y"});
  graph.inputs.push_back(value("unused", kFloat, {"7"}));
  graph.initializers = {floats("w", {5000})};
  Imported imported(graph);
  EXPECT_THAT(imported.text(), HasSubstr("tx.name = \"unused\""));
  EXPECT_THAT(imported.text(), Not(HasSubstr("tx.weight")));
  EXPECT_EQ(imported.weights.size(), 0U);
}

TEST(Graphs, AnInitializerThatIsAnInputIsAConstant) {
  TestGraph graph = graphOf({node("Add", {"x", "w"}, {"y"})}, {"y"});
  graph.inputs.push_back(value("w", kFloat, {"4"}));
  graph.initializers = {floats("w", {4})};
  std::string text = Imported(graph).text();
  EXPECT_THAT(text, Not(HasSubstr("%arg1")));
  EXPECT_THAT(text, HasSubstr("tx.constant"));
}

TEST(Graphs, LargeInitializersAreWeights) {
  TestGraph graph = graphOf({node("MatMul", {"x", "w"}, {"y"})}, {"y"});
  graph.initializers = {floats("w", {4, 2000})};
  Imported imported(graph);
  EXPECT_THAT(imported.text(),
              HasSubstr("tx.weight \"w\" : tensor<4x2000xf32>"));
  ASSERT_TRUE(imported.weights.contains("w"));
  auto data = imported.weights.read("w");
  ASSERT_TRUE(static_cast<bool>(data));
  EXPECT_EQ(data->bytes().size(), 4U * 2000 * 4);
  auto missing = imported.weights.read("v");
  EXPECT_EQ(llvm::toString(missing.takeError()), "there is no weight \"v\"");
}

TEST(Graphs, LocationsNameTheNode) {
  Imported imported(
      graphOf({node("Relu", {"x"}, {"y"}, {}, "/layer/act")}, {"y"}));
  ASSERT_TRUE(imported.module);
  bool found = false;
  imported.module->walk([&](tx::MaximumOp op) {
    auto name = cast<mlir::NameLoc>(op.getLoc());
    EXPECT_EQ(name.getName(), "/layer/act");
    EXPECT_EQ(cast<mlir::NameLoc>(name.getChildLoc()).getName(), "Relu");
    found = true;
  });
  EXPECT_TRUE(found);
}

//===----------------------------------------------------------------------===//
// Functions and branches
//===----------------------------------------------------------------------===//

/// FunctionProto "my.Soft": Softmax along its attribute `dim`, 0 by default.
Wire softFunction() {
  Wire reference = Wire().string(1, "axis").varint(20, 2).string(21, "dim");
  return Wire()
      .string(1, "Soft")
      .string(4, "a")
      .string(5, "b")
      .message(7, node("Softmax", {"a"}, {"b"}, {reference}, "inner"))
      .message(9, onnx::opsetImport("", 21))
      .string(10, "my")
      .message(11, intAttribute("dim", 0));
}

Wire callSoft(const std::string &output, const std::vector<Wire> &attributes) {
  return node("Soft", {"x"}, {output}, attributes, "call").string(7, "my");
}

TEST(Graphs, FunctionsAreInlinedWithTheirAttributes) {
  TestGraph graph = graphOf(
      {callSoft("y", {}), callSoft("z", {intAttribute("dim", 1)})}, {"y", "z"});
  Wire rest =
      Wire().message(8, onnx::opsetImport("my", 1)).message(25, softFunction());
  Imported imported(graph, {}, rest);
  ASSERT_TRUE(imported.module) << imported.text();
  EXPECT_THAT(imported.text(), HasSubstr("tx.softmax %arg0 0"));
  EXPECT_THAT(imported.text(), HasSubstr("tx.softmax %arg0 1"));
  imported.module->walk([&](tx::SoftmaxOp op) {
    EXPECT_EQ(cast<mlir::NameLoc>(op.getLoc()).getName(), "call/inner");
  });
}

Wire branch(const std::string &op) {
  TestGraph graph;
  graph.nodes = {node(op, {"x"}, {op})};
  graph.outputs = {op};
  return graph.wire();
}

TestGraph ifGraph(const std::string &condition) {
  return graphOf({node("If", {condition}, {"y"},
                       {onnx::graphAttribute("then_branch", branch("Exp")),
                        onnx::graphAttribute("else_branch", branch("Log"))},
                       "choice")},
                 {"y"});
}

TEST(Graphs, AKnownConditionPicksTheBranch) {
  TestGraph graph = ifGraph("yes");
  graph.initializers = {onnx::tensor("yes", kBool, {}).string(9, "\1")};
  std::string text = Imported(graph).text();
  EXPECT_THAT(text, HasSubstr("tx.exp %arg0"));
  EXPECT_THAT(text, Not(HasSubstr("tx.log")));
}

TEST(Graphs, AConditionOfTheRunKeepsBothBranches) {
  TestGraph graph = ifGraph("flag");
  graph.inputs.push_back(value("flag", kBool, {}));
  std::string text = Imported(graph).text();
  EXPECT_THAT(text, HasSubstr("tx.if %arg1"));
  EXPECT_THAT(text, HasSubstr("tx.exp %arg0"));
  EXPECT_THAT(text, HasSubstr("tx.log %arg0"));
}

} // namespace
