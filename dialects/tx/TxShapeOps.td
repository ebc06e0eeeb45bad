//===- TxShapeOps.td - constants and data movement ---------*- tablegen -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_DIALECTS_TX_TXSHAPEOPS_TD
#define TXC_DIALECTS_TX_TXSHAPEOPS_TD

include "dialects/tx/TxAttrs.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"

def Tx_ExprArrayAttr : TypedArrayAttrBase<Tx_SymExprAttr, "array of expressions">;

//===-- Constants ---------------------------------------------------------===//

def Tx_ConstantOp : Tx_Op<"constant", [Pure, ConstantLike, InferTypeOpAdaptor]> {
  let summary = "a small tensor of known numbers";
  let description = [{
    Weights are `tx.weight`: only tensors that shape arithmetic, folders or
    patterns may want to look at are constants (see `kMaxConstantElements` in
    `Tx.h`).
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "attr-dict $value";
  let hasFolder = 1;
}

def Tx_SymbolicOp : Tx_Op<"symbolic", [Pure, ConstantLike, InferTypeOpAdaptor]> {
  let summary = "an integer tensor whose elements are expressions of symbols";
  let description = [{
    What shape plumbing (Shape, Gather, Concat, …) folds to. Known before a run,
    so a consumer that needs its elements at compile time (Reshape, Expand, …)
    takes them from the attribute and the op dies.
  }];
  let arguments = (ins Tx_ExprsAttr:$value);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "attr-dict $value";
  let hasFolder = 1;
}

def Tx_WeightOp : Tx_Op<"weight", [Pure]> {
  let summary = "a stored tensor of the model";
  let description = [{
    `name` is a key of the module's weight store (`WeightStore.h`), which knows
    where the bytes lie in the model's file. The bytes never enter the IR.
  }];
  let arguments = (ins StrAttr:$name);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$name attr-dict `:` type($result)";
}

//===-- Views: no arithmetic, an element of the result is one of the operand ===//

def Tx_ReshapeOp : Tx_Op<"reshape", [Pure]> {
  let summary = "the same elements in row-major order under other dims";
  let description = [{
    The element counts are equal. Where they are different expressions, a run
    makes them so: `tx.requirements` has it checked.
  }];
  let arguments = (ins AnyRankedTensor:$x);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `to` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def Tx_TransposeOp : Tx_Op<"transpose", [Pure, InferTypeOpAdaptor]> {
  let summary = "result dim d is operand dim permutation[d]";
  let arguments = (ins AnyRankedTensor:$x, DenseI64ArrayAttr:$permutation);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$x $permutation attr-dict `:` type($x)";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def Tx_BroadcastOp : Tx_Op<"broadcast", [Pure]> {
  let summary = "repeats x to the result's dims, aligned at the right as in NumPy";
  let description = [{
    `result[i] = x[i']` where `i'_d = min(i_d, dim_d(x) - 1)` at each dim of x:
    a dim of x is either the result's dim or 1, and a run decides which where
    the symbols do not tell.
  }];
  let arguments = (ins AnyRankedTensor:$x);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `to` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Tx_SliceOp : Tx_Op<"slice", [Pure]> {
  let summary = "result[i] = x[starts + i * steps]";
  let description = [{
    One start (an expression, never negative) and one step (not 0) a dim; the
    result's type says how many elements are taken.
  }];
  let arguments = (ins AnyRankedTensor:$x, Tx_ExprArrayAttr:$starts,
                       DenseI64ArrayAttr:$steps);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat =
      "$x $starts $steps attr-dict `:` type($x) `to` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Tx_ConcatOp : Tx_Op<"concat", [Pure, InferTypeOpAdaptor]> {
  let summary = "operands one after the other along axis";
  let arguments = (ins Variadic<AnyRankedTensor>:$operands, I64Attr:$axis);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$operands $axis attr-dict `:` type($operands)";
  let hasFolder = 1;
}

def Tx_PadOp : Tx_Op<"pad", [Pure, InferTypeOpAdaptor]> {
  let summary = "x with low[d] elements before and high[d] after it at each dim d";
  let description = [{
    `constant`: the scalar operand `value` (a rank-0 tensor; zero if absent);
    `edge` repeats the border, `reflect` mirrors at it (the border itself is not
    repeated), `wrap` continues at the other end. Negative amounts crop.
  }];
  let arguments = (ins AnyRankedTensor:$x, Optional<AnyRankedTensor>:$value,
                       Tx_PadModeAttr:$mode, Tx_ExprArrayAttr:$low,
                       Tx_ExprArrayAttr:$high);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$mode $x (`,` $value^ `:` type($value))? $low $high attr-dict `:` type($x)";
}

def Tx_IotaOp : Tx_Op<"iota", [Pure]> {
  let summary = "result[i] = i, a rank-1 integer or float tensor";
  let arguments = (ins);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

//===-- Indexed access ------------------------------------------------------===//

def Tx_GatherOp : Tx_Op<"gather", [Pure, InferTypeOpAdaptor]> {
  let summary = "slices of x along axis, chosen by indices";
  let description = [{
    `result[a…, i…, b…] = x[a…, indices[i…], b…]` with `a` the dims before
    `axis`, `b` those behind it. An index in [-n, -1] counts from the end; one
    outside [-n, n) is a fault of the run.
  }];
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$indices,
                       I64Attr:$axis);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$x `,` $indices $axis attr-dict `:` type($x) `,` type($indices)";
  let hasFolder = 1;
}

def Tx_GatherElementsOp : Tx_Op<"gather_elements", [Pure, InferTypeOpAdaptor]> {
  let summary = "result[i…] = x[i… with indices[i…] at axis]";
  let description = [{ Indices as in tx.gather. }];
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$indices,
                       I64Attr:$axis);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$x `,` $indices $axis attr-dict `:` type($x) `,` type($indices)";
}

def Tx_GatherNdOp : Tx_Op<"gather_nd", [Pure, InferTypeOpAdaptor]> {
  let summary = "result[b…, i…, r…] = x[b…, indices[b…, i…, :]…, r…]";
  let description = [{
    `b` are the first `batch_dims` dims of both; the last dim of `indices`
    (static) is how many dims of `x` a tuple addresses. Indices as in tx.gather.
  }];
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$indices,
                       I64Attr:$batch_dims);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$x `,` $indices $batch_dims attr-dict `:` type($x) `,` type($indices)";
}

def Tx_ScatterElementsOp : Tx_Op<"scatter_elements", [Pure, InferTypeOpAdaptor]> {
  let summary = "x, with updates[i…] combined into x[i… with indices[i…] at axis]";
  let description = [{ In row-major order of `i`; indices as in tx.gather. }];
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$indices,
                       AnyRankedTensor:$updates, I64Attr:$axis,
                       Tx_ScatterKindAttr:$kind);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$kind $x `,` $indices `,` $updates $axis attr-dict `:` type(operands)";
}

def Tx_ScatterNdOp : Tx_Op<"scatter_nd", [Pure, InferTypeOpAdaptor]> {
  let summary = "x, with updates[i…, r…] combined into x[indices[i…, :]…, r…]";
  let description = [{ In row-major order of `i`; indices as in tx.gather. }];
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$indices,
                       AnyRankedTensor:$updates, Tx_ScatterKindAttr:$kind);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$kind $x `,` $indices `,` $updates attr-dict `:` type(operands)";
}

//===-- Sizes that depend on data -------------------------------------------===//

def Tx_NonzeroOp : Tx_Op<"nonzero", [Pure]> {
  let summary = "the indices of the true elements, a column each, in row-major order";
  let description = [{
    `result[d, j]` is index d of the j-th true element of x, where x is an i1 tensor.
    The result's second dim is the number of true elements: the symbol of
    a `tx.define_symbol` that counted them.
  }];
  let arguments = (ins AnyRankedTensor:$x);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `to` type($result)";
  let hasVerifier = 1;
}

def Tx_DefineSymbolOp : Tx_Op<"define_symbol"> {
  let summary = "from here on the symbol is the value";
  let description = [{
    A *run-time symbol*: a dim that depends on data (how many elements are not
    zero, a shape that is computed from values). Ops that mention the symbol in a
    type or an attribute follow this one. A run ends with an error when the value
    is outside the symbol's range in `tx.symbols`, or breaks one of
    `tx.requirements`.
  }];
  let arguments = (ins StrAttr:$symbol, AnyRankedTensor:$value);
  let assemblyFormat = "$symbol $value attr-dict `:` type($value)";
  let hasVerifier = 1;
}

#endif // TXC_DIALECTS_TX_TXSHAPEOPS_TD
