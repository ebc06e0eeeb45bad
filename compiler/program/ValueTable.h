//===- ValueTable.h - the shape program ------------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Numbers the expressions of symbols that a run needs (dims, offsets, task
/// counts, constants) and writes the function that evaluates them. From here on
/// a program knows indices into that table, no symbols.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_PROGRAM_VALUETABLE_H
#define TXC_COMPILER_PROGRAM_VALUETABLE_H

#include "dialects/tx/SymExpr.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/MapVector.h"

namespace txc {

class ValueTable {
public:
  /// The symbols in the order in which a run is given their values.
  explicit ValueTable(llvm::ArrayRef<mlir::StringAttr> symbols);

  /// The index of an expression; equal expressions share one.
  int32_t getIndex(tx::SymExprAttr expr);
  int32_t size() const { return static_cast<int32_t>(exprs.size()); }

  /// The index of a symbol, which must be one of the constructor's.
  int32_t getSymbolIndex(mlir::StringAttr symbol) const {
    return symbols.lookup(symbol);
  }
  /// If `expr` is one symbol, its index.
  std::optional<int32_t> matchSymbol(tx::SymExprAttr expr) const;

  /// Builds `void name(ptr symbols, ptr values)`. It never traps: sums and
  /// products saturate, so that a size too large stays too large, and a
  /// division by zero gives 0.
  mlir::LLVM::LLVMFuncOp buildFunction(mlir::OpBuilder &b, mlir::Location loc,
                                       llvm::StringRef name) const;

private:
  llvm::DenseMap<mlir::StringAttr, int32_t> symbols;
  llvm::MapVector<tx::SymExprAttr, int32_t> exprs;
};

} // namespace txc

#endif // TXC_COMPILER_PROGRAM_VALUETABLE_H
