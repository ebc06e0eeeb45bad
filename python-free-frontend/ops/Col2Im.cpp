//===- Col2Im.cpp - ONNX's Col2Im -----------------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Blocks of an image, added up where they overlap: the transposed convolution
/// of columns [N * C, K, L…] with a window that puts row k at place k.
//
//===----------------------------------------------------------------------===//

#include "python-free-frontend/ops/OpTable.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::SymExprAttr;

namespace {
/// One number for each axis of the image.
struct Blocks {
  SmallVector<int64_t> image, size, dilations, low, high, strides;
  /// How many blocks there are, and what of the image is behind the last one.
  SmallVector<int64_t> counts, rest;
};
} // namespace

static FailureOr<Blocks> getBlocks(NodeContext &context) {
  Blocks b;
  auto image = context.getKnownInts(context.getOperand(1), "the image's shape");
  auto size = context.getKnownInts(context.getOperand(2), "the block's shape");
  if (failed(image) || failed(size))
    return failure();
  size_t rank = image->size();
  auto getAll = [&](StringRef name, size_t count, int64_t defaultValue) {
    std::optional<ArrayRef<int64_t>> given = context.getInts(name);
    return given ? llvm::to_vector(*given)
                 : SmallVector<int64_t>(count, defaultValue);
  };
  SmallVector<int64_t> pads = getAll("pads", 2 * rank, 0);
  b = {*image, *size, getAll("dilations", rank, 1),
       {},     {},    getAll("strides", rank, 1),
       {},     {}};
  if (b.size.size() != rank || b.dilations.size() != rank ||
      b.strides.size() != rank || pads.size() != 2 * rank)
    return context.unsupported("its shapes and attributes differ in length");
  for (size_t i = 0; i < rank; ++i) {
    if (b.size[i] < 1 || b.dilations[i] < 1 || b.strides[i] < 1)
      return context.unsupported("sizes, dilations and strides must be "
                                 "positive");
    b.low.push_back(pads[i]);
    b.high.push_back(pads[i + rank]);
    int64_t room = b.image[i] + b.low[i] + b.high[i] -
                   b.dilations[i] * (b.size[i] - 1) - 1;
    if (room < 0)
      return context.unsupported("a block is larger than the padded image");
    b.counts.push_back(room / b.strides[i] + 1);
    b.rest.push_back(room % b.strides[i]);
  }
  return b;
}

/// [K, 1, block…] with 1 where row k stands at place k of a block.
static Value getWindow(NodeContext &context, ArrayRef<int64_t> size,
                       Type type) {
  int64_t count = 1;
  for (int64_t dim : size)
    count *= dim;
  Type i64 = context.getBuilder().getI64Type();
  auto getPlaces = [&](ArrayRef<int64_t> dims) {
    Value places = context.getIota(context.getExpr(count), i64);
    return context.reshape(places, llvm::map_to_vector(dims, [&](int64_t dim) {
                             return context.getExpr(dim);
                           }));
  };
  SmallVector<int64_t> places = {1, 1}, rows(size.size() + 2, 1);
  llvm::append_range(places, size);
  rows[0] = count;
  return context.cast(context.createCompare(tx::Predicate::eq, getPlaces(rows),
                                            getPlaces(places)),
                      type);
}

/// Operands: columns [N, C * K, L], the image's shape, the block's.
static NodeResults buildCol2Im(NodeContext &context) {
  FailureOr<Blocks> blocks = getBlocks(context);
  if (failed(blocks))
    return {};
  if (context.getRank(0) != 3)
    return context.unsupported("its columns must be [batch, channels * block, "
                               "blocks]");
  int64_t count = 1;
  for (int64_t size : blocks->size)
    count *= size;
  Exprs dims = tx::getDims(context.getType(0));
  SymExprAttr channels = tx::floorDiv(dims[1], count);
  Exprs split = {tx::mul(dims[0], channels), context.getExpr(count)};
  Exprs image = {dims[0], channels};
  for (auto [number, size] : llvm::zip(blocks->counts, blocks->image)) {
    split.push_back(context.getExpr(number));
    image.push_back(context.getExpr(size));
  }
  Value y = context.create<tx::ConvTransposeOp>(
      context.reshape(context.getOperand(0), split),
      getWindow(context, blocks->size, context.getElementType(0)),
      blocks->strides, blocks->low, blocks->high, blocks->rest,
      blocks->dilations, int64_t(1));
  return context.reshape(y, image);
}

OpTable frontend::getCol2ImOps() {
  static constexpr OpEntry table[] = {
      {"Col2Im", 18, 3, 3, buildCol2Im},
  };
  return table;
}
