//===- Pack.h - the pack dialect -------------------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_DIALECTS_PACK_PACK_H
#define TXC_DIALECTS_PACK_PACK_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"

#include "dialects/pack/PackDialect.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/pack/PackAttrs.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/pack/PackTypes.h.inc"

#endif // TXC_DIALECTS_PACK_PACK_H
