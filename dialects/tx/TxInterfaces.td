//===- TxInterfaces.td - interfaces of tx ops --------------*- tablegen -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_DIALECTS_TX_TXINTERFACES_TD
#define TXC_DIALECTS_TX_TXINTERFACES_TD

include "mlir/IR/OpBase.td"

def Tx_ElementwiseInterface : OpInterface<"ElementwiseInterface"> {
  let cppNamespace = "::txc::tx";
  let description = [{
    An op whose every result element depends on the elements of its operands
    at the same place (after broadcasting) and on nothing else. Passes fuse
    such ops by their scalar form.
  }];
  let methods = [
    InterfaceMethod<
      "Builds the op on scalars: one operand a tensor operand, of the element "
      "type as `arith` wants it (signless).",
      "::mlir::Value", "buildScalar",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::ValueRange":$operands)>,
  ];
}

#endif // TXC_DIALECTS_TX_TXINTERFACES_TD
