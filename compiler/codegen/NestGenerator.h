//===- NestGenerator.h - code of kernel.map and kernel.rows ----*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Loops over a nest's units, and within one over vectors of its points.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_NESTGENERATOR_H
#define TXC_COMPILER_CODEGEN_NESTGENERATOR_H

#include "compiler/codegen/KernelFunction.h"
#include "dialects/kernel/Kernel.h"

namespace txc {

/// Emits the tasks of \p nest, whose results are those of the function's phase
/// and whose operands' buffers are \p operands.
void emitNest(KernelFunction &function, kernel::NestInterface nest,
              llvm::ArrayRef<mlir::Value> operands);

tx::SymExprAttr getNestTaskCount(kernel::NestInterface nest,
                                 const VectorTarget &target);
tx::SymExprAttr getNestScratchBytes(kernel::NestInterface nest,
                                    const VectorTarget &target);

} // namespace txc

#endif // TXC_COMPILER_CODEGEN_NESTGENERATOR_H
