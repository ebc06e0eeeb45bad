//===- TxControlOps.td - what a run decides ----------------*- tablegen -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_DIALECTS_TX_TXCONTROLOPS_TD
#define TXC_DIALECTS_TX_TXCONTROLOPS_TD

include "dialects/tx/TxShapeOps.td"

def Tx_IfOp : Tx_Op<"if", [RecursiveMemoryEffects, SingleBlock]> {
  let summary = "runs one of two regions";
  let description = [{
    The results are what the region of the branch yields that runs: the first if
    the condition, an i1 tensor of one element, is true. Regions see the values
    around them.

    A dim of a result that differs between the branches is one of `symbols`,
    which are run-time symbols: the yield of the branch that runs says in its
    `exprs` which value each gets. Both have the dims of the results then, under
    other names.
  }];
  let arguments = (ins AnyRankedTensor:$condition,
                       DefaultValuedAttr<StrArrayAttr, "{}">:$symbols);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$thenRegion, SizedRegion<1>:$elseRegion);
  let assemblyFormat = [{
    $condition `:` type($condition) (`defines` $symbols^)?
    (`->` type($results)^)? attr-dict-with-keyword $thenRegion `else` $elseRegion
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// What the first (0) or second (1) region gives its parent.
    ::txc::tx::YieldOp getYield(unsigned region);
  }];
}

def Tx_LoopOp : Tx_Op<"loop", [RecursiveMemoryEffects, SingleBlock,
                               AttrSizedOperandSegments]> {
  let summary = "runs a region again and again";
  let description = [{
    `index` is a run-time symbol, 0 at first, then the number of iterations that
    are done. Another one begins while it is less than `trips`, if that is given,
    and the condition, if there is one, is true: an i1 tensor of one element,
    `condition` at first, then what the last iteration yielded first.

    The region's arguments are the carried values: `inits` at first, then what
    the last iteration yielded. Their dims are the same in all iterations, up to
    `symbols`: run-time symbols that are `starts` at first, then what the yield's
    `exprs` say, in terms of the iteration that ends. (`index` may be among the
    symbols of a dim as well.)

    The results are the carried values in the end, then *stacks*: each further
    value that an iteration yields is one element of a result's first dim. That
    dim is `trips`, or the `index` where a condition ends the loop: there is room
    for `trips` elements.
  }];
  let arguments = (ins Optional<AnyRankedTensor>:$condition,
                       Variadic<AnyRankedTensor>:$inits, StrAttr:$index,
                       OptionalAttr<Tx_SymExprAttr>:$trips,
                       DefaultValuedAttr<StrArrayAttr, "{}">:$symbols,
                       DefaultValuedAttr<Tx_ExprArrayAttr, "{}">:$starts);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $index (`to` $trips^)? (`while` $condition^ `:` type($condition))?
    (`carries` $inits^ `:` type($inits))? (`defines` $symbols^ $starts)?
    (`->` type($results)^)? attr-dict-with-keyword $body
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::txc::tx::YieldOp getYield();
    /// What the next iteration depends on; null where only `trips` counts.
    ::mlir::Value getNextCondition();
    /// What the next iteration carries.
    ::mlir::OperandRange getCarried();
    /// The elements of this iteration, one for each stack.
    ::mlir::OperandRange getElements();
    ::mlir::ResultRange getStacks() {
      return getResults().drop_front(getInits().size());
    }
  }];
}

def Tx_YieldOp : Tx_Op<"yield", [Pure, Terminator,
                                 ParentOneOf<["IfOp", "LoopOp"]>]> {
  let summary = "what a region of a tx.if or tx.loop gives";
  let description = [{ `exprs` are the values of the parent's `symbols`. }];
  let arguments = (ins Variadic<AnyRankedTensor>:$values,
                       DefaultValuedAttr<Tx_ExprArrayAttr, "{}">:$exprs);
  let assemblyFormat = "($values^ `:` type($values))? (`defines` $exprs^)? attr-dict";
}

def Tx_RequireOp : Tx_Op<"require"> {
  let summary = "ends the run with an error unless a relation of dims holds";
  let description = [{
    What `tx.requirements` says of all runs, for those that come here: a branch
    or a loop. `sentence` is for the user.
  }];
  let arguments = (ins Tx_SymExprAttr:$lhs, Tx_PredicateAttr:$predicate,
                       Tx_SymExprAttr:$rhs, StrAttr:$sentence);
  let assemblyFormat = "$lhs $predicate $rhs $sentence attr-dict";
}

#endif // TXC_DIALECTS_TX_TXCONTROLOPS_TD
