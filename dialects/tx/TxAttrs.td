//===- TxAttrs.td - symbolic expressions and enums ---------*- tablegen -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_DIALECTS_TX_TXATTRS_TD
#define TXC_DIALECTS_TX_TXATTRS_TD

include "dialects/tx/TxDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/TensorEncoding.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"

class Tx_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<Tx_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

def Tx_AtomAttr : Tx_Attr<"Atom", "atom"> {
  let summary = "A factor of a monomial: a symbol or an irreducible function";
  let description = [{
    `function` is empty for the symbol `name`; else it is one of `floordiv`,
    `max`, `min` and `arguments` are its two operands. Only `SymExpr.cpp` makes
    atoms.
  }];
  let parameters = (ins "::mlir::StringAttr":$name,
                        StringRefParameter<"function">:$function,
                        OptionalArrayRefParameter<"::mlir::Attribute">:$arguments);
  let assemblyFormat = "`<` $name `,` $function `,` `[` $arguments `]` `>`";
}

def Tx_MonomialAttr : Tx_Attr<"Monomial", "monomial"> {
  let summary = "coefficient * factor * factor * …, factors sorted";
  let parameters = (ins "int64_t":$coefficient,
                        OptionalArrayRefParameter<"AtomAttr">:$factors);
  let assemblyFormat = "`<` $coefficient `:` `[` $factors `]` `>`";
}

def Tx_SymExprAttr : Tx_Attr<"SymExpr", "expr"> {
  let summary = "An integer expression of symbols, in normal form";
  let description = [{
    A polynomial with integer coefficients over *atoms*: symbols (`B`, `S`) and
    the irreducible functions `floordiv(a, b)`, `max(a, b)`, `min(a, b)`. The
    terms are combined and sorted in graded lexicographic order, so two
    expressions that the rules of a commutative ring make equal are the same
    attribute. `a mod b` is `a - b * floordiv(a, b)`; `ceildiv(a, b)` is
    `floordiv(a + b - 1, b)`.

    Text: `B * S + 2`, `floordiv(S, 14)`, `"a name"` for a symbol that is no
    identifier. See `SymExpr.h` for the functions that build expressions.
  }];
  let parameters = (ins ArrayRefParameter<"MonomialAttr">:$terms);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    /// The value when the expression has no atoms.
    std::optional<int64_t> getConstant() const;
    bool isConstant(int64_t value) const;
    /// `B * S + 2`.
    std::string str() const;
  }];
}

def Tx_DimsAttr : Tx_Attr<"Dims", "dims",
                          [DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let summary = "The dims of a tensor as expressions of symbols";
  let description = [{
    The encoding of a tensor type with at least one dynamic dim: one expression
    a dim, a constant where the dim is static. `#tx.dims<[B, S, 384]>`.
  }];
  let parameters = (ins ArrayRefParameter<"SymExprAttr">:$dims);
  let hasCustomAssemblyFormat = 1;
}

def Tx_ExprsAttr : Tx_Attr<"Exprs", "exprs", [TypedAttrInterface]> {
  let summary = "The elements of an integer tensor as expressions of symbols";
  let description = [{
    What a constant is to numbers, this is to shapes: the value of a `tx.symbolic`
    op, row-major, one expression an element (booleans are 0 and 1).
    `#tx.exprs<[B, S, 384] : tensor<3xi64>>`.
  }];
  let parameters = (ins ArrayRefParameter<"SymExprAttr">:$exprs,
                        AttributeSelfTypeParameter<"", "::mlir::RankedTensorType">:$type);
  let hasCustomAssemblyFormat = 1;
}

class Tx_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::txc::tx";
  let genSpecializedAttr = 0;
}
class Tx_EnumAttr<Tx_Enum e, string mnemonic>
    : EnumAttr<Tx_Dialect, e, mnemonic>;

def Tx_Predicate : Tx_Enum<"Predicate", "comparison; false with a NaN, but for ne", [
  I32EnumAttrCase<"eq", 0>, I32EnumAttrCase<"ne", 1>, I32EnumAttrCase<"lt", 2>,
  I32EnumAttrCase<"le", 3>, I32EnumAttrCase<"gt", 4>, I32EnumAttrCase<"ge", 5>]>;
def Tx_PredicateAttr : Tx_EnumAttr<Tx_Predicate, "predicate">;

def Tx_GeluKind : Tx_Enum<"GeluKind", "which approximation of GELU", [
  I32EnumAttrCase<"erf", 0>, I32EnumAttrCase<"tanh", 1>,
  I32EnumAttrCase<"sigmoid", 2>]>;
def Tx_GeluKindAttr : Tx_EnumAttr<Tx_GeluKind, "gelu_kind">;

def Tx_ReduceKind : Tx_Enum<"ReduceKind", "how a reduction combines elements", [
  I32EnumAttrCase<"sum", 0>, I32EnumAttrCase<"mean", 1>,
  I32EnumAttrCase<"max", 2>, I32EnumAttrCase<"min", 3>,
  I32EnumAttrCase<"prod", 4>]>;
def Tx_ReduceKindAttr : Tx_EnumAttr<Tx_ReduceKind, "reduce_kind">;

def Tx_ScatterKind : Tx_Enum<"ScatterKind", "how a scatter combines with what is there", [
  I32EnumAttrCase<"replace", 0>, I32EnumAttrCase<"add", 1>,
  I32EnumAttrCase<"mul", 2>, I32EnumAttrCase<"max", 3>,
  I32EnumAttrCase<"min", 4>]>;
def Tx_ScatterKindAttr : Tx_EnumAttr<Tx_ScatterKind, "scatter_kind">;

def Tx_PadMode : Tx_Enum<"PadMode", "what stands in the padding", [
  I32EnumAttrCase<"constant", 0>, I32EnumAttrCase<"reflect", 1>,
  I32EnumAttrCase<"edge", 2>, I32EnumAttrCase<"wrap", 3>]>;
def Tx_PadModeAttr : Tx_EnumAttr<Tx_PadMode, "pad_mode">;

def Tx_PoolKind : Tx_Enum<"PoolKind", "what a pooling window computes", [
  I32EnumAttrCase<"max", 0>, I32EnumAttrCase<"average", 1>]>;
def Tx_PoolKindAttr : Tx_EnumAttr<Tx_PoolKind, "pool_kind">;

def Tx_MaskedRow : Tx_Enum<"MaskedRow", "what attention gives for a row whose keys are all masked", [
  I32EnumAttrCase<"uniform", 0>, I32EnumAttrCase<"zero", 1>,
  I32EnumAttrCase<"nan", 2>]>;
def Tx_MaskedRowAttr : Tx_EnumAttr<Tx_MaskedRow, "masked_row">;

#endif // TXC_DIALECTS_TX_TXATTRS_TD
