//===- Tx.h - the tx dialect -----------------------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// The dialect, its ops, and helpers for tensor types with symbolic dims.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_DIALECTS_TX_TX_H
#define TXC_DIALECTS_TX_TX_H

#include "dialects/tx/SymExpr.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/tx/TxDialect.h.inc"
#include "dialects/tx/TxInterfaces.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/tx/TxTypes.h.inc"

namespace txc::tx {

/// Tensors with more elements are weights, never attributes (contract 3).
constexpr int64_t kMaxConstantElements = 4096;

/// The dims of a tensor type, constants where static.
llvm::SmallVector<SymExprAttr> getDims(mlir::RankedTensorType type);
SymExprAttr getDim(mlir::RankedTensorType type, int64_t axis);

/// The tensor type with these dims; has an encoding iff a dim is no constant.
mlir::RankedTensorType getTensorType(llvm::ArrayRef<SymExprAttr> dims,
                                     mlir::Type elementType);

/// The number of elements.
SymExprAttr getElementCount(mlir::RankedTensorType type);

/// The NumPy broadcast of the operands' dims, with `elementType` or, if null,
/// that of the operands (which must agree). An error names the two dims that
/// neither are equal nor contain a static 1.
llvm::LogicalResult
inferBroadcastType(std::optional<mlir::Location> loc, mlir::ValueRange operands,
                   mlir::Type elementType,
                   llvm::SmallVectorImpl<mlir::Type> &types);

/// The elements of a constant or symbolic integer or boolean tensor of at most
/// kMaxConstantElements elements.
std::optional<llvm::SmallVector<SymExprAttr>> matchExprs(mlir::Value value);
std::optional<llvm::SmallVector<SymExprAttr>> getExprs(mlir::Attribute value);

/// `tx.constant`'s or `tx.symbolic`'s attribute for these elements.
mlir::Attribute getExprTensor(mlir::RankedTensorType type,
                              llvm::ArrayRef<SymExprAttr> exprs);

/// The symbols' ranges, as the module's `tx.symbols` attribute states them:
/// `{S = [1, 512], B = [0]}`.
SymbolBounds getSymbolBounds(mlir::Operation *op);

} // namespace txc::tx

#define GET_OP_CLASSES
#include "dialects/tx/TxOps.h.inc"

#endif // TXC_DIALECTS_TX_TX_H
