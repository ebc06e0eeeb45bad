//===- Lanes.h - scalar bodies on vectors ----------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// The values of a phase's body at neighbouring points of one iteration dim,
/// the lanes: what is the same in all of them stays scalar, indices that count
/// up stay a first value and a step, only the rest becomes vectors.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_LANES_H
#define TXC_COMPILER_CODEGEN_LANES_H

#include "compiler/codegen/KernelFunction.h"
#include "compiler/codegen/LinearAccess.h"
#include "dialects/kernel/Kernel.h"

namespace txc {

struct LaneValue {
  /// A vector, unless all lanes are `value + lane * step`.
  mlir::Value value;
  /// 0 for what is the same in all lanes.
  int64_t step = 0;

  bool isVector() const { return mlir::isa<mlir::VectorType>(value.getType()); }
  bool isUniform() const { return !isVector() && step == 0; }
};

/// Emits operations on lanes and moves lanes from and to memory.
class Lanes {
public:
  /// \p mask: lanes outside touch no memory and report nothing; null: none.
  Lanes(KernelFunction &function, int64_t count, mlir::Value mask)
      : function(function), code(function.getCode()), count(count), mask(mask) {
  }

  int64_t getCount() const { return count; }
  mlir::Value getMask() const { return mask; }

  mlir::VectorType getVectorType(mlir::Type element) const {
    return mlir::VectorType::get(count, element);
  }
  /// All lanes as a vector.
  mlir::Value getVector(LaneValue value);

  // Arithmetic on indices.
  LaneValue add(LaneValue a, LaneValue b);
  LaneValue sub(LaneValue a, LaneValue b);
  LaneValue mul(LaneValue a, LaneValue b);
  /// Of non-negative values.
  LaneValue div(LaneValue a, LaneValue b);
  LaneValue rem(LaneValue a, LaneValue b);
  LaneValue index(int64_t value) { return {code.index(value)}; }

  /// An `arith` or `math` op of a body on the lanes of its operands.
  LaneValue apply(mlir::Operation *op, llvm::ArrayRef<LaneValue> operands);

  /// Elements \p element of \p buffer as values of the body's type \p scalar.
  LaneValue load(mlir::Value buffer, LaneValue element, mlir::Type scalar);
  /// Stores to elements that are distinct in all lanes or, uniform, to one.
  void store(LaneValue value, mlir::Value buffer, LaneValue element);

  /// The number of the element that \p access gives at the iteration point.
  LaneValue getElement(const LinearAccess &access, mlir::ArrayAttr symbols,
                       llvm::ArrayRef<LaneValue> point);
  /// The number of element \p indices of a whole tensor or stored tensor.
  LaneValue getElement(mlir::Type tensor, llvm::ArrayRef<LaneValue> indices);

  /// Reports a fault if the condition is false in a lane, for one such lane.
  /// \p operands are those of \p op.
  void check(kernel::CheckOp op, llvm::ArrayRef<LaneValue> operands);

private:
  LaneValue evaluate(mlir::AffineExpr expr, mlir::ArrayAttr symbols,
                     llvm::ArrayRef<LaneValue> point);
  template <typename Op> LaneValue binary(LaneValue a, LaneValue b);
  mlir::Value getFullMask();
  /// Where the condition is false: a vector of i1, or an i1.
  mlir::Value getBadLanes(LaneValue condition);
  /// Between values as they are in memory and as bodies compute with them.
  mlir::Value fromStorage(mlir::Value stored, mlir::Type scalar);
  mlir::Value toStorage(mlir::Value value, mlir::Type storage);
  mlir::Value getAddress(mlir::Value buffer, mlir::Value element);
  LaneValue loadPacked(mlir::Value buffer, LaneValue element,
                       mlir::Type scalar);
  void storePacked(LaneValue value, mlir::Value buffer, LaneValue element);
  void insertBits(mlir::Value bits, unsigned width, mlir::Value buffer,
                  mlir::Value element);

  KernelFunction &function;
  x86::CodeBuilder &code;
  int64_t count;
  mlir::Value mask;
};

} // namespace txc

#endif // TXC_COMPILER_CODEGEN_LANES_H
