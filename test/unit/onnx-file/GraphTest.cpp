//===- GraphTest.cpp - Names, order and nesting of graphs -------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Single assignment, topological order, subgraphs and functions.
///
//===----------------------------------------------------------------------===//

#include "test/unit/onnx-file/OnnxFileTesting.h"
#include "llvm/ADT/STLExtras.h"

using namespace txc::onnx;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

static std::string nodeNames(llvm::ArrayRef<Node> nodes) {
  return llvm::join(
      llvm::map_range(nodes, [](const Node &node) { return node.name.str(); }),
      " ");
}

TEST(GraphOrder, KeepsAnOrderThatIsTopological) {
  ParsedModel m(model(graph(
      {{node("Exp", {"x"}, {"a"}, {}, "1"), node("Neg", {"x"}, {"b"}, {}, "2"),
        node("Add", {"a", "b"}, {"y"}, {}, "3")},
       {},
       {"x"},
       {"y"}})));
  ASSERT_EQ(m.error, "");
  EXPECT_EQ(nodeNames(m.graph().nodes), "1 2 3");
}

TEST(GraphOrder, SortsNodesInTheWrongOrder) {
  ParsedModel m(model(graph({{node("Add", {"a", "b"}, {"y"}, {}, "add"),
                              node("Exp", {"x"}, {"a"}, {}, "exp"),
                              node("Abs", {"x"}, {"unused"}, {}, "abs"),
                              node("Neg", {"a"}, {"b"}, {}, "neg")},
                             {},
                             {"x"},
                             {"y"}})));
  ASSERT_EQ(m.error, "");
  EXPECT_EQ(nodeNames(m.graph().nodes), "exp abs neg add");
  EXPECT_EQ(m.graph().nodes[0].index, 1u);
}

TEST(GraphOrder, SortsByWhatSubgraphsCapture) {
  Wire branch = graph({{node("Neg", {"late"}, {"r"})}, {}, {}, {"r"}});
  ParsedModel m(model(graph(
      {{node("If", {"c"}, {"y"}, {graphAttribute("then_branch", branch)}, "if"),
        node("Exp", {"x"}, {"late"}, {}, "exp")},
       {},
       {"c", "x"},
       {"y"}})));
  ASSERT_EQ(m.error, "");
  EXPECT_EQ(nodeNames(m.graph().nodes), "exp if");
  const Graph *inner = m.graph().nodes[1].findAttribute("then_branch")->graph;
  EXPECT_THAT(inner->captures, ElementsAre("late"));
}

TEST(GraphOrder, NamesTheNodesOfACycle) {
  ParsedModel m(model(graph({{node("Exp", {"x"}, {"a"}, {}, "outside"),
                              node("Add", {"a", "c"}, {"b"}, {}, "first"),
                              node("Neg", {"b"}, {"c"}, {}, "second"),
                              node("Abs", {"c"}, {"y"}, {}, "after")},
                             {},
                             {"x"},
                             {"y"}})));
  EXPECT_THAT(m.error, HasSubstr("a cycle of 2 nodes"));
  EXPECT_THAT(m.error, HasSubstr("node \"first\" (Add)"));
  EXPECT_THAT(m.error, HasSubstr("node \"second\" (Neg)"));
  EXPECT_THAT(m.error, Not(HasSubstr("outside")));
  EXPECT_THAT(m.error, Not(HasSubstr("after")));
}

TEST(GraphOrder, ANodeMayNotUseItself) {
  ParsedModel m(
      model(graph({{node("Neg", {"y"}, {"y"}, {}, "n")}, {}, {}, {"y"}})));
  EXPECT_THAT(m.error,
              HasSubstr("a cycle of 1 node: node \"n\" (Neg) uses node \"n\""));
}

/// Deep chains must not recurse. Reversed, each node waits for the one after.
static std::vector<Wire> chain(unsigned length, bool isReversed) {
  std::vector<Wire> nodes;
  nodes.reserve(length + 1);
  for (unsigned i = 0; i < length; ++i)
    nodes.push_back(
        node("Neg", {"v" + std::to_string(i)}, {"v" + std::to_string(i + 1)}));
  if (isReversed)
    std::reverse(nodes.begin(), nodes.end());
  return nodes;
}

TEST(GraphOrder, TakesChainsOfTenThousandNodes) {
  for (bool isReversed : {false, true}) {
    ParsedModel m(
        model(graph({chain(10000, isReversed), {}, {"v0"}, {"v10000"}})));
    ASSERT_EQ(m.error, "");
    ASSERT_EQ(m.graph().nodes.size(), 10000u);
    EXPECT_EQ(m.graph().nodes.back().outputs[0], "v10000");
  }
}

TEST(GraphOrder, FindsCyclesOfTenThousandNodes) {
  ParsedModel m(model(graph({chain(10000, false), {}, {}, {"v10000"}})));
  EXPECT_THAT(m.error, HasSubstr("uses value \"v0\""));
  std::vector<Wire> nodes = chain(9999, false);
  nodes.push_back(node("Neg", {"v9999"}, {"v0"}));
  ParsedModel cyclic(model(graph({nodes, {}, {}, {"v0"}})));
  EXPECT_THAT(cyclic.error, HasSubstr("a cycle of 10000 nodes"));
  EXPECT_LT(cyclic.error.size(), 300u);
}

TEST(GraphNames, AValueHasOneProducer) {
  ParsedModel m(model(graph({{node("Exp", {"x"}, {"a"}, {}, "one"),
                              node("Neg", {"x"}, {"a"}, {}, "two")},
                             {},
                             {"x"},
                             {"a"}})));
  EXPECT_THAT(m.error, HasSubstr("value \"a\" is made twice, by node \"one\" "
                                 "(Exp) and by node \"two\" (Neg)"));
  ParsedModel overInput(
      model(graph({{node("Neg", {"x"}, {"x"})}, {}, {"x"}, {"x"}})));
  EXPECT_THAT(overInput.error, HasSubstr("by a graph input or initializer"));
}

TEST(GraphNames, AValueThatIsUsedHasAProducer) {
  ParsedModel m(model(graph(
      {{node("Add", {"x", "lost"}, {"y"}, {}, "add")}, {}, {"x"}, {"y"}})));
  EXPECT_EQ(m.error, "m.onnx: node \"add\" (Add) uses value \"lost\", which no "
                     "node, input or initializer provides");
  ParsedModel output(model(graph({{}, {}, {"x"}, {"lost"}})));
  EXPECT_THAT(output.error, HasSubstr("a graph output uses value \"lost\""));
}

TEST(GraphNames, NamesTheNestedUserOfALostValue) {
  Wire body =
      graph({{node("Neg", {"lost"}, {"r"}, {}, "inner")}, {}, {}, {"r"}});
  ParsedModel m(model(graph(
      {{node("If", {"c"}, {"y"}, {graphAttribute("else_branch", body)}, "if")},
       {},
       {"c"},
       {"y"}})));
  EXPECT_THAT(m.error, HasSubstr("node \"if\" (If): node \"inner\" (Neg) uses "
                                 "value \"lost\""));
}

TEST(GraphNames, OptionalInputsHaveNoName) {
  ParsedModel m(model(graph({{node("Clip", {"x", "", "x"}, {"y", ""}),
                              node("Clip", {"y", ""}, {"z", ""})},
                             {},
                             {"x"},
                             {"z"}})));
  ASSERT_EQ(m.error, "");
  EXPECT_THAT(m.graph().nodes[0].inputs, ElementsAre("x", "", "x"));
}

TEST(GraphNames, InitializersMayBeInputsToo) {
  Wire w = tensor("w", 1, {1}).string(9, bytesOf({1.0f}));
  ParsedModel m(
      model(graph({{node("Add", {"x", "w"}, {"y"})}, {w}, {"x", "w"}, {"y"}})));
  ASSERT_EQ(m.error, "");
  EXPECT_EQ(m.graph().inputs.size(), 2u);
  EXPECT_EQ(m.graph().initializers.size(), 1u);

  ParsedModel twice(model(graph({{}, {w, w}, {}, {"w"}})));
  EXPECT_THAT(twice.error, HasSubstr("two initializers are called \"w\""));
  ParsedModel inputs(model(graph({{}, {}, {"x", "x"}, {"x"}})));
  EXPECT_THAT(inputs.error, HasSubstr("two graph inputs are called \"x\""));
}

static Wire nestedGraphs(unsigned levels) {
  Wire inner = graph({{node("Neg", {"x"}, {"r"})}, {}, {}, {"r"}});
  for (unsigned level = 1; level < levels; ++level)
    inner = graph({{node("If", {"x"}, {"r"}, {graphAttribute("b", inner)})},
                   {},
                   {},
                   {"r"}});
  return inner;
}

TEST(GraphNesting, IsLimited) {
  Wire x = Wire().message(11, Wire().string(1, "x"));
  EXPECT_EQ(ParsedModel(model(nestedGraphs(64).append(x))).error, "");
  EXPECT_THAT(ParsedModel(model(nestedGraphs(65).append(x))).error,
              HasSubstr("nested deeper than 64 levels"));
  EXPECT_THAT(ParsedModel(model(nestedGraphs(2000).append(x))).error,
              HasSubstr("nested deeper than 64 levels"));
}

TEST(GraphNesting, OfTypesIsLimited) {
  auto sequence = [](unsigned levels) {
    Wire type = Wire().message(1, Wire().varint(1, 1));
    for (unsigned level = 1; level < levels; ++level)
      type = Wire().message(4, Wire().message(1, type));
    return model(Wire().message(11, Wire().string(1, "x").message(2, type)));
  };
  EXPECT_EQ(ParsedModel(sequence(60)).error, "");
  EXPECT_THAT(ParsedModel(sequence(10000)).error,
              HasSubstr("value \"x\": graphs or types are nested deeper"));
}

static Wire function(const std::string &name, const std::vector<Wire> &nodes) {
  Wire wire = Wire().string(1, name).string(4, "x").string(5, "y");
  for (const Wire &node : nodes)
    wire.message(7, node);
  return wire.message(9, opsetImport("", 21)).string(10, "local");
}

static Wire call(const std::string &name, const std::string &input,
                 const std::string &output) {
  return node(name, {input}, {output}).string(7, "local");
}

TEST(Functions, AreFoundByTheirIdentity) {
  Wire main = graph({{call("F", "x", "y")}, {}, {"x"}, {"y"}});
  Wire overloaded = function("F", {node("Neg", {"x"}, {"y"})});
  overloaded.string(13, "other");
  ParsedModel m(model(main)
                    .message(25, function("F", {node("Exp", {"x"}, {"y"})}))
                    .message(25, overloaded));
  ASSERT_EQ(m.error, "");
  const Model &model = m.file->model();
  EXPECT_EQ(model.findFunction("local", "F", "")->nodes[0].opType, "Exp");
  EXPECT_EQ(model.findFunction("local", "F", "other")->nodes[0].opType, "Neg");
  EXPECT_EQ(model.findFunction("", "F", ""), nullptr);
}

TEST(Functions, HaveNoCaptures) {
  Wire main = graph({{call("F", "x", "y")}, {}, {"x"}, {"y"}});
  ParsedModel m(
      model(main).message(25, function("F", {node("Add", {"x", "z"}, {"y"})})));
  EXPECT_THAT(m.error, HasSubstr("function \"F\": node #0 (Add) uses value "
                                 "\"z\", which nothing in the function makes"));
}

TEST(Functions, MayNotCallThemselves) {
  Wire main = graph({{call("F", "x", "y")}, {}, {"x"}, {"y"}});
  ParsedModel m(model(main)
                    .message(25, function("F", {call("G", "x", "y")}))
                    .message(25, function("G", {call("F", "x", "y")})));
  EXPECT_THAT(m.error, HasSubstr("function \"F\" calls itself"));
}

/// F0 calls F1 and so on; the main graph calls \p entries of them.
static Wire callChain(unsigned length, unsigned callsEach,
                      const Names &entries = {"F0"}) {
  std::vector<Wire> calls;
  calls.reserve(entries.size());
  for (const std::string &entry : entries)
    calls.push_back(call(entry, "x", "y" + std::to_string(calls.size())));
  Wire wire = model(graph({calls, {}, {"x"}, {}}));
  for (unsigned i = 0; i < length; ++i) {
    std::string callee = "F" + std::to_string(i + 1);
    std::vector<Wire> nodes = {call(callee, "x", "y")};
    for (unsigned extra = 1; extra < callsEach; ++extra)
      nodes.push_back(call(callee, "x", "z" + std::to_string(extra)));
    wire.message(25, function("F" + std::to_string(i), nodes));
  }
  return wire.message(
      25, function("F" + std::to_string(length), {node("Neg", {"x"}, {"y"})}));
}

TEST(Functions, DepthAndExpansionAreLimited) {
  EXPECT_EQ(ParsedModel(callChain(63, 1)).error, "");
  EXPECT_THAT(ParsedModel(callChain(64, 1)).error,
              HasSubstr("nested deeper than 64 levels"));
  // The depth of what was visited before counts as well.
  EXPECT_THAT(ParsedModel(callChain(64, 1, {"F1", "F0"})).error,
              HasSubstr("nested deeper than 64 levels"));
  EXPECT_EQ(ParsedModel(callChain(10, 2)).error, "");
  EXPECT_THAT(ParsedModel(callChain(40, 2)).error,
              HasSubstr("expand to more than 4194304 nodes"));
}

TEST(Opsets, TheDefaultDomainMustBeImported) {
  Wire main = graph({{node("Neg", {"x"}, {"y"})}, {}, {"x"}, {"y"}});
  ParsedModel m(Wire().varint(1, 10).message(7, main).message(
      8, opsetImport("com.microsoft", 1)));
  EXPECT_THAT(m.error, HasSubstr("no opset import of the default domain"));
  ParsedModel twice(model(main).message(8, opsetImport("ai.onnx", 20)));
  EXPECT_THAT(twice.error, HasSubstr("two opset imports of domain \"\""));
  ParsedModel zero(model(main).message(8, opsetImport("z", 0)));
  EXPECT_THAT(zero.error, HasSubstr("domain \"z\" has version 0"));
}

TEST(Opsets, AiOnnxIsTheDefaultDomain) {
  Wire main = graph(
      {{node("Neg", {"x"}, {"y"}).string(7, "ai.onnx")}, {}, {"x"}, {"y"}});
  ParsedModel m(Wire().varint(1, 10).message(7, main).message(
      8, opsetImport("ai.onnx", 19)));
  ASSERT_EQ(m.error, "");
  EXPECT_EQ(m.graph().nodes[0].domain, "");
  EXPECT_EQ(m.file->model().opsetVersion(""), 19);
  EXPECT_EQ(m.file->model().opsetVersion("ai.onnx"), 19);
  EXPECT_EQ(m.file->model().opsetVersion("other"), std::nullopt);
}

TEST(IrVersions, AreLimited) {
  auto withVersion = [](uint64_t version) {
    return ParsedModel(Wire()
                           .varint(1, version)
                           .message(7, graph({}))
                           .message(8, opsetImport("", 21)))
        .error;
  };
  EXPECT_EQ(withVersion(3), "");
  EXPECT_EQ(withVersion(14), "");
  EXPECT_THAT(withVersion(2), HasSubstr("IR version 2 is older than 3"));
  EXPECT_THAT(withVersion(15), HasSubstr("IR version 15 is newer than 14"));
  EXPECT_THAT(withVersion(0), HasSubstr("has no IR version"));
}
