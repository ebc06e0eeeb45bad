//===- ScanReference.cpp - ops along one axis -----------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Places of extremes, running sums and sorted selections: ops that look at the
/// elements along one axis in their order.
//
//===----------------------------------------------------------------------===//

#include "compiler/reference/Evaluation.h"
#include "compiler/reference/ScalarMath.h"
#include <numeric>

using namespace mlir;
using namespace txc;
using namespace txc::reference;

/// Calls `visit(first, resultFirst)` for each line along `axis` of a tensor of
/// `dims`: the places of its first element and, in a tensor that has
/// `resultSize` elements along the axis, of the corresponding line.
static void forEachLine(ArrayRef<int64_t> dims, int64_t axis,
                        int64_t resultSize,
                        function_ref<void(int64_t, int64_t)> visit) {
  int64_t outer = llvm::product_of(dims.take_front(axis));
  int64_t inner = llvm::product_of(dims.drop_front(axis + 1));
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < inner; ++i)
      visit(o * dims[axis] * inner + i, o * resultSize * inner + i);
}

/// A NaN is larger than all numbers.
static bool isGreater(bool, double x, double y) {
  return std::isnan(x) ? !std::isnan(y) : x > y;
}
static bool isGreater(bool isUnsigned, int64_t x, int64_t y) {
  return isLess(isUnsigned, y, x);
}

//===----------------------------------------------------------------------===//
// Places of extremes
//===----------------------------------------------------------------------===//

/// Here a NaN is the extreme of either kind.
static bool isBetter(tx::ReduceKind kind, bool, double x, double y) {
  if (std::isnan(x) || std::isnan(y))
    return std::isnan(x) && !std::isnan(y);
  return kind == tx::ReduceKind::max ? x > y : x < y;
}
static bool isBetter(tx::ReduceKind kind, bool isUnsigned, int64_t x,
                     int64_t y) {
  return kind == tx::ReduceKind::max ? isLess(isUnsigned, y, x)
                                     : isLess(isUnsigned, x, y);
}

template <typename T>
static void findExtremes(tx::ArgReduceOp op, const HostTensor &x,
                         HostTensor &result) {
  auto axis = static_cast<int64_t>(op.getAxis());
  bool isUnsigned = x.getFormat().isUnsigned();
  std::vector<T> line(x.getDim(axis));
  forEachLine(x.getDims(), axis, 1, [&](int64_t first, int64_t place) {
    x.read<T>(first, x.getStrides()[axis], line);
    size_t best = 0;
    for (size_t i = 1; i < line.size(); ++i) {
      bool wins = op.getLast()
                      ? !isBetter(op.getKind(), isUnsigned, line[best], line[i])
                      : isBetter(op.getKind(), isUnsigned, line[i], line[best]);
      best = wins ? i : best;
    }
    result.setInt(place, static_cast<int64_t>(best));
  });
}

Results txc::reference::evaluate(tx::ArgReduceOp op,
                                 const Evaluation &evaluation) {
  FailureOr<HostTensor> result = evaluation.allocateResult();
  if (failed(result))
    return failure();
  const HostTensor &x = evaluation.operand(0);
  if (x.getDim(static_cast<int64_t>(op.getAxis())) == 0 &&
      result->getNumElements() != 0)
    return evaluation.fault() << "no element along the axis of " << x.getType();
  if (x.isFloat())
    findExtremes<double>(op, x, *result);
  else
    findExtremes<int64_t>(op, x, *result);
  return single(std::move(*result));
}

//===----------------------------------------------------------------------===//
// Running sums
//===----------------------------------------------------------------------===//

template <typename T>
static void cumsum(tx::CumsumOp op, const HostTensor &x, HostTensor &result) {
  auto axis = static_cast<int64_t>(op.getAxis());
  int64_t step = x.getStrides()[axis];
  std::vector<T> line(x.getDim(axis));
  forEachLine(x.getDims(), axis, x.getDim(axis), [&](int64_t first, int64_t) {
    x.read<T>(first, step, line);
    if (op.getReverse())
      std::reverse(line.begin(), line.end());
    T sum = 0;
    for (T &element : line) {
      T next = plus(sum, element);
      element = op.getExclusive() ? sum : next;
      sum = next;
    }
    if (op.getReverse())
      std::reverse(line.begin(), line.end());
    result.write<T>(first, step, line);
  });
}

Results txc::reference::evaluate(tx::CumsumOp op,
                                 const Evaluation &evaluation) {
  FailureOr<HostTensor> result = evaluation.allocateResult();
  if (failed(result))
    return failure();
  const HostTensor &x = evaluation.operand(0);
  if (x.isFloat())
    cumsum<double>(op, x, *result);
  else
    cumsum<int64_t>(op, x, *result);
  return single(std::move(*result));
}

//===----------------------------------------------------------------------===//
// Sorted selections
//===----------------------------------------------------------------------===//

template <typename T>
static void selectTop(tx::TopkOp op, const HostTensor &x, HostTensor &values,
                      HostTensor &indices) {
  auto axis = static_cast<int64_t>(op.getAxis());
  int64_t k = values.getDim(axis), step = x.getStrides()[axis];
  bool isUnsigned = x.getFormat().isUnsigned();
  std::vector<T> line(x.getDim(axis));
  std::vector<int64_t> order(line.size());
  auto precedes = [&](int64_t i, int64_t j) {
    if (isGreater(isUnsigned, line[i], line[j]))
      return !op.getSmallest();
    if (isGreater(isUnsigned, line[j], line[i]))
      return op.getSmallest();
    return i < j;
  };
  forEachLine(x.getDims(), axis, k, [&](int64_t first, int64_t resultFirst) {
    x.read<T>(first, step, line);
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + k, order.end(), precedes);
    ArrayRef<int64_t> top = ArrayRef(order).take_front(k);
    SmallVector<T> chosen;
    for (int64_t i : top)
      chosen.push_back(line[i]);
    values.write<T>(resultFirst, step, chosen);
    indices.write<int64_t>(resultFirst, step, top);
  });
}

Results txc::reference::evaluate(tx::TopkOp op, const Evaluation &evaluation) {
  FailureOr<HostTensor> values = evaluation.allocateResult(0);
  FailureOr<HostTensor> indices = evaluation.allocateResult(1);
  if (failed(values) || failed(indices))
    return failure();
  const HostTensor &x = evaluation.operand(0);
  auto axis = static_cast<int64_t>(op.getAxis());
  if (values->getDim(axis) > x.getDim(axis))
    return evaluation.fault() << "cannot take " << values->getDim(axis)
                              << " of " << x.getDim(axis) << " elements";
  if (x.isFloat())
    selectTop<double>(op, x, *values, *indices);
  else
    selectTop<int64_t>(op, x, *values, *indices);
  SmallVector<HostTensor> results;
  results.push_back(std::move(*values));
  results.push_back(std::move(*indices));
  return results;
}

//===----------------------------------------------------------------------===//
// Places of true elements
//===----------------------------------------------------------------------===//

Results txc::reference::evaluate(tx::NonzeroOp, const Evaluation &evaluation) {
  FailureOr<HostTensor> result = evaluation.allocateResult();
  if (failed(result))
    return failure();
  const HostTensor &x = evaluation.operand(0);
  int64_t count = result->getDim(1), found = 0;
  for (int64_t place = 0; place < x.getNumElements(); ++place) {
    if (!x.getInt(place))
      continue;
    int64_t rest = place;
    for (int64_t d = x.getRank() - 1; d >= 0 && found < count; --d) {
      result->setInt(d * count + found, rest % x.getDim(d));
      rest /= x.getDim(d);
    }
    ++found;
  }
  if (found != count)
    return evaluation.fault() << "the symbols make " << count
                              << " true elements, there are " << found;
  return single(std::move(*result));
}
