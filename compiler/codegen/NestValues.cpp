//===- NestValues.cpp - the values in the loops of a nest ----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/NestEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace txc;
using kernel::CheckOp;
using kernel::FetchOp;
using kernel::IndexOp;
using kernel::ReduceOp;
using kernel::SizeOp;
using tx::SymExprAttr;

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

SymExprAttr txc::getSavedBytesOfRow(const NestPlan &nest, const BodyPlan &body,
                                    Value end) {
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
  SymExprAttr offset = tx::mul(getSavedBytesOfRow(nest, body), rowNumber);
  offset = tx::add(offset, getSavedBytesOfRow(nest, body, value));
  Type element = getStorageType(value.getType());
  return memref::ViewOp::create(
      code.builder, code.loc, MemRefType::get({ShapedType::kDynamic}, element),
      function.getScratch(), function.getValue(offset),
      ValueRange{function.getValue(getSavedBytes(nest, value.getType()))});
}
