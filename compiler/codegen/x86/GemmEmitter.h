//===- GemmEmitter.h - The code of one matrix product -----------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// What the files of a product's generator share: the loops (Gemm.cpp), how
/// operands get into panels (GemmPanels.cpp), and tiles (GemmTiles.cpp).
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_X86_GEMMEMITTER_H
#define TXC_COMPILER_CODEGEN_X86_GEMMEMITTER_H

#include "compiler/codegen/x86/Gemm.h"
#include "compiler/codegen/x86/GemmMicrokernel.h"
#include "compiler/codegen/x86/PackWords.h"

namespace txc::x86 {

/// What a task computes. Pointers are to the block's first element.
struct OutputBlock {
  /// Linear batch index, first row and column in C.
  mlir::Value b, m0, n0;
  mlir::Value rows, columns;
  mlir::Value a, bOperand;
  /// i1: the rows are few, and the block is one tile; rows and columns of a
  /// tile.
  mlir::Value isFew, tileRows, tileColumns;
};

/// A tile of a block: its first row and column, how many rows it has, and the
/// first row of its panel of packed A, a multiple of MR.
struct Tile {
  mlir::Value m, n, rows, packedRow;
};

/// A run along k, in steps. `accumulate` and `isLast` are i1.
struct Run {
  mlir::Value k0, kCount;
  mlir::Value accumulate, isLast;
};

/// Emits the tasks of one product. Lives while one function is written.
class GemmEmitter {
public:
  GemmEmitter(CodeBuilder &code, const DotAtom &atom, const GemmSpec &spec,
              mlir::Value scratch);
  void emitTasks(mlir::Value taskBegin, mlir::Value taskEnd);

private:
  mlir::Value batchPointer(const StridedOperand &operand,
                           mlir::Value linearBatch);
  OutputBlock decodeTask(mlir::Value task, mlir::Value rowBlock);
  mlir::Value isFew(mlir::Value rows);
  bool computesDots() const;
  void emitDots(const OutputBlock &block);
  void emitRuns(const OutputBlock &block, mlir::Value mustPackA);
  void emitRun(const OutputBlock &block, const Run &run);
  void packA(const OutputBlock &block, const Run &run);
  void packB(const OutputBlock &block, const Run &run);
  Tile tileAt(const OutputBlock &block, mlir::Value packedRow);
  mlir::Value panelOfA(const Run &run, mlir::Value packedRow);
  void packConverted(const OutputBlock &block, const Run &run);
  void packTile(const OutputBlock &block, const Run &run, const Tile &tile,
                int64_t width, mlir::Value panel);
  bool quantizesRows() const;
  void scaleRows(const OutputBlock &block, mlir::Value m, mlir::Value rows);
  mlir::Value loadPanelSums(const OutputBlock &block, mlir::Value n);
  mlir::Value finishSums(mlir::Value sums, mlir::Value m,
                         mlir::Value panelSums);
  llvm::SmallVector<mlir::Value> panelsAt(const OutputBlock &block,
                                          const Run &run, mlir::Value n,
                                          int64_t columns,
                                          bool isInside = true);
  void chooseFetches(const OutputBlock &block, const Run &run, const Tile &tile,
                     MicrokernelTile &call);
  llvm::SmallVector<mlir::Value> nextPanels(const OutputBlock &block,
                                            const Run &run, mlir::Value n,
                                            int64_t columns);
  void emitTile(const OutputBlock &block, const Run &run, const Tile &tile);
  void emitMicrokernels(const OutputBlock &block, const Run &run,
                        const Tile &tile, MicrokernelTile &call);
  void emitFewRows(const OutputBlock &block, const Run &run, const Tile &tile,
                   mlir::Value c, mlir::Value ldc);
  llvm::SmallVector<mlir::Value> rowsOfTile(const OutputBlock &block,
                                            const Run &run, const Tile &tile,
                                            int64_t count);
  void emitTallMicrokernels(const OutputBlock &block, const Run &run,
                            const Tile &tile, MicrokernelTile &call);
  void emitMicrokernel(const OutputBlock &block, const Run &run,
                       const Tile &tile, MicrokernelTile &call, int64_t rows);
  void fetchTile(const OutputBlock &block, const Tile &tile);
  void storeTile(const OutputBlock &block, const Tile &tile, mlir::Value c,
                 mlir::Value ldc);

  mlir::OpFoldResult aStride(unsigned dim) const {
    return spec.a.strides[spec.batch.size() + dim];
  }
  mlir::OpFoldResult bStride(unsigned dim) const {
    return spec.b.strides[spec.batch.size() + dim];
  }

  CodeBuilder &code;
  const DotAtom &atom;
  const GemmSpec &spec;
  const GemmSchedule &schedule;
  /// Of A in memory.
  mlir::Type element;
  /// Of packed operands and sums.
  mlir::Type word;
  mlir::Value M, N, K;
  /// How many blocks the rows are cut into, and how many rows these have.
  mlir::Value rowBlocks, blockRows;
  /// Steps along k, and words before them in a packed panel of B, a column.
  mlir::Value steps;
  int64_t panelHeader;
  mlir::Value scratchA, scratchB, scratchC, scratchColumns, numbers;
  RowScales rowScales;
};

} // namespace txc::x86

#endif // TXC_COMPILER_CODEGEN_X86_GEMMEMITTER_H
