//===- NormReference.cpp - norms and softmax ------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Norms over the last dims, softmax along an axis.
//
//===----------------------------------------------------------------------===//

#include "compiler/reference/Evaluation.h"
#include "compiler/reference/ScalarMath.h"

using namespace mlir;
using namespace txc;
using namespace txc::reference;

//===----------------------------------------------------------------------===//
// Norms
//===----------------------------------------------------------------------===//

static double meanOf(ArrayRef<double> values,
                     function_ref<double(double)> function) {
  double sum = 0;
  for (double value : values)
    sum += function(value);
  return sum / static_cast<double>(values.size());
}

static void layerNorm(MutableArrayRef<double> row, double epsilon) {
  double mean = meanOf(row, [](double x) { return x; });
  double variance =
      meanOf(row, [&](double x) { return (x - mean) * (x - mean); });
  for (double &x : row)
    x = (x - mean) / std::sqrt(variance + epsilon);
}

static void rmsNorm(MutableArrayRef<double> row, double epsilon) {
  double meanSquare = meanOf(row, [](double x) { return x * x; });
  for (double &x : row)
    x = x / std::sqrt(meanSquare + epsilon);
}

/// Combines `row`, of the dims behind the first `outer` of `dims`, with a
/// tensor that broadcasts to `dims`, `first` being its place for this row.
static void applyBroadcast(MutableArrayRef<double> row,
                           const HostTensor &tensor, int64_t first,
                           ArrayRef<int64_t> dims, size_t outer,
                           function_ref<double(double, double)> function) {
  Strides strides = getBroadcastStrides(tensor.getDims(), dims);
  StridedLoop loop(dims.drop_front(outer),
                   {Strides(ArrayRef(strides).drop_front(outer))});
  std::vector<double> values(loop.getRowLength());
  double *element = row.data();
  loop.forEachRow([&](ArrayRef<int64_t> places) {
    tensor.read<double>(first + places[0], loop.getRowStep(0), values);
    for (double value : values) {
      *element = function(*element, value);
      ++element;
    }
  });
}

template <typename NormOp>
static Results
evaluateNorm(NormOp op, const Evaluation &evaluation,
             function_ref<void(MutableArrayRef<double>, double)> normalize) {
  FailureOr<HostTensor> result = evaluation.allocateResult();
  if (failed(result))
    return failure();
  const HostTensor &x = evaluation.operand(0);
  if (!x.isFloat())
    return evaluation.fault() << "not defined on " << x.getElementType();
  const HostTensor *scale = evaluation.optionalOperand(op, 1);
  const HostTensor *bias = evaluation.optionalOperand(op, 2);
  ArrayRef<int64_t> dims = x.getDims();
  size_t outer = dims.size() - op.getAxes();
  auto outerStrides = [&](const HostTensor *tensor) {
    Strides strides = tensor ? getBroadcastStrides(tensor->getDims(), dims)
                             : Strides(dims.size(), 0);
    strides.resize(outer);
    return strides;
  };
  StridedLoop loop(dims.take_front(outer),
                   {outerStrides(&x), outerStrides(scale), outerStrides(bias)});
  std::vector<double> row(llvm::product_of(dims.drop_front(outer)));
  double epsilon = op.getEpsilon().convertToDouble();
  loop.forEachRow([&](ArrayRef<int64_t> places) {
    for (int64_t i = 0; i < loop.getRowLength(); ++i) {
      int64_t first = places[0] + i * loop.getRowStep(0);
      x.read<double>(first, 1, row);
      normalize(row, epsilon);
      if (scale)
        applyBroadcast(row, *scale, places[1] + i * loop.getRowStep(1), dims,
                       outer, [](double x, double y) { return x * y; });
      if (bias)
        applyBroadcast(row, *bias, places[2] + i * loop.getRowStep(2), dims,
                       outer, [](double x, double y) { return x + y; });
      result->write<double>(first, 1, row);
    }
  });
  return single(std::move(*result));
}

Results txc::reference::evaluate(tx::LayerNormOp op,
                                 const Evaluation &evaluation) {
  return evaluateNorm(op, evaluation, layerNorm);
}

Results txc::reference::evaluate(tx::RmsNormOp op,
                                 const Evaluation &evaluation) {
  return evaluateNorm(op, evaluation, rmsNorm);
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

static void softmax(MutableArrayRef<double> line, bool isLogarithm) {
  double largest = -std::numeric_limits<double>::infinity();
  for (double x : line)
    largest = maximum(largest, x);
  double sum = 0;
  for (double x : line)
    sum += std::exp(x - largest);
  for (double &x : line)
    x = isLogarithm ? x - largest - std::log(sum) : std::exp(x - largest) / sum;
}

Results txc::reference::evaluate(tx::SoftmaxOp op,
                                 const Evaluation &evaluation) {
  FailureOr<HostTensor> result = evaluation.allocateResult();
  if (failed(result))
    return failure();
  const HostTensor &x = evaluation.operand(0);
  if (!x.isFloat())
    return evaluation.fault() << "not defined on " << x.getElementType();
  auto axis = static_cast<int64_t>(op.getAxis());
  if (axis < 0 || axis >= x.getRank())
    return evaluation.fault()
           << "axis " << axis << " is outside " << x.getType();
  int64_t outer = llvm::product_of(x.getDims().take_front(axis));
  int64_t size = x.getDim(axis), inner = x.getStrides()[axis];
  std::vector<double> line(size);
  for (int64_t i = 0; i < outer * inner; ++i) {
    int64_t first = i / inner * size * inner + i % inner;
    x.read<double>(first, inner, line);
    softmax(line, op.getLog());
    result->write<double>(first, inner, line);
  }
  return single(std::move(*result));
}
