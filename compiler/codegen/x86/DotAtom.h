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
#include "compiler/codegen/x86/DotType.h"

namespace txc::x86 {

/// How i8 are made of f32, as vectors: round(number * factors) + zeros. The
/// zeros are i32, null unless integers are unsigned; all are null for other
/// types than i8.
struct Quantization {
  mlir::Value factors, zeros;
};

/// How one step along k is computed. A step takes as many neighbours along k
/// as fill a word of 32 bits: one f32, two bf16 or four i8. The right operand
/// has one word a lane and step. The left one has a word for all lanes, or two
/// on targets that have no instruction for the sum of a word's products: there
/// the numbers of a word are multiplied in wider pieces, f32 or pairs of i16.
///
/// i8 sums are exact, so their bits are the same on every target. bf16 sums are
/// f32; `vdpbf16ps` adds the two products of a word in an order of its own and
/// takes denormals for zeros.
class DotAtom {
public:
  /// \p right is the right operand's type in memory if its numbers become f32
  /// as they are loaded, which an f32 atom does to what becomesF32().
  DotAtom(mlir::MLIRContext *context, DotType type, const VectorTarget &target,
          mlir::Type right = nullptr);

  DotType type() const { return dotType; }
  /// The type of a word in memory: f32, or i32 for several numbers.
  mlir::Type word() const { return wordType; }
  /// The same of the right operand.
  mlir::Type rightWord() const { return rightWordType; }
  /// For the names of functions.
  std::string name() const;
  /// Sums: f32, i32 for i8.
  mlir::VectorType accumulator() const { return accumulatorType; }
  int64_t lanes() const { return accumulatorType.getNumElements(); }
  /// Numbers along k that a step takes.
  int64_t depth() const { return getDotDepth(dotType); }
  /// Words of the left operand a step.
  int64_t leftWords() const { return numLeftWords; }
  /// Whether the left operand's integers have a zero so large that none is
  /// negative: `vpdpbusd` multiplies unsigned by signed bytes.
  bool isLeftUnsigned() const;

  /// One word of the left operand in all lanes.
  mlir::Value broadcast(CodeBuilder &code, mlir::Value pointer) const;
  /// One vector of words of the right operand, converted to word(); lanes
  /// outside \p mask (null: none) are zero and not read.
  mlir::Value loadLanes(CodeBuilder &code, mlir::Value pointer,
                        mlir::Value mask) const;
  /// The numbers of the right operand that meet word \p word of the left one.
  mlir::Value extract(CodeBuilder &code, mlir::Value lanes, int64_t word) const;
  mlir::Value accumulate(CodeBuilder &code, mlir::Value accumulator,
                         mlir::Value left, mlir::Value right) const;
  mlir::Value addSums(CodeBuilder &code, mlir::Value a, mlir::Value b) const;
  /// Makes words of the left operand: \p numbers are depth() vectors of f32,
  /// neighbours along k.
  llvm::SmallVector<mlir::Value>
  makeLeftWords(CodeBuilder &code, mlir::ValueRange numbers,
                const Quantization &quantization) const;

  /// The same for one row: \p numbers are lanes() * depth() neighbours along k
  /// in depth() vectors. The word of step s is in lane getRowLane(s). Only with
  /// one word a step.
  mlir::Value joinRow(CodeBuilder &code, mlir::ValueRange numbers,
                      const Quantization &quantization) const;
  int64_t getRowLane(int64_t step) const;

private:
  DotType dotType;
  int64_t numLeftWords;
  mlir::Type wordType, rightWordType;
  mlir::VectorType accumulatorType;
};

/// Where a tile finds one of its operands: word w of (k, i) is at
/// pointers[i] + k * kStride + displacements[i] + w * wordStride, in words.
struct TileOperand {
  llvm::SmallVector<mlir::Value> pointers;
  llvm::SmallVector<int64_t> displacements;
  mlir::Value kStride;
  int64_t wordStride = 0;

  void append(mlir::Value pointer, int64_t displacement) {
    pointers.push_back(pointer);
    displacements.push_back(displacement);
  }
  size_t size() const { return pointers.size(); }
  mlir::Value address(CodeBuilder &code, mlir::Value kOffset, size_t i,
                      mlir::Type word, int64_t number = 0) const;
};

struct TileOptions {
  /// Places that are fetched into L1 as they advance with the right operand.
  mlir::ValueRange fetched;
  /// Places that are fetched into L2, \p laterStride bytes further each step.
  mlir::ValueRange later;
  mlir::Value laterStride;
  /// The mask of the last vector of the right operand; null: all lanes.
  mlir::Value lastMask;
};

/// Emits the loop c[i][j] += left(k, i) · right(k, j) over 0 ≤ k < \p kCount,
/// counted in steps, and returns the accumulators, row-major. The left operand
/// is broadcast, the right one is a vector of lanes for each j.
llvm::SmallVector<mlir::Value>
emitTileLoop(CodeBuilder &code, const DotAtom &atom, const TileOperand &left,
             const TileOperand &right, mlir::Value kCount,
             mlir::ValueRange init, const TileOptions &options = {});

} // namespace txc::x86

#endif // TXC_COMPILER_CODEGEN_X86_DOTATOM_H
