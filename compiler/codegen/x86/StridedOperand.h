//===- StridedOperand.h - An operand of a generated kernel ------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// How callers of the x86 generators name a tensor: a flat buffer and strides.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_X86_STRIDEDOPERAND_H
#define TXC_COMPILER_CODEGEN_X86_STRIDEDOPERAND_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"

namespace txc::x86 {

/// An element's address is buffer[offset + Σ index_i · strides_i]. Permuted,
/// sliced, head-split and broadcast tensors (stride 0) are all this.
struct StridedOperand {
  /// A memref<?xT> with identity layout. Only elements that the strides reach
  /// are read or written.
  mlir::Value buffer;
  /// In elements, of index type. Null means zero.
  mlir::Value offset;
  /// In elements, one for each of the kernel's own dims (documented there):
  /// an integer attribute or a value of index type. A stride known as 1 while
  /// compiling selects vector loads.
  llvm::SmallVector<mlir::OpFoldResult> strides;
  /// What the elements are; null: what the buffer says. Numbers of 16 bits may
  /// lie in buffers of integers.
  mlir::Type element = {};

  mlir::Type getElement() const {
    if (element)
      return element;
    return mlir::cast<mlir::MemRefType>(buffer.getType()).getElementType();
  }
};

} // namespace txc::x86

#endif // TXC_COMPILER_CODEGEN_X86_STRIDEDOPERAND_H
