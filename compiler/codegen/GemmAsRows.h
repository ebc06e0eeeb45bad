//===- GemmAsRows.h - products of any type as reductions -------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_COMPILER_CODEGEN_GEMMASROWS_H
#define TXC_COMPILER_CODEGEN_GEMMASROWS_H

#include "dialects/kernel/Kernel.h"
#include "mlir/IR/OwningOpRef.h"

namespace txc {

/// A kernel.rows, in no block, that computes what \p gemm does: each row sums
/// the products along k. A precision is that of the gemm's description, whose
/// integers are made anew for each element.
mlir::OwningOpRef<kernel::RowsOp> buildGemmAsRows(kernel::GemmOp gemm);

/// Numbers of the gemm's operands in the order of the rows': a stored rhs is a
/// table, which come last.
llvm::SmallVector<unsigned> getRowsOperands(kernel::GemmOp gemm);

} // namespace txc

#endif // TXC_COMPILER_CODEGEN_GEMMASROWS_H
