//===- Matmul.cpp - ONNX operators on matrices ---------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "python-free-frontend/ops/MatmulBuilder.h"
#include "python-free-frontend/ops/OpTable.h"
#include "python-free-frontend/ops/Steps.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::SymExprAttr;

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

//===----------------------------------------------------------------------===//
// Det
//===----------------------------------------------------------------------===//

namespace {
/// Gaussian elimination with partial pivoting of matrices [B, n, n]: after step
/// k the rows behind k have a zero in column k. Where no pivot is left the
/// determinant is 0, whatever comes then.
class Elimination {
public:
  Elimination(NodeContext &context, RankedTensorType type)
      : context(context), type(type.getElementType()), dims(tx::getDims(type)),
        rows(context.getIota(dims[1], context.getBuilder().getI64Type())) {}

  /// The matrices and the products of the pivots, [B, 1], after step k.
  std::pair<Value, Value> step(SymExprAttr k, Value matrices, Value product);

private:
  template <typename OpTy> Value op(Value lhs, Value rhs) {
    return context.createElementwise<OpTy>(lhs, rhs);
  }
  Value number(double value) { return context.getScalar(type, value); }

  NodeContext &context;
  Type type;
  Exprs dims;
  Value rows;
};
} // namespace

std::pair<Value, Value> Elimination::step(SymExprAttr k, Value matrices,
                                          Value product) {
  SymExprAttr one = context.getExpr(1);
  Value place = context.getExprScalar(k);
  auto getColumn = [&](Value x) {
    return context.reshape(context.slice(x, 2, k, one), {dims[0], dims[1]});
  };
  Value size = context.create<tx::AbsOp>(getColumn(matrices));
  Value isLeft = context.createCompare(tx::Predicate::ge, rows, place);
  Value pivot = context.create<tx::ArgReduceOp>(
      context.createSelect(isLeft, size, number(-1)), tx::ReduceKind::max,
      int64_t(1), /*last=*/false);
  Value pivotRow = context.create<tx::GatherElementsOp>(
      matrices,
      context.broadcastTo(context.unsqueeze(pivot, {2}),
                          {dims[0], one, dims[2]}),
      int64_t(1));
  // Row k takes the pivot's place.
  Value isPivot = context.createCompare(tx::Predicate::eq, rows, pivot);
  Value swapped =
      context.createSelect(context.unsqueeze(isPivot, {2}),
                           context.slice(matrices, 1, k, one), matrices);
  Value element =
      context.reshape(context.slice(pivotRow, 2, k, one), {dims[0], one});
  Value isSwapped = context.createCompare(tx::Predicate::ne, pivot, place);
  Value factor = context.createSelect(
      isSwapped, context.create<tx::NegOp>(element), element);
  Value isZero = context.createCompare(tx::Predicate::eq, element, number(0));
  Value quotients = op<tx::DivOp>(
      getColumn(swapped), context.createSelect(isZero, number(1), element));
  Value isBehind = context.createCompare(tx::Predicate::gt, rows, place);
  quotients = context.createSelect(isBehind, quotients, number(0));
  return {
      op<tx::SubOp>(swapped,
                    op<tx::MulOp>(context.unsqueeze(quotients, {2}), pivotRow)),
      op<tx::MulOp>(product, factor)};
}

/// The determinants of matrices, the last two dims.
static NodeResults buildDet(NodeContext &context) {
  int64_t rank = context.getRank(0);
  if (rank < 2)
    return context.unsupported("its input must have two dims or more");
  Exprs dims = tx::getDims(context.getType(0));
  SymExprAttr size = dims[rank - 1];
  Value x = context.withDim(context.getOperand(0), rank - 2, size,
                            "the dims of a matrix");
  size = context.resolve(size);
  dims.resize(rank - 2);
  SymExprAttr count = tx::product(context.getContext(), dims);
  x = context.reshape(x, {count, size, size});
  if (!x)
    return {};
  Elimination elimination(context, typeOf(x));
  Value product =
      context.broadcastTo(context.getScalar(context.getElementType(0), 1),
                          {count, context.getExpr(1)});
  if (std::optional<int64_t> steps = getWrittenSteps(size)) {
    for (int64_t k = 0; k < *steps; ++k)
      std::tie(x, product) = elimination.step(context.getExpr(k), x, product);
  } else {
    NodeResults results = context.loop(
        {size, {}, {x, product}},
        [&](SymExprAttr k, ArrayRef<Value> carried) -> NodeResults {
          auto [matrices, pivots] = elimination.step(k, carried[0], carried[1]);
          return {matrices, pivots};
        });
    if (results.failed())
      return {};
    product = results.getValues()[1];
  }
  return context.reshape(product, dims);
}

OpTable frontend::getMatmulOps() {
  static constexpr OpEntry table[] = {
      {"Det", 11, 1, 1, buildDet},
      {"Gemm", 6, 2, 3, buildGemm},
      {"MatMul", 1, 2, 2, buildMatMul},
  };
  return table;
}
