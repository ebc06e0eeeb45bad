//===- KernelOps.td - the phases ---------------------------*- tablegen -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_DIALECTS_KERNEL_KERNELOPS_TD
#define TXC_DIALECTS_KERNEL_KERNELOPS_TD

include "dialects/kernel/KernelAttrs.td"
include "dialects/kernel/KernelBodyOps.td"
include "dialects/kernel/KernelInterfaces.td"
include "dialects/tx/TxAttrs.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Kernel_Exprs : TypedArrayAttrBase<Tx_SymExprAttr, "array of expressions">;

class Kernel_Phase<string mnemonic, list<Trait> traits = []>
    : Kernel_Op<mnemonic, [DeclareOpInterfaceMethods<Kernel_PhaseInterface>] # traits>;

class Kernel_Nest<string mnemonic, list<Trait> traits = [Pure]>
    : Kernel_Phase<mnemonic, [AttrSizedOperandSegments, SingleBlock,
                              DeclareOpInterfaceMethods<Kernel_NestInterface, ["getNumRowDims"]>] # traits> {
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasVerifier = 1;
}

def Kernel_MapOp : Kernel_Nest<"map"> {
  let summary = "every point of the iteration space computes its results' elements";
  let description = [{
        results[resultMap(i)] = body(inputs[inputMap(i)], tables)   for all i < sizes

    No point reads what another writes, and no two write one element. All
    elements of a result are written.
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs,
                       Variadic<AnyType>:$tables, Kernel_Exprs:$sizes,
                       DefaultValuedAttr<Kernel_Exprs, "{}">:$symbols, AffineMapArrayAttr:$maps);
  let assemblyFormat = [{
    $sizes (`symbols` $symbols^)? (`ins` `(` $inputs^ `:` type($inputs) `)`)?
    (`tables` `(` $tables^ `:` type($tables) `)`)? `maps` $maps attr-dict
    `->` type($results) $body
  }];
  let extraClassDefinition = [{ int64_t $cppClass::getNumRowDims() { return 0; } }];
}

def Kernel_AppendOp : Kernel_Nest<"append", []> {
  let summary = "a kernel.map that writes into state";
  let description = [{
    The result is the session's buffer `state`, whose elements that no point
    writes keep their values; readers of the result see both. The only phase with
    a lasting effect: it is never removed, merged or run twice.
  }];
  let arguments = (ins StrAttr:$state, Variadic<AnyRankedTensor>:$inputs,
                       Variadic<AnyType>:$tables, Kernel_Exprs:$sizes,
                       DefaultValuedAttr<Kernel_Exprs, "{}">:$symbols, AffineMapArrayAttr:$maps);
  let assemblyFormat = [{
    $state $sizes (`symbols` $symbols^)? (`ins` `(` $inputs^ `:` type($inputs) `)`)?
    (`tables` `(` $tables^ `:` type($tables) `)`)? `maps` $maps attr-dict
    `->` type($results) $body
  }];
  let extraClassDefinition = [{ int64_t $cppClass::getNumRowDims() { return 0; } }];
}

def Kernel_RowsOp : Kernel_Nest<"rows"> {
  let summary = "like kernel.map, with reductions over the last dims of the space";
  let description = [{
    The last `row_rank` iteration dims form a row. In the body `kernel.reduce`
    combines a value over the row; what follows may use the result at every
    point of that row. A result whose map leaves out the row's dims has one
    element a row (its value must be the same at each point of the row: built
    from reductions and from inputs whose maps leave out the row's dims).
    Norms, softmax, pooling and reductions are rows.
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs,
                       Variadic<AnyType>:$tables, Kernel_Exprs:$sizes,
                       DefaultValuedAttr<Kernel_Exprs, "{}">:$symbols, AffineMapArrayAttr:$maps,
                       I64Attr:$row_rank);
  let assemblyFormat = [{
    $sizes `row` $row_rank (`symbols` $symbols^)?
    (`ins` `(` $inputs^ `:` type($inputs) `)`)?
    (`tables` `(` $tables^ `:` type($tables) `)`)? `maps` $maps attr-dict
    `->` type($results) $body
  }];
  let extraClassDefinition = [{
    int64_t $cppClass::getNumRowDims() { return static_cast<int64_t>(getRowRank()); }
  }];
}

def Kernel_GemmOp : Kernel_Phase<"gemm", [Pure, SingleBlock]> {
  let summary = "matrix products, with what becomes of an element once it is summed";
  let description = [{
    Iteration dims: any number of batch dims, then m, n and k.

        acc[b…, m, n] = sum over k of lhs[lhsMap(b…, m, n, k)] * rhs[rhsMap(b…, m, n, k)]
        results[resultMap(b…, m, n, 0)] = body(acc, inputs[inputMap(b…, m, n, 0)])

    `maps`: lhs, rhs, one per input, one per result; lhs does not depend on n,
    rhs not on m, inputs and results not on k. A stored `rhs` is a `k x n`
    `!pack.tensor`. The accumulator is f32 (f64 for f64, i32 for integers, in
    which sums wrap). Bytes of either sign may be multiplied; without a
    `precision` an i8 rhs beside an f32 lhs is converted, which is exact.

    With a `precision` the lhs is f32, the rhs narrower and acc f32:
    - `bf16`: the rhs is bf16, and each element of the lhs is rounded to bf16, to
      nearest even, or is bf16 already; denormals may become 0. Products are
      summed in f32.
    - `int8`: the rhs is i8 from -127 on. For each row r = (b…, m) of the lhs, all
      in f32 and rounded once an operation:

          range(r) = max(0, max over k of lhs[r, k]) + max(0, max over k of (0 - lhs[r, k]))
          q[r, k] = round(lhs[r, k] * min(254 / range(r), largest f32)), halves to even
          acc[r, n] = (sum over k of q[r, k] * rhs[k, n]) * (range(r) / 254)

      So the numbers of a row have 255 places, as many above zero as it needs.
      The sum is exact, in i32. A row with NaN or infinity gives NaN or infinity.
      A scale for each column of the rhs is an input that the body multiplies by.
  }];
  let arguments = (ins AnyRankedTensor:$lhs, AnyType:$rhs,
                       Variadic<AnyRankedTensor>:$inputs, Kernel_Exprs:$sizes,
                       DefaultValuedAttr<Kernel_Exprs, "{}">:$symbols, AffineMapArrayAttr:$maps,
                       OptionalAttr<Kernel_PrecisionAttr>:$precision);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sizes (`symbols` $symbols^)? `(` $lhs `:` type($lhs) `,` $rhs `:` type($rhs) `)`
    (`ins` `(` $inputs^ `:` type($inputs) `)`)? `maps` $maps
    (`precision` $precision^)? attr-dict
    `->` type($results) $body
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::AffineMap getMap(unsigned index) {
      return ::mlir::cast<::mlir::AffineMapAttr>(getMaps()[index]).getValue();
    }
    ::mlir::AffineMap getLhsMap() { return getMap(0); }
    ::mlir::AffineMap getRhsMap() { return getMap(1); }
    ::mlir::AffineMap getInputMap(unsigned input) { return getMap(2 + input); }
    ::mlir::AffineMap getResultMap(unsigned result) {
      return getMap(2 + getInputs().size() + result);
    }
    ::txc::tx::SymExprAttr getSize(unsigned dim) {
      return ::mlir::cast<::txc::tx::SymExprAttr>(getSizes()[dim]);
    }
    unsigned getBatchRank() { return getSizes().size() - 3; }
    /// Whether rhs is read as one matrix, k x n, for all batches.
    bool readsPlainMatrix();
    ::mlir::Block &getBodyBlock() { return getBody().front(); }
  }];
}

def Kernel_AttentionOp : Kernel_Phase<"attention", [Pure, AttrSizedOperandSegments]> {
  let summary = "tx.attention on strided operands";
  let description = [{
    Iteration dims: b, h, s, t, d, e (batch, query head, query, key, head size
    of q and k, head size of v). `maps`: q over (b, h, s, d), k over (b, h, t, d),
    v over (b, h, t, e), mask over (b, h, s, t) if there is one, the result over
    (b, h, s, e), each as a map of all six dims. Grouped heads are `h floordiv g`
    in the maps of k and v. The algebra and the attributes are tx.attention's.

    With `starts` (i64 `[b + 1]`) b counts sequences, of which s and t count rows,
    and the sizes of s and t are the longest one's. The maps are taken at
    s + starts[b] and t + starts[b].

    With the `precision` bf16 the factors of both products (scaled q, k, the
    weights of v, v) may be rounded to bf16, to nearest even; the scores' and the
    weights' sums and the softmax stay f32. Targets that multiply no bf16, and
    single queries, keep f32. The tensors may be of different types.
  }];
  let arguments = (ins AnyRankedTensor:$q, AnyRankedTensor:$k, AnyRankedTensor:$v,
                       Optional<AnyRankedTensor>:$mask,
                       Optional<AnyRankedTensor>:$lengths,
                       Optional<AnyRankedTensor>:$starts, Kernel_Exprs:$sizes,
                       DefaultValuedAttr<Kernel_Exprs, "{}">:$symbols, AffineMapArrayAttr:$maps,
                       F64Attr:$scale, OptionalAttr<Tx_SymExprAttr>:$causal,
                       OptionalAttr<I64Attr>:$window,
                       OptionalAttr<F64Attr>:$softcap,
                       Tx_MaskedRowAttr:$masked_row,
                       OptionalAttr<Kernel_PrecisionAttr>:$precision);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $sizes (`symbols` $symbols^)? `(` $q `:` type($q) `,` $k `:` type($k) `,` $v `:` type($v) `)`
    (`mask` $mask^ `:` type($mask))? (`lengths` $lengths^ `:` type($lengths))?
    (`starts` $starts^ `:` type($starts))?
    `maps` $maps (`precision` $precision^)? attr-dict `->` type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::AffineMap getMap(unsigned index) {
      return ::mlir::cast<::mlir::AffineMapAttr>(getMaps()[index]).getValue();
    }
    ::mlir::AffineMap getQMap() { return getMap(0); }
    ::mlir::AffineMap getKMap() { return getMap(1); }
    ::mlir::AffineMap getVMap() { return getMap(2); }
    ::mlir::AffineMap getMaskMap() { return getMap(3); }
    ::mlir::AffineMap getResultMap() { return getMap(getMask() ? 4 : 3); }
    /// The operand's number; null if it is not given.
    std::optional<unsigned> getLengthsNumber() {
      if (!getLengths())
        return std::nullopt;
      return getMask() ? 4 : 3;
    }
    std::optional<unsigned> getStartsNumber() {
      if (!getStarts())
        return std::nullopt;
      return getOperation()->getNumOperands() - 1;
    }
    ::txc::tx::SymExprAttr getSize(unsigned dim) {
      return ::mlir::cast<::txc::tx::SymExprAttr>(getSizes()[dim]);
    }
  }];
}

def Kernel_CallOp : Kernel_Phase<"call", [Pure]> {
  let summary = "a routine of the runtime library, for what is no loop nest over tiles";
  let description = [{
    `callee` names a function of `runtime/kernels` with the signature of
    `txc_call_fn`: pointers to the operands and results, then `parameters`, then
    the range of tasks, of which there are `tasks`.
  }];
  let arguments = (ins StrAttr:$callee, Variadic<AnyRankedTensor>:$operands,
                       Kernel_Exprs:$parameters, Tx_SymExprAttr:$tasks);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $callee `(` $operands `)` $parameters `tasks` $tasks attr-dict
    `:` functional-type($operands, $results)
  }];
}

def Kernel_StoredOp : Kernel_Op<"stored", [Pure]> {
  let summary = "a tensor of the weights image";
  let description = [{
    `recipe` is a private function without arguments whose result is the tensor's
    value: `tx` ops on `tx.weight`s, evaluated when the image is written.
  }];
  let arguments = (ins FlatSymbolRefAttr:$recipe);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$recipe attr-dict `:` type($result)";
}

#endif // TXC_DIALECTS_KERNEL_KERNELOPS_TD
