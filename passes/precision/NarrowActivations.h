//===- NarrowActivations.h - tensors that only bf16 reads ------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// A gemm in bf16 rounds its left operand while it packs it, once for each
/// block of columns that another worker computes, and attention its keys and
/// values once for each few blocks of queries. Where that is all that becomes
/// of an f32 tensor, the phase that makes it may as well round:
///
///     gemm in bf16 (rows(x) : f32)   ->   gemm in bf16 (truncf(rows(x)) :
///     bf16)
///
/// Numbers are rounded to nearest even either way, so results keep their bits;
/// memory moves half the bytes and packing copies. That holds for attention
/// where it rounds queries that are multiplied by a power of two at most, as
/// the x86 generator's are; single queries, which it would not round, are.
///
/// Tensors that something else reads too, as the sums between the layers, stay
/// f32, and so does what leaves the model.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_PRECISION_NARROWACTIVATIONS_H
#define TXC_PASSES_PRECISION_NARROWACTIVATIONS_H

#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace txc {

/// Makes results of the phases of `function` bf16 where every reader rounds
/// them to it.
void narrowActivations(mlir::func::FuncOp function);

/// `txc-narrow-activations`: narrowActivations on every public function. Comes
/// after txc-reduce-precision.
std::unique_ptr<mlir::Pass> createNarrowActivationsPass();

} // namespace txc

#endif // TXC_PASSES_PRECISION_NARROWACTIVATIONS_H
