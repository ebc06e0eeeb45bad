//===- Interpreter.h - the reference interpreter of tx ----------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Evaluates `tx` by plain loops: the ops' specification as code. Each op
/// computes in f64 (integers in i64, wrapping) and rounds once to its result's
/// element type. Folds small constants, evaluates the recipes of weights when
/// they are packed, and is what `txc verify` compares with.
///
/// A fault of the run (an index out of range, an integer division by zero, dims
/// that contradict each other) is a diagnostic and a failure. Nothing is
/// global; evaluations are independent of each other.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_REFERENCE_INTERPRETER_H
#define TXC_COMPILER_REFERENCE_INTERPRETER_H

#include "compiler/reference/HostTensor.h"
#include "dialects/tx/Tx.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace txc {

/// The symbols' values.
using SymbolValues = llvm::DenseMap<mlir::StringAttr, int64_t>;

/// Begins the report of a fault; one that returns an inactive diagnostic (made
/// by the default constructor) keeps faults quiet.
using EmitFault = llvm::function_ref<mlir::InFlightDiagnostic()>;

/// The results of one op, given its operands in order. A `tx.weight` is no such
/// op: its value is not in the IR.
mlir::FailureOr<llvm::SmallVector<HostTensor>>
evaluateOp(mlir::Operation *op, llvm::ArrayRef<const HostTensor *> operands,
           const SymbolValues &symbols);

/// The same, with faults reported by `emitFault`.
mlir::FailureOr<llvm::SmallVector<HostTensor>>
evaluateOp(mlir::Operation *op, llvm::ArrayRef<const HostTensor *> operands,
           const SymbolValues &symbols, EmitFault emitFault);

/// The bytes of a weight; the error says why there are none.
using WeightSource =
    llvm::function_ref<llvm::Expected<HostTensor>(tx::WeightOp)>;
/// Sees each op's results as soon as they are known.
using Tap =
    llvm::function_ref<void(mlir::Operation *, llvm::ArrayRef<HostTensor>)>;

/// The function's results. Symbols get their values from the inputs' dims; the
/// module's `tx.symbols` bounds and `tx.requirements` are checked before the
/// first op. Values are freed after their last use. `tap` may be null.
mlir::FailureOr<llvm::SmallVector<HostTensor>>
evaluateFunction(mlir::func::FuncOp function, llvm::ArrayRef<HostTensor> inputs,
                 WeightSource weights, Tap tap = nullptr);

/// One value inside a function, and of the ops nothing but what it depends on:
/// how a weight's recipe is evaluated. Fails if it depends on an argument of
/// the function.
mlir::FailureOr<HostTensor> evaluateValue(mlir::Value value,
                                          const SymbolValues &symbols,
                                          WeightSource weights);

} // namespace txc

#endif // TXC_COMPILER_REFERENCE_INTERPRETER_H
