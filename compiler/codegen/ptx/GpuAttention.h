//===- GpuAttention.h - what kernels of attention share --------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_COMPILER_CODEGEN_PTX_GPUATTENTION_H
#define TXC_COMPILER_CODEGEN_PTX_GPUATTENTION_H

#include "compiler/codegen/ptx/GpuFunction.h"
#include "dialects/kernel/Kernel.h"
#include <limits>

namespace txc::ptx {

/// The operands of kernel.attention, and which keys count, in one thread.
class GpuAttention {
public:
  /// Numbers of the iteration dims.
  enum Dim : unsigned { B, H, S, T, D, E };

protected:
  /// Numbers of the operands.
  enum Operand : unsigned { Q, K, V, Mask };
  using Values = GpuFunction::Values;

  GpuAttention(GpuFunction &function, kernel::AttentionOp op);

  /// Takes the batch of the point: sets `keys`, and `firstRow`.
  void emitSequence();
  /// Keys of the point's query: those behind a causal one or the batch's length
  /// have no weight.
  mlir::Value getKeysEnd();
  /// What becomes of the scalar product of the point's query and \p key: a
  /// score, none if the key is not before \p end. The mask is read at the
  /// point.
  mlir::Value getScore(mlir::Value dot, mlir::Value key, mlir::Value end);
  /// What a row is of which no key counts (and there are keys).
  mlir::Value getMaskedResult(mlir::Value column);
  /// Stores an element of the point's row.
  void storeResult(mlir::Value result, mlir::Value column);

  mlir::Value size(Dim dim) { return function.getValue(op.getSize(dim)); }
  mlir::Value constant(double value) {
    return mlir::arith::ConstantOp::create(b, b.getFloatAttr(sumType, value));
  }
  mlir::Value isMasked(mlir::Value score) {
    return mlir::arith::CmpFOp::create(b, mlir::arith::CmpFPredicate::OEQ,
                                       score, constant(kNoScore));
  }
  mlir::Value min(mlir::Value x, mlir::Value y) {
    return mlir::arith::MinSIOp::create(b, x, y);
  }
  LinearAccess getAccess(mlir::AffineMap map, mlir::Type type);
  /// The number of an operand's or the result's element at the point.
  mlir::Value getNumber(mlir::AffineMap map, mlir::Type type);
  /// The operand's element at the point, in the type of sums unless it is a
  /// truth value.
  mlir::Value loadElement(unsigned operand, mlir::AffineMap map);

  static constexpr double kNoScore = -std::numeric_limits<double>::infinity();

  GpuFunction &function;
  mlir::ImplicitLocOpBuilder &b;
  kernel::AttentionOp op;
  mlir::FloatType sumType;
  Values point;
  /// The first row of the sequence; null where there are none.
  mlir::Value firstRow;
  mlir::Value keys;

private:
  mlir::Value loadCount(unsigned operand, mlir::Value index);
  mlir::Value addMask(mlir::Value score);
};

} // namespace txc::ptx

#endif // TXC_COMPILER_CODEGEN_PTX_GPUATTENTION_H
