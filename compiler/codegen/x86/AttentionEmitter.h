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
  void emitTask(mlir::Value task);

private:
  /// A block of queries of one head.
  struct Queries {
    mlir::Value b, h;
    /// First query, and how many there are.
    mlir::Value first, count;
    /// Of the keys' and values' own head.
    mlir::Value keys, values;
    /// Keys after this one are hidden from all of the queries.
    mlir::Value keyEnd;
    /// The first query sees keys up to this one; null if not causal.
    mlir::Value causalLimit;
  };
  struct Keys {
    mlir::Value first, count;
  };

  // Attention.cpp
  Queries decodeTask(mlir::Value task);
  void emitBlock(const Queries &queries);
  void initializeState(const Queries &queries);
  void packQueries(const Queries &queries);
  void packKeys(const Queries &queries, const Keys &keys);
  mlir::Value packValues(const Queries &queries, const Keys &keys);
  void emitScores(const Queries &queries, const Keys &keys);
  void emitOutputs(const Queries &queries, const Keys &keys);
  void finish(const Queries &queries);
  void finishRow(const Queries &queries, mlir::Value row);
  void averageValues(const Queries &queries, mlir::Value row);
  void storeRow(mlir::Value from, mlir::Value to, mlir::Value factor,
                mlir::Value isEmpty);

  // AttentionSoftmax.cpp
  void emitSoftmax(const Queries &queries, const Keys &keys);
  void softmaxLanes(const Keys &keys, mlir::Value lane);
  llvm::SmallVector<mlir::Value> weightLanes(const Keys &keys, mlir::Value lane,
                                             llvm::ArrayRef<mlir::Value> now);
  void transformScores(const Queries &queries, const Keys &keys);
  void transformLanes(const Queries &queries, const Keys &keys,
                      mlir::Value lane);
  void transformKeys(const Queries &queries, const Keys &keys, mlir::Value lane,
                     mlir::Value begin, mlir::Value end,
                     llvm::function_ref<mlir::Value(mlir::Value)> biasOf);
  mlir::Value emitLarger(mlir::Value a, mlir::Value b);
  mlir::Value transformScore(mlir::Value score, mlir::Value bias);
  mlir::Value loadKeyBiases(const Queries &queries, const Keys &keys);
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
  mlir::Value emitRowDots(mlir::Value keys, mlir::Value left);
  mlir::Value emitRowScores(const Queries &query, const Keys &keys);
  void emitRowSoftmax(const Keys &keys, mlir::Value greatest);
  void emitRowOutputs(const Queries &query, const Keys &keys);

  mlir::Value scoresAt(mlir::Value key, mlir::Value lane) {
    return code.advance(
        scores, code.add(code.mul(key, schedule.scorePitch()), lane), element);
  }
  mlir::Value scratchAt(mlir::Value base, mlir::Value offset) {
    return code.advance(base, offset, element);
  }
  int64_t lanes() const { return atom.lanes(); }
  mlir::VectorType vectorType() const { return atom.accumulator(); }
  /// Lanes of one score tile.
  int64_t tileLanes() const { return schedule.scoreVectors * lanes(); }
  int64_t valueVectors() const {
    return llvm::divideCeil(spec.valueSize, lanes());
  }

  CodeBuilder &code;
  /// Of single rows, and of tiles.
  const DotAtom &atom, &tileAtom;
  const AttentionSpec &spec;
  const AttentionSchedule &schedule;
  mlir::Type element;
  AttentionHead head;
  mlir::Value S, T;
  mlir::Value queryPanel, scores, outputs, maxima, sums, corrections, biases,
      valuePanel, queryWords, keyWords, valueWords, numbers;
  /// Whether the mask turned out to be of i1.
  bool maskIsBoolean = false;
};

} // namespace txc::x86

#endif // TXC_COMPILER_CODEGEN_X86_ATTENTIONEMITTER_H
