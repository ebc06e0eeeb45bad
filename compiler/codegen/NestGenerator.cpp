//===- NestGenerator.cpp - code of kernel.map and kernel.rows ------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/NestGenerator.h"
#include "compiler/codegen/NestEmitter.h"

using namespace mlir;
using namespace txc;
using tx::SymExprAttr;

//===----------------------------------------------------------------------===//
// Units
//===----------------------------------------------------------------------===//

/// The indices of the outer loops, then of the run.
SmallVector<Value> NestEmitter::decodeUnit(Value unit) {
  SmallVector<Value> indices(nest.unitSizes.size());
  for (size_t i = indices.size(); i-- > 1;) {
    Value extent = function.getValue(nest.unitSizes[i]);
    indices[i] = code.rem(unit, extent);
    unit = code.div(unit, extent);
  }
  indices[0] = unit;
  return indices;
}

/// Counts up, last index first.
SmallVector<Value> NestEmitter::getNextUnit(ValueRange indices) {
  SmallVector<Value> next(indices);
  Value carry = code.index(1);
  for (size_t i = next.size(); i-- > 0;) {
    Value sum = code.add(next[i], carry);
    if (i == 0) {
      next[i] = sum;
      break;
    }
    Value extent = function.getValue(nest.unitSizes[i]);
    Value wraps = code.compare(arith::CmpIPredicate::eq, sum, extent);
    next[i] = code.select(wraps, code.index(0), sum);
    carry = code.select(wraps, code.index(1), code.index(0));
  }
  return next;
}

/// The first point of a unit.
SmallVector<LaneValue> NestEmitter::getStart(ValueRange unit) {
  SmallVector<LaneValue> start(point.size(), LaneValue{code.index(0)});
  for (auto [loop, index] : llvm::zip(nest.outer, unit))
    start[loop.dim] = {index};
  return start;
}

void NestEmitter::goTo(const Row &row) {
  point = row.point;
  rowNumber = row.number;
}

void NestEmitter::emit() {
  Value perTask = function.getValue(nest.unitsPerTask);
  Value begin = code.mul(function.getTaskBegin(), perTask);
  Value end = code.min(code.mul(function.getTaskEnd(), perTask),
                       function.getValue(nest.units));
  if (nest.lanesInRow)
    emitRowUnits(begin, end);
  else
    emitLaneUnits(begin, end);
}

/// Units are rows: several at once, then one by one.
void NestEmitter::emitRowUnits(Value begin, Value end) {
  SmallVector<Value> indices = decodeUnit(begin);
  auto emitUnits = [&](Value limit, int64_t count) {
    indices =
        code.loop(begin, limit, count, indices, [&](Value, ValueRange carried) {
          SmallVector<Value> unit(carried);
          SmallVector<Row> rows;
          for (int64_t i = 0; i < count; ++i) {
            Lanes lanes(function, nest.numLanes, nullptr);
            rows.push_back(
                {Scope(Rate::unit, lanes, nullptr), getStart(unit), i});
            unit = getNextUnit(unit);
          }
          emitRows(rows);
          return unit;
        });
    begin = limit;
  };
  if (nest.rowsAtOnce > 1) {
    Value count = code.sub(end, begin);
    emitUnits(code.add(begin, code.roundDown(count, nest.rowsAtOnce)),
              nest.rowsAtOnce);
  }
  emitUnits(end, 1);
}

/// Units are runs of parallel lanes.
void NestEmitter::emitLaneUnits(Value begin, Value end) {
  code.loop(begin, end, 1, decodeUnit(begin),
            [&](Value, ValueRange indices) -> SmallVector<Value> {
              emitRun(indices);
              return getNextUnit(indices);
            });
}

/// The rows of a run: all neighbours at once, or those that there are, one by
/// one.
void NestEmitter::emitRun(ValueRange indices) {
  SmallVector<Value> unit(indices);
  auto emitNeighbours = [&](Value first, int64_t count) {
    SmallVector<Row> rows;
    for (int64_t i = 0; i < count; ++i) {
      if (nest.rowsAtOnce > 1)
        unit[nest.outer.size() - 1] = code.add(first, i);
      Lanes lanes(function, nest.numLanes, nullptr);
      rows.push_back({Scope(Rate::unit, lanes, nullptr), getStart(unit), i});
    }
    emitLaneLoops(rows, indices.back());
  };
  if (nest.rowsAtOnce == 1)
    return emitNeighbours(/*first=*/Value(), 1);
  const NestLoop &loop = nest.outer.back();
  Value first = code.mul(unit[nest.outer.size() - 1], nest.rowsAtOnce);
  auto emitAll = [&] { emitNeighbours(first, nest.rowsAtOnce); };
  std::optional<int64_t> known = loop.size.getConstant();
  if (known && *known % nest.rowsAtOnce == 0)
    return emitAll();
  Value end = code.add(first, nest.rowsAtOnce);
  code.ifThenElse(code.compare(arith::CmpIPredicate::sle, end, size(loop)),
                  emitAll, [&] {
                    code.loop(first, size(loop), 1,
                              [&](Value index) { emitNeighbours(index, 1); });
                  });
}

/// The lanes of a run, of all rows.
void NestEmitter::emitLaneLoops(Rows units, Value run) {
  for (Row &unit : units) {
    goTo(unit);
    prepare(unit.scope, llvm::to_vector(yield->getOperands()));
    for (const BodyPlan::Pass &pass : body.getPasses())
      prepare(unit.scope, pass.getTargets(yield));
    for (kernel::CheckOp check : body.getRowChecks())
      prepare(unit.scope, llvm::to_vector(check.getOperands()));
  }

  Value first = code.mul(run, nest.run);
  Value end = code.min(code.add(first, nest.run), size(nest.lanes));
  Value full =
      code.add(first, code.roundDown(code.sub(end, first), nest.numLanes));
  code.loop(first, full, nest.numLanes,
            [&](Value lane) { emitLanes(units, lane, /*mask=*/Value()); });
  if (dividesEvenly(nest.numLanes))
    return;
  // Once or not at all.
  code.loop(full, end, nest.numLanes, [&](Value lane) {
    auto type = VectorType::get(nest.numLanes, code.builder.getI1Type());
    emitLanes(units, lane, code.firstLanes(type, code.sub(end, lane)));
  });
}

void NestEmitter::emitLanes(Rows units, Value first, Value mask) {
  SmallVector<Row> rows;
  for (Row &unit : units) {
    Lanes lanes(function, nest.numLanes, mask);
    rows.push_back(
        {Scope(Rate::lanes, lanes, &unit.scope), unit.point, unit.number});
    rows.back().point[nest.lanes.dim] = {first, 1};
  }
  emitRows(rows);
}

//===----------------------------------------------------------------------===//
// Interface
//===----------------------------------------------------------------------===//

void txc::emitNest(KernelFunction &function, kernel::NestInterface nest,
                   ArrayRef<Value> operands) {
  NestEmitter(function, nest, operands).emit();
}

SymExprAttr txc::getNestTaskCount(kernel::NestInterface nest,
                                  const VectorTarget &target) {
  return NestPlan(nest, target).tasks;
}

SymExprAttr txc::getNestScratchBytes(kernel::NestInterface nest,
                                     const VectorTarget &target) {
  NestPlan plan(nest, target);
  BodyPlan body(nest, plan);
  return tx::mul(getSavedBytesOfRow(plan, body), plan.rowsAtOnce);
}
