//===- TxElementwiseOps.td - element-wise ops --------------*- tablegen -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operands broadcast as in NumPy: dims are aligned at the right, a missing dim
// or a static 1 repeats. Dims that only a run can tell to be 1 are made explicit
// with tx.broadcast. `x[i]` below is the element at the place i after
// broadcasting. NaN: as IEEE 754 unless said.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_DIALECTS_TX_TXELEMENTWISEOPS_TD
#define TXC_DIALECTS_TX_TXELEMENTWISEOPS_TD

include "dialects/tx/TxAttrs.td"
include "dialects/tx/TxInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Tx_Elementwise<string mnemonic, string algebra, list<Trait> traits = []>
    : Tx_Op<mnemonic, [Pure, DeclareOpInterfaceMethods<Tx_ElementwiseInterface>] # traits> {
  let summary = algebra;
  let results = (outs AnyRankedTensor:$result);
}

// The result has the operand's type.
class Tx_Unary<string mnemonic, string algebra>
    : Tx_Elementwise<mnemonic, algebra, [InferTypeOpAdaptor]> {
  let arguments = (ins AnyRankedTensor:$x);
  let assemblyFormat = "$x attr-dict `:` type($x)";
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *, std::optional<::mlir::Location>, Adaptor adaptor,
        ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      types.push_back(adaptor.getX().getType());
      return ::mlir::success();
    }
  }];
}

// Operands of one element type; the result has their broadcast shape.
class Tx_Binary<string mnemonic, string algebra, list<Trait> traits = []>
    : Tx_Elementwise<mnemonic, algebra, [InferTypeOpAdaptor] # traits> {
  let arguments = (ins AnyRankedTensor:$lhs, AnyRankedTensor:$rhs);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($lhs) `,` type($rhs)";
  let hasFolder = 1;
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *, std::optional<::mlir::Location> loc, Adaptor adaptor,
        ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      return inferBroadcastType(loc, {adaptor.getLhs(), adaptor.getRhs()},
                                nullptr, types);
    }
    ::mlir::OpFoldResult $cppClass::fold(FoldAdaptor adaptor) {
      return foldElementwise(*this, adaptor.getOperands());
    }
  }];
}

def Tx_NegOp : Tx_Unary<"neg", "-x[i]; integers wrap">;
def Tx_AbsOp : Tx_Unary<"abs", "|x[i]|">;
def Tx_SignOp : Tx_Unary<"sign", "-1, 0 or 1 by the sign of x[i]; NaN of NaN">;
def Tx_ExpOp : Tx_Unary<"exp", "e ^ x[i]">;
def Tx_LogOp : Tx_Unary<"log", "natural logarithm of x[i]">;
def Tx_SqrtOp : Tx_Unary<"sqrt", "square root of x[i]">;
def Tx_ReciprocalOp : Tx_Unary<"reciprocal", "1 / x[i]">;
def Tx_SinOp : Tx_Unary<"sin", "sine of x[i] radians">;
def Tx_CosOp : Tx_Unary<"cos", "cosine of x[i] radians">;
def Tx_TanOp : Tx_Unary<"tan", "tangent of x[i] radians">;
def Tx_AsinOp : Tx_Unary<"asin", "arc sine of x[i]">;
def Tx_AcosOp : Tx_Unary<"acos", "arc cosine of x[i]">;
def Tx_AtanOp : Tx_Unary<"atan", "arc tangent of x[i]">;
def Tx_SinhOp : Tx_Unary<"sinh", "hyperbolic sine of x[i]">;
def Tx_CoshOp : Tx_Unary<"cosh", "hyperbolic cosine of x[i]">;
def Tx_TanhOp : Tx_Unary<"tanh", "hyperbolic tangent of x[i]">;
def Tx_AsinhOp : Tx_Unary<"asinh", "inverse hyperbolic sine of x[i]">;
def Tx_AcoshOp : Tx_Unary<"acosh", "inverse hyperbolic cosine of x[i]">;
def Tx_AtanhOp : Tx_Unary<"atanh", "inverse hyperbolic tangent of x[i]">;
def Tx_ErfOp : Tx_Unary<"erf", "Gauss error function of x[i]">;
def Tx_FloorOp : Tx_Unary<"floor", "largest integer not above x[i]">;
def Tx_CeilOp : Tx_Unary<"ceil", "smallest integer not below x[i]">;
def Tx_RoundOp : Tx_Unary<"round", "nearest integer to x[i], halves to even">;
def Tx_NotOp : Tx_Unary<"not", "bitwise complement of x[i]; logical on i1">;
def Tx_SigmoidOp : Tx_Unary<"sigmoid", "1 / (1 + e ^ -x[i])">;
def Tx_SiluOp : Tx_Unary<"silu", "x[i] * sigmoid(x[i])">;

def Tx_GeluOp : Tx_Unary<"gelu", "Gaussian error linear unit of x[i]"> {
  let description = [{
    `erf`: x/2 (1 + erf(x / sqrt(2)));
    `tanh`: x/2 (1 + tanh(sqrt(2/π) (x + 0.044715 x³)));
    `sigmoid`: x sigmoid(1.702 x) (QuickGelu). Hendrycks and Gimpel,
    arXiv:1606.08415.
  }];
  let arguments = (ins AnyRankedTensor:$x, Tx_GeluKindAttr:$kind);
  let assemblyFormat = "$kind $x attr-dict `:` type($x)";
}

def Tx_AddOp : Tx_Binary<"add", "x[i] + y[i]; integers wrap", [Commutative]>;
def Tx_SubOp : Tx_Binary<"sub", "x[i] - y[i]; integers wrap">;
def Tx_MulOp : Tx_Binary<"mul", "x[i] * y[i]; integers wrap", [Commutative]>;
def Tx_DivOp : Tx_Binary<"div", "x[i] / y[i]; integers truncate toward zero, a zero divisor is a fault">;
def Tx_RemOp : Tx_Binary<"rem", "x[i] - y[i] * trunc(x[i] / y[i]), the sign of x (C's fmod and %)">;
def Tx_ModOp : Tx_Binary<"mod", "x[i] - y[i] * floor(x[i] / y[i]), the sign of y (Python's %)">;
def Tx_PowOp : Tx_Binary<"pow", "x[i] ^ y[i]">;
def Tx_MaximumOp : Tx_Binary<"maximum", "larger of x[i] and y[i]; NaN if either is", [Commutative]>;
def Tx_MinimumOp : Tx_Binary<"minimum", "smaller of x[i] and y[i]; NaN if either is", [Commutative]>;
def Tx_AndOp : Tx_Binary<"and", "bitwise and; logical on i1", [Commutative]>;
def Tx_OrOp : Tx_Binary<"or", "bitwise or; logical on i1", [Commutative]>;
def Tx_XorOp : Tx_Binary<"xor", "bitwise exclusive or; logical on i1", [Commutative]>;
def Tx_ShiftLeftOp : Tx_Binary<"shift_left", "x[i] * 2 ^ y[i]; 0 when y[i] reaches the width">;
def Tx_ShiftRightOp : Tx_Binary<"shift_right", "logical shift of x[i] right by y[i]; 0 when y[i] reaches the width">;

def Tx_CompareOp : Tx_Elementwise<"compare", "1 if x[i] predicate y[i], else 0; an i1 tensor",
                                  [InferTypeOpAdaptor]> {
  let arguments = (ins Tx_PredicateAttr:$predicate, AnyRankedTensor:$lhs,
                       AnyRankedTensor:$rhs);
  let assemblyFormat =
      "$predicate $lhs `,` $rhs attr-dict `:` type($lhs) `,` type($rhs)";
  let hasFolder = 1;
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *context, std::optional<::mlir::Location> loc,
        Adaptor adaptor, ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      return inferBroadcastType(loc, {adaptor.getLhs(), adaptor.getRhs()},
                                ::mlir::IntegerType::get(context, 1), types);
    }
    ::mlir::OpFoldResult $cppClass::fold(FoldAdaptor adaptor) {
      return foldElementwise(*this, adaptor.getOperands());
    }
  }];
}

def Tx_SelectOp : Tx_Elementwise<"select", "x[i] if condition[i], else y[i]",
                                 [InferTypeOpAdaptor]> {
  let arguments = (ins AnyRankedTensor:$condition, AnyRankedTensor:$lhs,
                       AnyRankedTensor:$rhs);
  let assemblyFormat = "$condition `,` $lhs `,` $rhs attr-dict `:` "
                       "type($condition) `,` type($lhs) `,` type($rhs)";
  let hasFolder = 1;
  let hasVerifier = 1;
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *, std::optional<::mlir::Location> loc,
        Adaptor adaptor, ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      return inferBroadcastType(
          loc, {adaptor.getLhs(), adaptor.getRhs(), adaptor.getCondition()},
          ::mlir::getElementTypeOrSelf(adaptor.getLhs().getType()), types);
    }
    ::mlir::OpFoldResult $cppClass::fold(FoldAdaptor adaptor) {
      return foldElementwise(*this, adaptor.getOperands());
    }
  }];
}

class Tx_FloatTest<string mnemonic, string algebra>
    : Tx_Elementwise<mnemonic, algebra, [InferTypeOpAdaptor]> {
  let arguments = (ins AnyRankedTensor:$x);
  let assemblyFormat = "$x attr-dict `:` type($x)";
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *context, std::optional<::mlir::Location> loc,
        Adaptor adaptor, ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      return inferBroadcastType(loc, {adaptor.getX()},
                                ::mlir::IntegerType::get(context, 1), types);
    }
  }];
}
def Tx_IsNanOp : Tx_FloatTest<"is_nan", "1 if x[i] is NaN, else 0; an i1 tensor">;
def Tx_IsInfOp : Tx_FloatTest<"is_inf", "1 if x[i] is inf or -inf, else 0; an i1 tensor">;

def Tx_CastOp : Tx_Elementwise<"cast", "x[i] as another element type"> {
  let description = [{
    Float to float rounds to nearest even, integers to floats too. Float to
    integer truncates toward zero; outside the range, which ONNX leaves
    undefined, it gives the nearest limit, and 0 for NaN. To integers below a
    byte that is done for i32, whose low bits are the result: ONNX's reference
    wraps. Integer to integer wraps. To i1: x[i] != 0. To an f8 type, `saturate`
    gives the largest finite number instead of inf or NaN for what is too large.
  }];
  let arguments = (ins AnyRankedTensor:$x, UnitAttr:$saturate);
  let assemblyFormat = "$x attr-dict `:` type($x) `to` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

#endif // TXC_DIALECTS_TX_TXELEMENTWISEOPS_TD
