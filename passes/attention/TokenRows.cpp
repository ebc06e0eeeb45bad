//===- TokenRows.cpp - the tokens of a batch as rows ---------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/attention/TokenRows.h"
#include "passes/graph/Match.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

static Value reshape(OpBuilder &b, Value x, ArrayRef<SymExprAttr> to) {
  RankedTensorType type =
      tx::getTensorType(to, txc::getTensorType(x).getElementType());
  if (type == x.getType())
    return x;
  return ReshapeOp::create(b, x.getLoc(), type, x);
}

static Value cast(OpBuilder &b, Value x, Type to) {
  return CastOp::create(
      b, x.getLoc(), tx::getTensorType(getDims(txc::getTensorType(x)), to), x);
}

static Value makeInteger(OpBuilder &b, Location loc, int64_t value) {
  auto type = RankedTensorType::get({}, b.getI64Type());
  return ConstantOp::create(b, loc, DenseElementsAttr::get(type, {value}));
}

//===----------------------------------------------------------------------===//
// Definition
//===----------------------------------------------------------------------===//

/// The symbol of the number of rows, by a name that is free.
SymExprAttr TokenRows::declareCount() {
  auto module = function->getParentOfType<ModuleOp>();
  Builder b(module.getContext());
  NamedAttrList symbols(module->getAttrOfType<DictionaryAttr>("tx.symbols"));
  std::string name = "tokens";
  while (symbols.get(name))
    name += "_";
  symbols.set(name, b.getI64ArrayAttr({0}));
  module->setAttr("tx.symbols", symbols.getDictionary(module.getContext()));
  NamedAttrList bounds(
      module->getAttrOfType<DictionaryAttr>("tx.upper_bounds"));
  bounds.set(name, dims.getCount());
  module->setAttr("tx.upper_bounds", bounds.getDictionary(module.getContext()));
  return getSymbolExpr(module.getContext(), name);
}

void TokenRows::define(OpBuilder &b, Value paddingMask,
                       ArrayRef<int64_t> readPlaces) {
  Location loc = paddingMask.getLoc();
  MLIRContext *context = b.getContext();
  Type i64 = b.getI64Type();
  SymExprAttr one = getConstantExpr(context, 1);
  SmallVector<SymExprAttr> padded = {dims.batch, dims.places};
  mask = reshape(b, paddingMask, padded);
  kept = mask;
  for (int64_t place : readPlaces) {
    auto type = tx::getTensorType({dims.places}, i64);
    Value isRead =
        CompareOp::create(b, loc, Predicate::eq, IotaOp::create(b, loc, type),
                          makeInteger(b, loc, place));
    kept = OrOp::create(b, loc, kept, isRead);
  }
  // Sentences without a token keep their padding.
  Value lengths = ReduceOp::create(b, loc, cast(b, mask, i64), ReduceKind::sum,
                                   b.getDenseI64ArrayAttr({1}));
  Value isEmpty =
      CompareOp::create(b, loc, Predicate::eq, lengths, makeInteger(b, loc, 0));
  kept = OrOp::create(b, loc, kept, isEmpty);
  Value flat = reshape(b, kept, {dims.getCount()});
  Value keptNumbers = cast(b, kept, i64);

  Value counts = ReduceOp::create(b, loc, keptNumbers, ReduceKind::sum,
                                  b.getDenseI64ArrayAttr({1}));
  counts = reshape(b, counts, {dims.batch});
  Value ends = CumsumOp::create(b, loc, counts, b.getI64IntegerAttr(0),
                                UnitAttr(), UnitAttr());
  Value zero = reshape(b, makeInteger(b, loc, 0), {one});
  starts =
      ConcatOp::create(b, loc, ValueRange{zero, ends}, b.getI64IntegerAttr(0));
  Value total = ReduceOp::create(b, loc, counts, ReduceKind::sum,
                                 b.getDenseI64ArrayAttr({0}));
  count = declareCount();
  StringAttr symbol = count.getTerms().front().getFactors().front().getName();
  DefineSymbolOp::create(b, loc, symbol, reshape(b, total, {}));

  Value found =
      NonzeroOp::create(b, loc, tx::getTensorType({one, count}, i64), flat);
  tokens = reshape(b, found, {count});
  Value rank =
      CumsumOp::create(b, loc, reshape(b, keptNumbers, {dims.getCount()}),
                       b.getI64IntegerAttr(0), UnitAttr(), UnitAttr());
  numbers =
      reshape(b, SubOp::create(b, loc, rank, makeInteger(b, loc, 1)), padded);
  auto size =
      ExprsAttr::get(context, {dims.places}, RankedTensorType::get({}, i64));
  Value length = SymbolicOp::create(b, loc, size);
  places = ModOp::create(b, loc, tokens, length);
  sentences = DivOp::create(b, loc, tokens, length);
}

Value TokenRows::gatherKeyMask(OpBuilder &b) {
  Value rows = gather(b, mask, {0U, 1U});
  SymExprAttr one = getConstantExpr(b.getContext(), 1);
  return reshape(b, rows, {one, one, one, count});
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

RankedTensorType TokenRows::getRowsType(RankedTensorType type,
                                        TokenAxes axes) const {
  SmallVector<SymExprAttr> to = getDims(type);
  to[axes.place] = count;
  if (axes.batch)
    to[*axes.batch] = getConstantExpr(type.getContext(), 1);
  return tx::getTensorType(to, type.getElementType());
}

/// Moves the axis to another place, where it is inserted.
static Value moveAxis(OpBuilder &b, Value x, unsigned from, unsigned to) {
  if (from == to)
    return x;
  auto rank = static_cast<unsigned>(txc::getTensorType(x).getRank());
  SmallVector<int64_t> permutation =
      llvm::to_vector(llvm::seq<int64_t>(0, rank));
  permutation.erase(permutation.begin() + from);
  permutation.insert(permutation.begin() + to, from);
  return TransposeOp::create(b, x.getLoc(), x,
                             b.getDenseI64ArrayAttr(permutation));
}

static Value gatherAxis(OpBuilder &b, Value x, Value indices, unsigned axis) {
  return GatherOp::create(b, x.getLoc(), x, indices, b.getI64IntegerAttr(axis));
}

Value TokenRows::gather(OpBuilder &b, Value tensor, TokenAxes axes) {
  if (!axes.batch)
    return gatherAxis(b, tensor, tokens, axes.place);
  // One axis of all tokens, then that of rows alone.
  unsigned first = *axes.batch;
  Value near = moveAxis(b, tensor, axes.place, first + 1);
  SmallVector<SymExprAttr> to = getDims(txc::getTensorType(near));
  to[first] = dims.getCount();
  to.erase(to.begin() + first + 1);
  Value rows = gatherAxis(b, reshape(b, near, to), tokens, first);
  to[first] = count;
  to.insert(to.begin() + first, getConstantExpr(b.getContext(), 1));
  return moveAxis(b, reshape(b, rows, to), first + 1, axes.place);
}

Value TokenRows::gatherPartial(OpBuilder &b, Value tensor,
                               const TokenRole &role) {
  if (role.kind == TokenRole::Place)
    return gatherAxis(b, tensor, places, role.axes.place);
  // The sentences' axis has the rows now, the places' is 1: exchange them.
  Value rows = gatherAxis(b, tensor, sentences, *role.axes.batch);
  SmallVector<int64_t> permutation = llvm::to_vector(
      llvm::seq<int64_t>(0, txc::getTensorType(tensor).getRank()));
  std::swap(permutation[*role.axes.batch], permutation[role.axes.place]);
  return TransposeOp::create(b, tensor.getLoc(), rows,
                             b.getDenseI64ArrayAttr(permutation));
}

Value TokenRows::scatter(OpBuilder &b, Value rows, TokenAxes axes,
                         double padding, bool hides) {
  RankedTensorType type = txc::getTensorType(rows);
  Location loc = rows.getLoc();
  SmallVector<SymExprAttr> maskDims(type.getRank(),
                                    getConstantExpr(b.getContext(), 1));
  Value padded;
  if (axes.batch) {
    unsigned first = *axes.batch;
    Value near = moveAxis(b, rows, axes.place, first + 1);
    SmallVector<SymExprAttr> to = getDims(txc::getTensorType(near));
    to.erase(to.begin() + first);
    padded = gatherAxis(b, reshape(b, near, to), numbers, first);
    padded = moveAxis(b, padded, first + 1, axes.place);
    maskDims[first] = dims.batch;
    maskDims[axes.place] = dims.places;
  } else {
    Value all = reshape(b, numbers, {dims.getCount()});
    padded = gatherAxis(b, rows, all, axes.place);
    maskDims[axes.place] = dims.getCount();
  }
  Value fill = createSplat(
      b, loc, RankedTensorType::get({}, type.getElementType()), padding);
  return SelectOp::create(b, loc, reshape(b, hides ? mask : kept, maskDims),
                          padded, fill);
}

Value TokenRows::gatherPlace(OpBuilder &b, Value rows, TokenAxes axes,
                             int64_t place) {
  MLIRContext *context = b.getContext();
  SymExprAttr one = getConstantExpr(context, 1);
  SmallVector<Attribute> first = {getConstantExpr(context, 0),
                                  getConstantExpr(context, place)};
  Value chosen = SliceOp::create(
      b, rows.getLoc(), tx::getTensorType({dims.batch, one}, b.getI64Type()),
      numbers, b.getArrayAttr(first), b.getDenseI64ArrayAttr({1, 1}));
  Value near = moveAxis(b, rows, axes.place, *axes.batch + 1);
  SmallVector<SymExprAttr> to = getDims(txc::getTensorType(near));
  to.erase(to.begin() + *axes.batch);
  Value taken = gatherAxis(b, reshape(b, near, to), chosen, *axes.batch);
  return moveAxis(b, taken, *axes.batch + 1, axes.place);
}
