//===- Access.h - reading a tensor through its views -----------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Transposes, slices, broadcasts and reshapes move no data when the op that
/// reads their result can address their operand instead. An Access says how: an
/// affine map from a value's own dims to the dims of the tensor that holds its
/// elements.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_LOWER_ACCESS_H
#define TXC_PASSES_LOWER_ACCESS_H

#include "dialects/tx/Tx.h"
#include "mlir/IR/AffineMap.h"

namespace txc {

struct Access {
  /// A row-major tensor.
  mlir::Value base;
  /// From the value's dims to the base's; its symbols have the values
  /// `symbols`.
  mlir::AffineMap map;
  llvm::SmallVector<tx::SymExprAttr> symbols;

  bool isIdentity() const { return map.isIdentity(); }
};

/// Walks up from `value` through views as far as the composed map stays affine.
/// A reshape of a row-major tensor is itself row-major, so it is a base.
Access resolveAccess(mlir::Value value);

/// Whether `op` only renames where elements are found (tx.transpose, tx.slice,
/// tx.broadcast with known repeats).
bool isView(mlir::Operation *op);

/// transpose(reshape(x)) for a reshape(transpose(x)) that only merges dims
/// which are neighbours in x too: then the transpose is a view of what is
/// row-major. Null for others. So the places of a convolution, whose channels
/// lie last in memory, become tokens without a copy.
mlir::Value mergeBeforeTranspose(mlir::OpBuilder &b, tx::ReshapeOp op);

} // namespace txc

#endif // TXC_PASSES_LOWER_ACCESS_H
