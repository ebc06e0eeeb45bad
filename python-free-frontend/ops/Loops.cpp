//===- Loops.cpp - ONNX operators that repeat a subgraph ------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Loop and Scan. Bodies are written out one after the other where the number
/// of iterations is known when the model is compiled, and small; else a run
/// goes around a loop.
//
//===----------------------------------------------------------------------===//

#include "python-free-frontend/ops/OpTable.h"
#include "python-free-frontend/ops/Steps.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::SymExprAttr;

//===----------------------------------------------------------------------===//
// Loop
//===----------------------------------------------------------------------===//

/// A scalar that is known; nothing if it is not.
static std::optional<int64_t> matchScalar(Value value) {
  std::optional<Exprs> exprs = tx::matchExprs(value);
  return exprs && exprs->size() == 1 ? exprs->front().getConstant()
                                     : std::nullopt;
}

namespace {
/// A Loop, some of whose iterations may be written out already.
class LoopBuilder {
public:
  LoopBuilder(NodeContext &context, const onnx::Graph &body)
      : context(context), body(body),
        carried(context.getOperands().drop_front(
            std::min<size_t>(context.getNumOperands(), 2))) {}

  LogicalResult readOperands();
  /// Writes iterations out while it is known that there is another one; fails
  /// after an error.
  LogicalResult writeOut();
  /// The others; nothing if there are none.
  LogicalResult goAround();
  NodeResults finish();

private:
  SmallVector<Value> getInputs(SymExprAttr index, ArrayRef<Value> carried);

  NodeContext &context;
  const onnx::Graph &body;
  /// Nothing: as many as the condition says.
  SymExprAttr trips;
  Value condition;
  SmallVector<Value> carried;
  int64_t numWritten = 0;
  bool isDone = false;
  /// Elements of each output, and what the other iterations made of it.
  SmallVector<SmallVector<Value>> elements;
  SmallVector<Value> stacks;
};
} // namespace

/// More iterations than a run ever makes: exporters write the largest integer
/// for a loop that its condition ends.
constexpr int64_t kNoLimit = int64_t{1} << 32;

LogicalResult LoopBuilder::readOperands() {
  if (body.outputs.size() < carried.size() + 1)
    return context.unsupported("its body has too few outputs");
  elements.resize(body.outputs.size() - 1 - carried.size());
  condition = context.getOperand(1);
  if (!condition)
    condition = context.getScalar(context.getBuilder().getI1Type(), 1);
  Value count = context.getOperand(0);
  if (!count)
    return success();
  count = context.getElement(count, 0);
  if (!count)
    return failure();
  if (!matchScalar(count))
    count = context.create<tx::MaximumOp>(
        count, context.getScalar(typeOf(count).getElementType(), 0));
  trips = context.getSize(count, "trips");
  if (!trips)
    return failure();
  trips = context.getMax(trips, context.getExpr(0));
  if (std::optional<int64_t> known = trips.getConstant();
      known && *known >= kNoLimit)
    trips = {};
  return success();
}

/// The body maps (iteration, condition, carried) to (condition, carried,
/// outputs).
SmallVector<Value> LoopBuilder::getInputs(SymExprAttr index,
                                          ArrayRef<Value> values) {
  SmallVector<Value> inputs = {
      context.getExprScalar(index),
      context.getScalar(context.getBuilder().getI1Type(), 1)};
  llvm::append_range(inputs, values);
  return inputs;
}

LogicalResult LoopBuilder::writeOut() {
  std::optional<int64_t> limit = trips ? trips.getConstant() : std::nullopt;
  if (trips && (!limit || *limit > kMaxSteps))
    return success();
  while (true) {
    std::optional<int64_t> goesOn = matchScalar(condition);
    isDone = goesOn == 0 || numWritten == limit;
    if (isDone || !goesOn || numWritten == kMaxSteps)
      return success();
    NodeResults results = context.inlineGraph(
        body, getInputs(context.getExpr(numWritten), carried));
    if (results.failed())
      return failure();
    ArrayRef<Value> values = results.getValues();
    condition = values.front();
    llvm::copy(values.slice(1, carried.size()), carried.begin());
    for (auto [list, value] :
         llvm::zip(elements, values.drop_front(1 + carried.size())))
      list.push_back(value);
    ++numWritten;
  }
}

LogicalResult LoopBuilder::goAround() {
  if (isDone)
    return success();
  SymExprAttr written = context.getExpr(numWritten);
  LoopParts parts{trips ? tx::sub(trips, written) : SymExprAttr(), condition,
                  carried};
  NodeResults results =
      context.loop(parts, [&](SymExprAttr index, ArrayRef<Value> values) {
        return context.inlineGraph(body,
                                   getInputs(tx::add(index, written), values));
      });
  if (results.failed())
    return failure();
  ArrayRef<Value> values = results.getValues();
  llvm::copy(values.take_front(carried.size()), carried.begin());
  stacks = llvm::to_vector(values.drop_front(carried.size()));
  return success();
}

NodeResults LoopBuilder::finish() {
  for (auto [i, list] : llvm::enumerate(elements)) {
    if (list.empty() && stacks.empty())
      return context.unsupported("an output of no iterations has no dims");
    Value output = list.empty() ? Value() : stackSteps(context, list, 0);
    if (!stacks.empty() && output)
      output = context.create<tx::ConcatOp>(ValueRange({output, stacks[i]}), 0);
    else if (!stacks.empty())
      output = stacks[i];
    carried.push_back(output);
  }
  return NodeResults(std::move(carried));
}

/// Operands: trip count, condition (both optional), carried values.
static NodeResults buildLoop(NodeContext &context) {
  const onnx::Graph *body = context.getGraph("body");
  if (!body)
    return context.unsupported("attribute \"body\" is missing");
  LoopBuilder builder(context, *body);
  if (failed(builder.readOperands()) || failed(builder.writeOut()) ||
      failed(builder.goAround()))
    return {};
  return builder.finish();
}

//===----------------------------------------------------------------------===//
// Scan
//===----------------------------------------------------------------------===//

namespace {
/// One input or output that has an element for each iteration.
struct ScanAxis {
  int64_t axis = 0;
  bool isReversed = false;
};
} // namespace

static FailureOr<SmallVector<ScanAxis>>
getScanAxes(NodeContext &context, StringRef kind, size_t count) {
  SmallVector<ScanAxis> result(count);
  auto axes = context.getInts(("scan_" + kind + "_axes").str());
  auto directions = context.getInts(("scan_" + kind + "_directions").str());
  if ((axes && axes->size() != count) ||
      (directions && directions->size() != count))
    return context.unsupported("it has " + Twine(count) + " scanned " + kind +
                               "s, but other numbers of axes or directions");
  for (size_t i = 0; i < count; ++i)
    result[i] = {axes ? (*axes)[i] : 0, directions && (*directions)[i] != 0};
  return result;
}

namespace {
/// The body maps (states, elements) to (states, outputs).
class ScanBuilder {
public:
  ScanBuilder(NodeContext &context, const onnx::Graph &body)
      : context(context), body(body) {}

  LogicalResult readOperands(int64_t numScanned);
  NodeResults writeOut(int64_t count);
  NodeResults goAround();

  SymExprAttr getLength() const { return context.resolve(length); }

private:
  /// An iteration's results, whose states have the dims of the ones before.
  NodeResults keepDims(const NodeResults &results, ArrayRef<Value> before);
  /// The axis of an output of that rank.
  FailureOr<int64_t> getOutputAxis(const ScanAxis &scan, int64_t rank) {
    return context.normalizeAxis(scan.axis, rank);
  }

  NodeContext &context;
  const onnx::Graph &body;
  SmallVector<Value> states, inputs;
  SmallVector<ScanAxis> inputAxes, outputAxes;
  SymExprAttr length;
};
} // namespace

LogicalResult ScanBuilder::readOperands(int64_t numScanned) {
  int64_t numStates =
      static_cast<int64_t>(context.getNumOperands()) - numScanned;
  if (numScanned < 1 || numStates < 0 ||
      static_cast<int64_t>(body.outputs.size()) < numStates)
    return context.unsupported("its body or num_scan_inputs is wrong");
  auto inputScans = getScanAxes(context, "input", numScanned);
  auto outputScans =
      getScanAxes(context, "output", body.outputs.size() - numStates);
  if (failed(inputScans) || failed(outputScans))
    return failure();
  inputAxes = std::move(*inputScans);
  outputAxes = std::move(*outputScans);
  states = llvm::to_vector(context.getOperands().take_front(numStates));
  inputs = llvm::to_vector(context.getOperands().drop_front(numStates));
  for (auto [scan, input] : llvm::zip(inputAxes, inputs)) {
    FailureOr<int64_t> axis =
        context.normalizeAxis(scan.axis, typeOf(input).getRank());
    if (failed(axis))
      return failure();
    scan.axis = *axis;
    length =
        length ? context.resolve(length) : tx::getDim(typeOf(input), scan.axis);
    input = context.withDim(input, scan.axis, length,
                            "the lengths of scanned inputs");
    if (!input)
      return failure();
  }
  return success();
}

NodeResults ScanBuilder::writeOut(int64_t count) {
  SmallVector<SmallVector<Value>> outputs(outputAxes.size());
  for (int64_t i = 0; i < count; ++i) {
    SmallVector<Value> arguments = states;
    for (auto [scan, input] : llvm::zip(inputAxes, inputs)) {
      int64_t place = scan.isReversed ? count - 1 - i : i;
      arguments.push_back(takeStep(context, input, scan.axis, place));
    }
    NodeResults results = context.inlineGraph(body, arguments);
    if (results.failed())
      return {};
    ArrayRef<Value> values = results.getValues();
    llvm::copy(values.take_front(states.size()), states.begin());
    for (auto [list, value] :
         llvm::zip(outputs, values.drop_front(states.size())))
      list.push_back(value);
  }
  SmallVector<Value> results = states;
  for (auto [scan, list] : llvm::zip(outputAxes, outputs)) {
    FailureOr<int64_t> axis =
        getOutputAxis(scan, typeOf(list.front()).getRank() + 1);
    if (failed(axis))
      return {};
    if (scan.isReversed)
      std::reverse(list.begin(), list.end());
    results.push_back(stackSteps(context, list, *axis));
  }
  return NodeResults(std::move(results));
}

NodeResults ScanBuilder::keepDims(const NodeResults &results,
                                  ArrayRef<Value> before) {
  if (results.failed())
    return {};
  SmallVector<Value> values = llvm::to_vector(results.getValues());
  for (auto [value, state] : llvm::zip(values, before)) {
    if (typeOf(value).getRank() != typeOf(state).getRank())
      return context.unsupported("a state's rank differs between iterations");
    for (int64_t d = 0; d < typeOf(state).getRank() && value; ++d)
      value = context.withDim(value, d, tx::getDim(typeOf(state), d),
                              "a state's dims in two iterations");
  }
  return NodeResults(std::move(values));
}

NodeResults ScanBuilder::goAround() {
  LoopParts parts{getLength(), {}, states};
  NodeResults looped =
      context.loop(parts, [&](SymExprAttr index, ArrayRef<Value> carried) {
        SmallVector<Value> arguments = llvm::to_vector(carried);
        for (auto [scan, input] : llvm::zip(inputAxes, inputs)) {
          SymExprAttr place = index;
          if (scan.isReversed)
            place = tx::sub(tx::sub(parts.trips, context.getExpr(1)), index);
          arguments.push_back(takeStep(context, input, scan.axis, place));
        }
        return keepDims(context.inlineGraph(body, arguments), carried);
      });
  if (looped.failed())
    return {};
  SmallVector<Value> results = llvm::to_vector(looped.getValues());
  for (auto [scan, stack] :
       llvm::zip(outputAxes, llvm::drop_begin(results, states.size()))) {
    int64_t rank = typeOf(stack).getRank();
    FailureOr<int64_t> axis = getOutputAxis(scan, rank);
    if (failed(axis))
      return {};
    if (scan.isReversed)
      stack = reverseSteps(context, stack, 0);
    auto permutation = llvm::to_vector(llvm::seq<int64_t>(1, rank));
    permutation.insert(permutation.begin() + *axis, 0);
    stack = context.transpose(stack, permutation);
  }
  return NodeResults(std::move(results));
}

/// Operands: states, then what is scanned.
static NodeResults buildScan(NodeContext &context) {
  const onnx::Graph *body = context.getGraph("body");
  if (!body)
    return context.unsupported("attribute \"body\" is missing");
  ScanBuilder builder(context, *body);
  if (failed(builder.readOperands(context.getInt("num_scan_inputs", 0))))
    return {};
  std::optional<int64_t> count = getWrittenSteps(builder.getLength());
  return count ? builder.writeOut(*count) : builder.goAround();
}

OpTable frontend::getLoopOps() {
  static constexpr OpEntry table[] = {
      {"Loop", 1, 0, kAnyNumber, buildLoop},
      {"Scan", 9, 1, kAnyNumber, buildScan},
  };
  return table;
}
