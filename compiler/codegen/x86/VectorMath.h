//===- VectorMath.h - Elementary functions of f32 vectors -------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Elementary functions as straight vector code. The math dialect's ops would
/// become one libm call for each lane.
///
/// Every function takes f32 scalars or vectors of any length and returns the
/// same type. Errors are in units in the last place of the exact result, over
/// all finite inputs, with fused multiply-adds and (in brackets) without;
/// docs/numerics.md has what was measured. NaN gives NaN, and zeros,
/// infinities, denormals and overflow are as in C's <math.h> unless said
/// otherwise. The rounding mode must be to nearest and denormals enabled.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_X86_VECTORMATH_H
#define TXC_COMPILER_CODEGEN_X86_VECTORMATH_H

#include "compiler/targets/VectorTarget.h"
#include "mlir/IR/Builders.h"

namespace txc::x86 {

/// 1 ulp [1.25]. Reduction by Cody and Waite, degree 6; 6 cycles for 16 lanes
/// with AVX-512.
mlir::Value emitExp(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x,
                    const VectorTarget &target);

/// exp(\p factor · x) with a relative error of 8e-5 + |factor · x| 2^-24 where
/// AVX-512 has its instructions, by emitExp() elsewhere: for results that are
/// rounded to bf16, which makes 25 times that error. 3.3 cycles for 16 lanes.
mlir::Value emitCoarseExp(mlir::OpBuilder &builder, mlir::Location loc,
                          mlir::Value x, const VectorTarget &target,
                          double factor = 1.0);

/// 6 ulp [6.5], never above 1, exactly 1 from 9.01 on. A rational function of
/// degree 11 over 8.
mlir::Value emitTanh(mlir::OpBuilder &builder, mlir::Location loc,
                     mlir::Value x, const VectorTarget &target);

/// 6 ulp [6.6], never above 1, exactly 1 from 3.925 on. A rational function of
/// degree 11 over 10.
mlir::Value emitErf(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x,
                    const VectorTarget &target);

// These compute in double precision: they are rare in hot loops, and rounding
// once at the end makes them nearly exact.

/// 0.51 ulp. log(0) is -inf, log of a negative number NaN.
mlir::Value emitLog(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x,
                    const VectorTarget &target);

/// x^y, 0.51 ulp, all special cases as in C.
mlir::Value emitPow(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x,
                    mlir::Value y, const VectorTarget &target);

/// 0.51 ulp for arguments of any size: large ones are reduced by as many bits
/// of 2/pi as they need. The insertion point must be inside a symbol table: the
/// table of those bits becomes a private global of it.
mlir::Value emitSin(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x,
                    const VectorTarget &target);
mlir::Value emitCos(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x,
                    const VectorTarget &target);

// For what is rounded to 8 bits next.

/// erf(x) with an error of at most 1e-4 / |x| and 8e-4 * |x|, never above 1,
/// exactly 1 from 3.21 on: x/2 (1 + erf(x / sqrt(2))) is off by at most 7.1e-5.
/// A polynomial of degree 17: no division as in emitErf.
mlir::Value emitLooseErf(mlir::OpBuilder &builder, mlir::Location loc,
                         mlir::Value x, const VectorTarget &target);

} // namespace txc::x86

#endif // TXC_COMPILER_CODEGEN_X86_VECTORMATH_H
