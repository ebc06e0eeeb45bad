//===- TxFold.h - folding shape arithmetic ---------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Folders of integer and boolean ops whose operands are constant or symbolic:
/// this is how shape plumbing becomes expressions. Arithmetic on floats is
/// folded by the reference interpreter instead (`compiler/reference`).
//
//===----------------------------------------------------------------------===//

#ifndef TXC_DIALECTS_TX_TXFOLD_H
#define TXC_DIALECTS_TX_TXFOLD_H

#include "dialects/tx/Tx.h"

namespace txc::tx {

/// The result of an element-wise op on known integers or booleans; null if an
/// operand is not known or an element can't be decided from the symbols.
mlir::OpFoldResult foldElementwise(mlir::Operation *op,
                                   llvm::ArrayRef<mlir::Attribute> operands);

/// The elements of a small integer or boolean tensor, like matchExprs(), where
/// what only a run decides is an expression as well: a comparison is one that
/// is 0 or 1, a selection their sum. For values that become dims: exact, but
/// longer than a folded op should carry through a program. Nothing if an
/// element depends on data.
std::optional<llvm::SmallVector<SymExprAttr>> computeExprs(mlir::Value value);

/// The result of an op that only moves elements: `source(i)` is the operand
/// element (operand number, row-major index) that result element `i` equals.
mlir::Attribute foldMovement(
    mlir::RankedTensorType resultType, llvm::ArrayRef<mlir::Attribute> operands,
    llvm::function_ref<std::pair<unsigned, int64_t>(llvm::ArrayRef<int64_t>)>
        source);

/// Row-major strides of a static shape.
llvm::SmallVector<int64_t> getRowMajorStrides(llvm::ArrayRef<int64_t> shape);

} // namespace txc::tx

#endif // TXC_DIALECTS_TX_TXFOLD_H
