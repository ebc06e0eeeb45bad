//===- Indexing.cpp - ONNX operators that address elements ----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "python-free-frontend/ops/OpTable.h"
#include "llvm/ADT/Sequence.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::SymExprAttr;

/// Indices, operand 1, are signed and of 32 or 64 bits.
static LogicalResult checkIndices(NodeContext &context) {
  Type type = context.getElementType(1);
  if (type.isSignlessInteger(32) || type.isSignlessInteger(64))
    return success();
  std::string found;
  llvm::raw_string_ostream(found) << type;
  return context.unsupported("its indices are " + found,
                             "a Cast of them to INT64");
}

/// Places beside the axis are those of x, without an index that says so.
static LogicalResult checkPlaces(NodeContext &context, int64_t axis) {
  if (context.getRank(1) != context.getRank(0))
    return context.unsupported("its indices and its input differ in rank");
  for (int64_t d = 0; d < context.getRank(0); ++d)
    if (d != axis && failed(context.require(tx::getDim(context.getType(1), d),
                                            tx::Predicate::le,
                                            tx::getDim(context.getType(0), d),
                                            "dims of indices and input")))
      return failure();
  return success();
}

static NodeResults buildGather(NodeContext &context) {
  if (failed(checkIndices(context)))
    return {};
  FailureOr<int64_t> axis =
      context.normalizeAxis(context.getInt("axis", 0), context.getRank(0));
  if (failed(axis))
    return {};
  return context.create<tx::GatherOp>(context.getOperand(0),
                                      context.getOperand(1), *axis);
}

static NodeResults buildGatherElements(NodeContext &context) {
  if (failed(checkIndices(context)))
    return {};
  FailureOr<int64_t> axis =
      context.normalizeAxis(context.getInt("axis", 0), context.getRank(0));
  if (failed(axis) || failed(checkPlaces(context, *axis)))
    return {};
  return context.create<tx::GatherElementsOp>(context.getOperand(0),
                                              context.getOperand(1), *axis);
}

static NodeResults buildGatherNd(NodeContext &context) {
  if (failed(checkIndices(context)))
    return {};
  int64_t batchDims = context.getInt("batch_dims", 0);
  int64_t least = std::min(context.getRank(0), context.getRank(1));
  if (batchDims < 0 || batchDims >= least)
    return context.unsupported("batch_dims " + Twine(batchDims) +
                               " does not fit its inputs");
  for (int64_t d = 0; d < batchDims; ++d)
    if (failed(context.unify(tx::getDim(context.getType(0), d),
                             tx::getDim(context.getType(1), d), "batch dims")))
      return {};
  return context.create<tx::GatherNdOp>(context.getOperand(0),
                                        context.getOperand(1), batchDims);
}

/// The `reduction` of ScatterElements and ScatterND, whose updates are of the
/// input's type.
static FailureOr<tx::ScatterKind> getScatterKind(NodeContext &context) {
  if (context.getElementType(0) != context.getElementType(2))
    return context.unsupported("its updates have another type than its input",
                               "a Cast of them");
  StringRef name = context.getString("reduction", "none");
  if (name == "none")
    return tx::ScatterKind::replace;
  if (std::optional<tx::ScatterKind> kind = tx::symbolizeScatterKind(name))
    return *kind;
  return context.unsupported("unknown reduction \"" + name + "\"");
}

static NodeResults buildScatterElements(NodeContext &context) {
  if (failed(checkIndices(context)))
    return {};
  int64_t rank = context.getRank(0);
  FailureOr<int64_t> axis =
      context.normalizeAxis(context.getInt("axis", 0), rank);
  FailureOr<tx::ScatterKind> kind = getScatterKind(context);
  if (failed(axis) || failed(kind))
    return {};
  if (context.getRank(2) != rank)
    return context.unsupported("its inputs differ in rank");
  if (failed(checkPlaces(context, *axis)))
    return {};
  for (int64_t d = 0; d < rank; ++d)
    if (failed(context.unify(tx::getDim(context.getType(1), d),
                             tx::getDim(context.getType(2), d),
                             "dims of indices and updates")))
      return {};
  return context.create<tx::ScatterElementsOp>(
      context.getOperand(0), context.getOperand(1), context.getOperand(2),
      *axis, *kind);
}

/// updates: the dims of `indices` without the last, then those of x that a
/// tuple does not address.
static NodeResults buildScatterNd(NodeContext &context) {
  if (failed(checkIndices(context)))
    return {};
  FailureOr<tx::ScatterKind> kind = getScatterKind(context);
  if (failed(kind))
    return {};
  int64_t rank = context.getRank(0), places = context.getRank(1) - 1;
  // The ranks say how long a tuple is, also where its dim does not.
  int64_t tuple = places + rank - context.getRank(2);
  if (places < 0 || tuple < 0 || tuple > rank)
    return context.unsupported("its inputs do not fit each other");
  Value indices =
      context.withDim(context.getOperand(1), places, context.getExpr(tuple),
                      "the indices' last dim and what is addressed");
  Value updates = context.getOperand(2);
  for (int64_t d = 0; d < context.getRank(2); ++d) {
    SymExprAttr expected =
        d < places ? tx::getDim(context.getType(1), d)
                   : tx::getDim(context.getType(0), tuple + d - places);
    updates = context.withDim(updates, d, expected, "dims of the updates");
  }
  return context.create<tx::ScatterNdOp>(context.getOperand(0), indices,
                                         updates, *kind);
}

/// A cache whose places [start, start + S) along `axis` hold the update; start
/// is one number a batch row. Circular: places wrap around.
static NodeResults buildTensorScatter(NodeContext &context) {
  StringRef mode = context.getString("mode", "linear");
  int64_t rank = context.getRank(0);
  FailureOr<int64_t> axis =
      context.normalizeAxis(context.getInt("axis", -2), rank);
  if (failed(axis))
    return {};
  if (*axis == 0 || context.getRank(1) != rank)
    return context.unsupported("the axis must not be that of the batch, and "
                               "the update have the cache's rank");
  if (mode != "linear" && mode != "circular")
    return context.unsupported("unknown mode \"" + mode + "\"");
  for (int64_t d = 0; d < rank; ++d)
    if (d != *axis && failed(context.unify(tx::getDim(context.getType(0), d),
                                           tx::getDim(context.getType(1), d),
                                           "dims of cache and update")))
      return {};
  Exprs dims = tx::getDims(context.getType(0));
  SymExprAttr capacity = dims[*axis];
  SymExprAttr length = tx::getDim(context.getType(1), *axis);
  if (failed(context.require(length, tx::Predicate::le, capacity,
                             "the update fits the cache")))
    return {};
  Type i64 = context.getBuilder().getI64Type();
  auto scalar = [&](SymExprAttr expr) {
    return context.getExprTensor(RankedTensorType::get({}, i64), expr);
  };
  // For each place of the cache, where in the update it comes from.
  Exprs places(rank, context.getExpr(1));
  places[*axis] = capacity;
  Value source = context.reshape(context.getIota(capacity, i64), places);
  if (Value starts = context.getOperand(2)) {
    Exprs rows(rank, context.getExpr(1));
    rows[0] = dims[0];
    source = context.create<tx::SubOp>(
        source, context.reshape(context.cast(starts, i64), rows));
  }
  if (mode == "circular")
    source = context.create<tx::ModOp>(source, scalar(capacity));
  Value zero = context.getScalar(i64, 0);
  Value isUpdated = context.create<tx::AndOp>(
      context.create<tx::CompareOp>(tx::Predicate::ge, source, zero),
      context.create<tx::CompareOp>(tx::Predicate::lt, source, scalar(length)));
  Value index = context.broadcastTo(
      context.create<tx::SelectOp>(isUpdated, source, zero), dims);
  Value update =
      context.create<tx::GatherElementsOp>(context.getOperand(1), index, *axis);
  return context.create<tx::SelectOp>(isUpdated, update, context.getOperand(0));
}

//===----------------------------------------------------------------------===//
// Selections by data
//===----------------------------------------------------------------------===//

/// The places of the true elements of an i1 tensor: [rank, count], where a run
/// finds the count.
static Value findTrue(NodeContext &context, Value condition) {
  if (!condition)
    return {};
  // One condition has one count, whoever asks.
  for (Operation *user : condition.getUsers())
    if (auto nonzero = dyn_cast<tx::NonzeroOp>(user))
      return nonzero;
  auto type = cast<RankedTensorType>(condition.getType());
  Type i64 = context.getBuilder().getI64Type();
  auto axes = llvm::to_vector(llvm::seq<int64_t>(type.getRank()));
  Value count = context.create<tx::ReduceOp>(context.cast(condition, i64),
                                             tx::ReduceKind::sum, axes);
  SymExprAttr size = context.getSize(context.reshape(count, {}), "count");
  if (!size)
    return {};
  type = cast<RankedTensorType>(condition.getType());
  return context.create<tx::NonzeroOp>(
      tx::getTensorType({context.getExpr(type.getRank()), size}, i64),
      condition);
}

static NodeResults buildNonZero(NodeContext &context) {
  Value x = context.getOperand(0);
  if (context.getRank(0) == 0)
    x = context.unsqueeze(x, {0});
  if (!context.getElementType(0).isInteger(1))
    x = context.createCompare(tx::Predicate::ne, x,
                              context.getScalar(context.getElementType(0), 0));
  return findTrue(context, x);
}

/// The slices along an axis (of the flat input without one) whose condition
/// holds; a condition that is too short leaves out what it doesn't reach.
static NodeResults buildCompress(NodeContext &context) {
  Value x = context.getOperand(0);
  std::optional<int64_t> given = context.getInt("axis");
  if (context.getRank(1) != 1)
    return context.unsupported("its condition has not rank 1");
  int64_t axis = 0;
  if (given) {
    FailureOr<int64_t> normalized =
        context.normalizeAxis(*given, context.getRank(0));
    if (failed(normalized))
      return {};
    axis = *normalized;
  } else {
    x = context.reshape(x, tx::getElementCount(context.getType(0)));
  }
  if (!x || failed(context.require(
                tx::getDim(context.getType(1), 0), tx::Predicate::le,
                tx::getDim(cast<RankedTensorType>(x.getType()), axis),
                "a condition must not be longer than the axis")))
    return {};
  Value places = findTrue(context, context.getOperand(1));
  return context.create<tx::GatherOp>(x, context.squeeze(places, {0}), axis);
}

/// Turns the first lengths[b] elements of each row around.
static NodeResults buildReverseSequence(NodeContext &context) {
  int64_t batchAxis = context.getInt("batch_axis", 1);
  int64_t timeAxis = context.getInt("time_axis", 0);
  int64_t rank = context.getRank(0);
  if (rank < 2 || batchAxis + timeAxis != 1 || batchAxis * timeAxis != 0)
    return context.unsupported("its axes must be 0 and 1");
  Type i64 = context.getBuilder().getI64Type();
  SmallVector<int64_t> order;
  for (int64_t d = 0; d < rank; ++d)
    order.push_back(d < 2 && batchAxis == 1 ? 1 - d : d);
  Value x = context.transpose(context.getOperand(0), order);
  Exprs dims = tx::getDims(context.getType(0));
  Value lengths =
      context.withDim(context.getOperand(1), 0, dims[batchAxis], "batches");
  lengths = context.unsqueeze(context.cast(lengths, i64), {1});
  Value place = context.unsqueeze(context.getIota(dims[timeAxis], i64), {0});
  Value last =
      context.createElementwise<tx::SubOp>(lengths, context.getScalar(i64, 1));
  Value turned = context.createElementwise<tx::SubOp>(last, place);
  Value isInside = context.createCompare(tx::Predicate::lt, place, lengths);
  Value places = context.createSelect(isInside, turned, place);
  Value y = context.create<tx::GatherNdOp>(x, context.unsqueeze(places, {2}),
                                           int64_t(1));
  return context.transpose(y, order);
}

/// The places [n] of the rows of x [n, L] in lexicographic order, equal ones in
/// the order they had: sorted by each column, the last one first.
static Value sortRows(NodeContext &context, Value x) {
  Exprs dims = tx::getDims(typeOf(x));
  Type i64 = context.getBuilder().getI64Type();
  Value order = context.getIota(dims[0], i64);
  auto sortBy = [&](SymExprAttr column, Value before) {
    Value keys =
        context.reshape(context.create<tx::GatherOp>(
                            context.slice(x, 1, column, context.getExpr(1)),
                            before, int64_t(0)),
                        {dims[0]});
    if (!keys)
      return Value();
    auto sorted = context.createAll<tx::TopkOp>(
        TypeRange{typeOf(keys), typeOf(before)}, keys, int64_t(0),
        /*smallest=*/true);
    return sorted.size() == 2
               ? context.create<tx::GatherOp>(before, sorted[1], int64_t(0))
               : Value();
  };
  if (dims[1].isConstant(1))
    return sortBy(context.getExpr(0), order);
  NodeResults results = context.loop(
      {dims[1], {}, {order}},
      [&](SymExprAttr index, ArrayRef<Value> carried) -> NodeResults {
        SymExprAttr last = tx::add(dims[1], -1);
        return sortBy(tx::sub(last, index), carried.front());
      });
  return results.failed() ? Value() : results.getValues().front();
}

/// The distinct elements, or slices along an axis, sorted or in the order of
/// their first places. Outputs: they, their first places, which of them each
/// element is, how many there are of each.
static NodeResults buildUnique(NodeContext &context) {
  bool isSorted = context.getInt("sorted", 1) != 0;
  Value x = context.getOperand(0);
  int64_t axis = 0;
  if (std::optional<int64_t> given = context.getInt("axis")) {
    FailureOr<int64_t> known =
        context.normalizeAxis(*given, context.getRank(0));
    if (failed(known))
      return {};
    axis = *known;
  } else {
    x = context.reshape(x, tx::getElementCount(context.getType(0)));
  }
  if (!x)
    return {};
  // Slices as rows.
  auto order = llvm::to_vector(llvm::seq<int64_t>(typeOf(x).getRank()));
  std::rotate(order.begin(), order.begin() + axis, order.begin() + axis + 1);
  Exprs dims = tx::getDims(typeOf(x));
  SymExprAttr count = dims[axis];
  dims.erase(dims.begin() + axis);
  Value rows =
      context.reshape(context.transpose(x, order),
                      {count, tx::product(context.getContext(), dims)});
  Value places = rows ? sortRows(context, rows) : Value();
  auto take = [&](Value from, Value at) {
    return context.create<tx::GatherOp>(from, at, int64_t(0));
  };
  // A row that differs from the one before begins a group.
  Type i64 = context.getBuilder().getI64Type();
  auto number = [&](int64_t value) {
    return context.getExprScalar(context.getExpr(value));
  };
  Value iota = context.getIota(count, i64);
  Value before = context.create<tx::MaximumOp>(
      context.create<tx::SubOp>(iota, number(1)), number(0));
  Value differs = context.createCompare(tx::Predicate::ne, take(rows, places),
                                        take(rows, take(places, before)));
  SmallVector<int64_t> columns = {1};
  Value isFirst = context.createCompare(tx::Predicate::eq, iota, number(0));
  if (!differs)
    return {};
  Value changes = context.squeeze(
      context.create<tx::ReduceOp>(context.cast(differs, i64),
                                   tx::ReduceKind::max, columns),
      columns);
  Value begins = context.create<tx::OrOp>(
      isFirst, context.createCompare(tx::Predicate::gt, changes, number(0)));
  Value found = findTrue(context, begins);
  if (!found)
    return {};
  Value starts = context.squeeze(found, {0});
  Value group = context.create<tx::SubOp>(
      context.create<tx::CumsumOp>(context.cast(begins, i64), int64_t(0),
                                   /*exclusive=*/false, /*reverse=*/false),
      number(1));
  Value firsts = take(places, starts);
  SymExprAttr groups = tx::getDim(typeOf(starts), 0);
  if (!isSorted && firsts) {
    // Groups by their first places; `rank` is where a group goes.
    auto sorted = context.createAll<tx::TopkOp>(
        TypeRange{typeOf(firsts), typeOf(firsts)}, firsts, int64_t(0),
        /*smallest=*/true);
    if (sorted.size() != 2)
      return {};
    Value rank = context.create<tx::ScatterElementsOp>(
        context.broadcastTo(number(0), {groups}), sorted[1],
        context.getIota(groups, i64), int64_t(0), tx::ScatterKind::replace);
    firsts = sorted[0];
    group = take(rank, group);
  }
  Value inverse = context.create<tx::ScatterElementsOp>(
      context.broadcastTo(number(0), {count}), places, group, int64_t(0),
      tx::ScatterKind::replace);
  Value counts = context.create<tx::ScatterElementsOp>(
      context.broadcastTo(number(0), {groups}), group,
      context.broadcastTo(number(1), {count}), int64_t(0),
      tx::ScatterKind::add);
  return {context.create<tx::GatherOp>(x, firsts, axis), firsts, inverse,
          counts};
}

OpTable frontend::getIndexingOps() {
  static constexpr OpEntry table[] = {
      {"Compress", 9, 2, 2, buildCompress},
      {"Gather", 1, 2, 2, buildGather},
      {"GatherElements", 11, 2, 2, buildGatherElements},
      {"GatherND", 11, 2, 2, buildGatherNd},
      {"NonZero", 9, 1, 1, buildNonZero},
      {"ReverseSequence", 10, 2, 2, buildReverseSequence},
      {"Scatter", 9, 3, 3, buildScatterElements},
      {"ScatterElements", 11, 3, 3, buildScatterElements},
      {"ScatterND", 11, 3, 3, buildScatterNd},
      {"TensorScatter", 24, 2, 3, buildTensorScatter},
      {"Unique", 11, 1, 1, buildUnique},
  };
  return table;
}
