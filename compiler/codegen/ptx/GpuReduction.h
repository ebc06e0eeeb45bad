//===- GpuReduction.h - reductions in threads and warps --------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_COMPILER_CODEGEN_PTX_GPUREDUCTION_H
#define TXC_COMPILER_CODEGEN_PTX_GPUREDUCTION_H

#include "dialects/kernel/Kernel.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace txc::ptx {

/// How values of one type are combined. Floats of 16 bits and fewer accumulate
/// in f32; max and min are NaN when a value is.
class GpuReduction {
public:
  GpuReduction(mlir::ImplicitLocOpBuilder &builder, kernel::Combine kind,
               mlir::Type type);

  mlir::Value getNeutral();
  /// \p value is of the type combined, \p sum of the accumulator's.
  mlir::Value add(mlir::Value sum, mlir::Value value);
  /// The sums of all lanes of a warp together, in each of them.
  mlir::Value acrossWarp(mlir::Value sum);
  /// In the type combined.
  mlir::Value finish(mlir::Value sum);

private:
  mlir::Value combine(mlir::Value a, mlir::Value b);

  mlir::ImplicitLocOpBuilder &b;
  mlir::Type type, accumulator;
  mlir::arith::AtomicRMWKind kind;
};

/// The value of the lane whose number differs from this one's in the bits of
/// \p mask; all lanes of the warp take part.
mlir::Value exchangeLanes(mlir::ImplicitLocOpBuilder &b, mlir::Value value,
                          int32_t mask);

/// The value of lane \p lane, an i32, in all lanes.
mlir::Value readLane(mlir::ImplicitLocOpBuilder &b, mlir::Value value,
                     mlir::Value lane);

} // namespace txc::ptx

#endif // TXC_COMPILER_CODEGEN_PTX_GPUREDUCTION_H
