//===- Matmul.cpp - ONNX operators that multiply matrices -----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "python-free-frontend/ops/MatmulBuilder.h"
#include "python-free-frontend/ops/OpTable.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;

/// Makes a broadcast of batch dims explicit that only a run can decide.
static void broadcastBatch(NodeContext &context, Value &lhs, Value &rhs) {
  Value yes = context.getScalar(context.getBuilder().getI1Type(), 1);
  SmallVector<Value> molds;
  for (Value operand : {lhs, rhs})
    molds.push_back(context.broadcastTo(
        yes, ArrayRef(tx::getDims(typeOf(operand))).drop_back(2)));
  molds = context.broadcast(molds);
  if (llvm::is_contained(molds, Value())) {
    lhs = rhs = Value();
    return;
  }
  Value *operands[] = {&lhs, &rhs};
  for (auto [operand, mold] : llvm::zip(operands, molds)) {
    Exprs dims = tx::getDims(typeOf(*operand));
    Exprs target = tx::getDims(typeOf(mold));
    llvm::append_range(target, ArrayRef(dims).take_back(2));
    if (target != dims)
      *operand = context.broadcastTo(*operand, target);
  }
}

Value frontend::createMatmul(NodeContext &context, Value lhs, Value rhs) {
  if (!lhs || !rhs)
    return {};
  // A vector is a row on the left, a column on the right.
  int64_t lhsRank = typeOf(lhs).getRank(), rhsRank = typeOf(rhs).getRank();
  if (lhsRank == 0 || rhsRank == 0)
    return context.unsupported("a scalar can't be multiplied as a matrix");
  if (lhsRank == 1)
    lhs = context.unsqueeze(lhs, {0});
  if (rhsRank == 1)
    rhs = context.unsqueeze(rhs, {1});
  if (!lhs || !rhs)
    return {};
  rhs = context.withDim(rhs, typeOf(rhs).getRank() - 2,
                        tx::getDims(typeOf(lhs)).back(),
                        "the inner dims of a matrix product");
  if (!rhs)
    return {};
  broadcastBatch(context, lhs, rhs);
  Value result = context.create<tx::MatmulOp>(lhs, rhs);
  if (!result)
    return {};
  SmallVector<int64_t> added;
  int64_t rank = typeOf(result).getRank();
  if (lhsRank == 1)
    added.push_back(rank - 2);
  if (rhsRank == 1)
    added.push_back(rank - 1);
  return added.empty() ? result : context.squeeze(result, added);
}

static NodeResults buildMatMul(NodeContext &context) {
  return createMatmul(context, context.getOperand(0), context.getOperand(1));
}

static Value scale(NodeContext &context, Value x, double factor) {
  if (!x || factor == 1)
    return x;
  Type type = getElementTypeOrSelf(x.getType());
  if (!isa<FloatType>(type) && factor != std::floor(factor))
    return context.unsupported("integers can't be scaled by " +
                               Twine(std::to_string(factor)));
  return context.create<tx::MulOp>(x, context.getScalar(type, factor));
}

/// alpha * A' B' + beta * C.
Value frontend::createGemm(NodeContext &context) {
  if (context.getRank(0) != 2 || context.getRank(1) != 2)
    return context.unsupported("its inputs are no matrices");
  // Opset 6 says whether C may broadcast; that it fits is checked anyway.
  if (context.getOpset() < 7)
    (void)context.getInt("broadcast", 0);
  Value a = context.getOperand(0), b = context.getOperand(1);
  if (context.getInt("transA", 0))
    a = context.transpose(a, {1, 0});
  if (context.getInt("transB", 0))
    b = context.transpose(b, {1, 0});
  double alpha = context.getFloat("alpha", 1),
         beta = context.getFloat("beta", 1);
  Value product = scale(context, createMatmul(context, a, b), alpha);
  Value c = context.getOperand(2);
  if (!c || beta == 0 || !product)
    return product;
  return context.createElementwise<tx::AddOp>(product, scale(context, c, beta));
}

static NodeResults buildGemm(NodeContext &context) {
  return createGemm(context);
}

OpTable frontend::getMatmulOps() {
  static constexpr OpEntry table[] = {
      {"Gemm", 6, 2, 3, buildGemm},
      {"MatMul", 1, 2, 2, buildMatMul},
  };
  return table;
}
