//===- StaticValues.h - what is known before a run -------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Which values of a model depend on its weights and constants only.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_LAYOUT_STATICVALUES_H
#define TXC_PASSES_LAYOUT_STATICVALUES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace txc {

/// The values of a function that are computed once, when the weights are
/// written: weights, constants, and results of tx ops on such values that
/// depend on no symbol and have no more bytes than the weights and constants
/// they come from. Later changes of the function are not seen.
class StaticValues {
public:
  explicit StaticValues(mlir::func::FuncOp function);
  bool contains(mlir::Value value) const { return sourceBytes.contains(value); }

private:
  void visit(mlir::Operation *op);

  /// Of the weights and constants that a value is made from.
  llvm::DenseMap<mlir::Value, int64_t> sourceBytes;
};

} // namespace txc

#endif // TXC_PASSES_LAYOUT_STATICVALUES_H
