//===- MovementReference.cpp - constants and data movement ----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Ops whose result elements are elements of their operands: copies of bytes,
/// quick enough for weights of hundreds of megabytes.
//
//===----------------------------------------------------------------------===//

#include "compiler/reference/Evaluation.h"

using namespace mlir;
using namespace txc;
using namespace txc::reference;

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

Results txc::reference::evaluate(tx::ConstantOp op,
                                 const Evaluation &evaluation) {
  auto elements = dyn_cast<DenseElementsAttr>(op.getValue());
  if (!elements)
    return evaluation.fault() << "the elements of " << op.getValue().getType()
                              << " are not in the program";
  llvm::Expected<HostTensor> tensor = HostTensor::fromAttr(elements);
  if (!tensor)
    return evaluation.fault() << llvm::toString(tensor.takeError());
  return single(std::move(*tensor));
}

Results txc::reference::evaluate(tx::SymbolicOp op,
                                 const Evaluation &evaluation) {
  FailureOr<HostTensor> result = evaluation.allocateResult();
  if (failed(result))
    return failure();
  for (auto [place, expr] : llvm::enumerate(op.getValue().getExprs())) {
    FailureOr<int64_t> value = evaluation.evaluate(expr);
    if (failed(value))
      return failure();
    result->setInt(static_cast<int64_t>(place), *value);
  }
  return single(std::move(*result));
}

Results txc::reference::evaluate(tx::IotaOp, const Evaluation &evaluation) {
  FailureOr<HostTensor> result = evaluation.allocateResult();
  if (failed(result))
    return failure();
  for (int64_t i = 0; i < result->getNumElements(); ++i)
    result->setInt(i, i);
  return single(std::move(*result));
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

Results txc::reference::evaluate(tx::ReshapeOp op,
                                 const Evaluation &evaluation) {
  const HostTensor &x = evaluation.operand(0);
  FailureOr<SmallVector<int64_t>> dims = evaluation.evaluateDims(op.getType());
  if (failed(dims))
    return failure();
  if (llvm::product_of(*dims) != x.getNumElements())
    return evaluation.fault() << "cannot reshape " << x.getNumElements()
                              << " elements to " << op.getType();
  return single(x.withDims(*dims));
}

/// A result each element of which is an element of x: at index i that at the
/// place `offset + sum of i_d * strides_d`.
static void copyView(HostTensor &result, const HostTensor &x, int64_t offset,
                     ArrayRef<int64_t> strides) {
  int64_t size = x.getElementSize();
  if (result.getNumElements() == 0)
    return;
  copyStrided(size, result.getDims(),
              {result.getMutableBytes().data(), result.getStrides()},
              {x.getBytes().data() + offset * size, strides});
}

Results txc::reference::evaluate(tx::TransposeOp op,
                                 const Evaluation &evaluation) {
  FailureOr<HostTensor> result = evaluation.allocateResult();
  if (failed(result))
    return failure();
  const HostTensor &x = evaluation.operand(0);
  Strides strides = x.getStrides(), permuted;
  for (int64_t d : op.getPermutation())
    permuted.push_back(strides[d]);
  copyView(*result, x, 0, permuted);
  return single(std::move(*result));
}

Results txc::reference::evaluate(tx::BroadcastOp,
                                 const Evaluation &evaluation) {
  FailureOr<HostTensor> result = evaluation.allocateResult();
  if (failed(result))
    return failure();
  const HostTensor &x = evaluation.operand(0);
  for (auto [from, to] :
       llvm::zip(llvm::reverse(x.getDims()), llvm::reverse(result->getDims())))
    if (from != to && from != 1)
      return evaluation.fault() << "cannot broadcast " << x.getType() << " to "
                                << result->getType();
  copyView(*result, x, 0, getBroadcastStrides(x.getDims(), result->getDims()));
  return single(std::move(*result));
}

Results txc::reference::evaluate(tx::SliceOp op, const Evaluation &evaluation) {
  FailureOr<HostTensor> result = evaluation.allocateResult();
  FailureOr<SmallVector<int64_t>> starts =
      evaluation.evaluate(op.getStarts().getValue());
  if (failed(result) || failed(starts))
    return failure();
  const HostTensor &x = evaluation.operand(0);
  Strides strides = x.getStrides();
  int64_t offset = 0;
  for (int64_t d = 0; d < x.getRank(); ++d) {
    int64_t start = (*starts)[d], step = op.getSteps()[d];
    int64_t count = result->getDim(d);
    int64_t last = start + (count - 1) * step;
    if (count > 0 &&
        (std::min(start, last) < 0 || std::max(start, last) >= x.getDim(d)))
      return evaluation.fault()
             << "elements " << start << " to " << last << " are outside dim "
             << d << " of " << x.getType();
    offset += start * strides[d];
    strides[d] *= step;
  }
  copyView(*result, x, offset, strides);
  return single(std::move(*result));
}

Results txc::reference::evaluate(tx::ConcatOp op,
                                 const Evaluation &evaluation) {
  FailureOr<HostTensor> result = evaluation.allocateResult();
  if (failed(result))
    return failure();
  auto axis = static_cast<int64_t>(op.getAxis());
  Strides strides = result->getStrides();
  char *target = result->getMutableBytes().data();
  for (unsigned i = 0; i < evaluation.getNumOperands(); ++i) {
    const HostTensor &x = evaluation.operand(i);
    copyStrided(x.getElementSize(), x.getDims(), {target, strides},
                {x.getBytes().data(), x.getStrides()});
    target += x.getDim(axis) * strides[axis] * x.getElementSize();
  }
  return single(std::move(*result));
}

//===----------------------------------------------------------------------===//
// Padding
//===----------------------------------------------------------------------===//

/// The element of `size` that stands at `i`, which may be outside [0, size).
static int64_t foldIndex(tx::PadMode mode, int64_t i, int64_t size) {
  switch (mode) {
  case tx::PadMode::constant:
    break;
  case tx::PadMode::edge:
    return std::clamp<int64_t>(i, 0, size - 1);
  case tx::PadMode::wrap:
    return llvm::mod(i, size);
  case tx::PadMode::reflect: {
    // To and fro, without repeating the ends.
    int64_t period = std::max<int64_t>(2 * (size - 1), 1);
    int64_t place = llvm::mod(i, period);
    return place < size ? place : period - place;
  }
  }
  llvm_unreachable("constant padding has no source element");
}

/// The part of x that the result shows, at its place in the result.
static void copyInterior(HostTensor &result, const HostTensor &x,
                         ArrayRef<int64_t> low) {
  SmallVector<int64_t> dims;
  Strides from = x.getStrides(), to = result.getStrides();
  int64_t source = 0, target = 0;
  for (int64_t d = 0; d < x.getRank(); ++d) {
    int64_t begin = std::max<int64_t>(0, -low[d]);
    int64_t end = std::min(x.getDim(d), result.getDim(d) - low[d]);
    dims.push_back(std::max<int64_t>(0, end - begin));
    source += begin * from[d];
    target += (begin + low[d]) * to[d];
  }
  if (llvm::is_contained(dims, 0))
    return;
  int64_t size = x.getElementSize();
  copyStrided(size, dims, {result.getMutableBytes().data() + target * size, to},
              {x.getBytes().data() + source * size, from});
}

static void fill(HostTensor &tensor, const HostTensor &value) {
  Strides zeros(tensor.getRank(), 0);
  copyView(tensor, value, 0, zeros);
}

Results txc::reference::evaluate(tx::PadOp op, const Evaluation &evaluation) {
  FailureOr<HostTensor> result = evaluation.allocateResult();
  FailureOr<SmallVector<int64_t>> low =
      evaluation.evaluate(op.getLow().getValue());
  if (failed(result) || failed(low))
    return failure();
  const HostTensor &x = evaluation.operand(0);
  if (op.getMode() == tx::PadMode::constant) {
    if (const HostTensor *value = evaluation.optionalOperand(op, 1))
      fill(*result, *value);
    copyInterior(*result, x, *low);
    return single(std::move(*result));
  }
  if (result->getNumElements() == 0)
    return single(std::move(*result));
  if (x.getNumElements() == 0)
    return evaluation.fault()
           << "an empty tensor has no element to pad with: " << x.getType();

  // For each dim, where in x the elements come from.
  SmallVector<SmallVector<int64_t>> sources(x.getRank());
  Strides strides = x.getStrides();
  for (int64_t d = 0; d < x.getRank(); ++d)
    for (int64_t i = 0; i < result->getDim(d); ++i)
      sources[d].push_back(foldIndex(op.getMode(), i - (*low)[d], x.getDim(d)) *
                           strides[d]);
  SmallVector<int64_t> index(x.getRank(), 0);
  int64_t size = x.getElementSize();
  char *target = result->getMutableBytes().data();
  for (int64_t place = 0; place < result->getNumElements(); ++place) {
    int64_t source = 0;
    for (auto [i, places] : llvm::zip(index, sources))
      source += places[i];
    std::memcpy(target + place * size, x.getBytes().data() + source * size,
                size);
    for (int64_t d = x.getRank() - 1; d >= 0; --d) {
      if (++index[d] < result->getDim(d))
        break;
      index[d] = 0;
    }
  }
  return single(std::move(*result));
}
