//===- Loops.cpp - ONNX operators that repeat a subgraph ------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Loop and Scan whose number of iterations is known when the model is
/// compiled: their bodies are written out one after the other.
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

/// Operands: trip count, condition (both optional), carried values. The body
/// maps (iteration, condition, carried) to (condition, carried, outputs).
static NodeResults buildLoop(NodeContext &context) {
  const onnx::Graph *body = context.getGraph("body");
  if (!body)
    return context.unsupported("attribute \"body\" is missing");
  ArrayRef<Value> operands = context.getOperands();
  SmallVector<Value> carried(
      operands.drop_front(std::min<size_t>(operands.size(), 2)));
  if (body->outputs.size() < carried.size() + 1)
    return context.unsupported("its body has too few outputs");
  int64_t count = kMaxSteps + 1;
  if (Value trips = context.getOperand(0)) {
    std::optional<int64_t> known = matchScalar(trips);
    if (!known)
      return context.unsupported("its number of iterations is only known in a "
                                 "run",
                                 "-dim to fix what it depends on");
    count = std::clamp<int64_t>(*known, 0, count);
  }
  Type i1 = context.getBuilder().getI1Type();
  Type i64 = context.getBuilder().getI64Type();
  Value condition = context.getOperand(1);
  if (!condition)
    condition = context.getScalar(i1, 1);
  SmallVector<SmallVector<Value>> outputs(body->outputs.size() - 1 -
                                          carried.size());
  for (int64_t i = 0; i < count; ++i) {
    std::optional<int64_t> goesOn = matchScalar(condition);
    if (!goesOn)
      return context.unsupported(
          "its condition is only known in a run",
          "an export without it, or -dim to fix what it depends on");
    if (*goesOn == 0)
      break;
    if (i == kMaxSteps)
      return context.unsupported("it has more than " + Twine(kMaxSteps) +
                                 " iterations");
    SmallVector<Value> inputs = {context.getScalar(i64, static_cast<double>(i)),
                                 condition};
    llvm::append_range(inputs, carried);
    NodeResults results = context.inlineGraph(*body, inputs);
    if (results.failed())
      return {};
    ArrayRef<Value> values = results.getValues();
    condition = values.front();
    llvm::copy(values.slice(1, carried.size()), carried.begin());
    for (auto [list, value] :
         llvm::zip(outputs, values.drop_front(1 + carried.size())))
      list.push_back(value);
  }
  for (ArrayRef<Value> list : outputs) {
    if (list.empty())
      return context.unsupported("an output of no iterations has no dims");
    carried.push_back(stackSteps(context, list, 0));
  }
  return NodeResults(std::move(carried));
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

/// Operands: states, then what is scanned. The body maps (states, elements) to
/// (states, outputs).
static NodeResults buildScan(NodeContext &context) {
  const onnx::Graph *body = context.getGraph("body");
  int64_t scanned = context.getInt("num_scan_inputs", 0);
  int64_t states = static_cast<int64_t>(context.getNumOperands()) - scanned;
  if (!body || scanned < 1 || states < 0 ||
      static_cast<int64_t>(body->outputs.size()) < states)
    return context.unsupported("its body or num_scan_inputs is wrong");
  auto inputAxes = getScanAxes(context, "input", scanned);
  auto outputAxes =
      getScanAxes(context, "output", body->outputs.size() - states);
  if (failed(inputAxes) || failed(outputAxes))
    return {};
  SmallVector<Value> carried(context.getOperands().take_front(states));
  SmallVector<Value> inputs(context.getOperands().drop_front(states));
  SymExprAttr length;
  for (auto [scan, input] : llvm::zip(*inputAxes, inputs)) {
    FailureOr<int64_t> axis =
        context.normalizeAxis(scan.axis, typeOf(input).getRank());
    if (failed(axis))
      return {};
    scan.axis = *axis;
    length =
        length ? context.resolve(length) : tx::getDim(typeOf(input), scan.axis);
    input = context.withDim(input, scan.axis, length,
                            "the lengths of scanned inputs");
    if (!input)
      return {};
  }
  FailureOr<int64_t> count =
      getStepCount(context, length, "the length of what is scanned");
  if (failed(count))
    return {};
  SmallVector<SmallVector<Value>> outputs(outputAxes->size());
  for (int64_t i = 0; i < *count; ++i) {
    SmallVector<Value> arguments = carried;
    for (auto [scan, input] : llvm::zip(*inputAxes, inputs)) {
      int64_t place = scan.isReversed ? *count - 1 - i : i;
      arguments.push_back(takeStep(context, input, scan.axis, place));
    }
    NodeResults results = context.inlineGraph(*body, arguments);
    if (results.failed())
      return {};
    ArrayRef<Value> values = results.getValues();
    llvm::copy(values.take_front(states), carried.begin());
    for (auto [list, value] : llvm::zip(outputs, values.drop_front(states)))
      list.push_back(value);
  }
  for (auto [scan, list] : llvm::zip(*outputAxes, outputs)) {
    FailureOr<int64_t> axis =
        context.normalizeAxis(scan.axis, typeOf(list.front()).getRank() + 1);
    if (failed(axis))
      return {};
    if (scan.isReversed)
      std::reverse(list.begin(), list.end());
    carried.push_back(stackSteps(context, list, *axis));
  }
  return NodeResults(std::move(carried));
}

OpTable frontend::getLoopOps() {
  static constexpr OpEntry table[] = {
      {"Loop", 1, 0, kAnyNumber, buildLoop},
      {"Scan", 9, 1, kAnyNumber, buildScan},
  };
  return table;
}
