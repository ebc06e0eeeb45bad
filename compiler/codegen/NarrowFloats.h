//===- NarrowFloats.h - floats of 16 bits and less -------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_COMPILER_CODEGEN_NARROWFLOATS_H
#define TXC_COMPILER_CODEGEN_NARROWFLOATS_H

#include "compiler/targets/VectorTarget.h"
#include "mlir/IR/Operation.h"

namespace txc {

/// Does arithmetic and comparisons of f16, bf16 and small floats
/// (SmallFloats.h) in f32, and conversions that \p target has no instruction
/// for in integers, instead of calls of compiler-rt. Rounds to nearest, ties to
/// even; NaNs stay NaNs where the type has any. An arith.truncf to bf16 that is
/// marked `afn` may make zeros of denormals.
void expandNarrowFloats(mlir::Operation *function, const VectorTarget &target);

} // namespace txc

#endif // TXC_COMPILER_CODEGEN_NARROWFLOATS_H
