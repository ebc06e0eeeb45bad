//===- NodeOrder.cpp - Names and order of a graph's nodes -------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Kahn's algorithm over names, with the file's order as the tie-break.
///
//===----------------------------------------------------------------------===//

#include "python-free-frontend/onnx-file/NodeOrder.h"
#include "python-free-frontend/onnx-file/WireReader.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include <queue>

using namespace llvm;
using namespace txc::onnx;

/// Calls \p use on each name that \p node takes, repeats included.
static void forEachUse(const Node &node, function_ref<void(StringRef)> use) {
  for (StringRef input : node.inputs)
    if (!input.empty())
      use(input);
  for (const Attribute &attribute : node.attributes) {
    if (attribute.graph)
      for_each(attribute.graph->captures, use);
    for (const Graph *graph : attribute.graphs)
      for_each(graph->captures, use);
  }
}

namespace {
/// The names and dependences of one list of nodes.
class Ordering {
public:
  Ordering(const Graph &graph, SmallVectorImpl<Node> &nodes)
      : graph(graph), nodes(nodes) {}

  Error run(SmallVectorImpl<StringRef> &captures);

private:
  /// Producer of what no node makes: graph inputs and initializers.
  static constexpr unsigned outside = ~0u;

  Error defineAll();
  Error defineConstants();
  Error defineOutputs(unsigned index);
  /// Fills `users` and `pending`. Whether the nodes are in order already.
  bool connect(SmallVectorImpl<StringRef> &captures);
  Error sort();
  Error reportCycle() const;

  const Graph &graph;
  SmallVectorImpl<Node> &nodes;
  DenseMap<StringRef, unsigned> producer;
  /// By node: those that use its outputs, and how many uses of it wait for a
  /// node that is not placed yet.
  std::vector<SmallVector<unsigned, 2>> users;
  std::vector<unsigned> pending;
};
} // namespace

Error Ordering::run(SmallVectorImpl<StringRef> &captures) {
  if (Error error = defineAll())
    return error;
  if (connect(captures))
    return Error::success();
  return sort();
}

Error Ordering::defineAll() {
  for (const ValueInfo &input : graph.inputs) {
    if (input.name.empty())
      return makeError("a graph input has no name");
    if (!producer.try_emplace(input.name, outside).second)
      return makeError("two graph inputs are called " + quote(input.name));
  }
  if (Error error = defineConstants())
    return error;
  for (unsigned index : seq<unsigned>(nodes.size()))
    if (Error error = defineOutputs(index))
      return error;
  return Error::success();
}

Error Ordering::defineConstants() {
  DenseSet<StringRef> seen;
  auto define = [&](StringRef name) -> Error {
    if (name.empty())
      return makeError("an initializer has no name");
    if (!seen.insert(name).second)
      return makeError("two initializers are called " + quote(name));
    // Being an input as well makes it a default.
    producer.try_emplace(name, outside);
    return Error::success();
  };
  for (const TensorRef &tensor : graph.initializers)
    if (Error error = define(tensor.name))
      return error;
  for (const SparseTensor &tensor : graph.sparseInitializers)
    if (Error error = define(tensor.values.name))
      return error;
  return Error::success();
}

Error Ordering::defineOutputs(unsigned index) {
  for (StringRef output : nodes[index].outputs) {
    if (output.empty())
      continue;
    auto [found, isNew] = producer.try_emplace(output, index);
    if (isNew)
      continue;
    std::string other = found->second == outside
                            ? "a graph input or initializer"
                            : describe(nodes[found->second]);
    return makeError("value " + quote(output) + " is made twice, by " + other +
                     " and by " + describe(nodes[index]) +
                     "; ONNX graphs have one producer for each name");
  }
  return Error::success();
}

bool Ordering::connect(SmallVectorImpl<StringRef> &captures) {
  users.resize(nodes.size());
  pending.resize(nodes.size());
  DenseSet<StringRef> captured;
  bool inOrder = true;
  for (unsigned index : seq<unsigned>(nodes.size()))
    forEachUse(nodes[index], [&](StringRef name) {
      auto found = producer.find(name);
      if (found == producer.end()) {
        if (captured.insert(name).second)
          captures.push_back(name);
        return;
      }
      if (found->second == outside)
        return;
      users[found->second].push_back(index);
      ++pending[index];
      inOrder &= found->second < index;
    });
  for (const ValueInfo &output : graph.outputs)
    if (!producer.count(output.name) && captured.insert(output.name).second)
      captures.push_back(output.name);
  return inOrder;
}

Error Ordering::sort() {
  // The smallest index first keeps the file's order where it can be kept.
  std::priority_queue<unsigned, std::vector<unsigned>, std::greater<>> ready;
  for (unsigned index : seq<unsigned>(nodes.size()))
    if (pending[index] == 0)
      ready.push(index);
  SmallVector<Node, 0> sorted;
  sorted.reserve(nodes.size());
  while (!ready.empty()) {
    unsigned index = ready.top();
    ready.pop();
    sorted.push_back(nodes[index]);
    for (unsigned user : users[index])
      if (--pending[user] == 0)
        ready.push(user);
  }
  if (sorted.size() != nodes.size())
    return reportCycle();
  llvm::copy(sorted, nodes.begin());
  return Error::success();
}

Error Ordering::reportCycle() const {
  // Every node that is left waits for one that is left: following those must
  // come round.
  std::vector<unsigned> waitsFor(nodes.size());
  unsigned node = 0;
  for (unsigned index : seq<unsigned>(nodes.size()))
    if (pending[index] != 0) {
      node = index;
      for (unsigned user : users[index])
        waitsFor[user] = index;
    }
  for (size_t step = 0; step < nodes.size(); ++step)
    node = waitsFor[node];

  constexpr unsigned maxNamed = 4;
  std::string text = describe(nodes[node]);
  unsigned length = 1;
  for (unsigned at = waitsFor[node]; at != node; at = waitsFor[at])
    if (++length <= maxNamed)
      text += " uses " + describe(nodes[at]);
  if (length > maxNamed)
    text += " uses …";
  return makeError("the graph has a cycle of " + Twine(length) +
                   (length == 1 ? " node: " : " nodes: ") + text + " uses " +
                   describe(nodes[node]));
}

Error txc::onnx::orderNodes(const Graph &graph, SmallVectorImpl<Node> &nodes,
                            SmallVectorImpl<StringRef> &captures) {
  return Ordering(graph, nodes).run(captures);
}

std::string txc::onnx::describeUse(ArrayRef<Node> nodes, StringRef name) {
  for (const Node &node : nodes) {
    if (is_contained(node.inputs, name))
      return describe(node);
    for (const Attribute &attribute : node.attributes) {
      SmallVector<const Graph *> graphs(attribute.graphs);
      if (attribute.graph)
        graphs.push_back(attribute.graph);
      for (const Graph *graph : graphs)
        if (is_contained(graph->captures, name))
          return describe(node) + ": " + describeUse(graph->nodes, name);
    }
  }
  return "a graph output";
}
