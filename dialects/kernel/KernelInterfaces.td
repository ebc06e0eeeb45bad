//===- KernelInterfaces.td - what phases have in common ----*- tablegen -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_DIALECTS_KERNEL_KERNELINTERFACES_TD
#define TXC_DIALECTS_KERNEL_KERNELINTERFACES_TD

include "mlir/IR/OpBase.td"

def Kernel_PhaseInterface : OpInterface<"PhaseInterface"> {
  let cppNamespace = "::txc::kernel";
  let description = [{
    An op that becomes one entry of the phase table. Operands are read, results
    are written; a phase has no other effect.
  }];
  let methods = [
    InterfaceMethod<"Every expression the phase's code depends on, with repeats.",
      "void", "collectExprs",
      (ins "::llvm::SmallVectorImpl<::txc::tx::SymExprAttr> &":$exprs)>,
    InterfaceMethod<"Floating-point operations of a run.",
      "::txc::tx::SymExprAttr", "getFlops">,
  ];
}

def Kernel_NestInterface : OpInterface<"NestInterface"> {
  let cppNamespace = "::txc::kernel";
  let description = [{
    A phase with an iteration space and a scalar body whose arguments are one
    scalar per mapped input, then one tensor per table.
  }];
  let methods = [
    InterfaceMethod<"Sizes of the iteration dims.",
      "::mlir::ArrayAttr", "getSizes">,
    InterfaceMethod<"Values of the maps' symbols.",
      "::mlir::ArrayAttr", "getSymbols">,
    InterfaceMethod<"One map per input, then one per result.",
      "::mlir::ArrayAttr", "getMaps">,
    InterfaceMethod<"Inputs that are read through a map.",
      "::mlir::OperandRange", "getInputs">,
    InterfaceMethod<"Inputs that the body reads anywhere, by kernel.fetch.",
      "::mlir::OperandRange", "getTables">,
    InterfaceMethod<"The scalar body.",
      "::mlir::Region &", "getBody">,
    InterfaceMethod<"How many of the last iteration dims form a row.",
      "int64_t", "getNumRowDims">,
  ];
  let extraSharedClassDeclaration = [{
    ::mlir::AffineMap getInputMap(unsigned input) {
      return ::mlir::cast<::mlir::AffineMapAttr>($_op.getMaps()[input]).getValue();
    }
    ::mlir::AffineMap getResultMap(unsigned result) {
      return ::mlir::cast<::mlir::AffineMapAttr>(
                 $_op.getMaps()[$_op.getInputs().size() + result]).getValue();
    }
    ::txc::tx::SymExprAttr getSize(unsigned dim) {
      return ::mlir::cast<::txc::tx::SymExprAttr>($_op.getSizes()[dim]);
    }
    ::mlir::Block &getBodyBlock() { return $_op.getBody().front(); }
  }];
}

#endif // TXC_DIALECTS_KERNEL_KERNELINTERFACES_TD
