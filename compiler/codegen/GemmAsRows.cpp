//===- GemmAsRows.cpp - products of any type as reductions ---------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/GemmAsRows.h"
#include "compiler/codegen/KernelFunction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace txc;
using kernel::GemmOp;
using kernel::RowsOp;

/// An element of `tensor` in the type that the products are summed in.
static Value extend(OpBuilder &b, Location loc, Value element, Type tensor,
                    Type accumulator) {
  if (element.getType() == accumulator)
    return element;
  bool isUnsigned = getElementTypeOrSelf(tensor).isUnsignedInteger();
  bool isInteger = element.getType().isInteger();
  if (isa<FloatType>(accumulator) && !isInteger)
    return arith::ExtFOp::create(b, loc, accumulator, element);
  if (isa<FloatType>(accumulator) && isUnsigned)
    return arith::UIToFPOp::create(b, loc, accumulator, element);
  if (isa<FloatType>(accumulator))
    return arith::SIToFPOp::create(b, loc, accumulator, element);
  if (isUnsigned)
    return arith::ExtUIOp::create(b, loc, accumulator, element);
  return arith::ExtSIOp::create(b, loc, accumulator, element);
}

static Value multiply(OpBuilder &b, Location loc, Value x, Value y) {
  if (isa<FloatType>(x.getType()))
    return arith::MulFOp::create(b, loc, x, y);
  return arith::MulIOp::create(b, loc, x, y);
}

/// The element of a stored rhs, a k x n matrix, at its map.
static Value fetchStored(OpBuilder &b, GemmOp gemm, Value table) {
  SmallVector<Value> indices;
  for (AffineExpr expr : gemm.getRhsMap().getResults())
    indices.push_back(
        kernel::IndexOp::create(b, gemm.getLoc(), b.getIndexType(),
                                cast<AffineDimExpr>(expr).getPosition()));
  return kernel::FetchOp::create(
      b, gemm.getLoc(), getScalarType(table.getType()), table, indices);
}

OwningOpRef<RowsOp> txc::buildGemmAsRows(GemmOp gemm) {
  OpBuilder b(gemm.getContext());
  Location loc = gemm.getLoc();
  bool isStored = isa<pack::TensorType>(gemm.getRhs().getType());
  SmallVector<Value> inputs = {gemm.getLhs()};
  SmallVector<Attribute> maps(gemm.getMaps().getValue());
  if (isStored)
    maps.erase(maps.begin() + 1);
  else
    inputs.push_back(gemm.getRhs());
  llvm::append_range(inputs, gemm.getInputs());
  SmallVector<Value> tables;
  if (isStored)
    tables.push_back(gemm.getRhs());
  auto rows = RowsOp::create(b, loc, gemm.getResultTypes(), inputs, tables,
                             gemm.getSizes(), gemm.getSymbols(),
                             b.getArrayAttr(maps), /*row_rank=*/1);

  Block *body = b.createBlock(&rows.getBody());
  for (Value input : inputs)
    body->addArgument(getScalarType(input.getType()), loc);
  for (Value table : tables)
    body->addArgument(table.getType(), loc);
  Block &epilogue = gemm.getBodyBlock();
  Type accumulator = epilogue.getArgument(0).getType();
  Value lhs = extend(b, loc, body->getArgument(0), gemm.getLhs().getType(),
                     accumulator);
  Value element = isStored ? fetchStored(b, gemm, body->getArguments().back())
                           : Value(body->getArgument(1));
  Value rhs = extend(b, loc, element, gemm.getRhs().getType(), accumulator);
  Value sum = kernel::ReduceOp::create(
      b, loc, accumulator, kernel::Combine::sum, multiply(b, loc, lhs, rhs));
  IRMapping mapping;
  mapping.map(epilogue.getArgument(0), sum);
  unsigned firstInput = isStored ? 1 : 2;
  for (unsigned i = 1; i < epilogue.getNumArguments(); ++i)
    mapping.map(epilogue.getArgument(i), body->getArgument(firstInput + i - 1));
  for (Operation &op : epilogue)
    b.clone(op, mapping);
  return rows;
}
