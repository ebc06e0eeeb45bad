//===- Warp.h - the warp dialect -------------------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_DIALECTS_WARP_WARP_H
#define TXC_DIALECTS_WARP_WARP_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/LLVMIR/LLVMTypes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/warp/WarpDialect.h.inc"
#include "dialects/warp/WarpEnums.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/warp/WarpTypes.h.inc"
#define GET_OP_CLASSES
#include "dialects/warp/WarpOps.h.inc"

#endif // TXC_DIALECTS_WARP_WARP_H
