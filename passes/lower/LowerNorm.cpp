//===- LowerNorm.cpp - norms and softmax to kernel.rows ------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "passes/lower/Lowerings.h"
#include "passes/lower/NestBuilder.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;
using kernel::Combine;

using Body = NestBuilder::Body;

/// Arithmetic in f32 at least (contract 11).
namespace {
struct Floats {
  const Body &body;

  Value widen(Value x) const { return txc::widen(body, x); }
  Value narrow(Value x, Type type) const { return narrowTo(body, type, x); }
  Value add(Value x, Value y) const {
    return arith::AddFOp::create(body.b, body.loc, x, y);
  }
  Value sub(Value x, Value y) const {
    return arith::SubFOp::create(body.b, body.loc, x, y);
  }
  Value mul(Value x, Value y) const {
    return arith::MulFOp::create(body.b, body.loc, x, y);
  }
  Value div(Value x, Value y) const {
    return arith::DivFOp::create(body.b, body.loc, x, y);
  }
  /// The mean over the row, `count` elements.
  Value mean(Value x, SymExprAttr count) const {
    Value n = arith::IndexCastOp::create(body.b, body.loc, body.b.getI64Type(),
                                         body.size(count));
    n = arith::SIToFPOp::create(body.b, body.loc, x.getType(), n);
    return div(body.reduce(Combine::sum, x), n);
  }
};
} // namespace

/// scale and bias follow x among the scalars, if there.
static Value applyScaleAndBias(const Floats &f, Value normalized, Value scale,
                               Value bias) {
  if (scale)
    normalized = f.mul(normalized, f.widen(scale));
  if (bias)
    normalized = f.add(normalized, f.widen(bias));
  return normalized;
}

template <typename NormOp>
static SmallVector<Value> lowerNormOp(OpBuilder &b, NormOp op,
                                      bool subtractsMean) {
  RankedTensorType type = op.getX().getType();
  SmallVector<SymExprAttr> dims = getDims(type);
  auto axes = static_cast<unsigned>(op.getAxes());
  SymExprAttr count = product(b.getContext(), ArrayRef(dims).take_back(axes));
  NestBuilder nest(b, op.getLoc(), dims, axes);
  nest.addInput(op.getX());
  std::optional<unsigned> scale, bias;
  if (op.getScale())
    scale = nest.addInput(op.getScale());
  if (op.getBias())
    bias = nest.addInput(op.getBias());
  // Rows along the places of a channel: then lanes are channels.
  auto rank = static_cast<int64_t>(dims.size());
  bool channelsLast = axes + 2 == rank && isReadChannelsLast(op.getResult());
  SmallVector<int64_t> order = getChannelsLast(rank);
  if (channelsLast)
    nest.addResult(getTensorType(applyPermutation(dims, order),
                                 op.getType().getElementType()),
                   AffineMap::getPermutationMap(order, b.getContext()));
  else
    nest.addResult(op.getType());
  Operation *rows = nest.build([&](const Body &body) {
    Floats f{body};
    Value x = f.widen(body.scalars[0]);
    if (subtractsMean)
      x = f.sub(x, f.mean(x, count));
    Value variance = f.mean(f.mul(x, x), count);
    Value epsilon =
        body.constant(x.getType(), op.getEpsilon().convertToDouble());
    Value deviation =
        math::SqrtOp::create(body.b, body.loc, f.add(variance, epsilon));
    // One division a row; the product rounds once more than a quotient
    // an element would.
    Value inverse = f.div(body.constant(x.getType(), 1), deviation);
    Value result = applyScaleAndBias(f, f.mul(x, inverse),
                                     scale ? body.scalars[*scale] : Value(),
                                     bias ? body.scalars[*bias] : Value());
    return SmallVector<Value>{f.narrow(result, body.scalars[0].getType())};
  });
  if (!channelsLast)
    return rows->getResults();
  return {TransposeOp::create(b, op.getLoc(), rows->getResult(0),
                              invertPermutationVector(order))};
}

/// The softmax's axis becomes the last iteration dim.
static SmallVector<Value> lowerSoftmax(OpBuilder &b, SoftmaxOp op) {
  RankedTensorType type = op.getX().getType();
  auto axis = static_cast<size_t>(op.getAxis());
  SmallVector<SymExprAttr> sizes;
  SmallVector<AffineExpr> exprs(type.getRank());
  for (auto [d, dim] : llvm::enumerate(getDims(type))) {
    if (d == axis)
      continue;
    exprs[d] = b.getAffineDimExpr(sizes.size());
    sizes.push_back(dim);
  }
  exprs[axis] = b.getAffineDimExpr(sizes.size());
  sizes.push_back(getDim(type, axis));
  AffineMap map = AffineMap::get(type.getRank(), 0, exprs, b.getContext());
  NestBuilder nest(b, op.getLoc(), sizes, 1);
  nest.addInput(op.getX(), map);
  nest.addResult(type, map);
  return nest
      .build([&](const Body &body) {
        Floats f{body};
        Value x = f.widen(body.scalars[0]);
        x = f.sub(x, body.reduce(Combine::max, x));
        Value e = math::ExpOp::create(body.b, body.loc, x);
        Value sum = body.reduce(Combine::sum, e);
        Value result;
        if (op.getLog())
          result = f.sub(x, math::LogOp::create(body.b, body.loc, sum));
        else
          result = f.div(e, sum);
        return SmallVector<Value>{f.narrow(result, body.scalars[0].getType())};
      })
      ->getResults();
}

LoweredValues txc::lowerNorm(OpBuilder &b, Operation *op) {
  if (auto norm = dyn_cast<LayerNormOp>(op))
    return lowerNormOp(b, norm, /*subtractsMean=*/true);
  if (auto norm = dyn_cast<RmsNormOp>(op))
    return lowerNormOp(b, norm, /*subtractsMean=*/false);
  if (auto softmax = dyn_cast<SoftmaxOp>(op))
    return lowerSoftmax(b, softmax);
  return SmallVector<Value>();
}
