//===- AttentionMicrokernels.cpp - Register tiles of attention --*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Both are rank-1 updates of a register tile, with different operands
/// broadcast.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/AttentionMicrokernels.h"
#include "llvm/ADT/Twine.h"

using namespace mlir;
using namespace txc::x86;

Value txc::x86::emitLarger(CodeBuilder &code, Value a, Value b) {
  Value isLarger = arith::CmpFOp::create(code.builder, code.loc,
                                         arith::CmpFPredicate::OGT, b, a);
  return code.select(isLarger, b, a);
}

/// Raises \p maximum to the greatest of the scores of column \p j.
static Value raiseMaximum(CodeBuilder &code, Value maximum, ValueRange scores,
                          int64_t j, int64_t columns) {
  // A few chains. A NaN may win one: the results of its query are NaN anyway.
  constexpr int64_t numChains = 3;
  SmallVector<Value> chains;
  for (int64_t i = j, end = scores.size(); i < end; i += columns)
    if (static_cast<int64_t>(chains.size()) < numChains)
      chains.push_back(scores[i]);
    else
      chains[i / columns % numChains] =
          emitLarger(code, chains[i / columns % numChains], scores[i]);
  for (Value chain : chains)
    maximum = emitLarger(code, maximum, chain);
  return maximum;
}

void txc::x86::emitScoreTile(CodeBuilder &code, const DotAtom &atom,
                             const AttentionSchedule &schedule,
                             const ScoreTile &tile) {
  bool isUnit = tile.keysArePacked || isStaticOne(tile.elementStride);
  std::string name =
      ("txc_attention_scores_" + getName(atom.type()) + "_" +
       Twine(isUnit ? "" : "strided_") + Twine(schedule.scoreKeys) + "x" +
       Twine(tile.vectors * atom.lanes()) + "_v" + Twine(atom.lanes()))
          .str();
  Type ptr = code.ptrType(), index = code.indexType(), element = atom.word();
  func::FuncOp callee = code.getOrCreateFunction(
      name, {ptr, index, index, index, ptr, index, ptr, ptr},
      [&](ValueRange args) {
        Value keys = args[0], keyCount = args[1], keyStride = args[2];
        TileOperand left, right;
        left.kStride = tile.keysArePacked ? code.index(schedule.scoreKeys)
                       : isUnit           ? code.index(1)
                                          : args[3];
        Value last = code.sub(keyCount, 1);
        for (int64_t i = 0; i < schedule.scoreKeys; ++i) {
          if (tile.keysArePacked) {
            left.append(keys, i);
            continue;
          }
          Value row = code.mul(code.min(code.index(i), last), keyStride);
          left.append(code.advance(keys, row, element), 0);
        }
        right.kStride = code.index(schedule.queryBlock);
        for (int64_t j = 0; j < tile.vectors; ++j)
          right.append(args[4], j * atom.lanes());
        SmallVector<Value> init(left.size() * right.size(),
                                code.constant(atom.accumulator(), 0.0));
        SmallVector<Value> scores =
            emitTileLoop(code, atom, left, right, args[5], init);
        for (auto [n, score] : llvm::enumerate(scores)) {
          int64_t i = n / tile.vectors, j = n % tile.vectors;
          code.store(score,
                     code.advance(args[6],
                                  i * schedule.queryBlock + j * atom.lanes(),
                                  element));
        }
        for (int64_t j = 0; j < tile.vectors; ++j) {
          Value at = code.advance(args[7], j * atom.lanes(), element);
          Value before = code.load(atom.accumulator(), at);
          code.store(raiseMaximum(code, before, scores, j, tile.vectors), at);
        }
      });
  code.call(callee, {tile.keys, tile.keyCount, code.index(tile.keyStride),
                     code.index(tile.elementStride), tile.queries, tile.size,
                     tile.scores, tile.maxima});
}

void txc::x86::emitOutputTile(CodeBuilder &code, const DotAtom &atom,
                              const AttentionSchedule &schedule,
                              const OutputTile &tile) {
  int64_t lanes = atom.lanes(), rows = schedule.outputRows;
  bool isMasked = tile.lastLanes < lanes;
  std::string name =
      ("txc_attention_outputs_" + getName(atom.type()) + "_" + Twine(rows) +
       "x" + Twine((tile.vectors - 1) * lanes + tile.lastLanes) + "_pitch" +
       Twine(tile.outputPitch) + "_v" + Twine(lanes))
          .str();
  Type ptr = code.ptrType(), index = code.indexType(), element = atom.word();
  func::FuncOp callee = code.getOrCreateFunction(
      name, {ptr, index, ptr, index, ptr, ptr}, [&](ValueRange args) {
        Value weights = args[0], keyCount = args[1], values = args[2],
              valueStride = args[3], outputs = args[4], corrections = args[5];
        TileOperand left, right;
        left.kStride = code.index(schedule.queryBlock);
        for (int64_t i = 0; i < rows; ++i)
          left.append(weights, i);
        right.kStride = valueStride;
        for (int64_t j = 0; j < tile.vectors; ++j)
          right.append(values, j * lanes);
        auto outputAt = [&](int64_t i, int64_t j) {
          return code.advance(outputs, i * tile.outputPitch + j * lanes,
                              element);
        };
        SmallVector<Value> init;
        for (int64_t i = 0; i < rows; ++i) {
          Type f32 = code.builder.getF32Type();
          Value factor =
              code.splat(code.load(f32, code.advance(corrections, i, f32)),
                         atom.accumulator());
          for (int64_t j = 0; j < tile.vectors; ++j) {
            Value before = code.load(atom.accumulator(), outputAt(i, j));
            init.push_back(
                arith::MulFOp::create(code.builder, code.loc, before, factor));
          }
        }
        TileOptions options;
        if (isMasked)
          options.lastMask =
              code.firstLanes(atom.accumulator(), code.index(tile.lastLanes));
        SmallVector<Value> sums =
            emitTileLoop(code, atom, left, right, keyCount, init, options);
        for (auto [n, sum] : llvm::enumerate(sums))
          code.store(sum, outputAt(n / tile.vectors, n % tile.vectors));
      });
  code.call(callee,
            {tile.weights, tile.keyCount, tile.values,
             code.index(tile.valueStride), tile.outputs, tile.corrections});
}
