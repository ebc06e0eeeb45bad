//===- SmallFloats.h - conversions of f8 and f4 ----------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// No x86 CPU converts floats of 8 or 4 bits, so integer code does. The types
/// are those of Micikevicius et al., "FP8 Formats for Deep Learning" (2022),
/// Graphcore's and AMD's variants of them without a negative zero (FNUZ), and
/// E2M1 and E8M0 of the OCP Microscaling specification.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_SMALLFLOATS_H
#define TXC_COMPILER_CODEGEN_SMALLFLOATS_H

#include "mlir/IR/Builders.h"

namespace txc {

/// Whether there is code for a float of at most 8 bits: those with a sign and a
/// zero, and E8M0, the powers of two from 2^-127 to 2^127.
bool isSmallFloat(mlir::Type element);

/// The f32 with the value of \p x, a small float or a vector of them. Exact.
mlir::Value extendSmallFloat(mlir::OpBuilder &b, mlir::Location loc,
                             mlir::Value x);

/// The f32 \p x rounded to the small float \p type, to nearest, ties to even.
/// What is too large becomes infinity, or NaN in a type without one, or the
/// largest number in a type without either, where NaN becomes -0 as in ONNX.
/// E8M0 is ONNX's: what is no power of two becomes the next larger one, 0 the
/// least; signs are lost.
mlir::Value truncateToSmallFloat(mlir::OpBuilder &b, mlir::Location loc,
                                 mlir::Value x, mlir::Type type);

} // namespace txc

#endif // TXC_COMPILER_CODEGEN_SMALLFLOATS_H
