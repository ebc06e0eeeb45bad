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

/// Half precision is summed in f32.
mlir::Type getSumType(mlir::Type element);
mlir::Value widen(const NestBuilder::Body &body, mlir::Value x);
mlir::Value narrowTo(const NestBuilder::Body &body, mlir::Type type,
                     mlir::Value x);

/// x with its padding and the channels last, [n, places…, c], as numbers of
/// `element`, which is wider than x's if not the same.
mlir::Value buildPadded(mlir::OpBuilder &b, tx::ConvOp op, mlir::Type element);

/// A tx.conv with groups as a product a group, or if each group is one channel
/// as sums of vectors of channels. No values, where a plain loop nest has to
/// do: for filters of unknown sizes and of dilated taps.
///
/// A product reads its windows from one copy of x in which they overlap,
///
///     rows[n, g, p…, w, t…, c] = x[n, g * C + c, …] padded with zeros,
///
/// where p and t are the places and taps along all spatial dims but the last,
/// and w is an element along that one. The window at place q of the last dim
/// begins at w = q * stride and is contiguous, so it needs no copy of its own:
/// along that dim an element is copied once instead of once a tap.
LoweredValues lowerGroupedConv(mlir::OpBuilder &b, tx::ConvOp op);

} // namespace txc

#endif // TXC_PASSES_LOWER_PADDEDWINDOW_H
