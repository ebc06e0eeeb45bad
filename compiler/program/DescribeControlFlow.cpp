//===- DescribeControlFlow.cpp - branches and loops as jumps -------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/program/ProgramBuilder.h"

using namespace mlir;
using namespace txc;
using tx::SymExprAttr;

/// What TXC_PHASE_ASSIGN does.
struct txc::Assignment {
  SmallVector<std::pair<StringAttr, SymExprAttr>> symbols;
  struct Copy {
    Value from;
    Value to;
    /// In bytes, into `to`.
    SymExprAttr offset;
  };
  SmallVector<Copy> copies;

  void set(ArrayAttr names, ArrayAttr exprs) {
    for (auto [name, expr] : llvm::zip_equal(names, exprs))
      symbols.emplace_back(cast<StringAttr>(name), cast<SymExprAttr>(expr));
  }
  void copy(ValueRange from, ValueRange to, SymExprAttr offset) {
    for (auto [source, place] : llvm::zip_equal(from, to))
      copies.push_back({source, place, offset});
  }
};

void ProgramBuilder::describeCheck(tx::RequireOp require) {
  addPhase(TXC_PHASE_REQUIRE, require.getLoc())
      .record.push_back(static_cast<int64_t>(description.requirements.size()));
  addRequirement(require.getLhs(),
                 tx::stringifyPredicate(require.getPredicate()),
                 require.getRhs(), require.getSentence(), TXC_CHECKED_BY_PHASE);
}

/// Returns the phase, for aimAtEnd().
size_t ProgramBuilder::addJumpUnless(Value condition, Location loc) {
  auto [base, offset] = locate(condition);
  PhaseDescription &entry = addPhase(TXC_PHASE_JUMP_UNLESS, loc);
  entry.conditionBase = static_cast<int32_t>(base);
  entry.conditionOffsetValue = static_cast<int32_t>(offset);
  return description.phases.size() - 1;
}

/// Lets a phase jump to the next one to be added.
void ProgramBuilder::aimAtEnd(size_t jump) {
  description.phases[jump].target =
      static_cast<int32_t>(description.phases.size());
}

/// A tensor that is where it should be stays, unless a symbol moves its place.
void ProgramBuilder::addAssignment(const Assignment &assignment, Location loc) {
  SmallVector<int64_t> symbols, copies;
  llvm::SetVector<StringAttr> assigned;
  for (auto [name, expr] : assignment.symbols) {
    symbols.push_back(values.getSymbolIndex(name));
    symbols.push_back(values.getIndex(expr));
    assigned.insert(name);
  }
  auto isMoved = [&](SymExprAttr offset) {
    llvm::SetVector<StringAttr> mentioned;
    collectSymbols(offset, mentioned);
    return llvm::any_of(mentioned, [&](StringAttr symbol) {
      return assigned.contains(symbol);
    });
  };
  for (auto [from, to, offset] : assignment.copies) {
    Buffer place = plan.get(to);
    place.offset = add(place.offset, offset);
    if (plan.get(from) == place && !isMoved(place.offset))
      continue;
    auto [fromBase, fromOffset] = locate(plan.get(from));
    auto [toBase, toOffset] = locate(place);
    copies.append({fromBase, fromOffset,
                   values.getIndex(getBytes(from.getType())), toBase,
                   toOffset});
  }
  if (symbols.empty() && copies.empty())
    return;
  PhaseDescription &entry = addPhase(TXC_PHASE_ASSIGN, loc);
  entry.record.push_back(static_cast<int64_t>(symbols.size() / 2));
  llvm::append_range(entry.record, symbols);
  entry.record.push_back(static_cast<int64_t>(copies.size() / 5));
  llvm::append_range(entry.record, copies);
}

/// unless(condition) goto else; first branch; goto end; else: second; end:
LogicalResult ProgramBuilder::describeBranches(tx::IfOp op) {
  bool isEarly = definesEarly(op);
  SymExprAttr zero = tx::getConstantExpr(op.getContext(), 0);
  bool hasFailed = false;
  auto describeBranch = [&](unsigned number) {
    tx::YieldOp yield = op.getYield(number);
    Assignment begin, end;
    (isEarly ? begin : end).set(op.getSymbols(), yield.getExprs());
    end.copy(yield.getValues(), op.getResults(), zero);
    addAssignment(begin, op.getLoc());
    hasFailed |= failed(describeBlock(op->getRegion(number).front()));
    addAssignment(end, op.getLoc());
  };
  size_t toElse = addJumpUnless(op.getCondition(), op.getLoc());
  describeBranch(0);
  size_t toEnd = description.phases.size();
  addPhase(TXC_PHASE_JUMP, op.getLoc());
  aimAtEnd(toElse);
  describeBranch(1);
  aimAtEnd(toEnd);
  return success(!hasFailed);
}

/// start; unless(condition) goto end; again: unless(index < trips) goto end;
/// the body; step; unless(next condition) goto end; goto again; end:
LogicalResult ProgramBuilder::describeLoop(tx::LoopOp op) {
  MLIRContext *context = op.getContext();
  SymExprAttr zero = tx::getConstantExpr(context, 0);
  SymExprAttr index = tx::getSymbolExpr(context, op.getIndexAttr());
  SymExprAttr one = tx::getConstantExpr(context, 1);
  Block &body = op.getBody().front();
  tx::YieldOp yield = op.getYield();
  Location loc = op.getLoc();
  SmallVector<size_t> toEnd;

  Assignment start;
  start.symbols.emplace_back(op.getIndexAttr(), zero);
  start.set(op.getSymbols(), op.getStarts());
  start.copy(op.getInits(), body.getArguments(), zero);
  addAssignment(start, loc);
  if (op.getCondition())
    toEnd.push_back(addJumpUnless(op.getCondition(), loc));
  auto again = static_cast<int32_t>(description.phases.size());
  if (SymExprAttr trips = op.getTripsAttr()) {
    toEnd.push_back(description.phases.size());
    addPhase(TXC_PHASE_JUMP_UNLESS_POSITIVE, loc).conditionOffsetValue =
        values.getIndex(sub(trips, index));
  }
  LogicalResult described = describeBlock(body);
  Assignment step;
  step.symbols.emplace_back(op.getIndexAttr(), add(index, one));
  step.set(op.getSymbols(), yield.getExprs());
  step.copy(op.getCarried(), body.getArguments(), zero);
  // Where copies go to is told by the next index.
  for (auto [element, stack] : llvm::zip(op.getElements(), op.getStacks()))
    step.copies.push_back(
        {element, stack, mul(sub(index, one), getBytes(element.getType()))});
  addAssignment(step, loc);
  if (op.getCondition())
    toEnd.push_back(addJumpUnless(op.getNextCondition(), loc));
  addPhase(TXC_PHASE_JUMP, loc).target = again;
  llvm::for_each(toEnd, [&](size_t jump) { aimAtEnd(jump); });
  return described;
}
