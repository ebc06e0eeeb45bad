//===- RunTimeSymbols.h - dims that depend on data -------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// The symbols that `tx.define_symbol`s of a function define, in their order.
/// What mentions one is known only behind its definition: sizes and places in
/// memory, the relations that a run checks.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_DIALECTS_TX_RUNTIMESYMBOLS_H
#define TXC_DIALECTS_TX_RUNTIMESYMBOLS_H

#include "dialects/tx/Tx.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace txc::tx {

class RunTimeSymbols {
public:
  /// `function` has one block.
  explicit RunTimeSymbols(mlir::func::FuncOp function);

  bool contains(mlir::StringAttr symbol) const {
    return numbers.contains(symbol);
  }

  /// How many definitions have to be behind a run before the expression is
  /// known: 0 where it mentions no run-time symbol.
  unsigned getStage(SymExprAttr expr) const;

  /// The last symbol of the expression to be defined; null in stage 0.
  mlir::StringAttr getLast(SymExprAttr expr) const;

private:
  llvm::SetVector<mlir::StringAttr> order;
  llvm::DenseMap<mlir::StringAttr, unsigned> numbers;
};

/// Moves the `tx.symbolic`s that mention run-time symbols behind the symbols'
/// definitions. They are constants to MLIR's folder, which puts constants at
/// the start of a function.
void placeBehindDefinitions(mlir::func::FuncOp function);

/// Checks that each op of the function that mentions a run-time symbol in a
/// type or an attribute, its own or one of its body's, follows the symbol's
/// definition, and that no symbol is defined twice.
mlir::LogicalResult verifyRunTimeSymbols(mlir::func::FuncOp function);

} // namespace txc::tx

#endif // TXC_DIALECTS_TX_RUNTIMESYMBOLS_H
