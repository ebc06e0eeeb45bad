//===- NestGenerator.cpp - code of kernel.map and kernel.rows ------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/NestGenerator.h"
#include "compiler/codegen/BodyPlan.h"
#include "compiler/codegen/Lanes.h"
#include "compiler/codegen/Reduction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

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
  void emitUnit(Value runIndex);
  void emitLanes(Scope &unit, Value first, Value mask);
  void emitRow(Scope &row);
  void emitPass(Scope &row, unsigned number);
  using Carried = SmallVector<Value>;
  Carried emitRowLoops(Scope &row, unsigned pass, unsigned depth,
                       ValueRange carried, int64_t unroll);
  Carried emitRowLanes(Scope &row, unsigned pass, ValueRange carried,
                       int64_t unroll);
  Carried emitPoint(Scope &row, unsigned pass, Value mask, ValueRange carried);

  // Values.
  LaneValue get(Scope &scope, Value value);
  LaneValue compute(Scope &scope, Value value);
  void prepare(Scope &scope, ArrayRef<Value> targets);
  void check(Scope &scope, CheckOp check);
  void store(Scope &scope, unsigned result);
  LaneValue getSavedElement(Scope &scope);
  Value getSavedBuffer(Value value);

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
  unsigned currentPass = 0;
};

} // namespace

//===----------------------------------------------------------------------===//
// Units
//===----------------------------------------------------------------------===//

/// The indices of the outer loops, then of the run.
SmallVector<Value> NestEmitter::decodeUnit(Value unit) {
  SmallVector<Value> sizes;
  for (const NestLoop &loop : nest.outer)
    sizes.push_back(size(loop));
  sizes.push_back(function.getValue(nest.runs));
  SmallVector<Value> indices(sizes.size());
  for (size_t i = sizes.size(); i-- > 1;) {
    indices[i] = code.rem(unit, sizes[i]);
    unit = code.div(unit, sizes[i]);
  }
  indices[0] = unit;
  return indices;
}

/// Counts up, last index first.
SmallVector<Value> NestEmitter::getNextUnit(ValueRange indices) {
  SmallVector<Value> next(indices);
  Value carry = code.index(1);
  for (size_t i = next.size(); i-- > 0;) {
    Value extent = function.getValue(i < nest.outer.size() ? nest.outer[i].size
                                                           : nest.runs);
    Value sum = code.add(next[i], carry);
    if (i == 0) {
      next[i] = sum;
      break;
    }
    Value wraps = code.compare(arith::CmpIPredicate::eq, sum, extent);
    next[i] = code.select(wraps, code.index(0), sum);
    carry = code.select(wraps, code.index(1), code.index(0));
  }
  return next;
}

void NestEmitter::emit() {
  Value perTask = function.getValue(nest.unitsPerTask);
  Value begin = code.mul(function.getTaskBegin(), perTask);
  Value end = code.min(code.mul(function.getTaskEnd(), perTask),
                       function.getValue(nest.units));
  code.loop(begin, end, 1, decodeUnit(begin),
            [&](Value, ValueRange indices) -> SmallVector<Value> {
              for (LaneValue &index : point)
                index = {code.index(0)};
              for (auto [loop, index] : llvm::zip(nest.outer, indices))
                point[loop.dim] = {index};
              emitUnit(indices.back());
              return getNextUnit(indices);
            });
}

void NestEmitter::emitUnit(Value runIndex) {
  Scope unit(Rate::unit, Lanes(function, nest.numLanes, nullptr), nullptr);
  if (nest.lanesInRow)
    return emitRow(unit);

  prepare(unit, llvm::to_vector(yield->getOperands()));
  for (const BodyPlan::Pass &pass : body.getPasses())
    prepare(unit, pass.getTargets(yield));
  for (CheckOp check : body.getRowChecks())
    prepare(unit, llvm::to_vector(check.getOperands()));

  Value first = code.mul(runIndex, nest.run);
  Value end = code.min(code.add(first, nest.run), size(nest.lanes));
  Value full =
      code.add(first, code.roundDown(code.sub(end, first), nest.numLanes));
  code.loop(first, full, nest.numLanes,
            [&](Value lane) { emitLanes(unit, lane, /*mask=*/Value()); });
  if (dividesEvenly(nest.numLanes))
    return;
  // Once or not at all.
  code.loop(full, end, nest.numLanes, [&](Value lane) {
    auto type = VectorType::get(nest.numLanes, code.builder.getI1Type());
    emitLanes(unit, lane, code.firstLanes(type, code.sub(end, lane)));
  });
}

void NestEmitter::emitLanes(Scope &unit, Value first, Value mask) {
  Scope row(Rate::lanes, Lanes(function, nest.numLanes, mask), &unit);
  point[nest.lanes.dim] = {first, 1};
  emitRow(row);
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

void NestEmitter::emitRow(Scope &row) {
  for (unsigned pass = 0; pass < body.getPasses().size(); ++pass)
    emitPass(row, pass);
  currentPass = body.getPasses().size();
  for (CheckOp op : body.getRowChecks())
    check(row, op);
  for (unsigned result : body.getRowResults())
    store(row, result);
}

void NestEmitter::emitPass(Scope &row, unsigned number) {
  const BodyPlan::Pass &pass = body.getPasses()[number];
  currentPass = number;
  SmallVector<Reduction> reductions;
  for (ReduceOp reduce : pass.reductions)
    reductions.emplace_back(code, reduce, nest.numLanes);
  prepare(row, pass.getTargets(yield));

  bool unrolls = nest.lanesInRow && !reductions.empty() &&
                 body.countOps(pass) <= kMaxUnrolledOps;
  int64_t unroll = unrolls ? kUnroll : 1;
  SmallVector<Value> carried;
  for (int64_t i = 0; i < unroll; ++i)
    for (Reduction &reduction : reductions)
      llvm::append_range(carried, reduction.getNeutral());
  carried = emitRowLoops(row, number, 0, carried, unroll);

  size_t statesSize = carried.size() / unroll;
  for (size_t i = 0, at = 0; i < reductions.size(); ++i) {
    Reduction &reduction = reductions[i];
    unsigned count = reduction.getNumVectors();
    auto stateOf = [&](int64_t copy) {
      return ArrayRef(carried).slice(copy * statesSize + at, count);
    };
    Reduction::State state = llvm::to_vector(stateOf(0));
    for (int64_t copy = 1; copy < unroll; ++copy)
      state = reduction.merge(state, stateOf(copy));
    at += count;
    Value result = nest.lanesInRow ? reduction.finishAcross(state)
                                   : reduction.finishLanes(state);
    ReduceOp reduce = pass.reductions[i];
    row.values[reduce.getResult()] = {result};
  }
}

/// The loops over the row's dims from `depth` inward.
NestEmitter::Carried NestEmitter::emitRowLoops(Scope &row, unsigned pass,
                                               unsigned depth,
                                               ValueRange carried,
                                               int64_t unroll) {
  if (depth == nest.row.size())
    return nest.lanesInRow ? emitRowLanes(row, pass, carried, unroll)
                           : emitPoint(row, pass, row.lanes.getMask(), carried);
  const NestLoop &loop = nest.row[depth];
  return code.loop(code.index(0), size(loop), 1, carried,
                   [&](Value index, ValueRange inner) {
                     point[loop.dim] = {index};
                     return emitRowLoops(row, pass, depth + 1, inner, unroll);
                   });
}

/// Lanes along the row: `unroll` full vectors at a time, then one, then the
/// rest under a mask.
NestEmitter::Carried NestEmitter::emitRowLanes(Scope &row, unsigned pass,
                                               ValueRange carried,
                                               int64_t unroll) {
  Value end = size(nest.lanes), begin = code.index(0);
  SmallVector<Value> states(carried);
  size_t numStates = states.size() / unroll;
  auto emitVectors = [&](Value limit, int64_t copies, bool isMasked) {
    int64_t step = copies * nest.numLanes;
    states = code.loop(
        begin, limit, step, states, [&](Value lane, ValueRange inner) {
          Carried next(inner);
          for (int64_t copy = 0; copy < copies; ++copy) {
            Value first = code.add(lane, copy * nest.numLanes);
            point[nest.lanes.dim] = {first, 1};
            Value mask;
            if (isMasked)
              mask = code.firstLanes(
                  VectorType::get(nest.numLanes, code.builder.getI1Type()),
                  code.sub(end, first));
            Carried state = emitPoint(row, pass, mask,
                                      inner.slice(copy * numStates, numStates));
            llvm::copy(state, next.begin() + copy * numStates);
          }
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

/// One vector of points: what the pass computes there.
NestEmitter::Carried NestEmitter::emitPoint(Scope &row, unsigned pass,
                                            Value mask, ValueRange carried) {
  const BodyPlan::Pass &plan = body.getPasses()[pass];
  Scope scope(Rate::point, Lanes(function, nest.numLanes, mask), &row);
  for (CheckOp op : plan.checks)
    check(scope, op);
  for (unsigned result : plan.results)
    store(scope, result);
  Carried next;
  for (ReduceOp op : plan.reductions) {
    Reduction reduction(code, op, nest.numLanes);
    ValueRange state = carried.slice(next.size(), reduction.getNumVectors());
    // Parallel lanes outside the mask have rows nobody asks for.
    Lanes lanes(function, nest.numLanes, nest.lanesInRow ? mask : Value());
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
  SymExprAttr offset = tx::getConstantExpr(op.getContext(), 0);
  for (Value other : body.getSaved()) {
    if (other == value)
      break;
    offset = tx::add(offset, getSavedBytes(nest, other.getType()));
  }
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
  SymExprAttr bytes = tx::getConstantExpr(nest.getContext(), 0);
  for (Value saved : body.getSaved())
    bytes = tx::add(bytes, getSavedBytes(plan, saved.getType()));
  return bytes;
}
