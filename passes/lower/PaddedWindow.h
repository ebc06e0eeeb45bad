//===- PaddedWindow.h - elements of a padded tensor -------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// What the lowerings of convolutions and pooling share.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_LOWER_PADDEDWINDOW_H
#define TXC_PASSES_LOWER_PADDEDWINDOW_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/lower/Lowerings.h"
#include "passes/lower/NestBuilder.h"

namespace txc {

/// An element at a place of a padded tensor, and whether it lies inside the
/// tensor (null if it always does); outside of it the value means nothing.
struct PaddedElement {
  mlir::Value value, isInside;
};

/// A place along a spatial dim; it may be negative or beyond the end where it
/// `mayLeave`.
struct PaddedPlace {
  mlir::Value index;
  bool mayLeave = false;
};

/// `table`[row, channel, places…], the table being a tensor of `dims`.
PaddedElement fetchPadded(const NestBuilder::Body &body, unsigned table,
                          llvm::ArrayRef<tx::SymExprAttr> dims, mlir::Value row,
                          mlir::Value channel,
                          llvm::ArrayRef<PaddedPlace> places);

/// place * stride + tap * dilation - low.
mlir::Value getWindowPlace(const NestBuilder::Body &body, mlir::Value place,
                           int64_t stride, mlir::Value tap, int64_t dilation,
                           int64_t low);

/// The element, or `other` outside of the tensor.
mlir::Value selectOr(const NestBuilder::Body &body, PaddedElement element,
                     mlir::Value other);

/// x with its padding and the channels last, [n, places…, c], as numbers of
/// `element`, which is wider than x's if not the same.
mlir::Value buildPadded(mlir::OpBuilder &b, tx::ConvOp op, mlir::Type element);

} // namespace txc

#endif // TXC_PASSES_LOWER_PADDEDWINDOW_H
