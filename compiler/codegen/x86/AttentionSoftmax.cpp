//===- AttentionSoftmax.cpp - Masks and softmax of attention ----*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// What happens to a block of scores [key][query] between the two products.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/AttentionEmitter.h"
#include "compiler/codegen/x86/AttentionMicrokernels.h"
#include "compiler/codegen/x86/PackPanel.h"
#include "compiler/codegen/x86/VectorMath.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <limits>
#include <numeric>

using namespace mlir;
using namespace txc;
using namespace txc::x86;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

static constexpr double infinity = std::numeric_limits<double>::infinity();

/// exp of the difference of a score and the maximum, at most 1.
Value AttentionEmitter::emitWeight(Value score, Value maximum) {
  OpBuilder &builder = code.builder;
  Location loc = code.loc;
  Value shifted = arith::SubFOp::create(builder, loc, score, maximum);
  if (schedule.type == DotType::bf16)
    return emitCoarseExp(builder, loc, shifted, spec.target, factors.ofScores);
  if (spec.target.vectorBits == 512)
    return emitExp(builder, loc, shifted, spec.target);
  // Denormal weights are far below the rounding of their sum, but each
  // underflow costs as much as several exps, but for vscalefps: hidden keys
  // have one.
  Value zero = code.constant(vectorType(), 0.0);
  Value isTiny =
      arith::CmpFOp::create(builder, loc, CmpFPredicate::OLT, shifted,
                            code.constant(vectorType(), -87.0));
  Value weight =
      emitExp(builder, loc, code.select(isTiny, zero, shifted), spec.target);
  return code.select(isTiny, zero, weight);
}

/// Replaces scores by weights, exp(score - now), as words of the tiles' type,
/// and returns their sums. A step takes as many keys as a word has numbers; it
/// has read their scores when it stores where the first ones were.
SmallVector<Value> AttentionEmitter::weightLanes(const Keys &keys, Value lane,
                                                 ArrayRef<Value> now) {
  int64_t depth = tileAtom.depth();
  Value zero = code.constant(vectorType(), 0.0);
  // Of \p count keys; the other numbers of their word are zero.
  auto emitStep = [&](Value key, ValueRange carried, int64_t count) {
    Value word = code.div(key, code.index(depth));
    SmallVector<Value> next;
    for (auto [j, maximum] : llvm::enumerate(now)) {
      Value from = code.add(lane, static_cast<int64_t>(j) * lanes());
      SmallVector<Value> weights(depth, zero);
      Value sum = carried[j];
      for (int64_t i = 0; i < count; ++i) {
        Value at = scoresAt(code.add(key, i), from);
        weights[i] = emitWeight(code.load(vectorType(), at), maximum);
        sum = arith::AddFOp::create(code.builder, code.loc, sum, weights[i]);
      }
      Value joined =
          tileAtom.makeLeftWords(code, weights, Quantization()).front();
      code.store(joined, scoresAt(word, from));
      next.push_back(sum);
    }
    return next;
  };
  SmallVector<Value> sums(now.size(), zero);
  Value whole = code.roundDown(keys.count, depth);
  sums = code.loop(code.index(0), whole, depth, sums,
                   [&](Value key, ValueRange carried) {
                     return emitStep(key, carried, depth);
                   });
  if (depth == 1)
    return sums;
  static_assert(getDotDepth(DotType::bf16) == 2, "at most one key is left");
  return code.loop(
      whole, keys.count, depth, sums,
      [&](Value key, ValueRange carried) { return emitStep(key, carried, 1); });
}

/// Replaces the scores of a tile of queries by weights exp(score - maximum),
/// and updates maxima, sums and the corrections of what earlier blocks added
/// up.
void AttentionEmitter::softmaxLanes(const Queries &queries, const Keys &keys,
                                    Value lane, int64_t vectors) {
  SmallVector<Value> now;
  for (int64_t j = 0; j < vectors; ++j)
    now.push_back(code.load(
        vectorType(), scratchAt(blockMaxima, code.add(lane, j * lanes()))));
  SmallVector<Value> blockSums = weightLanes(keys, lane, now);
  for (int64_t j = 0; j < vectors; ++j) {
    Value at = code.add(lane, j * lanes());
    Value maximumAt = scratchAt(queries.maxima, at);
    Value correction = emitWeight(code.load(vectorType(), maximumAt), now[j]);
    Value sumAt = scratchAt(queries.sums, at);
    Value sum = code.load(vectorType(), sumAt);
    code.store(code.fma(sum, correction, blockSums[j]), sumAt);
    code.store(now[j], maximumAt);
    code.store(correction, scratchAt(corrections, at));
  }
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

/// The number of the block's first keys, in whole tiles, whose scores nothing
/// changes. \p biasesCount: the result of loadKeyBiases(), if it was called.
Value AttentionEmitter::countPlainKeys(const Queries &queries, const Keys &keys,
                                       Value biasesCount) {
  if (spec.softcap || (spec.mask && !spec.maskIsPerKey))
    return code.index(0);
  Value plain = keys.count;
  if (biasesCount)
    plain = code.select(biasesCount, code.index(0), plain);
  if (queries.causalLimit) {
    Value seen = code.sub(code.add(queries.causalLimit, 1), keys.first);
    plain = code.min(plain, code.max(seen, 0));
  }
  return code.roundDown(plain, schedule.scoreKeys);
}

/// Changes the scores of one vector of queries and the keys from \p begin on,
/// and raises the maxima to them.
void AttentionEmitter::transformScores(const Queries &queries, const Keys &keys,
                                       Value begin, Value lane) {
  Value maximumAt = scratchAt(blockMaxima, lane);
  Value maximum = code.load(vectorType(), maximumAt);
  if (!spec.mask) {
    maximum = transformKeys(queries, keys, lane, begin, keys.count, maximum,
                            [](Value) { return Value(); });
  } else if (spec.maskIsPerKey) {
    maximum = transformKeys(
        queries, keys, lane, begin, keys.count, maximum, [&](Value key) {
          Value bias = code.load(element, scratchAt(biases, key));
          return code.splat(bias, vectorType());
        });
  } else {
    maximum =
        code.loop(begin, keys.count, lanes(), {maximum},
                  [&](Value first, ValueRange carried) -> SmallVector<Value> {
                    loadBiasSquare(queries, keys, lane, first);
                    Value end = code.min(code.add(first, lanes()), keys.count);
                    return {transformKeys(
                        queries, keys, lane, first, end, carried.front(),
                        [&](Value key) {
                          Value row = code.mul(code.sub(key, first), lanes());
                          return code.load(vectorType(),
                                           scratchAt(biases, row));
                        })};
                  })
            .front();
  }
  code.store(maximum, maximumAt);
}

/// Transforms one vector of queries' scores of keys begin ≤ key < end. Returns
/// the greatest, or \p maximum.
Value AttentionEmitter::transformKeys(const Queries &queries, const Keys &keys,
                                      Value lane, Value begin, Value end,
                                      Value maximum,
                                      function_ref<Value(Value)> biasOf) {
  return code
      .loop(begin, end, 1, {maximum},
            [&](Value key, ValueRange carried) -> SmallVector<Value> {
              Value at = scoresAt(key, lane);
              Value before = code.load(vectorType(), at);
              Value score = transformScore(before, biasOf(key));
              if (spec.causalOffset)
                score = applyCausality(queries, keys, lane, key, score);
              if (score != before)
                code.store(score, at);
              return {emitLarger(code, carried.front(), score)};
            })
      .front();
}

/// Softcap and mask; \p bias may be null.
Value AttentionEmitter::transformScore(Value score, Value bias) {
  if (spec.softcap && !spec.softcapAfterMask)
    score = applySoftcap(score);
  if (bias)
    score = applyBias(score, bias);
  if (spec.softcap && spec.softcapAfterMask)
    score = applySoftcap(score);
  return score;
}

Value AttentionEmitter::applySoftcap(Value score) {
  OpBuilder &builder = code.builder;
  Value cap = code.constant(vectorType(), *spec.softcap / factors.ofScores);
  Value inverse = code.constant(vectorType(), factors.ofScores / *spec.softcap);
  Value ratio = arith::MulFOp::create(builder, code.loc, score, inverse);
  return arith::MulFOp::create(
      builder, code.loc, emitTanh(builder, code.loc, ratio, spec.target), cap);
}

Value AttentionEmitter::applyBias(Value score, Value bias) {
  if (!maskIsBoolean && factors.ofScores != 1.0)
    return code.fma(bias, code.constant(vectorType(), 1.0 / factors.ofScores),
                    score);
  if (!maskIsBoolean)
    return arith::AddFOp::create(code.builder, code.loc, score, bias);
  // Hidden scores may be NaN: replace, don't add.
  Value isSeen =
      arith::CmpFOp::create(code.builder, code.loc, CmpFPredicate::OEQ, bias,
                            code.constant(vectorType(), 0.0));
  return code.select(isSeen, score, code.constant(vectorType(), -infinity));
}

Value AttentionEmitter::applyCausality(const Queries &queries, const Keys &keys,
                                       Value lane, Value key, Value score) {
  OpBuilder &builder = code.builder;
  Type i32 = builder.getI32Type();
  auto indices = VectorType::get(lanes(), i32);
  SmallVector<int32_t> steps(lanes());
  std::iota(steps.begin(), steps.end(), 0);
  Value ramp = arith::ConstantOp::create(
      builder, code.loc,
      DenseElementsAttr::get(indices, ArrayRef<int32_t>(steps)));
  // Lane i sees the key if key - (limit of lane 0) ≤ i.
  Value limit = code.add(queries.causalLimit, lane);
  Value distance = code.sub(code.add(keys.first, key), limit);
  Value distances = code.splat(
      arith::IndexCastOp::create(builder, code.loc, i32, distance), indices);
  Value isSeen = arith::CmpIOp::create(builder, code.loc, CmpIPredicate::sle,
                                       distances, ramp);
  return code.select(isSeen, score, code.constant(vectorType(), -infinity));
}

/// Fills `biases` with the mask of each key of the block. Returns an i1: one of
/// them is not zero.
Value AttentionEmitter::loadKeyBiases(const Queries &queries,
                                      const Keys &keys) {
  OpBuilder &builder = code.builder;
  Location loc = code.loc;
  Value anyQuery = code.index(0);
  code.loop(code.index(0), keys.count, lanes(), [&](Value key) {
    storeBias(queries, keys, anyQuery, key, scratchAt(biases, key));
  });
  Value zero = code.constant(vectorType(), 0.0);
  Value none = arith::ConstantOp::create(
      builder, loc,
      builder.getZeroAttr(VectorType::get(lanes(), builder.getI1Type())));
  SmallVector<Value> found = code.loop(
      code.index(0), keys.count, lanes(), {none},
      [&](Value key, ValueRange carried) -> SmallVector<Value> {
        Value bias = code.load(vectorType(), scratchAt(biases, key));
        Value isBias =
            arith::CmpFOp::create(builder, loc, CmpFPredicate::UNE, bias, zero);
        return {arith::OrIOp::create(builder, loc, carried.front(), isBias)};
      });
  return vector::ReductionOp::create(builder, loc, vector::CombiningKind::OR,
                                     found.front());
}

/// Fills `biases` with the mask of a vector of keys from \p key on and of
/// queries from \p lane on, queries in lanes.
void AttentionEmitter::loadBiasSquare(const Queries &queries, const Keys &keys,
                                      Value lane, Value key) {
  Value lastQuery = code.sub(queries.queryTotal, 1);
  code.loop(code.index(0), code.index(lanes()), 1, [&](Value i) {
    Value query = code.add(code.add(queries.first, lane), i);
    storeBias(queries, keys, code.min(query, lastQuery), key,
              scratchAt(biases, code.mul(i, lanes())));
  });
  SmallVector<Value> rows;
  for (int64_t i = 0; i < lanes(); ++i)
    rows.push_back(
        code.load(vectorType(), code.advance(biases, i * lanes(), element)));
  emitTranspose(code, rows);
  for (int64_t i = 0; i < lanes(); ++i)
    code.store(rows[i], code.advance(biases, i * lanes(), element));
}

/// Stores the mask of one query and a vector of keys as numbers to add.
void AttentionEmitter::storeBias(const Queries &queries, const Keys &keys,
                                 Value query, Value key, Value to) {
  auto emit = [&](Value valid) {
    Value bias = spec.mask(code.builder, code.loc, queries.b, queries.h, query,
                           code.add(keys.first, key), valid);
    maskIsBoolean = getElementTypeOrSelf(bias.getType()).isInteger(1);
    if (maskIsBoolean)
      bias = code.select(bias, code.constant(vectorType(), 0.0),
                         code.constant(vectorType(), -infinity));
    // What is behind the last key must not look like padding.
    if (valid)
      bias = code.select(valid, bias, code.constant(vectorType(), 0.0));
    code.store(bias, to);
  };
  Value left = code.sub(keys.count, key);
  Value isFull = code.compare(CmpIPredicate::sge, left, code.index(lanes()));
  code.ifThenElse(
      isFull, [&] { emit(/*valid=*/Value()); },
      [&] { emit(code.firstLanes(vectorType(), left)); });
}
