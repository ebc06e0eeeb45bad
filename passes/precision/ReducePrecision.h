//===- ReducePrecision.h - narrower factors in gemms -----------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Lets products with a weight multiply bf16 or i8 where the model says f32;
/// sums, epilogues and everything else stay as they are. kernel.gemm defines
/// what becomes of the left operand. The weight becomes a recipe of its own:
///
///     bf16:  w' = bf16(w)
///     int8:  scale[n] = max_k |w[k, n]| / 127,  w' = round(w / scale)
///
/// symmetric and by output channel, with the left operand by row and run, from
/// its least to its greatest number. Dettmers et al., "LLM.int8()"
/// (arXiv:2208.07339, section 2.1) call this vector-wise; here the left operand
/// isn't symmetric, since what follows GELU has hardly anything below zero, and
/// outliers have no product of their own.
///
/// A left operand of f16 or bf16 is converted to f32 first, which is exact; but
/// bf16 stays what it is where bf16 is multiplied. A weight that is i8 already,
/// beside f32, stays what it is (but -128 becomes -127), or becomes bf16, which
/// is exact.
///
/// An erf whose result goes nowhere but into such a factor is marked `afn`:
/// code with an error far below the factor's step will do.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_PRECISION_REDUCEPRECISION_H
#define TXC_PASSES_PRECISION_REDUCEPRECISION_H

#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace txc {

class Report;

/// The reason for a product of two activations, which is none for concern.
inline constexpr llvm::StringLiteral notAWeight = "neither operand is a weight";

/// Gives `precision` to the gemms of `function` that multiply floats by a
/// stored matrix of floats or i8, and bf16 to its attentions. `report` (may be
/// null) receives why others stay as they are.
void reducePrecision(mlir::func::FuncOp function, kernel::Precision precision,
                     Report *report = nullptr);

/// For models that are narrow already, when no other precision is asked for:
/// gemms of f16 or bf16 by a stored matrix of the same type get the form in
/// which blocked kernels compute the same. bf16 factors are precision bf16; f16
/// weights stay what they are beside a left factor that is converted to f32.
/// Both are exact: products of 11 bits fit f32, which the sums have anyway.
/// `report` as above.
void keepPrecision(mlir::func::FuncOp function, Report *report = nullptr);

/// `txc-reduce-precision`: reducePrecision on every public function. Comes
/// after fusion, which doesn't look at precisions, and before layouts are
/// chosen.
std::unique_ptr<mlir::Pass>
createReducePrecisionPass(kernel::Precision precision,
                          Report *report = nullptr);
/// The same with the pass's option `precision`, for txc-opt.
std::unique_ptr<mlir::Pass> createReducePrecisionPass();

/// `txc-keep-precision`: keepPrecision on every public function, in the place
/// of the pass above.
std::unique_ptr<mlir::Pass> createKeepPrecisionPass(Report *report = nullptr);

} // namespace txc

#endif // TXC_PASSES_PRECISION_REDUCEPRECISION_H
