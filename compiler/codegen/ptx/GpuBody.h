//===- GpuBody.h - scalar bodies on a GPU ----------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_COMPILER_CODEGEN_PTX_GPUBODY_H
#define TXC_COMPILER_CODEGEN_PTX_GPUBODY_H

#include "compiler/codegen/ptx/GpuFunction.h"
#include "dialects/kernel/Kernel.h"

namespace txc::ptx {

/// Applies the body of a phase (contract 7: scalar, one point) in one thread.
/// What a target value needs is emitted when it is asked for.
class GpuBody {
public:
  using Point = llvm::ArrayRef<mlir::Value>;
  /// What is known at a point. A copy serves the code of an inner region.
  using Values = llvm::DenseMap<mlir::Value, mlir::Value>;

  /// \p symbols are those of the phase's maps.
  GpuBody(GpuFunction &function, mlir::ArrayAttr symbols)
      : function(function), symbols(symbols) {}

  /// The argument is an element of \p buffer.
  void addInput(mlir::BlockArgument argument, mlir::Value buffer,
                LinearAccess access);
  /// The argument is a tensor that the body fetches from.
  void addTable(mlir::BlockArgument argument, mlir::Value buffer);

  /// The value at \p point of a value in the body. Results of reductions have
  /// to be in \p known.
  mlir::Value get(mlir::Value value, Point point, Values &known);
  /// Reports a fault where the condition is false.
  void check(kernel::CheckOp check, Point point, Values &known);
  void store(mlir::Value value, mlir::Value buffer, const LinearAccess &access,
             Point point, Values &known);

private:
  mlir::Value compute(mlir::Value value, Point point, Values &known);
  mlir::Value fetch(kernel::FetchOp fetch, Point point, Values &known);

  GpuFunction &function;
  mlir::ArrayAttr symbols;
  struct Input {
    mlir::Value buffer;
    LinearAccess access;
  };
  llvm::DenseMap<mlir::Value, Input> inputs;
  llvm::DenseMap<mlir::Value, mlir::Value> tables;
};

} // namespace txc::ptx

#endif // TXC_COMPILER_CODEGEN_PTX_GPUBODY_H
