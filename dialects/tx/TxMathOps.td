//===- TxMathOps.td - reductions, contractions, norms, attention -*- tablegen -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums accumulate in f32 or better whatever the element type (f64 for f64,
// i32 for 8- and 16-bit integers that tx.matmul multiplies).
//
//===----------------------------------------------------------------------===//

#ifndef TXC_DIALECTS_TX_TXMATHOPS_TD
#define TXC_DIALECTS_TX_TXMATHOPS_TD

include "dialects/tx/TxAttrs.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===-- Reductions ----------------------------------------------------------===//

def Tx_ReduceOp : Tx_Op<"reduce", [Pure, InferTypeOpAdaptor]> {
  let summary = "combines the elements along axes; reduced dims stay as 1";
  let description = [{
    An empty reduction gives the kind's neutral element (mean: NaN). max and min
    are NaN when an element is. Axes are sorted and not negative.
  }];
  let arguments = (ins AnyRankedTensor:$x, Tx_ReduceKindAttr:$kind,
                       DenseI64ArrayAttr:$axes);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$kind $x $axes attr-dict `:` type($x)";
  let hasFolder = 1;
}

def Tx_ArgReduceOp : Tx_Op<"arg_reduce", [Pure, InferTypeOpAdaptor]> {
  let summary = "where along axis the maximum or minimum is; that dim stays as 1, i64";
  let description = [{
    `kind` is max or min. The first place wins, or the last with `last`. A NaN is
    the extreme value, as in NumPy.
  }];
  let arguments = (ins AnyRankedTensor:$x, Tx_ReduceKindAttr:$kind,
                       I64Attr:$axis, UnitAttr:$last);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$kind $x $axis attr-dict `:` type($x)";
}

def Tx_CumsumOp : Tx_Op<"cumsum", [Pure, InferTypeOpAdaptor]> {
  let summary = "result[i] = sum of x[j], j <= i along axis";
  let description = [{ `exclusive`: j < i. `reverse`: from the other end. }];
  let arguments = (ins AnyRankedTensor:$x, I64Attr:$axis, UnitAttr:$exclusive,
                       UnitAttr:$reverse);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$x $axis attr-dict `:` type($x)";
}

def Tx_TopkOp : Tx_Op<"topk", [Pure]> {
  let summary = "the k largest elements along axis, sorted, and their places (i64)";
  let description = [{
    k is the results' dim at `axis`. `smallest`: the k smallest instead. Equal
    elements: the smaller index first.
  }];
  let arguments = (ins AnyRankedTensor:$x, I64Attr:$axis, UnitAttr:$smallest);
  let results = (outs AnyRankedTensor:$values, AnyRankedTensor:$indices);
  let assemblyFormat = "$x $axis attr-dict `:` type($x) `to` type($values) `,` type($indices)";
  let hasVerifier = 1;
}

//===-- Contractions ----------------------------------------------------------===//

def Tx_MatmulOp : Tx_Op<"matmul", [Pure]> {
  let summary = "result[b…, m, n] = sum over k of lhs[b…, m, k] * rhs[b…, k, n]";
  let description = [{
    Both ranks are at least 2; the batch dims `b` broadcast as in element-wise
    ops. The result's element type is the operands' or, for integers of up to 32
    bits, i32, in which sums wrap. Operands of 8 bits may differ in their sign;
    beside an f32 lhs the rhs may be i8, whose numbers are then f32.
  }];
  let arguments = (ins AnyRankedTensor:$lhs, AnyRankedTensor:$rhs);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($lhs) `,` type($rhs) `to` type($result)";
  let hasVerifier = 1;
  let builders = [OpBuilder<(ins "::mlir::Value":$lhs, "::mlir::Value":$rhs)>];
}

def Tx_ConvOp : Tx_Op<"conv", [Pure, InferTypeOpAdaptor]> {
  let summary = "convolution over any number of spatial dims";
  let description = [{
    `result[n, o, p…] = sum over c, k… of x[n, g*C/groups + c, p*strides + k*dilations - low] * w[o, c, k…]`
    with `g = o / (O / groups)`; elements outside x are 0. `low` and `high` pad
    each spatial dim. Bias is an addition of its own.
  }];
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$w,
                       DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$low,
                       DenseI64ArrayAttr:$high, DenseI64ArrayAttr:$dilations,
                       I64Attr:$groups);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $x `,` $w `strides` $strides `low` $low `high` $high `dilations` $dilations
    `groups` $groups attr-dict `:` type($x) `,` type($w)
  }];
}

def Tx_ConvTransposeOp : Tx_Op<"conv_transpose", [Pure, InferTypeOpAdaptor]> {
  let summary = "transposed convolution: the gradient of tx.conv towards x";
  let description = [{
    `result[n, o, q…] = sum over c, p…, k… with q = p*strides + k*dilations - low of x[n, c, p…] * w[c, o', k…]`,
    per group. The result's spatial dim is
    `(X - 1)*stride + (K - 1)*dilation + 1 - low - high + output_padding`.
  }];
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$w,
                       DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$low,
                       DenseI64ArrayAttr:$high,
                       DenseI64ArrayAttr:$output_padding,
                       DenseI64ArrayAttr:$dilations, I64Attr:$groups);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $x `,` $w `strides` $strides `low` $low `high` $high
    `output_padding` $output_padding `dilations` $dilations `groups` $groups
    attr-dict `:` type($x) `,` type($w)
  }];
}

def Tx_PoolOp : Tx_Op<"pool", [Pure, InferTypeOpAdaptor]> {
  let summary = "maximum or mean of a window sliding over the spatial dims";
  let description = [{
    Windows as in tx.conv. Padding never wins a maximum, and counts in a mean
    only with `count_padding`. `ceil`: the output dim rounds up (a window must
    still begin inside x or its low padding).
  }];
  let arguments = (ins AnyRankedTensor:$x, Tx_PoolKindAttr:$kind,
                       DenseI64ArrayAttr:$window, DenseI64ArrayAttr:$strides,
                       DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$high,
                       DenseI64ArrayAttr:$dilations, UnitAttr:$count_padding,
                       UnitAttr:$ceil);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $kind $x `window` $window `strides` $strides `low` $low `high` $high
    `dilations` $dilations (`ceil` $ceil^)? attr-dict `:` type($x)
  }];
}

//===-- Norms and softmax -----------------------------------------------------===//

// A norm over the last `axes` dims with optional scale and bias, whose shape
// broadcasts to x.
class Tx_Norm<string mnemonic, dag extraArguments>
    : Tx_Op<mnemonic, [Pure, InferTypeOpAdaptor, AttrSizedOperandSegments]> {
  let arguments = !con((ins AnyRankedTensor:$x, Optional<AnyRankedTensor>:$scale,
                            Optional<AnyRankedTensor>:$bias), extraArguments);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$x (`scale` $scale^ `:` type($scale))? (`bias` $bias^ `:` type($bias))? attr-dict `:` type($x)";
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *, std::optional<::mlir::Location>, Adaptor adaptor,
        ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      types.push_back(adaptor.getX().getType());
      return ::mlir::success();
    }
  }];
  let hasVerifier = 1;
}

def Tx_LayerNormOp : Tx_Norm<"layer_norm", (ins I64Attr:$axes, F64Attr:$epsilon)> {
  let summary = "(x - mean) / sqrt(variance + epsilon) * scale + bias";
  let description = [{
    Mean and (population) variance over the last `axes` dims. Ba, Kiros and
    Hinton, arXiv:1607.06450.
  }];
}

def Tx_RmsNormOp : Tx_Norm<"rms_norm", (ins I64Attr:$axes, F64Attr:$epsilon)> {
  let summary = "x / sqrt(mean(x²) + epsilon) * scale + bias";
  let description = [{
    Mean over the last `axes` dims. Zhang and Sennrich, arXiv:1910.07467.
  }];
}

def Tx_SoftmaxOp : Tx_Op<"softmax", [Pure, InferTypeOpAdaptor]> {
  let summary = "e ^ (x - max) / sum of e ^ (x - max) along axis; its logarithm with `log`";
  let arguments = (ins AnyRankedTensor:$x, I64Attr:$axis, UnitAttr:$log);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$x $axis attr-dict `:` type($x)";
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *, std::optional<::mlir::Location>, Adaptor adaptor,
        ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      types.push_back(adaptor.getX().getType());
      return ::mlir::success();
    }
  }];
}

//===-- Attention -------------------------------------------------------------===//

def Tx_RotaryEmbeddingOp : Tx_Op<"rotary_embedding", [Pure, InferTypeOpAdaptor]> {
  let summary = "rotates pairs of the last dim by angles given as cos and sin";
  let description = [{
    x is `[…, D]`; cos and sin broadcast to `[…, R/2]` where R, the last dim of
    cos times two, is at most D; elements from R on pass through. With
    `(a, b)` = `(x[i], x[i + R/2])`, or `(x[2i], x[2i + 1])` if `interleaved`:
    `a' = a cos[i] - b sin[i]`, `b' = b cos[i] + a sin[i]`. Su et al.,
    arXiv:2104.09864.
  }];
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$cos,
                       AnyRankedTensor:$sin, UnitAttr:$interleaved);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$x `,` $cos `,` $sin attr-dict `:` type($x) `,` type($cos) `,` type($sin)";
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *, std::optional<::mlir::Location>, Adaptor adaptor,
        ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      types.push_back(adaptor.getX().getType());
      return ::mlir::success();
    }
  }];
}

def Tx_AttentionOp : Tx_Op<"attention", [Pure, InferTypeOpAdaptor, AttrSizedOperandSegments]> {
  let summary = "softmax(scale * q kᵀ + mask) v";
  let description = [{
    q `[B, H, S, D]`, k `[B, G, T, D]`, v `[B, G, T, E]`, result `[B, H, S, E]`;
    G divides H and query head h reads key head `h / (H / G)` (grouped heads).

        score[b, h, s, t] = cap(scale * sum over d of q[b,h,s,d] k[b,h',t,d]) + mask[b, h, s, t]
        result[b, h, s, :] = sum over t of softmax(score[b, h, s, :])[t] v[b, h', t, :]

    `cap(x) = softcap * tanh(x / softcap)` if `softcap` is given. A key counts if

    - `mask` (broadcasts to `[B, H, S, T]`): a boolean one is true there; a float
      one is added to the score, also a finite "minus infinity";
    - `causal`: t <= s + causal;
    - `window`: t > s + causal - window (needs causal);
    - `lengths` (i64 `[B]`): t < lengths[b].

    With `starts` (i64 `[N + 1]`, ascending from 0 to S) q, k and v hold N
    sequences, one after the other, without padding between: B = 1, S = T, and
    sequence n has the rows from starts[n] up to starts[n + 1], at most `span`. A
    query sees keys of its own sequence, and s and t of `causal` and `window` and T
    of `masked_row` count within it. `lengths` is not given then.

    Keys that don't count have the score -inf. `masked_row` says what a row is
    whose scores are all -inf: `uniform`, the mean of v over all T keys; `zero`;
    `nan`, what the formula gives. Sources differ there. T = 0 gives zero.
    Vaswani et al., arXiv:1706.03762.
  }];
  let arguments = (ins AnyRankedTensor:$q, AnyRankedTensor:$k, AnyRankedTensor:$v,
                       Optional<AnyRankedTensor>:$mask,
                       Optional<AnyRankedTensor>:$lengths,
                       Optional<AnyRankedTensor>:$starts, F64Attr:$scale,
                       OptionalAttr<Tx_SymExprAttr>:$causal,
                       OptionalAttr<I64Attr>:$window,
                       OptionalAttr<F64Attr>:$softcap,
                       Tx_MaskedRowAttr:$masked_row,
                       OptionalAttr<Tx_SymExprAttr>:$span);
  let builders = [
    // Without sequences.
    OpBuilder<(ins "::mlir::Value":$q, "::mlir::Value":$k, "::mlir::Value":$v,
                   "::mlir::Value":$mask, "::mlir::Value":$lengths,
                   "::mlir::FloatAttr":$scale, "SymExprAttr":$causal,
                   "::mlir::IntegerAttr":$window, "::mlir::FloatAttr":$softcap,
                   "MaskedRowAttr":$masked_row), [{
      build($_builder, $_state, q, k, v, mask, lengths, ::mlir::Value(), scale,
            causal, window, softcap, masked_row, SymExprAttr());
    }]>
  ];
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $q `,` $k `,` $v (`mask` $mask^ `:` type($mask))?
    (`lengths` $lengths^ `:` type($lengths))?
    (`starts` $starts^ `:` type($starts) `span` $span)? attr-dict `:` type($q) `,` type($k) `,` type($v)
  }];
  let hasVerifier = 1;
}

#endif // TXC_DIALECTS_TX_TXMATHOPS_TD
