//===- NestRows.cpp - the passes over rows of a nest ---------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/NestEmitter.h"
#include "compiler/codegen/Reduction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace txc;
using kernel::CheckOp;
using kernel::ReduceOp;

/// Passes with few operations a point keep this many accumulators: additions
/// have a latency of about four.
constexpr int64_t kUnroll = 4;
constexpr unsigned kMaxUnrolledOps = 16;
/// Of all rows that are computed at once, in straight code.
constexpr int64_t kMaxUnrolledPoints = 64;

/// Rows are independent: the end of a reduction is a long chain, which others
/// hide.
void NestEmitter::emitRows(Rows rows) {
  for (unsigned pass = 0; pass < body.getPasses().size(); ++pass)
    emitPass(rows, pass);
  currentPass = body.getPasses().size();
  for (Row &row : rows) {
    goTo(row);
    for (CheckOp op : body.getRowChecks())
      check(row.scope, op);
    for (unsigned result : body.getRowResults())
      store(row.scope, result);
  }
}

void NestEmitter::emitPass(Rows rows, unsigned number) {
  const BodyPlan::Pass &pass = body.getPasses()[number];
  currentPass = number;
  SmallVector<Reduction> reductions;
  for (ReduceOp reduce : pass.reductions)
    reductions.emplace_back(code, reduce, nest.numLanes);
  for (Row &row : rows) {
    goTo(row);
    prepare(row.scope, pass.getTargets(yield));
  }

  bool unrolls = nest.lanesInRow && rows.size() == 1 && !reductions.empty() &&
                 body.countOps(pass) <= kMaxUnrolledOps;
  int64_t unroll = unrolls ? kUnroll : 1;
  SmallVector<Value> carried;
  for (size_t i = 0; i < unroll * rows.size(); ++i)
    for (Reduction &reduction : reductions)
      llvm::append_range(carried, reduction.getNeutral());
  carried = emitRowLoops(rows, number, 0, carried, unroll);

  size_t statesSize = carried.size() / (unroll * rows.size());
  for (size_t i = 0, at = 0; i < reductions.size(); ++i) {
    Reduction &reduction = reductions[i];
    unsigned count = reduction.getNumVectors();
    auto stateOf = [&](size_t copy) {
      return ArrayRef(carried).slice(copy * statesSize + at, count);
    };
    for (auto [r, row] : llvm::enumerate(rows)) {
      Reduction::State state = llvm::to_vector(stateOf(r));
      for (int64_t copy = 1; copy < unroll; ++copy)
        state = reduction.merge(state, stateOf(copy * rows.size() + r));
      Value result = nest.lanesInRow ? reduction.finishAcross(state)
                                     : reduction.finishLanes(state);
      ReduceOp reduce = pass.reductions[i];
      row.scope.values[reduce.getResult()] = {result};
    }
    at += count;
  }
}

/// How many points of a loop become straight code: neighbours that read the
/// same of a window then load it once.
int64_t NestEmitter::getUnrolledPoints(Rows rows, unsigned pass,
                                       unsigned depth) {
  if (nest.lanesInRow || nest.rowsAtOnce == 1 || depth + 1 != nest.row.size() ||
      body.getPasses()[pass].reductions.empty())
    return 1;
  return kMaxUnrolledPoints / static_cast<int64_t>(rows.size());
}

/// The loops over the rows' dims from `depth` inward.
NestEmitter::Carried NestEmitter::emitRowLoops(Rows rows, unsigned pass,
                                               unsigned depth,
                                               ValueRange carried,
                                               int64_t unroll) {
  if (depth == nest.row.size()) {
    if (nest.lanesInRow)
      return emitRowLanes(rows, pass, carried, unroll);
    return emitPoints(rows, pass, /*lanes=*/{},
                      rows.front().scope.lanes.getMask(), carried);
  }
  const NestLoop &loop = nest.row[depth];
  auto emitAt = [&](Value index, ValueRange inner) {
    for (Row &row : rows)
      row.point[loop.dim] = {index};
    return emitRowLoops(rows, pass, depth + 1, inner, unroll);
  };
  int64_t atOnce = getUnrolledPoints(rows, pass, depth);
  if (atOnce == 1)
    return code.loop(code.index(0), size(loop), 1, carried, emitAt);
  // Neighbours are computed at once in loops of known length only.
  int64_t length = *loop.size.getConstant();
  int64_t full = llvm::alignDown(length, atOnce);
  auto emitPointsFrom = [&](Value first, ValueRange inner, int64_t count) {
    Carried next(inner);
    for (int64_t i = 0; i < count; ++i)
      next = emitAt(code.add(first, i), next);
    return next;
  };
  Carried states = code.loop(code.index(0), code.index(full), atOnce, carried,
                             [&](Value first, ValueRange inner) {
                               return emitPointsFrom(first, inner, atOnce);
                             });
  return emitPointsFrom(code.index(full), states, length - full);
}

/// Lanes along the rows: `unroll` full vectors at a time, then one, then the
/// rest under a mask.
NestEmitter::Carried NestEmitter::emitRowLanes(Rows rows, unsigned pass,
                                               ValueRange carried,
                                               int64_t unroll) {
  Value end = size(nest.lanes), begin = code.index(0);
  SmallVector<Value> states(carried);
  size_t numStates = states.size() / unroll;
  auto emitVectors = [&](Value limit, int64_t copies, bool isMasked) {
    int64_t step = copies * nest.numLanes;
    states = code.loop(
        begin, limit, step, states, [&](Value lane, ValueRange inner) {
          SmallVector<Value> lanes;
          for (int64_t copy = 0; copy < copies; ++copy)
            lanes.push_back(code.add(lane, copy * nest.numLanes));
          Value mask;
          if (isMasked)
            mask = code.firstLanes(
                VectorType::get(nest.numLanes, code.builder.getI1Type()),
                code.sub(end, lane));
          Carried next(inner);
          llvm::copy(emitPoints(rows, pass, lanes, mask,
                                inner.take_front(copies * numStates)),
                     next.begin());
          return next;
        });
    begin = limit;
  };
  if (unroll > 1)
    emitVectors(code.roundDown(end, unroll * nest.numLanes), unroll, false);
  if (unroll == 1 || !dividesEvenly(unroll * nest.numLanes))
    emitVectors(code.roundDown(end, nest.numLanes), 1, false);
  if (!dividesEvenly(nest.numLanes))
    emitVectors(end, 1, true);
  return states;
}

/// What the pass computes at one vector of points of each row, or at those that
/// begin at `lanes` in the row. Everything is computed before anything is
/// stored: a store would keep the next vector's loads behind it.
NestEmitter::Carried NestEmitter::emitPoints(Rows rows, unsigned pass,
                                             ArrayRef<Value> lanes, Value mask,
                                             ValueRange carried) {
  SmallVector<Row> points;
  for (size_t copy = 0; copy < std::max<size_t>(lanes.size(), 1); ++copy)
    for (Row &row : rows) {
      Lanes ofPoint(function, nest.numLanes, mask);
      points.push_back(
          {Scope(Rate::point, ofPoint, &row.scope), row.point, row.number});
      if (!lanes.empty())
        points.back().point[nest.lanes.dim] = {lanes[copy], 1};
    }
  for (Row &at : points) {
    goTo(at);
    for (Value target : body.getPasses()[pass].getTargets(yield))
      get(at.scope, target);
  }
  Carried next;
  size_t numStates = carried.size() / points.size();
  for (Row &at : points) {
    goTo(at);
    llvm::append_range(
        next,
        finishPoint(at.scope, pass, carried.slice(next.size(), numStates)));
  }
  return next;
}

/// Stores and reduces what has been computed at one vector of points.
NestEmitter::Carried NestEmitter::finishPoint(Scope &scope, unsigned pass,
                                              ValueRange carried) {
  const BodyPlan::Pass &plan = body.getPasses()[pass];
  for (CheckOp op : plan.checks)
    check(scope, op);
  for (unsigned result : plan.results)
    store(scope, result);
  Carried next;
  for (ReduceOp op : plan.reductions) {
    Reduction reduction(code, op, nest.numLanes);
    ValueRange state = carried.slice(next.size(), reduction.getNumVectors());
    // Parallel lanes outside the mask have rows nobody asks for.
    Lanes lanes(function, nest.numLanes,
                nest.lanesInRow ? scope.lanes.getMask() : Value());
    auto product = op.getValue().getDefiningOp<arith::MulFOp>();
    if (product && product->hasOneUse() && reduction.addsProducts(lanes))
      llvm::append_range(
          next, reduction.addProduct(state, get(scope, product.getLhs()),
                                     get(scope, product.getRhs()), lanes));
    else
      llvm::append_range(
          next, reduction.combine(state, get(scope, op.getValue()), lanes));
  }
  if (!plan.saved.empty()) {
    // Scratch has room for whole vectors.
    Lanes whole(function, nest.numLanes, nullptr);
    for (Value value : plan.saved) {
      LaneValue lanes = get(scope, value);
      whole.store({whole.getVector(lanes)}, getSavedBuffer(value),
                  getSavedElement(scope));
    }
  }
  return next;
}
