//===- TxDialect.td - the tx dialect -----------------------*- tablegen -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_DIALECTS_TX_TXDIALECT_TD
#define TXC_DIALECTS_TX_TXDIALECT_TD

include "mlir/IR/OpBase.td"

def Tx_Dialect : Dialect {
  let name = "tx";
  let cppNamespace = "::txc::tx";
  let summary = "What a transformer computes: tensor algebra with symbolic dims";
  let description = [{
    `tx` says what is computed and nothing of how: its ops are pure functions
    of tensors, orthogonal to each other, and know neither targets nor tiles
    nor how numbers are stored.

    A dim whose size is not known at compile time is `?` in the tensor type and
    an expression of *symbols* in the type's encoding:
    `tensor<?x?x384xf32, #tx.dims<[B, S, 384]>>`. Two dims are equal exactly
    when their expressions are the same attribute (they are kept in a normal
    form), so no pass compares text. Nothing else lives in the encoding.

    Element types: `f16 bf16 f32 f64`, the f8 types, signless integers for
    signed numbers, `ui*` for unsigned ones, `i1` for booleans.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let extraClassDeclaration = [{ void registerAttributes();
    void registerTypes(); }];
}

class Tx_Op<string mnemonic, list<Trait> traits = []>
    : Op<Tx_Dialect, mnemonic, traits>;

#endif // TXC_DIALECTS_TX_TXDIALECT_TD
