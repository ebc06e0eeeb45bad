//===- NestBuilder.cpp - assembling kernel.map and kernel.rows -----------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/lower/NestBuilder.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

Type txc::getScalarType(Value tensor) {
  Type type = getElementTypeOrSelf(tensor.getType());
  if (type.isInteger() && !type.isSignlessInteger())
    return IntegerType::get(type.getContext(), type.getIntOrFloatBitWidth());
  return type;
}

static ArrayAttr getExprArray(MLIRContext *context,
                              ArrayRef<SymExprAttr> exprs) {
  return ArrayAttr::get(context,
                        SmallVector<Attribute>(exprs.begin(), exprs.end()));
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

Value MappedOperands::add(Value tensor, AffineMap map) {
  Access access = resolveAccess(tensor);
  SmallVector<AffineExpr> exprs, replacements;
  for (SymExprAttr symbol : access.symbols) {
    const auto *it = llvm::find(symbols, symbol);
    replacements.push_back(getAffineSymbolExpr(it - symbols.begin(), context));
    if (it == symbols.end())
      symbols.push_back(symbol);
  }
  for (AffineExpr expr : access.map.getResults())
    exprs.push_back(expr.replaceDimsAndSymbols(map.getResults(), replacements));
  maps.push_back(simplifyAffineMap(
      AffineMap::get(numDims, symbols.size(), exprs, context)));
  return access.base;
}

ArrayAttr MappedOperands::getMaps() const {
  SmallVector<Attribute> attributes;
  for (AffineMap map : maps)
    attributes.push_back(AffineMapAttr::get(
        AffineMap::get(numDims, symbols.size(), map.getResults(), context)));
  return ArrayAttr::get(context, attributes);
}

ArrayAttr MappedOperands::getSymbols() const {
  return getExprArray(context, symbols);
}

//===----------------------------------------------------------------------===//
// Building
//===----------------------------------------------------------------------===//

NestBuilder::NestBuilder(OpBuilder &builder, Location loc,
                         ArrayRef<SymExprAttr> sizes, unsigned numRowDims)
    : builder(builder), loc(loc), sizes(sizes), numRowDims(numRowDims),
      operands(builder.getContext(), sizes.size()) {}

/// The value of a constant with one element, or all equal ones.
static TypedAttr getSplat(Value tensor) {
  DenseElementsAttr elements;
  if (!matchPattern(tensor, m_Constant(&elements)) || !elements.isSplat())
    return nullptr;
  Type scalar = getScalarType(tensor);
  if (isa<FloatType>(scalar))
    return FloatAttr::get(scalar, elements.getSplatValue<APFloat>());
  return IntegerAttr::get(scalar, elements.getSplatValue<APInt>());
}

unsigned NestBuilder::addInput(Value tensor, AffineMap map) {
  TypedAttr splat = getSplat(resolveAccess(tensor).base);
  splats.push_back(splat);
  if (splat)
    return splats.size() - 1;
  if (!map) {
    auto type = cast<RankedTensorType>(tensor.getType());
    int64_t offset = static_cast<int64_t>(sizes.size()) - type.getRank();
    SmallVector<AffineExpr> exprs;
    for (auto [d, dim] : llvm::enumerate(getDims(type))) {
      bool repeats = dim != sizes[offset + d];
      exprs.push_back(repeats ? builder.getAffineConstantExpr(0)
                              : builder.getAffineDimExpr(offset + d));
    }
    map = AffineMap::get(sizes.size(), 0, exprs, builder.getContext());
  }
  inputs.push_back(operands.add(tensor, map));
  return splats.size() - 1;
}

unsigned NestBuilder::addTable(Value tensor) {
  tables.push_back(resolveAccess(tensor));
  return tables.size() - 1;
}

void NestBuilder::addResult(RankedTensorType type, AffineMap map) {
  resultTypes.push_back(type);
  resultMaps.push_back(map ? map
                           : builder.getMultiDimIdentityMap(sizes.size()));
}

Operation *
NestBuilder::build(function_ref<SmallVector<Value>(const Body &)> body) {
  for (AffineMap map : resultMaps)
    operands.addDirect(map);
  SmallVector<Value> tableValues;
  for (const Access &table : tables)
    tableValues.push_back(table.base);
  SmallVector<Type> types(resultTypes.begin(), resultTypes.end());
  ArrayAttr sizeAttr = getExprArray(builder.getContext(), sizes);
  Operation *op;
  if (numRowDims == 0)
    op = kernel::MapOp::create(builder, loc, types, inputs, tableValues,
                               sizeAttr, operands.getSymbols(),
                               operands.getMaps());
  else
    op = kernel::RowsOp::create(builder, loc, types, inputs, tableValues,
                                sizeAttr, operands.getSymbols(),
                                operands.getMaps(), numRowDims);

  OpBuilder::InsertionGuard guard(builder);
  Block *block = builder.createBlock(&op->getRegion(0));
  SmallVector<Value> scalars, tableArguments;
  unsigned nextInput = 0;
  for (TypedAttr splat : splats) {
    if (splat)
      scalars.push_back(arith::ConstantOp::create(builder, loc, splat));
    else
      scalars.push_back(
          block->addArgument(getScalarType(inputs[nextInput++]), loc));
  }
  for (Value table : tableValues)
    tableArguments.push_back(block->addArgument(table.getType(), loc));
  SmallVector<Value> yields =
      body(Body(builder, loc, scalars, tables, tableArguments));
  kernel::YieldOp::create(builder, loc, yields);
  return op;
}

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

Value NestBuilder::Body::index(unsigned dim) const {
  return kernel::IndexOp::create(b, loc, b.getIndexType(), dim);
}

Value NestBuilder::Body::size(SymExprAttr expr) const {
  if (std::optional<int64_t> constant = expr.getConstant())
    return constantIndex(*constant);
  return kernel::SizeOp::create(b, loc, b.getIndexType(), expr);
}

Value NestBuilder::Body::constant(Type type, double value) const {
  if (isa<FloatType>(type))
    return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, value));
  return arith::ConstantOp::create(
      b, loc, b.getIntegerAttr(type, static_cast<int64_t>(value)));
}

Value NestBuilder::Body::constantIndex(int64_t value) const {
  return arith::ConstantIndexOp::create(b, loc, value);
}

Value NestBuilder::Body::fetch(unsigned table, ArrayRef<Value> indices) const {
  const Access &access = tables[table];
  Value argument = tableArguments[table];
  SmallVector<Value> places(indices);
  if (!access.isIdentity()) {
    SmallVector<Value> symbols;
    for (SymExprAttr symbol : access.symbols)
      symbols.push_back(size(symbol));
    places.clear();
    for (AffineExpr expr : access.map.getResults())
      places.push_back(
          affine::expandAffineExpr(b, loc, expr, indices, symbols));
  }
  return kernel::FetchOp::create(b, loc, getScalarType(argument), argument,
                                 places);
}

Value NestBuilder::Body::reduce(kernel::Combine kind, Value value) const {
  return kernel::ReduceOp::create(b, loc, value.getType(), kind, value);
}

Value NestBuilder::Body::checkedIndex(Value index, Value size) const {
  if (!index.getType().isIndex())
    index = arith::IndexCastOp::create(b, loc, b.getIndexType(), index);
  Value zero = constantIndex(0);
  auto compare = [&](arith::CmpIPredicate predicate, Value x, Value y) {
    return arith::CmpIOp::create(b, loc, predicate, x, y);
  };
  Value isNegative = compare(arith::CmpIPredicate::slt, index, zero);
  Value wrapped = arith::AddIOp::create(b, loc, index, size);
  Value place = arith::SelectOp::create(b, loc, isNegative, wrapped, index);
  Value isInside = compare(arith::CmpIPredicate::ult, place, size);
  kernel::CheckOp::create(b, loc, isInside, kernel::Fault::index_out_of_range,
                          /*found=*/index, /*limit=*/size);
  return arith::SelectOp::create(b, loc, isInside, place, zero);
}

Type txc::getSumType(Type element) {
  return cast<FloatType>(element).getWidth() >= 32
             ? element
             : Type(Float32Type::get(element.getContext()));
}

Value txc::widen(const NestBuilder::Body &body, Value x) {
  Type type = getSumType(x.getType());
  return type == x.getType()
             ? x
             : Value(arith::ExtFOp::create(body.b, body.loc, type, x));
}

Value txc::narrowTo(const NestBuilder::Body &body, Type type, Value x) {
  if (x.getType() == type)
    return x;
  return arith::TruncFOp::create(body.b, body.loc, type, x);
}
