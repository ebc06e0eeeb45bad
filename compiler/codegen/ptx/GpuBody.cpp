//===- GpuBody.cpp - scalar bodies on a GPU ------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/ptx/GpuBody.h"
#include "mlir/IR/IRMapping.h"
#include "runtime/abi.h"

using namespace mlir;
using namespace txc;
using namespace txc::ptx;

void GpuBody::addInput(BlockArgument argument, Value buffer,
                       LinearAccess access) {
  inputs[argument] = {buffer, std::move(access)};
}

void GpuBody::addTable(BlockArgument argument, Value buffer) {
  tables[argument] = buffer;
}

Value GpuBody::get(Value value, Point point, Values &known) {
  if (Value result = known.lookup(value))
    return result;
  Value result = compute(value, point, known);
  known[value] = result;
  return result;
}

Value GpuBody::compute(Value value, Point point, Values &known) {
  if (isa<BlockArgument>(value)) {
    const Input &input = inputs.find(value)->second;
    Value number = function.getElementNumber(input.access, symbols, point);
    return function.load(input.buffer, number, value.getType());
  }
  Operation *op = value.getDefiningOp();
  if (auto index = dyn_cast<kernel::IndexOp>(op))
    return point[index.getDim()];
  if (auto size = dyn_cast<kernel::SizeOp>(op))
    return function.getValue(size.getExpr());
  if (auto fetched = dyn_cast<kernel::FetchOp>(op))
    return fetch(fetched, point, known);
  IRMapping mapping;
  for (Value operand : op->getOperands())
    mapping.map(operand, get(operand, point, known));
  Operation *copy = function.getBuilder().clone(*op, mapping);
  return copy->getResult(cast<OpResult>(value).getResultNumber());
}

Value GpuBody::fetch(kernel::FetchOp fetch, Point point, Values &known) {
  SmallVector<Value> indices;
  for (Value index : fetch.getIndices())
    indices.push_back(get(index, point, known));
  Value number = function.getElementNumber(fetch.getTable().getType(), indices);
  return function.load(tables.lookup(fetch.getTable()), number,
                       fetch.getType());
}

/// Threads that fail at the same time write over one another: each of their
/// numbers is as good as the others.
void GpuBody::check(kernel::CheckOp check, Point point, Values &known) {
  ImplicitLocOpBuilder &b = function.getBuilder();
  Value holds = get(check.getCondition(), point, known);
  Value yes = arith::ConstantIntOp::create(b, 1, 1);
  SmallVector<std::pair<Value, size_t>> numbers;
  if (check.getFound()) {
    numbers.push_back(
        {get(check.getFound(), point, known), offsetof(txc_fault, found)});
    numbers.push_back(
        {get(check.getLimit(), point, known), offsetof(txc_fault, limit)});
  }
  function.ifThen(arith::XOrIOp::create(b, holds, yes), [&] {
    auto store = [&](Value value, size_t offset) {
      Value address = function.getAddress(
          function.getFault(), function.index(static_cast<int64_t>(offset)),
          b.getI8Type());
      LLVM::StoreOp::create(b, value, address);
    };
    for (auto [number, offset] : numbers)
      store(arith::IndexCastOp::create(b, b.getI64Type(), number), offset);
    store(arith::ConstantIntOp::create(b, b.getI32Type(),
                                       static_cast<int64_t>(check.getFault())),
          offsetof(txc_fault, code));
  });
}

void GpuBody::store(Value value, Value buffer, const LinearAccess &access,
                    Point point, Values &known) {
  Value element = get(value, point, known);
  function.store(element, buffer,
                 function.getElementNumber(access, symbols, point));
}
