//===- ElementTypes.h - MLIR's and ONNX's element types --------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_COMPILER_PROGRAM_ELEMENTTYPES_H
#define TXC_COMPILER_PROGRAM_ELEMENTTYPES_H

#include "mlir/IR/Types.h"
#include "runtime/txc.h"
#include <optional>

namespace txc {

/// The number by which the interface of a compiled model names an element type;
/// nothing for types that no ONNX tensor has.
std::optional<txc_type> getTxcType(mlir::Type elementType);

} // namespace txc

#endif // TXC_COMPILER_PROGRAM_ELEMENTTYPES_H
