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
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/MapVector.h"

namespace txc::ptx {

constexpr int64_t kWarpLanes = 32;

/// Whether \p divisor divides the expression for all values of its symbols.
bool isMultipleOf(tx::SymExprAttr expr, int64_t divisor);

/// Whether chunks of \p chunkElements, neighbours along \p columnDim, begin at
/// multiples of that number wherever the other dims are.
bool hasAlignedRows(const LinearAccess &access, unsigned columnDim,
                    int64_t chunkElements);

/// The parameters are the buffers of a phase's operands and results, in this
/// order, then a `txc_fault` (runtime/abi.h) if the phase checks something,
/// then one i64 for each expression whose value the code needs. Buffers begin
/// at multiples of 16 bytes; no result overlaps another buffer.
class GpuFunction {
public:
  /// Starts a function at the end of \p module for \p phase, whose body alone
  /// may hold a kernel.check.
  GpuFunction(mlir::ModuleOp module, llvm::StringRef name,
              mlir::Operation *phase, int64_t threads);

  mlir::ImplicitLocOpBuilder &getBuilder() { return builder; }
  mlir::LLVM::LLVMFuncOp getFunction() { return function; }
  bool hasFault() const { return static_cast<bool>(fault); }
  mlir::Value getFault() const { return fault; }

  /// Operands, then results.
  mlir::Value getBuffer(unsigned number) {
    return function.getBody().getArgument(number);
  }
  /// The value of an expression in this run, as an index.
  mlir::Value getValue(tx::SymExprAttr expr);

  mlir::Value index(int64_t value);
  mlir::Value add(mlir::Value lhs, mlir::Value rhs);
  mlir::Value mul(mlir::Value lhs, mlir::Value rhs);
  /// Of numbers that are not negative.
  mlir::Value div(mlir::Value lhs, mlir::Value rhs);
  mlir::Value rem(mlir::Value lhs, mlir::Value rhs);
  mlir::Value isLess(mlir::Value lhs, mlir::Value rhs);
  mlir::Value select(mlir::Value condition, mlir::Value lhs, mlir::Value rhs);

  /// A number of this thread, warp or block, as an index.
  template <typename RegisterOp> mlir::Value readRegister();
  mlir::Value getThread();
  mlir::Value getBlock();
  mlir::Value getLane();

  /// Code for the threads for which \p condition holds.
  void ifThen(mlir::Value condition, llvm::function_ref<void()> body);
  /// Counts from \p begin to \p end by \p step; \p body gets the count and the
  /// values carried, and gives the next ones.
  using Values = llvm::SmallVector<mlir::Value>;
  Values loop(mlir::Value begin, mlir::Value end, int64_t step,
              mlir::ValueRange init,
              llvm::function_ref<Values(mlir::Value, mlir::ValueRange)> body);
  /// Indices of a number in a space of \p sizes, the last one fastest.
  Values delinearize(mlir::Value number, mlir::ValueRange sizes);

  /// The number of the element at a point: one index for each iteration dim.
  mlir::Value getElementNumber(const LinearAccess &access,
                               mlir::ArrayAttr symbols,
                               llvm::ArrayRef<mlir::Value> point);

  /// The number of an element of \p tensor, a row-major or stored one.
  mlir::Value getElementNumber(mlir::Type tensor,
                               llvm::ArrayRef<mlir::Value> indices);

  /// An element in memory of type \p type; booleans are bytes there.
  mlir::Value load(mlir::Value buffer, mlir::Value number, mlir::Type type);
  void store(mlir::Value value, mlir::Value buffer, mlir::Value number);
  mlir::Value getAddress(mlir::Value buffer, mlir::Value number,
                         mlir::Type type);

  /// Ends the function. `warp.grid` of it says how many blocks to launch along
  /// x, y and z (1 where \p grid is shorter), `warp.parameters` which
  /// expressions follow the buffers.
  void finish(llvm::ArrayRef<tx::SymExprAttr> grid);

private:
  mlir::ImplicitLocOpBuilder builder;
  mlir::LLVM::LLVMFuncOp function;
  mlir::Value fault;
  llvm::MapVector<tx::SymExprAttr, mlir::Value> parameters;
};

template <typename RegisterOp> mlir::Value GpuFunction::readRegister() {
  mlir::Value value = RegisterOp::create(builder, builder.getI32Type());
  return mlir::arith::IndexCastUIOp::create(builder, builder.getIndexType(),
                                            value);
}

} // namespace txc::ptx

#endif // TXC_COMPILER_CODEGEN_PTX_GPUFUNCTION_H
