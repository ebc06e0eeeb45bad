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

void AttentionEmitter::emitSoftmax(const Queries &queries, const Keys &keys) {
  if (spec.mask || spec.softcap) {
    transformScores(queries, keys);
  } else if (spec.causalOffset) {
    // Only blocks that reach past the first query's limit hide anything.
    Value last = code.sub(code.add(keys.first, keys.count), 1);
    code.ifThen(code.compare(CmpIPredicate::sgt, last, queries.causalLimit),
                [&] { transformScores(queries, keys); });
  }
  code.loop(code.index(0), queries.count, tileLanes(),
            [&](Value lane) { softmaxLanes(keys, lane); });
}

/// The larger of both; \p a where \p b is NaN. This is maxps itself.
Value AttentionEmitter::emitLarger(Value a, Value b) {
  Value isLarger =
      arith::CmpFOp::create(code.builder, code.loc, CmpFPredicate::OGT, b, a);
  return code.select(isLarger, b, a);
}

/// Replaces scores by weights exp(score - now), as words of the tiles' type,
/// and returns their sums. A step takes as many keys as a word has numbers; it
/// has read their scores when it stores where the first ones were.
SmallVector<Value> AttentionEmitter::weightLanes(const Keys &keys, Value lane,
                                                 ArrayRef<Value> now) {
  OpBuilder &builder = code.builder;
  Location loc = code.loc;
  Value zero = code.constant(vectorType(), 0.0);
  SmallVector<Value> noSums(schedule.scoreVectors, zero);
  int64_t depth = tileAtom.depth();
  Value lastKey = code.sub(keys.count, 1);
  auto emitWeight = [&](Value key, Value from, Value maximum) -> Value {
    Value at = scoresAt(depth == 1 ? key : code.min(key, lastKey), from);
    Value shifted = arith::SubFOp::create(builder, loc,
                                          code.load(vectorType(), at), maximum);
    return emitExp(builder, loc, shifted, spec.target);
  };
  return code.loop(
      code.index(0), keys.count, depth, noSums,
      [&](Value key, ValueRange carried) {
        Value word = code.div(key, code.index(depth));
        SmallVector<Value> next;
        for (int64_t j = 0; j < schedule.scoreVectors; ++j) {
          Value from = code.add(lane, j * lanes());
          SmallVector<Value> weights;
          Value sum = carried[j];
          for (int64_t i = 0; i < depth; ++i) {
            Value weight = emitWeight(code.add(key, i), from, now[j]);
            if (i != 0) {
              Value exists = code.compare(CmpIPredicate::slt, code.add(key, i),
                                          keys.count);
              weight = code.select(exists, weight, zero);
            }
            weights.push_back(weight);
            sum = arith::AddFOp::create(builder, loc, sum, weight);
          }
          Value joined =
              tileAtom.makeLeftWords(code, weights, Quantization()).front();
          code.store(joined, scoresAt(word, from));
          next.push_back(sum);
        }
        return next;
      });
}

/// Replaces the scores of a tile of queries by weights exp(score - maximum),
/// and updates maxima, sums and the corrections of what earlier blocks added
/// up.
void AttentionEmitter::softmaxLanes(const Keys &keys, Value lane) {
  OpBuilder &builder = code.builder;
  Location loc = code.loc;
  auto laneOf = [&](int64_t j) { return code.add(lane, j * lanes()); };

  // Two keys at a time, for more chains; the last one may count twice.
  constexpr int64_t unroll = 2;
  SmallVector<Value> before;
  for (int64_t j = 0; j < schedule.scoreVectors; ++j)
    before.push_back(code.load(vectorType(), scratchAt(maxima, laneOf(j))));
  SmallVector<Value> init;
  for (int64_t u = 0; u < unroll; ++u)
    llvm::append_range(init, before);
  Value lastKey = code.sub(keys.count, 1);
  SmallVector<Value> partial =
      code.loop(code.index(0), keys.count, unroll, init,
                [&](Value first, ValueRange carried) {
                  SmallVector<Value> next;
                  for (int64_t u = 0; u < unroll; ++u) {
                    Value key = code.min(code.add(first, u), lastKey);
                    for (int64_t j = 0; j < schedule.scoreVectors; ++j) {
                      Value score =
                          code.load(vectorType(), scoresAt(key, laneOf(j)));
                      next.push_back(emitLarger(carried[next.size()], score));
                    }
                  }
                  return next;
                });
  SmallVector<Value> now(partial.begin(),
                         partial.begin() + schedule.scoreVectors);
  for (size_t i = now.size(); i < partial.size(); ++i)
    now[i % now.size()] = emitLarger(now[i % now.size()], partial[i]);

  SmallVector<Value> blockSums = weightLanes(keys, lane, now);
  for (int64_t j = 0; j < schedule.scoreVectors; ++j) {
    Value fall = arith::SubFOp::create(builder, loc, before[j], now[j]);
    Value correction = emitExp(builder, loc, fall, spec.target);
    Value sumAt = scratchAt(sums, laneOf(j));
    Value sum = code.load(vectorType(), sumAt);
    code.store(code.fma(sum, correction, blockSums[j]), sumAt);
    code.store(now[j], scratchAt(maxima, laneOf(j)));
    code.store(correction, scratchAt(corrections, laneOf(j)));
  }
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

void AttentionEmitter::transformScores(const Queries &queries,
                                       const Keys &keys) {
  auto transform = [&] {
    code.loop(code.index(0), queries.count, lanes(),
              [&](Value lane) { transformLanes(queries, keys, lane); });
  };
  if (!spec.mask || !spec.maskIsPerKey)
    return transform();
  Value changesScores = loadKeyBiases(queries, keys);
  if (spec.softcap || spec.causalOffset)
    return transform();
  // Most blocks have no padding.
  code.ifThen(changesScores, transform);
}

void AttentionEmitter::transformLanes(const Queries &queries, const Keys &keys,
                                      Value lane) {
  auto keyBias = [&](Value key) {
    Value bias = code.load(element, scratchAt(biases, key));
    return code.splat(bias, vectorType());
  };
  auto noBias = [](Value) { return Value(); };
  if (!spec.mask)
    return transformKeys(queries, keys, lane, code.index(0), keys.count,
                         noBias);
  if (spec.maskIsPerKey)
    return transformKeys(queries, keys, lane, code.index(0), keys.count,
                         keyBias);
  code.loop(code.index(0), keys.count, lanes(), [&](Value first) {
    loadBiasSquare(queries, keys, lane, first);
    Value end = code.min(code.add(first, lanes()), keys.count);
    transformKeys(queries, keys, lane, first, end, [&](Value key) {
      Value row = code.mul(code.sub(key, first), lanes());
      return code.load(vectorType(), scratchAt(biases, row));
    });
  });
}

/// Transforms one vector of queries' scores of keys begin ≤ key < end.
void AttentionEmitter::transformKeys(const Queries &queries, const Keys &keys,
                                     Value lane, Value begin, Value end,
                                     function_ref<Value(Value)> biasOf) {
  code.loop(begin, end, 1, [&](Value key) {
    Value at = scoresAt(key, lane);
    Value score = transformScore(code.load(vectorType(), at), biasOf(key));
    if (spec.causalOffset)
      score = applyCausality(queries, keys, lane, key, score);
    code.store(score, at);
  });
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
  Value cap = code.constant(vectorType(), *spec.softcap);
  Value inverse = code.constant(vectorType(), 1.0 / *spec.softcap);
  Value ratio = arith::MulFOp::create(builder, code.loc, score, inverse);
  return arith::MulFOp::create(
      builder, code.loc, emitTanh(builder, code.loc, ratio, spec.target), cap);
}

Value AttentionEmitter::applyBias(Value score, Value bias) {
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
  Value lastQuery = code.sub(S, 1);
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
