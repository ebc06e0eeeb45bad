//===- NestGenerator.cpp - code of kernel.map and kernel.rows ------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/NestGenerator.h"
#include "compiler/codegen/BodyPlan.h"
#include "compiler/codegen/Lanes.h"
#include "compiler/codegen/Reduction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace txc;
using kernel::CheckOp;
using kernel::FetchOp;
using kernel::IndexOp;
using kernel::ReduceOp;
using kernel::SizeOp;
using tx::SymExprAttr;

/// Passes with few operations a point keep this many accumulators: additions
/// have a latency of about four.
constexpr int64_t kUnroll = 4;
constexpr unsigned kMaxUnrolledOps = 16;
/// Of all rows that are computed at once, in straight code.
constexpr int64_t kMaxUnrolledPoints = 64;

namespace {

/// The values known inside one loop; it looks outward for those of outer loops.
struct Scope {
  Scope(Rate rate, Lanes lanes, const Scope *parent)
      : rate(rate), lanes(lanes), parent(parent) {}

  const LaneValue *find(Value value) const {
    for (const Scope *scope = this; scope; scope = scope->parent)
      if (auto it = scope->values.find(value); it != scope->values.end())
        return &it->second;
    return nullptr;
  }

  Rate rate;
  Lanes lanes;
  const Scope *parent;
  llvm::DenseMap<Value, LaneValue> values;
};

/// A row, or a vector of parallel ones, with an index for each iteration dim.
struct Row {
  Scope scope;
  SmallVector<LaneValue> point;
  /// Its place among the rows that are computed at once.
  int64_t number;
};

class NestEmitter {
public:
  NestEmitter(KernelFunction &function, kernel::NestInterface op,
              ArrayRef<Value> operands)
      : function(function), code(function.getCode()), op(op),
        operands(operands), nest(op, function.getTarget()), body(op, nest),
        yield(op.getBodyBlock().getTerminator()),
        point(nest.accesses.empty() ? op.getSizes().size()
                                    : nest.accesses.front().strides.size()) {}

  void emit();

private:
  // Loops.
  SmallVector<Value> decodeUnit(Value unit);
  SmallVector<Value> getNextUnit(ValueRange indices);
  void emitRowUnits(Value begin, Value end);
  void emitLaneUnits(Value begin, Value end);
  using Rows = MutableArrayRef<Row>;
  void emitRun(ValueRange indices);
  void emitLaneLoops(Rows units, Value run);
  void emitLanes(Rows units, Value first, Value mask);
  void emitRows(Rows rows);
  void emitPass(Rows rows, unsigned number);
  using Carried = SmallVector<Value>;
  int64_t getUnrolledPoints(Rows rows, unsigned pass, unsigned depth);
  Carried emitRowLoops(Rows rows, unsigned pass, unsigned depth,
                       ValueRange carried, int64_t unroll);
  Carried emitRowLanes(Rows rows, unsigned pass, ValueRange carried,
                       int64_t unroll);
  Carried emitPoints(Rows rows, unsigned pass, ArrayRef<Value> lanes,
                     Value mask, ValueRange carried);
  Carried finishPoint(Scope &scope, unsigned pass, ValueRange carried);

  // Values.
  LaneValue get(Scope &scope, Value value);
  LaneValue compute(Scope &scope, Value value);
  void prepare(Scope &scope, ArrayRef<Value> targets);
  void check(Scope &scope, CheckOp check);
  void store(Scope &scope, unsigned result);
  LaneValue getSavedElement(Scope &scope);
  Value getSavedBuffer(Value value);
  void goTo(const Row &row);
  SmallVector<LaneValue> getStart(ValueRange unit);

  Value size(const NestLoop &loop) { return function.getValue(loop.size); }
  bool dividesEvenly(int64_t step) const {
    std::optional<int64_t> known = nest.lanes.size.getConstant();
    return known && *known % step == 0;
  }

  KernelFunction &function;
  x86::CodeBuilder &code;
  kernel::NestInterface op;
  ArrayRef<Value> operands;
  NestPlan nest;
  BodyPlan body;
  Operation *yield;
  /// Where the code being emitted is: an index for each iteration dim.
  SmallVector<LaneValue> point;
  int64_t rowNumber = 0;
  unsigned currentPass = 0;
};

} // namespace

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
    for (CheckOp check : body.getRowChecks())
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
// Rows
//===----------------------------------------------------------------------===//

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

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// Emits what inner scopes will need of values that `scope` or outer ones own.
void NestEmitter::prepare(Scope &scope, ArrayRef<Value> targets) {
  llvm::SmallPtrSet<Value, 16> seen;
  SmallVector<Value> worklist(llvm::reverse(targets));
  while (!worklist.empty()) {
    Value value = worklist.pop_back_val();
    if (!seen.insert(value).second || scope.find(value))
      continue;
    Operation *inner = value.getDefiningOp();
    // A later pass computes what depends on a reduction.
    if (isa_and_present<ReduceOp>(inner))
      continue;
    if (body.getRate(value) <= scope.rate)
      get(scope, value);
    else if (auto fetch = dyn_cast_if_present<FetchOp>(inner))
      llvm::append_range(worklist, llvm::reverse(fetch.getIndices()));
    else if (inner)
      llvm::append_range(worklist, llvm::reverse(inner->getOperands()));
  }
}

LaneValue NestEmitter::get(Scope &scope, Value value) {
  if (const LaneValue *known = scope.find(value))
    return *known;
  LaneValue lanes = compute(scope, value);
  scope.values[value] = lanes;
  return lanes;
}

LaneValue NestEmitter::compute(Scope &scope, Value value) {
  if (auto input = dyn_cast<BlockArgument>(value)) {
    unsigned number = input.getArgNumber();
    LaneValue element =
        scope.lanes.getElement(nest.accesses[number], op.getSymbols(), point);
    return scope.lanes.load(operands[number], element, value.getType());
  }
  Operation *inner = value.getDefiningOp();
  if (auto index = dyn_cast<IndexOp>(inner))
    return point[index.getDim()];
  if (auto size = dyn_cast<SizeOp>(inner))
    return {function.getValue(size.getExpr())};

  const auto *saved = llvm::find(body.getSaved(), value);
  if (saved != body.getSaved().end() && scope.rate == Rate::point &&
      !llvm::is_contained(body.getPasses()[currentPass].saved, value)) {
    Lanes whole(function, nest.numLanes, nullptr);
    return whole.load(getSavedBuffer(value), getSavedElement(scope),
                      value.getType());
  }
  SmallVector<LaneValue> inputs;
  if (auto fetch = dyn_cast<FetchOp>(inner)) {
    for (Value index : fetch.getIndices())
      inputs.push_back(get(scope, index));
    LaneValue element =
        scope.lanes.getElement(fetch.getTable().getType(), inputs);
    unsigned number = cast<BlockArgument>(fetch.getTable()).getArgNumber();
    return scope.lanes.load(operands[number], element, value.getType());
  }
  for (Value operand : inner->getOperands())
    inputs.push_back(get(scope, operand));
  return scope.lanes.apply(inner, inputs);
}

void NestEmitter::check(Scope &scope, CheckOp check) {
  // Conditions that don't change with the lanes are checked once.
  SmallVector<LaneValue> operands;
  for (Value operand : check->getOperands())
    operands.push_back(get(scope, operand));
  scope.lanes.check(check, operands);
}

void NestEmitter::store(Scope &scope, unsigned result) {
  const LinearAccess &access = nest.accesses[op.getInputs().size() + result];
  LaneValue element = scope.lanes.getElement(access, op.getSymbols(), point);
  scope.lanes.store(get(scope, yield->getOperand(result)),
                    function.getResult(result), element);
}

//===----------------------------------------------------------------------===//
// Saved values
//===----------------------------------------------------------------------===//

/// Bytes of the scratch buffer of one saved value.
static SymExprAttr getSavedBytes(const NestPlan &nest, Type type) {
  unsigned width = getStorageType(type).getIntOrFloatBitWidth();
  SymExprAttr elements = nest.lanesInRow
                             ? tx::add(nest.rowElements, nest.numLanes)
                             : tx::mul(nest.rowElements, nest.numLanes);
  return tx::mul(tx::ceilDiv(tx::mul(elements, width / 8), 64), 64);
}

/// Bytes of all saved values before `end`.
static SymExprAttr getSavedBytesOfRow(const NestPlan &nest,
                                      const BodyPlan &body, Value end) {
  SymExprAttr bytes = tx::getConstantExpr(nest.rowElements.getContext(), 0);
  for (Value saved : body.getSaved()) {
    if (saved == end)
      break;
    bytes = tx::add(bytes, getSavedBytes(nest, saved.getType()));
  }
  return bytes;
}

/// The place of the current vector in its buffer.
LaneValue NestEmitter::getSavedElement(Scope &scope) {
  LaneValue element = {code.index(0)};
  for (const NestLoop &loop : nest.row)
    element = scope.lanes.add(scope.lanes.mul(element, {size(loop)}),
                              point[loop.dim]);
  if (!nest.lanesInRow) {
    element = scope.lanes.mul(element, scope.lanes.index(nest.numLanes));
    return {element.value, 1};
  }
  element = scope.lanes.mul(element, {size(nest.lanes)});
  return scope.lanes.add(element, point[nest.lanes.dim]);
}

Value NestEmitter::getSavedBuffer(Value value) {
  SymExprAttr offset =
      tx::mul(getSavedBytesOfRow(nest, body, nullptr), rowNumber);
  offset = tx::add(offset, getSavedBytesOfRow(nest, body, value));
  Type element = getStorageType(value.getType());
  return memref::ViewOp::create(
      code.builder, code.loc, MemRefType::get({ShapedType::kDynamic}, element),
      function.getScratch(), function.getValue(offset),
      ValueRange{function.getValue(getSavedBytes(nest, value.getType()))});
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
  return tx::mul(getSavedBytesOfRow(plan, body, /*end=*/Value()),
                 plan.rowsAtOnce);
}
