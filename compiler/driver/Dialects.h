//===- Dialects.h - the dialects of all stages -----------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_COMPILER_DRIVER_DIALECTS_H
#define TXC_COMPILER_DRIVER_DIALECTS_H

#include "mlir/IR/DialectRegistry.h"

namespace txc {

/// Every dialect a model passes through, with the translations to LLVM IR.
mlir::DialectRegistry getDialects();

} // namespace txc

#endif // TXC_COMPILER_DRIVER_DIALECTS_H
