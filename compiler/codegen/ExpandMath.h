//===- ExpandMath.h - math ops as code -------------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Replaces what LLVM would turn into calls of compiler-rt or not lower at all:
/// elementary functions, narrow floats, integer powers.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_EXPANDMATH_H
#define TXC_COMPILER_CODEGEN_EXPANDMATH_H

#include "compiler/targets/VectorTarget.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace txc {

/// Rewrites the ops of \p function, which is directly in a module. Frequent f32
/// functions become vector code (VectorMath.h states their errors), the others
/// calls of libm lane by lane, of functions that glibc has had since 2.2.5.
/// Conversions of narrower floats become integer code where \p target has no
/// instruction; all arithmetic on them is done in f32.
void expandMath(mlir::func::FuncOp function, const VectorTarget &target);

/// The same for a function of any kind where there is no libm: its functions
/// stay as they are.
void expandMathWithoutLibm(mlir::Operation *function,
                           const VectorTarget &target);

} // namespace txc

#endif // TXC_COMPILER_CODEGEN_EXPANDMATH_H
