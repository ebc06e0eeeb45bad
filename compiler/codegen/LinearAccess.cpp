//===- LinearAccess.cpp - element numbers of mapped operands -------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/LinearAccess.h"
#include "dialects/tx/Tx.h"

using namespace mlir;
using namespace txc;
using tx::SymExprAttr;

SmallVector<SymExprAttr> txc::getRowMajorStrides(RankedTensorType type) {
  SmallVector<SymExprAttr> strides(type.getRank());
  SymExprAttr stride = tx::getConstantExpr(type.getContext(), 1);
  SmallVector<SymExprAttr> dims = tx::getDims(type);
  for (int64_t d = type.getRank(); d-- > 0;) {
    strides[d] = stride;
    stride = tx::mul(stride, dims[d]);
  }
  return strides;
}

namespace {
/// Adds the parts of an affine expression to an access.
class Linearizer {
public:
  Linearizer(LinearAccess &access, ArrayAttr symbols)
      : access(access), symbols(symbols) {}

  void add(AffineExpr expr, SymExprAttr stride);

private:
  LinearAccess &access;
  ArrayAttr symbols;
};
} // namespace

void Linearizer::add(AffineExpr expr, SymExprAttr stride) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    SymExprAttr &sum = access.strides[dim.getPosition()];
    sum = tx::add(sum, stride);
  } else if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    access.offset =
        tx::add(access.offset, tx::mul(stride, constant.getValue()));
  } else if (auto symbol = dyn_cast<AffineSymbolExpr>(expr)) {
    auto value = cast<SymExprAttr>(symbols[symbol.getPosition()]);
    access.offset = tx::add(access.offset, tx::mul(stride, value));
  } else {
    auto binary = cast<AffineBinaryOpExpr>(expr);
    auto factor = dyn_cast<AffineConstantExpr>(binary.getRHS());
    if (expr.getKind() == AffineExprKind::Add) {
      add(binary.getLHS(), stride);
      add(binary.getRHS(), stride);
    } else if (expr.getKind() == AffineExprKind::Mul && factor) {
      add(binary.getLHS(), tx::mul(stride, factor.getValue()));
    } else {
      access.terms.push_back({expr, stride});
    }
  }
}

LinearAccess LinearAccess::get(AffineMap map, RankedTensorType tensor,
                               ArrayAttr symbols) {
  SymExprAttr zero = tx::getConstantExpr(map.getContext(), 0);
  LinearAccess access{
      zero, SmallVector<SymExprAttr>(map.getNumDims(), zero), {}};
  Linearizer linearizer(access, symbols);
  for (auto [expr, stride] :
       llvm::zip_equal(map.getResults(), getRowMajorStrides(tensor)))
    linearizer.add(expr, stride);
  return access;
}

bool LinearAccess::isLinearIn(unsigned dim) const {
  return llvm::none_of(
      terms, [&](const Term &term) { return term.expr.isFunctionOfDim(dim); });
}

bool LinearAccess::dependsOn(unsigned dim) const {
  return !strides[dim].isConstant(0) || !isLinearIn(dim);
}

std::optional<int64_t> LinearAccess::getConstantStride(unsigned dim) const {
  if (!isLinearIn(dim))
    return std::nullopt;
  return strides[dim].getConstant();
}
