//===- FunctionCalls.cpp - Calls among a model's functions ------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Visits functions callees first, counting depth and nodes on the way.
///
//===----------------------------------------------------------------------===//

#include "python-free-frontend/onnx-file/FunctionCalls.h"
#include "python-free-frontend/onnx-file/OnnxFile.h"
#include "python-free-frontend/onnx-file/WireReader.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include <tuple>

using namespace llvm;
using namespace txc::onnx;

static void forEachNode(ArrayRef<Node> nodes,
                        function_ref<void(const Node &)> use) {
  for (const Node &node : nodes) {
    use(node);
    for (const Attribute &attribute : node.attributes) {
      if (attribute.graph)
        forEachNode(attribute.graph->nodes, use);
      for (const Graph *graph : attribute.graphs)
        forEachNode(graph->nodes, use);
    }
  }
}

namespace {
class CallChecker {
public:
  explicit CallChecker(const Model &model)
      : model(model), states(model.functions.size()) {}

  Error run();

private:
  /// Of one function: levels of calls below it, and the nodes it is inlined
  /// to.
  struct State {
    enum { New, Open, Done } progress = New;
    unsigned height = 0;
    uint64_t nodes = 0;
  };

  Error index();
  Error visit(unsigned function, unsigned depth);
  /// Adds up \p nodes and all that they call.
  Error visitBody(ArrayRef<Node> nodes, unsigned depth, State &sum);

  const Model &model;
  std::vector<State> states;
  DenseMap<std::tuple<StringRef, StringRef, StringRef>, unsigned> byIdentity;
};
} // namespace

Error CallChecker::index() {
  for (auto [number, function] : enumerate(model.functions))
    if (!byIdentity
             .try_emplace({function.domain, function.name, function.overload},
                          number)
             .second)
      return makeError("two functions are called " + quote(function.name) +
                       " in domain " + quote(function.domain));
  return Error::success();
}

Error CallChecker::visitBody(ArrayRef<Node> nodes, unsigned depth, State &sum) {
  Error error = Error::success();
  forEachNode(nodes, [&](const Node &node) {
    if (error)
      return;
    ++sum.nodes;
    auto callee = byIdentity.find({node.domain, node.opType, node.overload});
    if (callee == byIdentity.end())
      return;
    error = visit(callee->second, depth + 1);
    const State &state = states[callee->second];
    sum.nodes += state.nodes;
    sum.height = std::max(sum.height, state.height + 1);
    if (!error && sum.nodes > OnnxFile::maxInlinedNodes)
      error = makeError("its functions expand to more than " +
                        Twine(OnnxFile::maxInlinedNodes) + " nodes");
  });
  return error;
}

Error CallChecker::visit(unsigned function, unsigned depth) {
  State &state = states[function];
  StringRef name = model.functions[function].name;
  if (state.progress == State::Open)
    return makeError("function " + quote(name) +
                     " calls itself, directly or through others");
  // The height bounds calls through functions that were visited before.
  if (depth + state.height > OnnxFile::maxNesting)
    return makeError("calls of function " + quote(name) +
                     " are nested deeper than " + Twine(OnnxFile::maxNesting) +
                     " levels");
  if (state.progress == State::Done)
    return Error::success();
  state.progress = State::Open;
  if (Error error = visitBody(model.functions[function].nodes, depth, state))
    return error;
  state.progress = State::Done;
  return Error::success();
}

Error CallChecker::run() {
  if (model.functions.empty())
    return Error::success();
  if (Error error = index())
    return error;
  State main;
  if (Error error = visitBody(model.graph.nodes, 0, main))
    return error;
  for (unsigned function : seq<unsigned>(states.size()))
    if (Error error = visit(function, 1))
      return error;
  return Error::success();
}

Error txc::onnx::checkFunctionCalls(const Model &model) {
  return CallChecker(model).run();
}
