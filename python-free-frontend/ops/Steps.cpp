//===- Steps.cpp - recurrences that are written out -----------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "python-free-frontend/ops/Steps.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;

std::optional<int64_t> frontend::getWrittenSteps(tx::SymExprAttr length) {
  std::optional<int64_t> count = length.getConstant();
  return count && *count >= 1 && *count <= kMaxSteps ? count : std::nullopt;
}

Value frontend::takeStep(NodeContext &context, Value x, int64_t axis,
                         int64_t step) {
  return takeStep(context, x, axis, context.getExpr(step));
}

Value frontend::reverseSteps(NodeContext &context, Value x, int64_t axis) {
  if (!x)
    return {};
  Exprs dims = tx::getDims(typeOf(x));
  SmallVector<Attribute> starts(dims.size(), context.getExpr(0));
  starts[axis] = tx::sub(dims[axis], context.getExpr(1));
  SmallVector<int64_t> steps(dims.size(), 1);
  steps[axis] = -1;
  return context.create<tx::SliceOp>(
      typeOf(x), x, context.getBuilder().getArrayAttr(starts), steps);
}

Value frontend::takeStep(NodeContext &context, Value x, int64_t axis,
                         tx::SymExprAttr step) {
  return context.squeeze(context.slice(x, axis, step, context.getExpr(1)),
                         axis);
}

Value frontend::stackSteps(NodeContext &context, ArrayRef<Value> elements,
                           int64_t axis) {
  if (llvm::is_contained(elements, Value()))
    return {};
  Exprs dims = tx::getDims(typeOf(elements.front()));
  SmallVector<Value> parts;
  for (Value element : elements) {
    if (typeOf(element).getRank() != static_cast<int64_t>(dims.size()))
      return context.unsupported("an output's rank differs between steps");
    for (auto [d, dim] : llvm::enumerate(dims))
      element = context.withDim(element, static_cast<int64_t>(d),
                                context.resolve(dim),
                                "an output's dims in two steps");
    parts.push_back(context.unsqueeze(element, {axis}));
  }
  return context.create<tx::ConcatOp>(ValueRange(parts), axis);
}
