//===- KernelBodyOps.td - ops inside a phase's body --------*- tablegen -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_DIALECTS_KERNEL_KERNELBODYOPS_TD
#define TXC_DIALECTS_KERNEL_KERNELBODYOPS_TD

include "dialects/kernel/KernelDialect.td"
include "dialects/tx/TxAttrs.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Kernel_YieldOp : Kernel_Op<"yield", [Pure, Terminator]> {
  let summary = "the elements of the phase's results at this point";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

def Kernel_IndexOp : Kernel_Op<"index", [Pure]> {
  let summary = "this point's coordinate on an iteration dim";
  let arguments = (ins I64Attr:$dim);
  let results = (outs Index:$result);
  let assemblyFormat = "$dim attr-dict";
}

def Kernel_SizeOp : Kernel_Op<"size", [Pure]> {
  let summary = "the value of an expression in this run";
  let arguments = (ins Tx_SymExprAttr:$expr);
  let results = (outs Index:$result);
  let assemblyFormat = "$expr attr-dict";
}

def Kernel_FetchOp : Kernel_Op<"fetch", [Pure]> {
  let summary = "an element of a table, at computed indices that are in range";
  let description = [{
    One index per dim of the table. Whoever builds the op makes sure that the
    indices are in range (kernel.check reports, then the index is clamped).
  }];
  let arguments = (ins AnyType:$table, Variadic<Index>:$indices);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$table `[` $indices `]` attr-dict `:` type($table) `->` type($result)";
  let hasVerifier = 1;
}

def Kernel_CheckOp : Kernel_Op<"check", [AttrSizedOperandSegments]> {
  let summary = "a run fails if the condition is false at any point";
  let description = [{
    The run goes on to its end and returns a status with the ONNX nodes of the
    phase and the reason. For an index that is out of range the message has the
    index found at one such point, and the bound it is not below:

        kernel.check %inside index_out_of_range(%index of %size)
  }];
  let arguments = (ins I1:$condition, Kernel_FaultAttr:$fault,
                       Optional<Index>:$found, Optional<Index>:$limit);
  let assemblyFormat = "$condition $fault (`(` $found^ `of` $limit `)`)? attr-dict";
  let hasVerifier = 1;
}

def Kernel_ReduceOp : Kernel_Op<"reduce", [Pure, SameOperandsAndResultType]> {
  let summary = "combines a value over the points of a row; the same at each of them";
  let description = [{
    The order of combination is not defined but does not depend on the number of
    threads. max and min are NaN when a value is. An empty row gives the neutral
    element.
  }];
  let arguments = (ins Kernel_CombineAttr:$kind, AnyType:$value);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$kind $value attr-dict `:` type($value)";
}

#endif // TXC_DIALECTS_KERNEL_KERNELBODYOPS_TD
