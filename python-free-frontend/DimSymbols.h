//===- DimSymbols.h - the symbolic dims of a module -------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// The symbols of a model's input dims while its graph is imported: what the
/// user's `-dim` options fix or bound, what the graph shows to be equal, and
/// what must hold in each run.
///
/// Equal dims: where ONNX demands that two dims are equal (the inner dims of a
/// MatMul, say), a symbol is solved for and replaced by an expression of the
/// others at once, in all types and attributes of the module. An input whose
/// dim it was then has that expression as its dim, which every run checks.
/// Every symbol left still is the plain dim of some input, so a run can find
/// its value, or a *run-time symbol*, which a `tx.define_symbol` gives its
/// value. The latter are solved for in terms of what is known before them, and
/// their definition checks that the solution holds. `SymExprAttr`s and types
/// that a caller keeps across a call of unify() are stale; Values are not.
///
/// Branches and loops: what holds where a branch runs need not hold elsewhere.
/// Within a *scope* a symbol is solved for in the ops of that region alone, and
/// what must hold becomes a `tx.require` in it, as early as its symbols are
/// known.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PYTHON_FREE_FRONTEND_DIMSYMBOLS_H
#define TXC_PYTHON_FREE_FRONTEND_DIMSYMBOLS_H

#include "dialects/tx/RunTimeSymbols.h"
#include "python-free-frontend/ImportOnnx.h"
#include "llvm/ADT/StringSet.h"

namespace txc::frontend {

class DimSymbols {
public:
  DimSymbols(mlir::ModuleOp module, llvm::ArrayRef<DimOption> options);

  /// Makes the names of dims known that are plain symbols; before declare(),
  /// which takes a text of several of them as an expression.
  void addName(llvm::StringRef name) { names.insert(name); }
  /// The dim called \p text: a number if an option fixes it, an expression if
  /// the text is one of known names (`past + seq`), else a symbol.
  tx::SymExprAttr declare(llvm::StringRef text);
  /// A new symbol, called \p hint or much like it, whose value only a run
  /// knows; the caller creates its `tx.define_symbol`.
  tx::SymExprAttr declareRunTime(llvm::StringRef hint,
                                 tx::SymbolBounds::Range range);
  /// When all inputs are declared: writes `tx.symbols`, which folders ask, and
  /// says which options name no dim.
  void publish(std::vector<ImportProblem> &problems);

  const tx::SymbolBounds &bounds() const { return symbolBounds; }

  /// Makes two dims equal, solving for a symbol. Fails, changing nothing, if
  /// they can't be equal or no symbol can be solved for.
  llvm::LogicalResult unify(tx::SymExprAttr lhs, tx::SymExprAttr rhs);

  /// An expression from before calls of unify() in terms of today's symbols.
  tx::SymExprAttr resolve(tx::SymExprAttr expr) const {
    return tx::substitute(expr, eliminated);
  }

  /// Begins the scope of a region, within the present one; returns what
  /// leaveScope() or dropScope() takes.
  DimSymbols enterScope(mlir::Region &region);
  /// Ends it, forgetting what was learned there but for new run-time symbols.
  void leaveScope(const DimSymbols &outer);
  /// Ends it as if nothing in it had ever been there.
  void dropScope(const DimSymbols &outer);

  /// What each run must check, unless it follows from the symbols' ranges;
  /// \p sentence is for the user. What bounds one symbol (`1 <= S`,
  /// `S + 2 <= 514`) becomes its range. Fails if it can't hold.
  llvm::LogicalResult require(tx::SymExprAttr lhs, tx::Predicate predicate,
                              tx::SymExprAttr rhs, const llvm::Twine &sentence);

  /// Writes `tx.symbols` and `tx.requirements`.
  void finish();

private:
  struct Requirement {
    tx::SymExprAttr lhs;
    tx::Predicate predicate;
    tx::SymExprAttr rhs;
    std::string sentence;
  };

  void writeSymbols();
  void addRequirement(tx::SymExprAttr lhs, tx::Predicate predicate,
                      tx::SymExprAttr rhs, const llvm::Twine &sentence);
  bool mentionsLater(tx::SymExprAttr expr, mlir::StringAttr symbol) const;
  bool eliminate(mlir::StringAttr symbol, tx::SymExprAttr value);
  void substituteEverywhere(mlir::StringAttr symbol, tx::SymExprAttr value);

  mlir::ModuleOp module;
  mlir::MLIRContext *context;
  llvm::ArrayRef<DimOption> options;
  llvm::StringSet<> names;
  llvm::StringSet<> namesInUse;
  /// In the order of declaration; those that are eliminated are gone.
  llvm::SetVector<mlir::StringAttr> symbols;
  /// Those of `symbols` that a run defines; they stay there when eliminated.
  llvm::DenseSet<mlir::StringAttr> runTimeSymbols;
  /// What symbols that were solved for stand for.
  llvm::DenseMap<mlir::StringAttr, tx::SymExprAttr> eliminated;
  tx::SymbolBounds symbolBounds;
  /// Those that hold outside of all scopes.
  tx::SymbolBounds globalBounds;
  /// Of the innermost scope; null outside of all.
  mlir::Region *scope = nullptr;
  std::vector<Requirement> requirements;
};

/// Reads \p text as sums, differences and products of integers and \p names;
/// null if it is anything else. Exporters write such dims of inputs.
tx::SymExprAttr parseDimText(mlir::MLIRContext *context, llvm::StringRef text,
                             const llvm::StringSet<> &names);

/// Whether \p text is one name rather than an expression of names.
bool isDimName(llvm::StringRef text);

} // namespace txc::frontend

#endif // TXC_PYTHON_FREE_FRONTEND_DIMSYMBOLS_H
