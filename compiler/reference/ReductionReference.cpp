//===- ReductionReference.cpp - reductions --------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Sums, means, products and extremes along axes.
//
//===----------------------------------------------------------------------===//

#include "compiler/reference/Evaluation.h"
#include "compiler/reference/ScalarMath.h"

using namespace mlir;
using namespace txc;
using namespace txc::reference;

/// What a reduction of no element gives; of a mean, what the sum begins with.
template <typename T>
static T getNeutral(tx::ReduceKind kind, const ElementFormat &format) {
  switch (kind) {
  case tx::ReduceKind::sum:
  case tx::ReduceKind::mean:
    return 0;
  case tx::ReduceKind::prod:
    return 1;
  case tx::ReduceKind::max:
    if constexpr (std::is_floating_point_v<T>)
      return -std::numeric_limits<T>::infinity();
    else
      return format.isUnsigned() ? 0 : llvm::minIntN(format.getBitWidth());
  case tx::ReduceKind::min:
    if constexpr (std::is_floating_point_v<T>)
      return std::numeric_limits<T>::infinity();
    else
      return format.isUnsigned()
                 ? static_cast<T>(llvm::maxUIntN(format.getBitWidth()))
                 : llvm::maxIntN(format.getBitWidth());
  }
  llvm_unreachable("all kinds are handled");
}

template <typename T>
static T combine(tx::ReduceKind kind, bool isUnsigned, T x, T y) {
  switch (kind) {
  case tx::ReduceKind::sum:
  case tx::ReduceKind::mean:
    return plus(x, y);
  case tx::ReduceKind::prod:
    return times(x, y);
  case tx::ReduceKind::max:
    return maximum(isUnsigned, x, y);
  case tx::ReduceKind::min:
    return minimum(isUnsigned, x, y);
  }
  llvm_unreachable("all kinds are handled");
}

template <typename T>
static void reduce(tx::ReduceKind kind, ArrayRef<int64_t> axes,
                   const HostTensor &x, HostTensor &result) {
  SmallVector<int64_t> reducedDims(x.getRank(), 1);
  int64_t count = 1;
  for (int64_t axis : axes) {
    reducedDims[axis] = x.getDim(axis);
    count *= x.getDim(axis);
  }
  StridedLoop kept(result.getDims(), {x.getStrides()});
  StridedLoop reduced(reducedDims, {x.getStrides()});
  bool isUnsigned = x.getFormat().isUnsigned();
  int64_t place = 0;
  auto finish = [&](MutableArrayRef<T> values) {
    if (kind == tx::ReduceKind::mean)
      for (T &value : values)
        value = value / static_cast<T>(count);
    result.write<T>(place, 1, values);
    place += static_cast<int64_t>(values.size());
  };
  // What lies dense is read dense: along the kept elements, else along those
  // of one result. Either way a result's elements come in the same order.
  std::vector<T> row(reduced.getRowLength());
  auto reduceOne = [&](int64_t first) {
    T value = getNeutral<T>(kind, x.getFormat());
    reduced.forEachRow([&](ArrayRef<int64_t> places) {
      x.read<T>(first + places[0], reduced.getRowStep(0), row);
      for (T element : row)
        value = combine(kind, isUnsigned, value, element);
    });
    finish(value);
  };
  constexpr int64_t pieceSize = 1024;
  std::vector<T> piece(pieceSize), pieceValues(pieceSize);
  auto reducePiece = [&](int64_t first, int64_t size) {
    auto elements = MutableArrayRef(piece).take_front(size);
    auto values = MutableArrayRef(pieceValues).take_front(size);
    llvm::fill(values, getNeutral<T>(kind, x.getFormat()));
    reduced.forEachRow([&](ArrayRef<int64_t> places) {
      for (int64_t r = 0; r < reduced.getRowLength(); ++r) {
        x.read<T>(first + places[0] + r * reduced.getRowStep(0), 1, elements);
        for (auto [value, element] : llvm::zip_equal(values, elements))
          value = combine(kind, isUnsigned, value, element);
      }
    });
    finish(values);
  };
  int64_t length = kept.getRowLength();
  kept.forEachRow([&](ArrayRef<int64_t> places) {
    if (kept.getRowStep(0) == 1)
      for (int64_t i = 0; i < length; i += pieceSize)
        reducePiece(places[0] + i, std::min(pieceSize, length - i));
    else
      for (int64_t i = 0; i < length; ++i)
        reduceOne(places[0] + i * kept.getRowStep(0));
  });
}

Results txc::reference::evaluate(tx::ReduceOp op,
                                 const Evaluation &evaluation) {
  FailureOr<HostTensor> result = evaluation.allocateResult();
  if (failed(result))
    return failure();
  const HostTensor &x = evaluation.operand(0);
  if (x.isFloat()) {
    reduce<double>(op.getKind(), op.getAxes(), x, *result);
    return single(std::move(*result));
  }
  if (op.getKind() == tx::ReduceKind::mean && x.getNumElements() == 0 &&
      result->getNumElements() != 0)
    return evaluation.fault() << "the mean of no integers";
  reduce<int64_t>(op.getKind(), op.getAxes(), x, *result);
  return single(std::move(*result));
}
