//===- AttentionEmitter.h - The parts of an attention kernel ----*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Private to the attention generator: the state that Attention.cpp (tasks and
/// products), AttentionSoftmax.cpp (masks and softmax) and AttentionRows.cpp (a
/// few queries) share.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_X86_ATTENTIONEMITTER_H
#define TXC_COMPILER_CODEGEN_X86_ATTENTIONEMITTER_H

#include "compiler/codegen/x86/Attention.h"
#include "compiler/codegen/x86/DotAtom.h"

namespace txc::x86 {

class AttentionEmitter {
public:
  AttentionEmitter(CodeBuilder &code, const DotAtom &atom,
                   const DotAtom &tileAtom, const AttentionSpec &spec,
                   mlir::Value scratch);
  /// Emits what task \p task of the range \p begin to \p end does.
  void emitTask(mlir::Value task, mlir::Value begin, mlir::Value end);

private:
  /// A block of queries of one head.
  struct Queries {
    mlir::Value b, h;
    /// Which block of the head it is.
    mlir::Value block;
    /// First query, and how many there are; none where a sequence has ended.
    mlir::Value first, count;
    /// Of the head: query 0 and its result.
    mlir::Value queries, results;
    /// Of the keys' and values' own head: key 0.
    mlir::Value keys, values;
    /// All queries and keys of the head: S and T, or the sequence's rows.
    mlir::Value queryTotal, keyTotal;
    /// Keys that are valid, and those that are not hidden from all of the
    /// queries.
    mlir::Value keyCount, keyEnd;
    /// The first query sees keys up to this one; null if not causal.
    mlir::Value causalLimit;
    /// The block's state, see AttentionScratch.
    mlir::Value panel, outputs, maxima, sums;
  };
  struct Keys {
    mlir::Value first, count;
  };
  /// The scale's factors: what queries are multiplied by while they are packed,
  /// and what scores lack until their exponential is taken.
  struct ScaleFactors {
    double ofQueries, ofScores;
  };

  // Attention.cpp
  static ScaleFactors splitScale(const AttentionSpec &spec);
  Queries decodeTask(mlir::Value task);
  void setState(Queries &queries, mlir::Value slot);
  Queries advanceBlock(const Queries &first, mlir::Value number);
  void emitBlocks(const Queries &first, mlir::Value count);
  void initializeState(const Queries &queries);
  void emitScores(const Queries &queries, const Keys &keys, mlir::Value lane,
                  int64_t vectors, mlir::Value plain);
  void emitOutputs(const Queries &queries, const Keys &keys);
  void finish(const Queries &queries);
  void finishRow(const Queries &queries, mlir::Value row);
  void averageValues(const Queries &queries, mlir::Value row);
  void storeRow(mlir::Value from, mlir::Value to, mlir::Value factor,
                mlir::Value isEmpty);

  // AttentionPack.cpp
  /// Numbers that are \p memory in memory, as f32. Lanes outside \p mask (null:
  /// all) are zero.
  mlir::Value loadNumbers(mlir::Type memory, mlir::Type type, mlir::Value from,
                          mlir::Value mask = nullptr);
  /// f32 as elements of the result. Lanes outside \p mask (null: all) are not
  /// stored.
  void storeNumbers(mlir::Value value, mlir::Value to,
                    mlir::Value mask = nullptr);
  void emitPackRows(mlir::Type memory, mlir::Value from,
                    mlir::OpFoldResult rowStride, mlir::Value rows,
                    int64_t width, mlir::Value scale, mlir::Value to);
  mlir::Value loadRow(mlir::Type memory, mlir::Value from, int64_t left,
                      mlir::Value factor);
  void emitPackColumns(mlir::Value from, mlir::Value keyCount, int64_t count,
                       int64_t vectors, mlir::Value to);
  void packQueries(const Queries &queries);
  void packKeys(const Queries &queries, const Keys &keys);
  void packValues(const Queries &queries, const Keys &keys);
  mlir::Value getValueTile(int64_t first);
  void forEachOutputTile(
      llvm::function_ref<void(int64_t firstVector, int64_t vectors)> body);

  // AttentionSoftmax.cpp
  mlir::Value loadKeyBiases(const Queries &queries, const Keys &keys);
  mlir::Value countPlainKeys(const Queries &queries, const Keys &keys,
                             mlir::Value biasesCount);
  void transformScores(const Queries &queries, const Keys &keys,
                       mlir::Value begin, mlir::Value lane);
  mlir::Value transformKeys(const Queries &queries, const Keys &keys,
                            mlir::Value lane, mlir::Value begin,
                            mlir::Value end, mlir::Value maximum,
                            llvm::function_ref<mlir::Value(mlir::Value)> bias);
  void softmaxLanes(const Queries &queries, const Keys &keys, mlir::Value lane,
                    int64_t vectors);
  llvm::SmallVector<mlir::Value> weightLanes(const Keys &keys, mlir::Value lane,
                                             llvm::ArrayRef<mlir::Value> now);
  mlir::Value emitWeight(mlir::Value score, mlir::Value maximum);
  mlir::Value transformScore(mlir::Value score, mlir::Value bias);
  void loadBiasSquare(const Queries &queries, const Keys &keys,
                      mlir::Value lane, mlir::Value key);
  void storeBias(const Queries &queries, const Keys &keys, mlir::Value query,
                 mlir::Value key, mlir::Value to);
  mlir::Value applySoftcap(mlir::Value score);
  mlir::Value applyBias(mlir::Value score, mlir::Value bias);
  mlir::Value applyCausality(const Queries &queries, const Keys &keys,
                             mlir::Value lane, mlir::Value key,
                             mlir::Value score);

  // AttentionRows.cpp
  void emitRows(const Queries &block);
  void emitRow(const Queries &query);
  void packRow(const Queries &query);
  void fetchRow(mlir::Type memory, mlir::Value row, mlir::Value stride,
                int64_t size);
  mlir::Value emitRowDots(const Queries &query, mlir::Value keys,
                          mlir::Value left);
  mlir::Value emitRowScores(const Queries &query, const Keys &keys);
  mlir::Value emitExactWeight(mlir::Value score, mlir::Value maximum);
  void emitRowSoftmax(const Queries &query, const Keys &keys,
                      mlir::Value greatest);
  void emitRowOutputs(const Queries &query, const Keys &keys);

  mlir::Value scoresAt(mlir::Value key, mlir::Value lane) {
    return code.advance(
        scores, code.add(code.mul(key, schedule.queryBlock), lane), element);
  }
  mlir::Value scratchAt(mlir::Value base, mlir::Value offset) {
    return code.advance(base, offset, element);
  }
  int64_t lanes() const { return atom.lanes(); }
  mlir::VectorType vectorType() const { return atom.accumulator(); }
  /// Lanes of one score tile.
  int64_t tileLanes() const { return schedule.scoreVectors * lanes(); }
  /// Steps of the tiles' atom along a query.
  int64_t sizeSteps() const {
    return llvm::divideCeil(spec.size, tileAtom.depth());
  }
  int64_t valueVectors() const {
    return llvm::divideCeil(spec.valueSize, lanes());
  }
  /// Whether numbers of that type are what the tiles multiply.
  bool areFactors(mlir::Type memory) const {
    return memory.isBF16() && tileAtom.type() == DotType::bf16;
  }
  bool copiesKeys() const { return head.copiesKeys(schedule); }
  bool copiesValues() const { return head.copiesValues(schedule); }

  CodeBuilder &code;
  /// Of single rows, and of tiles.
  const DotAtom &atom, &tileAtom;
  const AttentionSpec &spec;
  const AttentionSchedule &schedule;
  /// What is computed with.
  mlir::Type element;
  AttentionHead head;
  ScaleFactors factors;
  mlir::Value S, T;
  AttentionScratch layout;
  mlir::Value scratch, scores, blockMaxima, corrections, ignored, biases,
      values, scaledQueries, packedKeys, numbers;
  /// Whether the mask turned out to be of i1.
  bool maskIsBoolean = false;
};

} // namespace txc::x86

#endif // TXC_COMPILER_CODEGEN_X86_ATTENTIONEMITTER_H
