//===- WindowReference.cpp - convolutions and pooling ---------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Ops over windows that slide over the spatial dims. All three relate a narrow
/// index p and a window index k to the place `p * stride + k * dilation - low`
/// in a wide space: the input of a convolution or pooling, the result of a
/// transposed convolution.
//
//===----------------------------------------------------------------------===//

#include "compiler/reference/Evaluation.h"
#include "compiler/reference/ScalarMath.h"

using namespace mlir;
using namespace txc;
using namespace txc::reference;

namespace {
struct WindowShape {
  ArrayRef<int64_t> narrow, wide, window;
  ArrayRef<int64_t> strides, low, high, dilations;

  int64_t countNarrow() const { return llvm::product_of(narrow); }
  int64_t countWide() const { return llvm::product_of(wide); }
  int64_t countTaps() const { return llvm::product_of(window); }
};

constexpr int64_t kInPadding = -1;
constexpr int64_t kBeyondPadding = -2;
} // namespace

/// The row-major index of a linear place.
static SmallVector<int64_t> delinearize(int64_t place, ArrayRef<int64_t> dims) {
  SmallVector<int64_t> index(dims.size());
  for (size_t d = dims.size(); d-- > 0; place /= dims[d])
    index[d] = place % dims[d];
  return index;
}

/// The place in the wide space of window element `tap` at narrow index `p`, or
/// where outside it is.
static int64_t findPlace(const WindowShape &shape, ArrayRef<int64_t> p,
                         ArrayRef<int64_t> tap) {
  int64_t place = 0;
  bool isInside = true;
  for (size_t d = 0; d < p.size(); ++d) {
    int64_t i =
        p[d] * shape.strides[d] + tap[d] * shape.dilations[d] - shape.low[d];
    if (i < -shape.low[d] || i >= shape.wide[d] + shape.high[d])
      return kBeyondPadding;
    isInside &= i >= 0 && i < shape.wide[d];
    place = place * shape.wide[d] + i;
  }
  return isInside ? place : kInPadding;
}

/// The places of all narrow indices, one window element after the other.
static std::vector<int64_t> tabulatePlaces(const WindowShape &shape) {
  std::vector<int64_t> places;
  places.reserve(shape.countTaps() * shape.countNarrow());
  for (int64_t t = 0; t < shape.countTaps(); ++t) {
    SmallVector<int64_t> tap = delinearize(t, shape.window);
    for (int64_t p = 0; p < shape.countNarrow(); ++p)
      places.push_back(findPlace(shape, delinearize(p, shape.narrow), tap));
  }
  return places;
}

template <typename T> static std::vector<T> readAll(const HostTensor &tensor) {
  std::vector<T> elements(tensor.getNumElements());
  tensor.read<T>(0, 1, elements);
  return elements;
}

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

template <typename T>
static void convolve(const WindowShape &shape, int64_t groups,
                     const HostTensor &x, const HostTensor &w,
                     HostTensor &result) {
  int64_t inputs = w.getDim(1), outputs = w.getDim(0) / groups;
  int64_t narrow = shape.countNarrow(), wide = shape.countWide();
  int64_t taps = shape.countTaps();
  std::vector<int64_t> places = tabulatePlaces(shape);
  std::vector<T> weights = readAll<T>(w);
  std::vector<T> plane(wide), row(narrow), sums(outputs * narrow);
  // A batch's group of channels.
  for (int64_t part = 0; part < x.getDim(0) * groups; ++part) {
    int64_t firstOutput = part % groups * outputs;
    std::fill(sums.begin(), sums.end(), T(0));
    for (int64_t c = 0; c < inputs; ++c) {
      x.read<T>((part * inputs + c) * wide, 1, plane);
      for (int64_t t = 0; t < taps; ++t) {
        for (int64_t p = 0; p < narrow; ++p) {
          int64_t place = places[t * narrow + p];
          row[p] = place < 0 ? T(0) : plane[place];
        }
        for (int64_t o = 0; o < outputs; ++o) {
          T weight = weights[((firstOutput + o) * inputs + c) * taps + t];
          T *sum = &sums[o * narrow];
          for (int64_t p = 0; p < narrow; ++p)
            sum[p] = plus(sum[p], times(weight, row[p]));
        }
      }
    }
    result.write<T>(part * outputs * narrow, 1, sums);
  }
}

Results txc::reference::evaluate(tx::ConvOp op, const Evaluation &evaluation) {
  FailureOr<HostTensor> result = evaluation.allocateResult();
  if (failed(result))
    return failure();
  const HostTensor &x = evaluation.operand(0), &w = evaluation.operand(1);
  WindowShape shape = {result->getDims().drop_front(2),
                       x.getDims().drop_front(2),
                       w.getDims().drop_front(2),
                       op.getStrides(),
                       op.getLow(),
                       op.getHigh(),
                       op.getDilations()};
  auto groups = static_cast<int64_t>(op.getGroups());
  if (result->getNumElements() == 0)
    return single(std::move(*result));
  if (result->isFloat())
    convolve<double>(shape, groups, x, w, *result);
  else
    convolve<int64_t>(shape, groups, x, w, *result);
  return single(std::move(*result));
}

template <typename T>
static void convolveTransposed(const WindowShape &shape, int64_t groups,
                               const HostTensor &x, const HostTensor &w,
                               HostTensor &result) {
  int64_t inputs = w.getDim(0) / groups, outputs = w.getDim(1);
  int64_t narrow = shape.countNarrow(), wide = shape.countWide();
  int64_t taps = shape.countTaps();
  std::vector<int64_t> places = tabulatePlaces(shape);
  std::vector<T> weights = readAll<T>(w);
  std::vector<T> plane(narrow), sums(outputs * wide);
  for (int64_t part = 0; part < x.getDim(0) * groups; ++part) {
    int64_t firstInput = part % groups * inputs;
    std::fill(sums.begin(), sums.end(), T(0));
    for (int64_t c = 0; c < inputs; ++c) {
      x.read<T>((part * inputs + c) * narrow, 1, plane);
      for (int64_t o = 0; o < outputs; ++o) {
        for (int64_t t = 0; t < taps; ++t) {
          T weight = weights[((firstInput + c) * outputs + o) * taps + t];
          for (int64_t p = 0; p < narrow; ++p) {
            int64_t place = places[t * narrow + p];
            if (place < 0)
              continue;
            T &sum = sums[o * wide + place];
            sum = plus(sum, times(weight, plane[p]));
          }
        }
      }
    }
    result.write<T>(part * outputs * wide, 1, sums);
  }
}

Results txc::reference::evaluate(tx::ConvTransposeOp op,
                                 const Evaluation &evaluation) {
  FailureOr<HostTensor> result = evaluation.allocateResult();
  if (failed(result))
    return failure();
  const HostTensor &x = evaluation.operand(0), &w = evaluation.operand(1);
  WindowShape shape = {x.getDims().drop_front(2),
                       result->getDims().drop_front(2),
                       w.getDims().drop_front(2),
                       op.getStrides(),
                       op.getLow(),
                       op.getHigh(),
                       op.getDilations()};
  auto groups = static_cast<int64_t>(op.getGroups());
  if (groups < 1 || w.getDim(0) % groups != 0)
    return evaluation.fault()
           << groups << " groups do not divide " << w.getDim(0) << " channels";
  if (result->getNumElements() == 0)
    return single(std::move(*result));
  if (result->isFloat())
    convolveTransposed<double>(shape, groups, x, w, *result);
  else
    convolveTransposed<int64_t>(shape, groups, x, w, *result);
  return single(std::move(*result));
}

//===----------------------------------------------------------------------===//
// Pooling
//===----------------------------------------------------------------------===//

template <typename T> static T getLowest(const ElementFormat &format) {
  if constexpr (std::is_floating_point_v<T>)
    return -std::numeric_limits<T>::infinity();
  else
    return format.isUnsigned() ? 0 : llvm::minIntN(format.getBitWidth());
}

/// One window; `places` holds the place of element t at `t * stride`. Nothing
/// is the mean of no integers.
template <typename T>
static std::optional<T> poolWindow(tx::PoolOp op, const ElementFormat &format,
                                   ArrayRef<T> plane, const int64_t *places,
                                   int64_t taps, int64_t stride) {
  T sum = 0, largest = getLowest<T>(format);
  int64_t count = 0;
  for (int64_t t = 0; t < taps; ++t) {
    int64_t place = places[t * stride];
    count += place >= 0 || (op.getCountPadding() && place == kInPadding);
    if (place < 0)
      continue;
    sum = plus(sum, plane[place]);
    largest = maximum(format.isUnsigned(), largest, plane[place]);
  }
  if (op.getKind() == tx::PoolKind::max)
    return largest;
  if (std::is_integral_v<T> && count == 0)
    return std::nullopt;
  return sum / static_cast<T>(count);
}

template <typename T>
static LogicalResult pool(tx::PoolOp op, const Evaluation &evaluation,
                          const WindowShape &shape, HostTensor &result) {
  const HostTensor &x = evaluation.operand(0);
  int64_t narrow = shape.countNarrow(), wide = shape.countWide();
  std::vector<int64_t> places = tabulatePlaces(shape);
  std::vector<T> plane(wide), row(narrow);
  for (int64_t part = 0; part < x.getDim(0) * x.getDim(1); ++part) {
    x.read<T>(part * wide, 1, plane);
    for (int64_t p = 0; p < narrow; ++p) {
      std::optional<T> value = poolWindow<T>(
          op, x.getFormat(), plane, &places[p], shape.countTaps(), narrow);
      if (!value)
        return evaluation.fault() << "the mean of no integers";
      row[p] = *value;
    }
    result.write<T>(part * narrow, 1, row);
  }
  return success();
}

Results txc::reference::evaluate(tx::PoolOp op, const Evaluation &evaluation) {
  FailureOr<HostTensor> result = evaluation.allocateResult();
  if (failed(result))
    return failure();
  const HostTensor &x = evaluation.operand(0);
  WindowShape shape = {result->getDims().drop_front(2),
                       x.getDims().drop_front(2),
                       op.getWindow(),
                       op.getStrides(),
                       op.getLow(),
                       op.getHigh(),
                       op.getDilations()};
  if (result->getNumElements() == 0)
    return single(std::move(*result));
  if (failed(x.isFloat() ? pool<double>(op, evaluation, shape, *result)
                         : pool<int64_t>(op, evaluation, shape, *result)))
    return failure();
  return single(std::move(*result));
}
