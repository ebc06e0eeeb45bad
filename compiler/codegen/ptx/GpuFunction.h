//===- GpuFunction.h - the function of a kernel on a GPU -------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Builds an `llvm.func` that a GPU runs: its parameters, and the elements of
/// operands and results in global memory.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_PTX_GPUFUNCTION_H
#define TXC_COMPILER_CODEGEN_PTX_GPUFUNCTION_H

#include "compiler/codegen/LinearAccess.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/MapVector.h"

namespace txc::ptx {

/// The parameters are the buffers of a phase's operands and results, in this
/// order, then one i64 for each expression whose value the code needs. Buffers
/// begin at multiples of 16 bytes and do not overlap.
class GpuFunction {
public:
  /// Starts a function at the end of \p module for \p phase.
  GpuFunction(mlir::ModuleOp module, llvm::StringRef name,
              mlir::Operation *phase, int64_t threads);

  mlir::ImplicitLocOpBuilder &getBuilder() { return builder; }
  mlir::LLVM::LLVMFuncOp getFunction() { return function; }

  /// Operands, then results.
  mlir::Value getBuffer(unsigned number) {
    return function.getBody().getArgument(number);
  }
  /// The value of an expression in this run, as an index.
  mlir::Value getValue(tx::SymExprAttr expr);

  mlir::Value index(int64_t value);
  mlir::Value add(mlir::Value lhs, mlir::Value rhs);
  mlir::Value mul(mlir::Value lhs, mlir::Value rhs);

  /// The number of the element at a point: one index for each iteration dim.
  mlir::Value getElementNumber(const LinearAccess &access,
                               mlir::ArrayAttr symbols,
                               llvm::ArrayRef<mlir::Value> point);

  /// An element in memory of type \p type; booleans are bytes there.
  mlir::Value load(mlir::Value buffer, mlir::Value number, mlir::Type type);
  void store(mlir::Value value, mlir::Value buffer, mlir::Value number);
  mlir::Value getAddress(mlir::Value buffer, mlir::Value number,
                         mlir::Type type);

  /// Ends the function. `warp.grid` of it says how many blocks to launch along
  /// x, y and z, `warp.parameters` which expressions follow the buffers.
  void finish(llvm::ArrayRef<tx::SymExprAttr> grid);

private:
  mlir::ImplicitLocOpBuilder builder;
  mlir::LLVM::LLVMFuncOp function;
  llvm::MapVector<tx::SymExprAttr, mlir::Value> parameters;
};

} // namespace txc::ptx

#endif // TXC_COMPILER_CODEGEN_PTX_GPUFUNCTION_H
