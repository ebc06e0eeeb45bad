//===- LowerMatmul.cpp - tx.matmul to kernel.gemm ------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/lower/Lowerings.h"
#include "passes/lower/NestBuilder.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

/// What the gemm's sum is computed in.
static Type getAccumulatorType(Type scalar) {
  MLIRContext *context = scalar.getContext();
  if (isa<FloatType>(scalar))
    return scalar.isF64() ? scalar : Type(Float32Type::get(context));
  return scalar.getIntOrFloatBitWidth() > 32
             ? scalar
             : Type(IntegerType::get(context, 32));
}

/// With a right operand that no batch dim selects, the batch dims of the left
/// one are rows: one product of a tall matrix.
static Value foldBatchIntoRows(OpBuilder &b, MatmulOp op) {
  RankedTensorType lhs = op.getLhs().getType(), rhs = op.getRhs().getType();
  SmallVector<SymExprAttr> lhsDims = getDims(lhs), rhsDims = getDims(rhs);
  bool isShared =
      llvm::all_of(ArrayRef(rhsDims).drop_back(2),
                   [](SymExprAttr dim) { return dim.isConstant(1); });
  if (lhs.getRank() <= 2 || !isShared || rhs.getRank() > lhs.getRank())
    return nullptr;
  SymExprAttr rows = product(b.getContext(), ArrayRef(lhsDims).drop_back(1));
  Value tall = ReshapeOp::create(
      b, op.getLoc(),
      getTensorType({rows, lhsDims.back()}, lhs.getElementType()), op.getLhs());
  Value matrix = op.getRhs();
  if (rhs.getRank() > 2)
    matrix = ReshapeOp::create(
        b, op.getLoc(),
        getTensorType(ArrayRef(rhsDims).take_back(2), rhs.getElementType()),
        matrix);
  Value result = MatmulOp::create(b, op.getLoc(), tall, matrix);
  return ReshapeOp::create(b, op.getLoc(), op.getType(), result);
}

/// Maps from the dims (batch…, m, n, k) to an operand with dims (batch…, x, y):
/// `x` and `y` are iteration dims.
static AffineMap getOperandMap(RankedTensorType type, unsigned batchRank,
                               unsigned x, unsigned y) {
  MLIRContext *context = type.getContext();
  SmallVector<SymExprAttr> dims = getDims(type);
  unsigned offset = batchRank + 2 - dims.size();
  SmallVector<AffineExpr> exprs;
  for (unsigned d = 0; d + 2 < dims.size(); ++d)
    exprs.push_back(dims[d].isConstant(1)
                        ? getAffineConstantExpr(0, context)
                        : getAffineDimExpr(offset + d, context));
  exprs.push_back(getAffineDimExpr(x, context));
  exprs.push_back(getAffineDimExpr(y, context));
  return AffineMap::get(batchRank + 3, 0, exprs, context);
}

Value txc::buildGemm(OpBuilder &b, Location loc, RankedTensorType type,
                     Value lhs, Value rhs, ArrayRef<SymExprAttr> sizes,
                     const MappedOperands &operands) {
  auto gemm = kernel::GemmOp::create(
      b, loc, TypeRange{type}, lhs, rhs, ValueRange(),
      b.getArrayAttr(SmallVector<Attribute>(sizes.begin(), sizes.end())),
      operands.getSymbols(), operands.getMaps(), kernel::PrecisionAttr());
  OpBuilder::InsertionGuard guard(b);
  Block *body = b.createBlock(&gemm.getBody());
  Value element =
      body->addArgument(getAccumulatorType(getScalarType(lhs)), loc);
  Type scalar = getScalarType(gemm.getResult(0));
  if (element.getType() != scalar)
    element = arith::TruncFOp::create(b, loc, scalar, element);
  kernel::YieldOp::create(b, loc, element);
  return gemm.getResult(0);
}

LoweredValues txc::lowerMatmul(OpBuilder &b, Operation *op) {
  auto matmul = dyn_cast<MatmulOp>(op);
  if (!matmul)
    return SmallVector<Value>();
  if (Value folded = foldBatchIntoRows(b, matmul)) {
    auto reshape = folded.getDefiningOp<ReshapeOp>();
    auto tall = reshape.getX().getDefiningOp<MatmulOp>();
    LoweredValues lowered = lowerMatmul(b, tall);
    if (failed(lowered))
      return failure();
    tall.replaceAllUsesWith(lowered->front());
    tall.erase();
    reshape->moveAfter(reshape.getX().getDefiningOp());
    return SmallVector<Value>{folded};
  }
  MLIRContext *context = b.getContext();
  RankedTensorType type = matmul.getType();
  unsigned batchRank = type.getRank() - 2;
  unsigned m = batchRank, n = m + 1, k = m + 2;
  SmallVector<SymExprAttr> sizes = getDims(type);
  sizes.push_back(getDims(matmul.getLhs().getType()).back());
  MappedOperands operands(context, sizes.size());
  Value lhs =
      operands.add(matmul.getLhs(),
                   getOperandMap(matmul.getLhs().getType(), batchRank, m, k));
  Value rhs =
      operands.add(matmul.getRhs(),
                   getOperandMap(matmul.getRhs().getType(), batchRank, k, n));
  AffineMap result = AffineMap::getMultiDimIdentityMap(sizes.size(), context)
                         .getMajorSubMap(batchRank + 2);
  operands.addDirect(result);
  return SmallVector<Value>{
      buildGemm(b, op->getLoc(), type, lhs, rhs, sizes, operands)};
}
