//===- Reduction.h - vectors of partial results ----------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// How kernel.reduce combines values, lane by lane and then across lanes.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_REDUCTION_H
#define TXC_COMPILER_CODEGEN_REDUCTION_H

#include "compiler/codegen/Lanes.h"
#include "dialects/kernel/Kernel.h"

namespace txc {

/// The state of a reduction is a list of vectors. Half floats accumulate in
/// f32.
class Reduction {
public:
  using State = llvm::SmallVector<mlir::Value>;

  Reduction(x86::CodeBuilder &code, kernel::ReduceOp op, int64_t numLanes);

  unsigned getNumVectors() const { return isFloatExtreme() ? 2 : 1; }
  /// The state of no values.
  State getNeutral();
  /// Adds the lanes of \p value.
  State combine(mlir::ValueRange state, LaneValue value, Lanes &lanes);
  /// Whether addProduct() takes factors in these lanes.
  bool addsProducts(const Lanes &lanes) const;
  /// Adds \p a * \p b, in one rounding where the target has it.
  State addProduct(mlir::ValueRange state, LaneValue a, LaneValue b,
                   Lanes &lanes);
  State merge(mlir::ValueRange a, mlir::ValueRange b);
  /// The result of each lane, or of all together.
  mlir::Value finishLanes(mlir::ValueRange state);
  mlir::Value finishAcross(mlir::ValueRange state);

private:
  bool isFloat() const {
    return mlir::isa<mlir::FloatType>(type.getElementType());
  }
  /// max and min of floats keep NaNs apart: an instruction that also
  /// propagates them takes eight.
  bool isFloatExtreme() const;
  mlir::TypedAttr getNeutralElement();
  mlir::Value combineVectors(mlir::Value a, mlir::Value b);
  mlir::Value isNan(mlir::Value value);
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b);
  /// In the type of the body's value.
  mlir::Value narrow(mlir::Value result);

  x86::CodeBuilder &code;
  kernel::Combine kind;
  mlir::Type resultType;
  mlir::VectorType type;
};

} // namespace txc

#endif // TXC_COMPILER_CODEGEN_REDUCTION_H
