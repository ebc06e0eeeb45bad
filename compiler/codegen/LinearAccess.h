//===- LinearAccess.h - element numbers of mapped operands -----*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// An operand's affine map and dims as one function from the iteration point to
/// the number of the element in memory.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_LINEARACCESS_H
#define TXC_COMPILER_CODEGEN_LINEARACCESS_H

#include "dialects/tx/SymExpr.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Value.h"

namespace txc {

/// element = offset + sum over d of strides[d] * i_d + sum of terms
struct LinearAccess {
  /// What a map has besides linear parts: `expr` (floordiv, mod) counts
  /// `stride` elements.
  struct Term {
    mlir::AffineExpr expr;
    tx::SymExprAttr stride;
  };

  tx::SymExprAttr offset;
  /// One an iteration dim.
  llvm::SmallVector<tx::SymExprAttr> strides;
  llvm::SmallVector<Term> terms;

  /// Of the elements of \p tensor (row-major) at \p map, whose symbols have the
  /// values \p symbols.
  static LinearAccess get(mlir::AffineMap map, mlir::RankedTensorType tensor,
                          mlir::ArrayAttr symbols);

  bool isLinearIn(unsigned dim) const;
  bool dependsOn(unsigned dim) const;
  /// The stride along \p dim if it is a known number.
  std::optional<int64_t> getConstantStride(unsigned dim) const;
};

/// Elements between neighbours along each dim of a row-major tensor.
llvm::SmallVector<tx::SymExprAttr>
getRowMajorStrides(mlir::RankedTensorType type);

} // namespace txc

#endif // TXC_COMPILER_CODEGEN_LINEARACCESS_H
