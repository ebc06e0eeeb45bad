//===- RunTimeSymbols.h - dims that depend on data -------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// The symbols that a run gives their values while it is under way, by
/// `tx.define_symbol`, `tx.if` and `tx.loop`. What mentions one is known only
/// behind its definition: sizes and places in memory, the relations that a run
/// checks.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_DIALECTS_TX_RUNTIMESYMBOLS_H
#define TXC_DIALECTS_TX_RUNTIMESYMBOLS_H

#include "dialects/tx/Tx.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace txc::tx {

/// The blocks of a program, a function of one block: that one, then those of
/// the branches and loops in it, each before the blocks within it.
llvm::SmallVector<mlir::Block *> getBlocks(mlir::func::FuncOp function);

/// Whether a program has branches or loops.
bool hasControlFlow(mlir::func::FuncOp function);

/// The run-time symbols that an op defines, those of the blocks in it left out.
llvm::SmallVector<mlir::StringAttr> getDefinedSymbols(mlir::Operation *op);

/// Whether both branches know the symbols that the op defines when they begin:
/// they depend on none that the branch defines. Then that is where a run
/// defines them, else where the branch ends.
bool definesEarly(IfOp op);

class RunTimeSymbols {
public:
  explicit RunTimeSymbols(mlir::func::FuncOp function);

  bool contains(mlir::StringAttr symbol) const {
    return numbers.contains(symbol);
  }

  /// How many definitions have to be behind a run before the expression is
  /// known: 0 where it mentions no run-time symbol. The symbols of a loop count
  /// where it begins.
  unsigned getStage(SymExprAttr expr) const;

  /// The last symbol of the expression to be defined; null in stage 0.
  mlir::StringAttr getLast(SymExprAttr expr) const;

private:
  void number(mlir::Block &block);
  void number(llvm::ArrayRef<mlir::StringAttr> symbols);

  llvm::SetVector<mlir::StringAttr> order;
  llvm::DenseMap<mlir::StringAttr, unsigned> numbers;
};

/// Moves the `tx.symbolic`s that mention run-time symbols behind the symbols'
/// definitions. They are constants to MLIR's folder, which puts constants at
/// the start of a block.
void placeBehindDefinitions(mlir::func::FuncOp function);

/// Checks that each op of the function that mentions a run-time symbol in a
/// type or an attribute, its own or one of its body's, follows the symbol's
/// definition, and that no symbol is defined twice.
mlir::LogicalResult verifyRunTimeSymbols(mlir::func::FuncOp function);

} // namespace txc::tx

#endif // TXC_DIALECTS_TX_RUNTIMESYMBOLS_H
