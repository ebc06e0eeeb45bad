//===- TxOps.td - all ops of the tx dialect ----------------*- tablegen -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_DIALECTS_TX_TXOPS_TD
#define TXC_DIALECTS_TX_TXOPS_TD

include "dialects/tx/TxElementwiseOps.td"
include "dialects/tx/TxShapeOps.td"
include "dialects/tx/TxMathOps.td"
include "dialects/tx/TxStateOps.td"
include "dialects/tx/TxControlOps.td"

#endif // TXC_DIALECTS_TX_TXOPS_TD
