//===- SymExpr.h - integer expressions of symbolic dims --------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// The functions that build and question `SymExprAttr`s. Every function returns
/// the normal form (see TxAttrs.td), so equality of attributes is equality of
/// expressions as far as ring arithmetic decides it; `SymbolBounds` answers
/// what needs the symbols' ranges besides. Expressions are immutable and
/// uniqued in the MLIRContext: cheap to copy, safe to share between threads.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_DIALECTS_TX_SYMEXPR_H
#define TXC_DIALECTS_TX_SYMEXPR_H

#include "dialects/tx/TxAttrs.h"

namespace txc::tx {

SymExprAttr getConstantExpr(mlir::MLIRContext *context, int64_t value);
SymExprAttr getSymbolExpr(mlir::MLIRContext *context, llvm::StringRef name);

SymExprAttr add(SymExprAttr lhs, SymExprAttr rhs);
SymExprAttr sub(SymExprAttr lhs, SymExprAttr rhs);
SymExprAttr mul(SymExprAttr lhs, SymExprAttr rhs);
SymExprAttr add(SymExprAttr lhs, int64_t rhs);
SymExprAttr mul(SymExprAttr lhs, int64_t rhs);
/// Rounds toward minus infinity. Exact polynomial quotients are simplified:
/// `floorDiv(B*S*384, S) == B*384`.
SymExprAttr floorDiv(SymExprAttr lhs, SymExprAttr rhs);
SymExprAttr floorDiv(SymExprAttr lhs, int64_t rhs);
SymExprAttr ceilDiv(SymExprAttr lhs, int64_t rhs);
/// `lhs - rhs * floorDiv(lhs, rhs)`.
SymExprAttr mod(SymExprAttr lhs, SymExprAttr rhs);
SymExprAttr max(SymExprAttr lhs, SymExprAttr rhs);
SymExprAttr min(SymExprAttr lhs, SymExprAttr rhs);
SymExprAttr product(mlir::MLIRContext *context,
                    llvm::ArrayRef<SymExprAttr> exprs);

/// The polynomial q with `q * divisor == dividend`, or null if none is found.
SymExprAttr divideExactly(SymExprAttr dividend, SymExprAttr divisor);

/// Replaces symbols by expressions.
SymExprAttr
substitute(SymExprAttr expr,
           const llvm::DenseMap<mlir::StringAttr, SymExprAttr> &values);

/// The symbols an expression mentions, each once, in order of appearance.
void collectSymbols(SymExprAttr expr,
                    llvm::SetVector<mlir::StringAttr> &symbols);

/// The value at given symbols, or nothing when a symbol is missing, a divisor
/// is zero or the arithmetic overflows.
std::optional<int64_t>
evaluate(SymExprAttr expr,
         const llvm::DenseMap<mlir::StringAttr, int64_t> &values);

/// Ranges of the symbols: the equality oracle. A symbol that is not listed is a
/// dim: at least 0, without upper bound.
class SymbolBounds {
public:
  struct Range {
    int64_t lower = 0;
    std::optional<int64_t> upper;
  };

  void set(mlir::StringAttr symbol, Range range) { ranges[symbol] = range; }
  Range get(mlir::StringAttr symbol) const;

  /// A bound of the expression, if interval arithmetic finds one.
  std::optional<int64_t> lowerBound(SymExprAttr expr) const;
  std::optional<int64_t> upperBound(SymExprAttr expr) const;

  /// Whether the relation holds for all values of the symbols; nothing if it
  /// holds for some only, or that can't be told.
  std::optional<bool> compare(Predicate predicate, SymExprAttr lhs,
                              SymExprAttr rhs) const;

private:
  llvm::DenseMap<mlir::StringAttr, Range> ranges;
};

} // namespace txc::tx

#endif // TXC_DIALECTS_TX_SYMEXPR_H
