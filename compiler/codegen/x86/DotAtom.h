//===- DotAtom.h - The multiply-accumulate step and its loop ----*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The innermost loop of every contraction: a tile of accumulators in registers
/// that takes one rank-1 update for each k.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_X86_DOTATOM_H
#define TXC_COMPILER_CODEGEN_X86_DOTATOM_H

#include "compiler/codegen/x86/CodeBuilder.h"

namespace txc::x86 {

/// How one step along k is computed for an element type. f32 multiplies one
/// element a lane and step; types with dot product instructions would take
/// several, as a word of 32 bits.
class DotAtom {
public:
  /// Fails with a diagnostic at \p loc for a type that has no atom.
  static mlir::FailureOr<DotAtom> get(mlir::Location loc, mlir::Type element,
                                      const VectorTarget &target);

  mlir::Type element() const { return elementType; }
  mlir::VectorType accumulator() const { return accumulatorType; }
  int64_t lanes() const { return accumulatorType.getNumElements(); }

  /// One element of the left operand in all lanes.
  mlir::Value broadcast(CodeBuilder &code, mlir::Value pointer) const;
  /// One vector of the right operand; lanes outside \p mask (null: none) are
  /// zero and not read.
  mlir::Value loadLanes(CodeBuilder &code, mlir::Value pointer,
                        mlir::Value mask) const;
  mlir::Value accumulate(CodeBuilder &code, mlir::Value accumulator,
                         mlir::Value left, mlir::Value right) const;

private:
  DotAtom(mlir::Type element, mlir::VectorType accumulator)
      : elementType(element), accumulatorType(accumulator) {}

  mlir::Type elementType;
  mlir::VectorType accumulatorType;
};

/// Where a tile finds one of its operands: element (k, i) is at
/// pointers[i] + k * kStride + displacements[i].
struct TileOperand {
  llvm::SmallVector<mlir::Value> pointers;
  llvm::SmallVector<int64_t> displacements;
  mlir::Value kStride;

  void append(mlir::Value pointer, int64_t displacement) {
    pointers.push_back(pointer);
    displacements.push_back(displacement);
  }
  size_t size() const { return pointers.size(); }
  mlir::Value address(CodeBuilder &code, mlir::Value kOffset, size_t i,
                      mlir::Type element) const;
};

struct TileOptions {
  /// How many steps ahead the right operand is fetched into L1; 0: not at all.
  int64_t prefetchDistance = 0;
  /// The mask of the last vector of the right operand; null: all lanes.
  mlir::Value lastMask;
};

/// Emits the loop c[i][j] += left(k, i) · right(k, j) over 0 ≤ k < \p kCount
/// and returns the accumulators, row-major. The left operand is broadcast, the
/// right one is a vector of lanes for each j.
llvm::SmallVector<mlir::Value>
emitTileLoop(CodeBuilder &code, const DotAtom &atom, const TileOperand &left,
             const TileOperand &right, mlir::Value kCount,
             mlir::ValueRange init, const TileOptions &options = {});

} // namespace txc::x86

#endif // TXC_COMPILER_CODEGEN_X86_DOTATOM_H
