//===- Slicing.cpp - ONNX operators that take or add parts of dims --------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Slice, Split, Pad. ONNX cuts a slice that reaches beyond its dim. Here a
/// bound that is a number, or is always beyond, is cut the same way; one that
/// is an expression must lie inside, which each run checks: a position table of
/// 512 rows sliced to the sequence length gives the length, not min(length,
/// 512). A bound that depends on data is cut by the run, and gives a run-time
/// symbol.
//
//===----------------------------------------------------------------------===//

#include "dialects/tx/TxFold.h"
#include "python-free-frontend/ops/OpTable.h"
#include "llvm/ADT/Sequence.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::Predicate;
using tx::SymExprAttr;

//===----------------------------------------------------------------------===//
// Slice
//===----------------------------------------------------------------------===//

/// Beyond any dim: exporters write the ends of int64 for "to the end".
static constexpr int64_t kFar = int64_t(1) << 48;

/// `bound` as a place in [least, dim + least], counted from the start.
/// `least` is 0, or -1 for steps down, where a range ends before element 0.
static FailureOr<SymExprAttr> resolveBound(NodeContext &context,
                                           SymExprAttr bound, SymExprAttr dim,
                                           int64_t least) {
  SymExprAttr lowest = context.getExpr(least);
  SymExprAttr highest = tx::add(dim, least);
  if (std::optional<int64_t> constant = bound.getConstant()) {
    if (*constant >= kFar)
      return highest;
    if (*constant <= -kFar)
      return lowest;
    if (*constant >= 0)
      return context.getMin(bound, highest);
    // The last element of an empty dim: no run can mean that.
    if (*constant == -1 && !dim.getConstant() &&
        failed(context.require(context.getExpr(1), Predicate::le, dim,
                               "its last element is addressed")))
      return failure();
    return context.getMax(tx::add(dim, *constant), lowest);
  }
  if (context.getBounds().upperBound(bound).value_or(1) <= 0) {
    if (failed(context.require(context.getExpr(1), Predicate::le,
                               tx::mul(bound, -1),
                               "a place from the end must not be 0")))
      return failure();
    bound = tx::add(dim, bound);
  }
  if (context.getBounds()
          .compare(Predicate::ge, bound, highest)
          .value_or(false))
    return highest;
  // What may have either sign is meant from the start.
  if (failed(context.require(context.getExpr(0), Predicate::le, bound,
                             "it slices from before the dim")))
    return failure();
  if (failed(context.require(bound, Predicate::le, dim,
                             "it slices beyond the dim")))
    return failure();
  return bound;
}

namespace {
struct Interval {
  SymExprAttr start, size;
};
} // namespace

static FailureOr<Interval> resolveRange(NodeContext &context, SymExprAttr start,
                                        SymExprAttr end, SymExprAttr dim,
                                        int64_t step) {
  int64_t least = step > 0 ? 0 : -1;
  FailureOr<SymExprAttr> first = resolveBound(context, start, dim, least);
  FailureOr<SymExprAttr> last = resolveBound(context, end, dim, least);
  if (failed(first) || failed(last))
    return failure();
  SymExprAttr zero = context.getExpr(0);
  // The last n elements, or all of less.
  std::optional<int64_t> fromEnd = start.getConstant();
  if (step == 1 && fromEnd && *fromEnd < 0 && *fromEnd > -kFar && *last == dim)
    return Interval{*first, context.getMin(dim, context.getExpr(-*fromEnd))};
  SymExprAttr distance =
      step > 0 ? tx::sub(*last, *first) : tx::sub(*first, *last);
  if ((!start.getConstant() || !end.getConstant()) && step == 1 &&
      failed(context.require(zero, Predicate::le, distance,
                             "a slice must not end before it starts")))
    return failure();
  SymExprAttr size =
      tx::ceilDiv(context.getMax(distance, zero), step > 0 ? step : -step);
  return Interval{context.getMax(*first, zero), size};
}

/// `bound` as the place that ONNX means, in [least, dim + least].
static Value computeBound(NodeContext &context, Value bound, SymExprAttr dim,
                          int64_t least) {
  Value zero = context.getExprScalar(context.getExpr(0));
  Value isFromEnd = context.createCompare(Predicate::lt, bound, zero);
  Value wrapped = context.create<tx::AddOp>(bound, context.getExprScalar(dim));
  bound = context.createSelect(isFromEnd, wrapped, bound);
  bound = context.create<tx::MinimumOp>(
      bound, context.getExprScalar(tx::add(dim, least)));
  return context.create<tx::MaximumOp>(
      bound, context.getExprScalar(context.getExpr(least)));
}

/// The interval between bounds (scalars) that depend on data.
static FailureOr<Interval> computeRange(NodeContext &context, Value start,
                                        Value end, SymExprAttr dim,
                                        int64_t step) {
  int64_t least = step > 0 ? 0 : -1;
  Value zero = context.getExprScalar(context.getExpr(0));
  Value first = computeBound(context, start, dim, least);
  Value last = computeBound(context, end, dim, least);
  Value distance = step > 0 ? context.create<tx::SubOp>(last, first)
                            : context.create<tx::SubOp>(first, last);
  int64_t stride = std::abs(step);
  // Division truncates, so what is short of a step is filled up.
  Value filled = context.create<tx::AddOp>(
      distance, context.getExprScalar(context.getExpr(stride - 1)));
  Value size = context.create<tx::DivOp>(
      filled, context.getExprScalar(context.getExpr(stride)));
  SymExprAttr from =
      context.getSize(context.create<tx::MaximumOp>(first, zero), "start");
  SymExprAttr count =
      context.getSize(context.create<tx::MaximumOp>(size, zero), "length");
  if (!from || !count)
    return failure();
  return Interval{from, count};
}

namespace {
struct SliceParameters {
  /// Scalars.
  SmallVector<Value> starts, ends;
  SmallVector<int64_t> axes, steps;
};
} // namespace

/// Attributes up to opset 9, operands since.
static FailureOr<SliceParameters> getSliceParameters(NodeContext &context) {
  SliceParameters p;
  SmallVector<int64_t> axes;
  if (context.getOpset() < 10) {
    std::optional<ArrayRef<int64_t>> starts = context.getInts("starts");
    std::optional<ArrayRef<int64_t>> ends = context.getInts("ends");
    if (!starts || !ends)
      return context.unsupported("attributes \"starts\", \"ends\" are missing");
    for (int64_t start : *starts)
      p.starts.push_back(context.getExprScalar(context.getExpr(start)));
    for (int64_t end : *ends)
      p.ends.push_back(context.getExprScalar(context.getExpr(end)));
    axes =
        llvm::to_vector(context.getInts("axes").value_or(ArrayRef<int64_t>()));
  } else {
    if (context.getNumOperands() < 3)
      return context.unsupported("its starts and ends are missing");
    for (auto [index, bounds] : {std::pair(1u, &p.starts), {2u, &p.ends}}) {
      Value operand = context.getOperand(index);
      FailureOr<int64_t> length = context.getLength(operand, "a slice's end");
      if (failed(length))
        return failure();
      for (int64_t i = 0; i < *length; ++i)
        bounds->push_back(context.getElement(operand, i));
    }
    if (Value operand = context.getOperand(3)) {
      auto known = context.getKnownInts(operand, "axes");
      if (failed(known))
        return failure();
      axes = *known;
    }
    if (Value operand = context.getOperand(4)) {
      auto known = context.getKnownInts(operand, "steps");
      if (failed(known))
        return failure();
      p.steps = *known;
    }
  }
  if (axes.empty())
    axes = llvm::to_vector(llvm::seq<int64_t>(p.starts.size()));
  if (p.steps.empty())
    p.steps.assign(p.starts.size(), 1);
  if (p.starts.size() != p.ends.size() || p.starts.size() != axes.size() ||
      p.starts.size() != p.steps.size())
    return context.unsupported("starts, ends, axes and steps differ in length");
  for (int64_t axis : axes) {
    FailureOr<int64_t> normalized =
        context.normalizeAxis(axis, context.getRank(0));
    if (failed(normalized))
      return failure();
    p.axes.push_back(*normalized);
  }
  return p;
}

static NodeResults buildSlice(NodeContext &context) {
  FailureOr<SliceParameters> p = getSliceParameters(context);
  if (failed(p))
    return {};
  RankedTensorType type = context.getType(0);
  Exprs dims = tx::getDims(type);
  SmallVector<Attribute> starts(dims.size(), context.getExpr(0));
  SmallVector<int64_t> steps(dims.size(), 1);
  for (size_t i = 0; i < p->axes.size(); ++i) {
    int64_t axis = p->axes[i];
    if (p->steps[i] == 0)
      return context.unsupported("a step is 0");
    std::optional<Exprs> start = tx::computeExprs(p->starts[i]);
    std::optional<Exprs> end = tx::computeExprs(p->ends[i]);
    FailureOr<Interval> range =
        start && end ? resolveRange(context, start->front(), end->front(),
                                    dims[axis], p->steps[i])
                     : computeRange(context, p->starts[i], p->ends[i],
                                    dims[axis], p->steps[i]);
    if (failed(range))
      return {};
    starts[axis] = range->start;
    dims[axis] = range->size;
    steps[axis] = p->steps[i];
  }
  return context.create<tx::SliceOp>(
      tx::getTensorType(dims, type.getElementType()), context.getOperand(0),
      context.getBuilder().getArrayAttr(starts), steps);
}

//===----------------------------------------------------------------------===//
// Split
//===----------------------------------------------------------------------===//

/// The parts of a dim in equal sizes; from opset 18 on the last one is smaller
/// when it does not divide.
static FailureOr<Exprs> getEqualParts(NodeContext &context, SymExprAttr dim,
                                      int64_t count) {
  if (count < 1)
    return context.unsupported("it has no outputs");
  SymExprAttr size = context.getOpset() < 18 ? tx::floorDiv(dim, count)
                                             : tx::ceilDiv(dim, count);
  Exprs parts(count, size);
  parts.back() = tx::sub(dim, tx::mul(size, count - 1));
  bool isSound =
      context.getOpset() < 18
          ? succeeded(context.require(parts.back(), Predicate::eq, size,
                                      "a dim is split into equal parts"))
          : succeeded(context.require(context.getExpr(0), Predicate::le,
                                      parts.back(),
                                      "a dim is split into so many parts"));
  if (!isSound)
    return failure();
  return parts;
}

static FailureOr<Exprs> getParts(NodeContext &context, SymExprAttr dim) {
  std::optional<int64_t> count = context.getInt("num_outputs");
  if (std::optional<ArrayRef<int64_t>> split = context.getInts("split"))
    return llvm::map_to_vector(
        *split, [&](int64_t size) { return context.getExpr(size); });
  if (Value operand = context.getOperand(1))
    return context.getExprs(operand, "the sizes of a Split");
  return getEqualParts(
      context, dim,
      count.value_or(static_cast<int64_t>(context.getNode().outputs.size())));
}

static NodeResults buildSplit(NodeContext &context) {
  FailureOr<int64_t> axis =
      context.normalizeAxis(context.getInt("axis", 0), context.getRank(0));
  if (failed(axis))
    return {};
  FailureOr<Exprs> parts =
      getParts(context, tx::getDim(context.getType(0), *axis));
  if (failed(parts))
    return {};
  SymExprAttr total = context.getExpr(0);
  for (SymExprAttr part : *parts)
    total = tx::add(total, part);
  Value x = context.withDim(context.getOperand(0), *axis, total,
                            "the sum of a Split's sizes and its dim");
  SmallVector<Value> results;
  SymExprAttr start = context.getExpr(0);
  for (SymExprAttr part : *parts) {
    SymExprAttr size = context.resolve(part);
    results.push_back(context.slice(x, *axis, context.resolve(start), size));
    start = tx::add(start, part);
  }
  return NodeResults(std::move(results));
}

//===----------------------------------------------------------------------===//
// Pad
//===----------------------------------------------------------------------===//

static NodeResults buildPad(NodeContext &context) {
  StringRef name = context.getString("mode", "constant");
  std::optional<tx::PadMode> mode = tx::symbolizePadMode(name);
  if (!mode)
    return context.unsupported("unknown mode \"" + name + "\"");
  int64_t rank = context.getRank(0);
  Exprs pads;
  Value value;
  if (context.getOpset() < 11) {
    for (int64_t pad : context.getInts("pads").value_or(ArrayRef<int64_t>()))
      pads.push_back(context.getExpr(pad));
    value = context.getScalar(context.getElementType(0),
                              context.getFloat("value", 0));
  } else {
    FailureOr<Exprs> known =
        context.getSizes(context.getOperand(1), "the pads of a Pad");
    if (failed(known))
      return {};
    pads = *known;
    value = context.getOperand(2);
  }
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(rank));
  if (Value operand = context.getOperand(3)) {
    FailureOr<SmallVector<int64_t>> given =
        context.getKnownInts(operand, "axes");
    if (failed(given))
      return {};
    axes = *given;
  }
  if (pads.size() != 2 * axes.size())
    return context.unsupported("it has " + Twine(pads.size()) + " pads for " +
                               Twine(axes.size()) + " axes");
  SmallVector<Attribute> low(rank, context.getExpr(0)), high = low;
  for (auto [index, given] : llvm::enumerate(axes)) {
    FailureOr<int64_t> axis = context.normalizeAxis(given, rank);
    if (failed(axis))
      return {};
    low[*axis] = pads[index];
    high[*axis] = pads[index + axes.size()];
  }
  if (*mode != tx::PadMode::constant)
    value = Value();
  if (value)
    value = context.reshape(value, {});
  return context.create<tx::PadOp>(context.getOperand(0),
                                   OptionalOperand{value}, *mode,
                                   context.getBuilder().getArrayAttr(low),
                                   context.getBuilder().getArrayAttr(high));
}

//===----------------------------------------------------------------------===//
// CenterCropPad
//===----------------------------------------------------------------------===//

/// Cuts or pads each axis to a size, the same at both ends; what is odd is cut
/// or padded at the end.
static NodeResults buildCenterCropPad(NodeContext &context) {
  int64_t rank = context.getRank(0);
  FailureOr<Exprs> sizes =
      context.getExprs(context.getOperand(1), "the shape of a CenterCropPad");
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (std::optional<ArrayRef<int64_t>> given = context.getInts("axes"))
    axes = llvm::to_vector(*given);
  if (failed(sizes))
    return {};
  if (sizes->size() != axes.size())
    return context.unsupported("its shape must have a size for each axis");
  RankedTensorType type = context.getType(0);
  SymExprAttr zero = context.getExpr(0);
  Exprs dims = tx::getDims(type);
  SmallVector<Attribute> starts(rank, zero), low(rank, zero), high(rank, zero);
  for (auto [axis, size] : llvm::zip(axes, *sizes)) {
    FailureOr<int64_t> place = context.normalizeAxis(axis, rank);
    if (failed(place))
      return {};
    SymExprAttr dim = dims[*place];
    SymExprAttr missing = context.getMax(tx::sub(size, dim), zero);
    SymExprAttr before = tx::floorDiv(missing, 2);
    low[*place] = before;
    high[*place] = tx::sub(missing, before);
    starts[*place] = tx::floorDiv(context.getMax(tx::sub(dim, size), zero), 2);
    dims[*place] = context.getMin(dim, size);
  }
  Value x = context.create<tx::SliceOp>(
      tx::getTensorType(dims, type.getElementType()), context.getOperand(0),
      context.getBuilder().getArrayAttr(starts), SmallVector<int64_t>(rank, 1));
  return context.create<tx::PadOp>(x, OptionalOperand(), tx::PadMode::constant,
                                   context.getBuilder().getArrayAttr(low),
                                   context.getBuilder().getArrayAttr(high));
}

OpTable frontend::getSlicingOps() {
  static constexpr OpEntry table[] = {
      {"CenterCropPad", 18, 2, 2, buildCenterCropPad},
      {"Pad", 2, 1, 4, buildPad},
      {"Slice", 1, 1, 5, buildSlice},
      {"Split", 2, 1, 2, buildSplit},
  };
  return table;
}
