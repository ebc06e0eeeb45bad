//===- TxStateOps.td - what lives from run to run ----------*- tablegen -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_DIALECTS_TX_TXSTATEOPS_TD
#define TXC_DIALECTS_TX_TXSTATEOPS_TD

include "dialects/tx/TxAttrs.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tx_StateType : TypeDef<Tx_Dialect, "State"> {
  let mnemonic = "state";
  let summary = "a buffer of the session that outlives a run";
  let description = [{
    `buffer` has the dims of the whole buffer: along the sequence axis the
    capacity, which is chosen when a session is made. Of the positions along that
    axis the first `length` hold values. Only tx.state_append makes a state and
    only tx.state_read reads it, so nothing can copy one by accident.
  }];
  let parameters = (ins "::mlir::RankedTensorType":$buffer);
  let assemblyFormat = "`<` $buffer `>`";
}

def Tx_StateAppendOp : Tx_Op<"state_append"> {
  let summary = "writes x behind the valid positions of a state";
  let description = [{
    Position `length + i` along `axis` becomes position i of x. The next run
    begins with `length` plus x's dim at the axis.
  }];
  let arguments = (ins StrAttr:$name, AnyRankedTensor:$x, I64Attr:$axis,
                       Tx_SymExprAttr:$length);
  let results = (outs Tx_StateType:$result);
  let assemblyFormat = "$name $x $axis `at` $length attr-dict `:` type($x) `to` type($result)";
  let hasVerifier = 1;
}

def Tx_StateReadOp : Tx_Op<"state_read", [Pure]> {
  let summary = "the first positions of a state, as a tensor";
  let arguments = (ins Tx_StateType:$state);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$state attr-dict `:` type($state) `to` type($result)";
  let hasVerifier = 1;
}

#endif // TXC_DIALECTS_TX_TXSTATEOPS_TD
