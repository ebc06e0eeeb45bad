//===- IndexingReference.cpp - gathers and scatters -----------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Ops that address elements by tensors of indices.
//
//===----------------------------------------------------------------------===//

#include "compiler/reference/Evaluation.h"
#include "compiler/reference/ScalarMath.h"

using namespace mlir;
using namespace txc;
using namespace txc::reference;

/// The index counted from the front; a fault if it is outside.
static FailureOr<int64_t> resolveIndex(const Evaluation &evaluation,
                                       int64_t index, int64_t size) {
  if (index >= -size && index < size)
    return index < 0 ? index + size : index;
  return evaluation.fault() << "index " << index << " is outside [" << -size
                            << ", " << size << ")";
}

//===----------------------------------------------------------------------===//
// Gathers
//===----------------------------------------------------------------------===//

Results txc::reference::evaluate(tx::GatherOp op,
                                 const Evaluation &evaluation) {
  FailureOr<HostTensor> result = evaluation.allocateResult();
  if (failed(result))
    return failure();
  const HostTensor &x = evaluation.operand(0), &indices = evaluation.operand(1);
  auto axis = static_cast<int64_t>(op.getAxis());
  int64_t size = x.getDim(axis);
  int64_t outer = llvm::product_of(x.getDims().take_front(axis));
  int64_t sliceBytes =
      llvm::product_of(x.getDims().drop_front(axis + 1)) * x.getElementSize();
  char *target = result->getMutableBytes().data();
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < indices.getNumElements(); ++i) {
      FailureOr<int64_t> index =
          resolveIndex(evaluation, indices.getInt(i), size);
      if (failed(index))
        return failure();
      std::memcpy(target,
                  x.getBytes().data() + (o * size + *index) * sliceBytes,
                  sliceBytes);
      target += sliceBytes;
    }
  }
  return single(std::move(*result));
}

/// Calls `visit(place, target)` for each place of `indices`, `target` being the
/// place in a tensor of `dims` that it addresses at `axis`.
static LogicalResult
forEachIndexedElement(const Evaluation &evaluation, const HostTensor &indices,
                      ArrayRef<int64_t> dims, int64_t axis,
                      function_ref<void(int64_t place, int64_t target)> visit) {
  for (auto [d, size] : llvm::enumerate(indices.getDims()))
    if (static_cast<int64_t>(d) != axis && size > dims[d])
      return evaluation.fault()
             << "the indices have " << size << " elements in dim " << d
             << ", the tensor " << dims[d];
  Strides strides = getRowMajorStrides(dims);
  int64_t axisStride = std::exchange(strides[axis], 0);
  StridedLoop loop(indices.getDims(), {indices.getStrides(), strides});
  LogicalResult status = success();
  loop.forEachRow([&](ArrayRef<int64_t> places) {
    for (int64_t i = 0; i < loop.getRowLength() && succeeded(status); ++i) {
      int64_t place = places[0] + i * loop.getRowStep(0);
      FailureOr<int64_t> index =
          resolveIndex(evaluation, indices.getInt(place), dims[axis]);
      status = index;
      if (succeeded(index))
        visit(place, places[1] + i * loop.getRowStep(1) + *index * axisStride);
    }
  });
  return status;
}

Results txc::reference::evaluate(tx::GatherElementsOp op,
                                 const Evaluation &evaluation) {
  FailureOr<HostTensor> result = evaluation.allocateResult();
  if (failed(result))
    return failure();
  const HostTensor &x = evaluation.operand(0);
  int64_t size = x.getElementSize();
  char *target = result->getMutableBytes().data();
  if (failed(forEachIndexedElement(
          evaluation, evaluation.operand(1), x.getDims(),
          static_cast<int64_t>(op.getAxis()),
          [&](int64_t place, int64_t source) {
            std::memcpy(target + place * size,
                        x.getBytes().data() + source * size, size);
          })))
    return failure();
  return single(std::move(*result));
}

/// The place of the slice that the tuple at `first` of `indices` addresses, in
/// a tensor whose addressed dims are `dims` and have `strides`.
static FailureOr<int64_t> resolveTuple(const Evaluation &evaluation,
                                       const HostTensor &indices, int64_t first,
                                       ArrayRef<int64_t> dims,
                                       ArrayRef<int64_t> strides) {
  int64_t place = 0;
  for (auto [d, size] : llvm::enumerate(dims)) {
    FailureOr<int64_t> index = resolveIndex(
        evaluation, indices.getInt(first + static_cast<int64_t>(d)), size);
    if (failed(index))
      return failure();
    place += *index * strides[d];
  }
  return place;
}

Results txc::reference::evaluate(tx::GatherNdOp op,
                                 const Evaluation &evaluation) {
  FailureOr<HostTensor> result = evaluation.allocateResult();
  if (failed(result))
    return failure();
  const HostTensor &x = evaluation.operand(0), &indices = evaluation.operand(1);
  auto batchDims = static_cast<int64_t>(op.getBatchDims());
  if (x.getDims().take_front(batchDims) !=
      indices.getDims().take_front(batchDims))
    return evaluation.fault()
           << "the first " << batchDims << " dims of " << x.getType() << " and "
           << indices.getType() << " differ";
  int64_t tuple = indices.getDims().back();
  int64_t batches = llvm::product_of(x.getDims().take_front(batchDims));
  int64_t tuples =
      llvm::product_of(indices.getDims().drop_front(batchDims).drop_back());
  ArrayRef<int64_t> addressed = x.getDims().slice(batchDims, tuple);
  Strides strides = x.getStrides();
  ArrayRef<int64_t> addressedStrides =
      ArrayRef(strides).slice(batchDims, tuple);
  int64_t slice = llvm::product_of(x.getDims().drop_front(batchDims + tuple));
  int64_t batchStride = slice * llvm::product_of(addressed);
  int64_t sliceBytes = slice * x.getElementSize();
  char *target = result->getMutableBytes().data();
  for (int64_t i = 0; i < batches * tuples; ++i) {
    FailureOr<int64_t> place = resolveTuple(evaluation, indices, i * tuple,
                                            addressed, addressedStrides);
    if (failed(place))
      return failure();
    int64_t source = i / tuples * batchStride + *place;
    std::memcpy(target, x.getBytes().data() + source * x.getElementSize(),
                sliceBytes);
    target += sliceBytes;
  }
  return single(std::move(*result));
}

//===----------------------------------------------------------------------===//
// Scatters
//===----------------------------------------------------------------------===//

template <typename T>
static T combine(tx::ScatterKind kind, bool isUnsigned, T old, T update) {
  switch (kind) {
  case tx::ScatterKind::replace:
    return update;
  case tx::ScatterKind::add:
    return plus(old, update);
  case tx::ScatterKind::mul:
    return times(old, update);
  case tx::ScatterKind::max:
    return maximum(isUnsigned, old, update);
  case tx::ScatterKind::min:
    return minimum(isUnsigned, old, update);
  }
  llvm_unreachable("all kinds are handled");
}

/// Combines `count` consecutive elements; each update rounds.
static void scatter(tx::ScatterKind kind, HostTensor &result, int64_t place,
                    const HostTensor &updates, int64_t from, int64_t count) {
  int64_t size = result.getElementSize();
  char *target = result.getMutableBytes().data() + place * size;
  const char *source = updates.getBytes().data() + from * size;
  if (kind == tx::ScatterKind::replace) {
    std::memcpy(target, source, count * size);
    return;
  }
  const ElementFormat &format = result.getFormat();
  for (int64_t i = 0; i < count; ++i, target += size, source += size) {
    if (format.isFloat())
      format.storeDouble(target, combine(kind, false, format.loadDouble(target),
                                         format.loadDouble(source)));
    else
      format.storeInt(target,
                      combine(kind, format.isUnsigned(), format.loadInt(target),
                              format.loadInt(source)));
  }
}

Results txc::reference::evaluate(tx::ScatterElementsOp op,
                                 const Evaluation &evaluation) {
  FailureOr<HostTensor> copied = evaluation.copyOperand(0);
  if (failed(copied))
    return failure();
  HostTensor result = std::move(*copied);
  const HostTensor &updates = evaluation.operand(2);
  if (failed(forEachIndexedElement(
          evaluation, evaluation.operand(1), result.getDims(),
          static_cast<int64_t>(op.getAxis()),
          [&](int64_t place, int64_t target) {
            scatter(op.getKind(), result, target, updates, place, 1);
          })))
    return failure();
  return single(std::move(result));
}

Results txc::reference::evaluate(tx::ScatterNdOp op,
                                 const Evaluation &evaluation) {
  FailureOr<HostTensor> copied = evaluation.copyOperand(0);
  if (failed(copied))
    return failure();
  HostTensor result = std::move(*copied);
  const HostTensor &indices = evaluation.operand(1);
  const HostTensor &updates = evaluation.operand(2);
  int64_t tuple = indices.getDims().back();
  SmallVector<int64_t> expected(indices.getDims().drop_back());
  llvm::append_range(
      expected, result.getDims().drop_front(std::min(tuple, result.getRank())));
  if (tuple > result.getRank() || updates.getDims() != ArrayRef(expected))
    return evaluation.fault()
           << "updates of " << updates.getType() << " and indices of "
           << indices.getType() << " do not fit " << result.getType();
  ArrayRef<int64_t> addressed = result.getDims().take_front(tuple);
  Strides strides = result.getStrides();
  int64_t slice = llvm::product_of(result.getDims().drop_front(tuple));
  int64_t tuples = llvm::product_of(indices.getDims().drop_back());
  for (int64_t i = 0; i < tuples; ++i) {
    FailureOr<int64_t> place =
        resolveTuple(evaluation, indices, i * tuple, addressed, strides);
    if (failed(place))
      return failure();
    scatter(op.getKind(), result, *place, updates, i * slice, slice);
  }
  return single(std::move(result));
}
