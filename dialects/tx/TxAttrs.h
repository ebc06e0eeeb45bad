//===- TxAttrs.h - attributes of the tx dialect ----------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_DIALECTS_TX_TXATTRS_H
#define TXC_DIALECTS_TX_TXATTRS_H

#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/TensorEncoding.h"
#include "llvm/ADT/SetVector.h"

#include "dialects/tx/TxEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/tx/TxAttrs.h.inc"

#endif // TXC_DIALECTS_TX_TXATTRS_H
