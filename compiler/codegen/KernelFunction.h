//===- KernelFunction.h - a phase's function while it is made --*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// What every generator of phases starts from: the function with its buffers,
/// whose other arguments appear as expressions are asked for.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_KERNELFUNCTION_H
#define TXC_COMPILER_CODEGEN_KERNELFUNCTION_H

#include "compiler/codegen/KernelCodegen.h"
#include "compiler/codegen/x86/CodeBuilder.h"

namespace txc {

/// The type of a tensor's elements in memory: signless, booleans as bytes. Half
/// floats are integers, since LLVM calls compiler-rt to move them on CPUs that
/// can't compute with them. For elements of 2 and 4 bits, the bytes that
/// several share.
mlir::Type getStorageType(mlir::Type tensor);

/// The width of elements of which a byte holds several, the first in the lowest
/// bits; 0 for other types.
unsigned getPackedBits(mlir::Type scalar);

/// The signless type that bodies compute with; i1 for booleans.
mlir::Type getScalarType(mlir::Type tensor);

class KernelFunction {
public:
  /// Creates the function at \p builder's insertion point.
  KernelFunction(mlir::OpBuilder &builder, mlir::Operation *phase,
                 llvm::StringRef name, const VectorTarget &target);

  x86::CodeBuilder &getCode() { return code; }
  const VectorTarget &getTarget() const { return code.target; }
  mlir::Operation *getPhase() const { return phase; }
  mlir::Location getLoc() const { return code.loc; }

  mlir::Value getOperand(unsigned number) const;
  llvm::SmallVector<mlir::Value> getOperands() const;
  mlir::Value getResult(unsigned number) const;
  /// The value of an expression: a constant or an argument.
  mlir::Value getValue(tx::SymExprAttr expr);
  mlir::Value getScratch() const { return fromEnd(4); }
  mlir::Value getFault() const { return fromEnd(3); }
  mlir::Value getTaskBegin() const { return fromEnd(2); }
  mlir::Value getTaskEnd() const { return fromEnd(1); }

  /// Ends the body.
  EmittedKernel finish();

private:
  mlir::Value fromEnd(unsigned distance) const;

  mlir::Operation *phase;
  mlir::func::FuncOp function;
  mlir::OpBuilder bodyBuilder;
  x86::CodeBuilder code;
  mlir::Block *entry;
  llvm::MapVector<tx::SymExprAttr, mlir::Value> exprs;
};

} // namespace txc

#endif // TXC_COMPILER_CODEGEN_KERNELFUNCTION_H
