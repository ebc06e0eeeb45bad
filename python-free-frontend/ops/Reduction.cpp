//===- Reduction.cpp - ONNX operators that combine elements ---------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "python-free-frontend/ops/OpTable.h"
#include "llvm/ADT/Sequence.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::ReduceKind;
using tx::SymExprAttr;

//===----------------------------------------------------------------------===//
// Reduce*
//===----------------------------------------------------------------------===//

namespace {
/// What the Reduce operators have in common.
struct Reduction {
  SmallVector<int64_t> axes;
  bool keepDims;
  bool isNoop;
};
} // namespace

static FailureOr<Reduction> getReduction(NodeContext &context) {
  int64_t rank = context.getRank(0);
  FailureOr<std::optional<SmallVector<int64_t>>> axes =
      context.getAxes(1, rank);
  Reduction result;
  result.keepDims = context.getInt("keepdims", 1) != 0;
  result.isNoop = context.getInt("noop_with_empty_axes", 0) != 0;
  if (failed(axes))
    return failure();
  if (*axes)
    result.axes = **axes;
  result.isNoop &= result.axes.empty();
  if (result.axes.empty() && !result.isNoop)
    result.axes = llvm::to_vector(llvm::seq<int64_t>(rank));
  return result;
}

/// Reduces `x`, whose dims are those of operand 0.
static Value reduce(NodeContext &context, Value x, ReduceKind kind,
                    const Reduction &reduction) {
  if (reduction.axes.empty())
    return x;
  Value result = context.create<tx::ReduceOp>(x, kind, reduction.axes);
  return reduction.keepDims ? result : context.squeeze(result, reduction.axes);
}

/// Booleans are reduced as bytes: a maximum is an or, and false for no element.
template <ReduceKind kind>
static NodeResults buildReduce(NodeContext &context) {
  FailureOr<Reduction> reduction = getReduction(context);
  if (failed(reduction))
    return {};
  Value x = context.getOperand(0);
  Type type = context.getElementType(0);
  if (!type.isInteger(1))
    return reduce(context, x, kind, *reduction);
  Type u8 = IntegerType::get(context.getContext(), 8, IntegerType::Unsigned);
  return context.cast(reduce(context, context.cast(x, u8), kind, *reduction),
                      type);
}

static NodeResults buildReduceL1(NodeContext &context) {
  FailureOr<Reduction> reduction = getReduction(context);
  if (failed(reduction))
    return {};
  Value x = context.create<tx::AbsOp>(context.getOperand(0));
  return reduce(context, x, ReduceKind::sum, *reduction);
}

static NodeResults buildReduceSumSquare(NodeContext &context) {
  FailureOr<Reduction> reduction = getReduction(context);
  if (failed(reduction))
    return {};
  Value x = context.getOperand(0);
  return reduce(context, context.create<tx::MulOp>(x, x), ReduceKind::sum,
                *reduction);
}

static NodeResults buildReduceL2(NodeContext &context) {
  if (!isa<FloatType>(context.getElementType(0)))
    return context.unsupported("its input is no float tensor");
  NodeResults sum = buildReduceSumSquare(context);
  return sum.failed() ? sum : context.create<tx::SqrtOp>(sum.getValues()[0]);
}

static NodeResults buildReduceLogSum(NodeContext &context) {
  NodeResults sum = buildReduce<ReduceKind::sum>(context);
  return sum.failed() ? sum : context.create<tx::LogOp>(sum.getValues()[0]);
}

/// log(sum(e ^ (x - m))) + m with m the maximum, or 0 where that is not finite
/// (inf - inf would be NaN).
static NodeResults buildReduceLogSumExp(NodeContext &context) {
  FailureOr<Reduction> reduction = getReduction(context);
  if (failed(reduction))
    return {};
  Value x = context.getOperand(0);
  if (reduction->axes.empty())
    return x;
  Type type = context.getElementType(0);
  Value most =
      context.create<tx::ReduceOp>(x, ReduceKind::max, reduction->axes);
  most = context.create<tx::SelectOp>(context.create<tx::IsInfOp>(most),
                                      context.getScalar(type, 0), most);
  Value powers = context.create<tx::ExpOp>(context.create<tx::SubOp>(x, most));
  Value sum =
      context.create<tx::ReduceOp>(powers, ReduceKind::sum, reduction->axes);
  Value result =
      context.create<tx::AddOp>(context.create<tx::LogOp>(sum), most);
  return reduction->keepDims ? result
                             : context.squeeze(result, reduction->axes);
}

//===----------------------------------------------------------------------===//
// Places and running sums
//===----------------------------------------------------------------------===//

template <ReduceKind kind>
static NodeResults buildArgReduce(NodeContext &context) {
  if (context.getElementType(0).isInteger(1))
    return context.unsupported("its input is bool", "a Cast of it");
  FailureOr<int64_t> axis =
      context.normalizeAxis(context.getInt("axis", 0), context.getRank(0));
  bool keepDims = context.getInt("keepdims", 1) != 0;
  bool last = context.getInt("select_last_index", 0) != 0;
  if (failed(axis))
    return {};
  Value result =
      context.create<tx::ArgReduceOp>(context.getOperand(0), kind, *axis, last);
  return keepDims ? result : context.squeeze(result, *axis);
}

/// 1 at the first maximum along the axis, else 0.
static NodeResults buildHardmax(NodeContext &context) {
  Value x = context.getOperand(0);
  FailureOr<int64_t> axis =
      context.normalizeAxis(context.getInt("axis", -1), context.getRank(0));
  if (failed(axis))
    return {};
  Type i64 = context.getBuilder().getI64Type();
  Type type = context.getElementType(0);
  Value place = context.create<tx::ArgReduceOp>(x, ReduceKind::max, *axis,
                                                /*last=*/false);
  SymExprAttr size = tx::getDim(context.getType(0), *axis);
  Value places = context.getIota(size, i64);
  Exprs dims(context.getRank(0) - *axis, context.getExpr(1));
  dims.front() = size;
  places = context.reshape(places, dims);
  return context.cast(context.createCompare(tx::Predicate::eq, place, places),
                      type);
}

/// The axis of a CumSum or CumProd, a scalar operand.
static FailureOr<int64_t> getScanAxis(NodeContext &context) {
  FailureOr<SmallVector<int64_t>> given =
      context.getKnownInts(context.getOperand(1), "the axis of a running sum");
  if (failed(given))
    return failure();
  if (given->size() != 1)
    return context.unsupported("its axis must be one number");
  return context.normalizeAxis(given->front(), context.getRank(0));
}

static NodeResults buildCumSum(NodeContext &context) {
  bool exclusive = context.getInt("exclusive", 0) != 0;
  bool reverse = context.getInt("reverse", 0) != 0;
  FailureOr<int64_t> axis = getScanAxis(context);
  if (failed(axis))
    return {};
  return context.create<tx::CumsumOp>(context.getOperand(0), *axis, exclusive,
                                      reverse);
}

/// x moved by `distance` (a scalar) places along an axis, up or down; ones come
/// in.
static Value shiftIn(NodeContext &context, Value x, int64_t axis,
                     Value distance, bool down) {
  if (!x || !distance)
    return {};
  SymExprAttr size = tx::getDim(typeOf(x), axis), zero = context.getExpr(0);
  Value places = context.getIota(size, context.getBuilder().getI64Type());
  places = down ? context.create<tx::AddOp>(places, distance)
                : context.create<tx::SubOp>(places, distance);
  Value bound = context.getExprScalar(down ? size : zero);
  Value isInside = context.createCompare(
      down ? tx::Predicate::lt : tx::Predicate::ge, places, bound);
  Value moved = context.create<tx::GatherOp>(
      x, context.createSelect(isInside, places, context.getExprScalar(zero)),
      axis);
  Exprs dims(typeOf(x).getRank() - axis, context.getExpr(1));
  dims.front() = size;
  return context.createSelect(context.reshape(isInside, dims), moved,
                              context.getScalar(typeOf(x).getElementType(), 1));
}

/// Running products by doubling: each round multiplies with what stands twice
/// as far away (Hillis and Steele, Data parallel algorithms, 1986).
static NodeResults buildCumProd(NodeContext &context) {
  bool exclusive = context.getInt("exclusive", 0) != 0;
  bool reverse = context.getInt("reverse", 0) != 0;
  FailureOr<int64_t> axis = getScanAxis(context);
  if (failed(axis))
    return {};
  Value x = context.getOperand(0);
  auto multiply = [&](Value product, Value distance) {
    return context.create<tx::MulOp>(
        product, shiftIn(context, product, *axis, distance, reverse));
  };
  Value one = context.getExprScalar(context.getExpr(1));
  if (exclusive)
    x = shiftIn(context, x, *axis, one, reverse);
  SymExprAttr size = tx::getDim(context.getType(0), *axis);
  if (std::optional<int64_t> known = size.getConstant()) {
    for (int64_t distance = 1; x && distance < *known; distance *= 2)
      x = multiply(x, context.getExprScalar(context.getExpr(distance)));
    return x;
  }
  if (!x)
    return {};
  Value length = context.getExprScalar(size);
  auto isShort = [&](Value distance) {
    return context.createCompare(tx::Predicate::lt, distance, length);
  };
  NodeResults results = context.loop(
      {{}, isShort(one), {x, one}},
      [&](SymExprAttr, ArrayRef<Value> carried) -> NodeResults {
        Value distance = carried[1];
        Value twice = context.create<tx::AddOp>(distance, distance);
        return {isShort(twice), multiply(carried[0], distance), twice};
      });
  return results.failed() ? NodeResults() : results.getValues().front();
}

static NodeResults buildTopK(NodeContext &context) {
  FailureOr<int64_t> axis =
      context.normalizeAxis(context.getInt("axis", -1), context.getRank(0));
  bool largest = context.getInt("largest", 1) != 0;
  // Unsorted results may come in any order, so sorted ones will do.
  (void)context.getInt("sorted", 1);
  if (failed(axis))
    return {};
  SymExprAttr k;
  if (context.getOpset() < 10) {
    k = context.getExpr(context.getInt("k", 0));
  } else {
    if (!context.getOperand(1))
      return context.unsupported("its k is missing");
    FailureOr<Exprs> exprs =
        context.getSizes(context.getOperand(1), "the k of a TopK");
    if (failed(exprs))
      return {};
    if (exprs->size() != 1)
      return context.unsupported("its k must be one number");
    k = exprs->front();
  }
  Exprs dims = tx::getDims(context.getType(0));
  if (failed(context.require(k, tx::Predicate::le, dims[*axis],
                             "k can't be more than there are elements")))
    return {};
  dims[*axis] = k;
  return NodeResults(context.createAll<tx::TopkOp>(
      TypeRange{tx::getTensorType(dims, context.getElementType(0)),
                tx::getTensorType(dims, context.getBuilder().getI64Type())},
      context.getOperand(0), *axis, /*smallest=*/!largest));
}

OpTable frontend::getReductionOps() {
  static constexpr OpEntry table[] = {
      {"ArgMax", 1, 1, 1, buildArgReduce<ReduceKind::max>},
      {"ArgMin", 1, 1, 1, buildArgReduce<ReduceKind::min>},
      {"CumProd", 26, 2, 2, buildCumProd},
      {"CumSum", 11, 2, 2, buildCumSum},
      {"Hardmax", 13, 1, 1, buildHardmax},
      {"ReduceL1", 1, 1, 2, buildReduceL1},
      {"ReduceL2", 1, 1, 2, buildReduceL2},
      {"ReduceLogSum", 1, 1, 2, buildReduceLogSum},
      {"ReduceLogSumExp", 1, 1, 2, buildReduceLogSumExp},
      {"ReduceMax", 1, 1, 2, buildReduce<ReduceKind::max>},
      {"ReduceMean", 1, 1, 2, buildReduce<ReduceKind::mean>},
      {"ReduceMin", 1, 1, 2, buildReduce<ReduceKind::min>},
      {"ReduceProd", 1, 1, 2, buildReduce<ReduceKind::prod>},
      {"ReduceSum", 1, 1, 2, buildReduce<ReduceKind::sum>},
      {"ReduceSumSquare", 1, 1, 2, buildReduceSumSquare},
      {"TopK", 1, 1, 2, buildTopK},
  };
  return table;
}
