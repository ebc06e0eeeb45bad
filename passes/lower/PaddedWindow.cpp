//===- PaddedWindow.cpp - elements of a padded tensor --------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/lower/PaddedWindow.h"

using namespace mlir;
using namespace txc;

using Body = NestBuilder::Body;

PaddedElement txc::fetchPadded(const Body &body, unsigned table,
                               ArrayRef<tx::SymExprAttr> dims, Value row,
                               Value channel, ArrayRef<PaddedPlace> places) {
  OpBuilder &b = body.b;
  Location loc = body.loc;
  SmallVector<Value> indices = {row, channel};
  Value isInside;
  for (auto [place, dim] : llvm::zip_equal(places, dims.drop_front(2))) {
    Value index = place.index;
    if (place.mayLeave) {
      Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                           index, body.size(dim));
      index =
          arith::SelectOp::create(b, loc, inside, index, body.constantIndex(0));
      isInside = isInside
                     ? Value(arith::AndIOp::create(b, loc, isInside, inside))
                     : inside;
    }
    indices.push_back(index);
  }
  return {body.fetch(table, indices), isInside};
}

Value txc::getWindowPlace(const Body &body, Value place, int64_t stride,
                          Value tap, int64_t dilation, int64_t low) {
  OpBuilder &b = body.b;
  Location loc = body.loc;
  place = arith::MulIOp::create(b, loc, place, body.constantIndex(stride));
  tap = arith::MulIOp::create(b, loc, tap, body.constantIndex(dilation));
  Value index = arith::AddIOp::create(b, loc, place, tap);
  return arith::SubIOp::create(b, loc, index, body.constantIndex(low));
}

Value txc::selectOr(const Body &body, PaddedElement element, Value other) {
  if (!element.isInside)
    return element.value;
  return arith::SelectOp::create(body.b, body.loc, element.isInside,
                                 element.value, other);
}

Value txc::buildPadded(OpBuilder &b, tx::ConvOp op, Type element) {
  SmallVector<tx::SymExprAttr> dims = tx::getDims(op.getX().getType());
  auto spatial = static_cast<unsigned>(dims.size()) - 2;
  SmallVector<tx::SymExprAttr> sizes = {dims[0]};
  for (unsigned i = 0; i < spatial; ++i)
    sizes.push_back(tx::add(dims[2 + i], op.getLow()[i] + op.getHigh()[i]));
  sizes.push_back(dims[1]);
  NestBuilder nest(b, op.getLoc(), sizes);
  unsigned table = nest.addTable(op.getX());
  nest.addResult(tx::getTensorType(sizes, element));
  return nest
      .build([&](const Body &body) {
        SmallVector<PaddedPlace> places;
        for (unsigned i = 0; i < spatial; ++i)
          places.push_back(
              {arith::SubIOp::create(body.b, body.loc, body.index(1 + i),
                                     body.constantIndex(op.getLow()[i])),
               op.getLow()[i] != 0 || op.getHigh()[i] != 0});
        PaddedElement x = fetchPadded(body, table, dims, body.index(0),
                                      body.index(1 + spatial), places);
        Value zero = body.constant(x.value.getType(), 0);
        Value value = selectOr(body, x, zero);
        if (value.getType() != element)
          value = widen(body, value);
        return SmallVector<Value>{value};
      })
      ->getResult(0);
}
