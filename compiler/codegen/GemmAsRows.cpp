//===- GemmAsRows.cpp - products of any type as reductions ---------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/GemmAsRows.h"
#include "compiler/codegen/KernelFunction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
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

//===----------------------------------------------------------------------===//
// Precisions
//===----------------------------------------------------------------------===//

/// What a row of f32 becomes in integers; see kernel.gemm.
namespace {
class QuantizedRow {
public:
  QuantizedRow(OpBuilder &b, Location loc, Value x) : b(b), loc(loc) {
    Value zero = constant(0);
    Value above = clampToZero(reduceMax(x));
    Value below =
        clampToZero(reduceMax(arith::SubFOp::create(b, loc, zero, x)));
    range = arith::AddFOp::create(b, loc, above, below);
    Value factor = arith::MinNumFOp::create(
        b, loc, arith::DivFOp::create(b, loc, constant(kPlaces), range),
        constant(std::numeric_limits<float>::max()));
    Value scaled = arith::MulFOp::create(b, loc, x, factor);
    scaled = math::RoundEvenOp::create(b, loc, scaled);
    // NaN has no integer; the range is NaN or infinity then, as the sum will
    // be.
    Value isNumber = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ORD,
                                           scaled, scaled);
    scaled = arith::SelectOp::create(b, loc, isNumber, scaled, zero);
    integer = arith::FPToSIOp::create(b, loc, b.getI32Type(), scaled);
  }

  Value getInteger() const { return integer; }
  /// A sum of integers as f32.
  Value scale(Value sum) {
    Value unit = arith::DivFOp::create(b, loc, range, constant(kPlaces));
    sum = arith::SIToFPOp::create(b, loc, b.getF32Type(), sum);
    return arith::MulFOp::create(b, loc, sum, unit);
  }

private:
  static constexpr double kPlaces = 254;

  Value constant(double value) {
    return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
  }
  Value reduceMax(Value x) {
    return kernel::ReduceOp::create(b, loc, x.getType(), kernel::Combine::max,
                                    x);
  }
  Value clampToZero(Value x) {
    return arith::MaximumFOp::create(b, loc, x, constant(0));
  }

  OpBuilder &b;
  Location loc;
  Value range, integer;
};
} // namespace

static Value reduceSum(OpBuilder &b, Location loc, Value x) {
  return kernel::ReduceOp::create(b, loc, x.getType(), kernel::Combine::sum, x);
}

/// The sum of products of the elements of lhs and rhs.
static Value buildSum(OpBuilder &b, GemmOp gemm, Value lhs, Value rhs,
                      Type accumulator) {
  Location loc = gemm.getLoc();
  Type rhsTensor = gemm.getRhs().getType();
  if (gemm.getPrecision() == kernel::Precision::int8) {
    QuantizedRow row(b, loc, lhs);
    rhs = extend(b, loc, rhs, rhsTensor, b.getI32Type());
    return row.scale(
        reduceSum(b, loc, multiply(b, loc, row.getInteger(), rhs)));
  }
  if (gemm.getPrecision() == kernel::Precision::bf16 && lhs.getType().isF32())
    lhs = arith::TruncFOp::create(b, loc, b.getBF16Type(), lhs);
  lhs = extend(b, loc, lhs, gemm.getLhs().getType(), accumulator);
  rhs = extend(b, loc, rhs, rhsTensor, accumulator);
  return reduceSum(b, loc, multiply(b, loc, lhs, rhs));
}

//===----------------------------------------------------------------------===//
// The nest
//===----------------------------------------------------------------------===//

SmallVector<unsigned> txc::getRowsOperands(GemmOp gemm) {
  bool isStored = isa<pack::TensorType>(gemm.getRhs().getType());
  SmallVector<unsigned> numbers;
  for (unsigned i = 0; i < gemm->getNumOperands(); ++i)
    if (i != 1 || !isStored)
      numbers.push_back(i);
  if (isStored)
    numbers.push_back(1);
  return numbers;
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
  Value element = isStored ? fetchStored(b, gemm, body->getArguments().back())
                           : Value(body->getArgument(1));
  Value sum = buildSum(b, gemm, body->getArgument(0), element, accumulator);
  IRMapping mapping;
  mapping.map(epilogue.getArgument(0), sum);
  unsigned firstInput = isStored ? 1 : 2;
  for (unsigned i = 1; i < epilogue.getNumArguments(); ++i)
    mapping.map(epilogue.getArgument(i), body->getArgument(firstInput + i - 1));
  for (Operation &op : epilogue)
    b.clone(op, mapping);
  return rows;
}
