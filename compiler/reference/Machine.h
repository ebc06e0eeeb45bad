//===- Machine.h - runs the ops of a program --------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// The part of the reference interpreter that goes from op to op: symbols that
/// a run defines, branches and loops, what has to hold.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_REFERENCE_MACHINE_H
#define TXC_COMPILER_REFERENCE_MACHINE_H

#include "compiler/reference/Evaluation.h"

namespace txc::reference {

/// Whether the symbols are within the ranges of `tx.symbols`.
llvm::LogicalResult checkBounds(mlir::ModuleOp module,
                                const SymbolValues &symbols);

/// `tx.requirements` is an array of [lhs, "eq"|"le"|"ne", rhs, sentence].
/// Checks those that are known, with `latest` only those that mention it.
llvm::LogicalResult checkRequirements(mlir::ModuleOp module,
                                      const SymbolValues &symbols,
                                      mlir::StringAttr latest = nullptr);

/// Runs ops one after the other and keeps their results while a later one of
/// them needs them.
class Machine {
public:
  /// `returned` are the values that run() gives in the end.
  Machine(llvm::ArrayRef<mlir::Operation *> program, mlir::ValueRange returned,
          SymbolValues symbols, WeightSource weights);
  /// A block, which returns the operands of its terminator. One within the
  /// program of `outer` sees its values.
  Machine(mlir::Block &block, SymbolValues symbols, WeightSource weights,
          const Machine *outer = nullptr);

  Results run(Tap tap);
  /// The same, given the block's arguments.
  Results runBlock(llvm::ArrayRef<HostTensor> arguments, Tap tap);

private:
  void countUses();
  void define(mlir::Value value, HostTensor tensor);
  const HostTensor &get(mlir::Value value) const;
  bool isTrue(mlir::Value condition) const;
  Results evaluate(mlir::Operation *op, Tap tap);
  Results runBranch(tx::IfOp op, Tap tap);
  Results runLoop(tx::LoopOp op, Tap tap);
  llvm::LogicalResult setSymbols(mlir::Operation *op,
                                 llvm::ArrayRef<mlir::StringAttr> names,
                                 llvm::ArrayRef<int64_t> values);
  llvm::LogicalResult setSymbols(mlir::Operation *op, mlir::ArrayAttr names,
                                 mlir::ArrayAttr exprs,
                                 const SymbolValues &known);

  llvm::SmallVector<mlir::Operation *> program;
  llvm::SmallVector<mlir::Value> returned;
  mlir::Block *block = nullptr;
  const Machine *outer = nullptr;
  SymbolValues symbols;
  WeightSource weights;
  llvm::DenseMap<mlir::Value, size_t> remainingUses;
  llvm::DenseMap<mlir::Value, HostTensor> tensors;
};

} // namespace txc::reference

#endif // TXC_COMPILER_REFERENCE_MACHINE_H
