//===- AttentionRows.cpp - Attention of a few queries -----------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Attention one query at a time, as in the decoding of a token: queries in
/// lanes would leave nearly all of them empty. Here the lanes hold a query's
/// elements, then keys, then a value's elements, and everything is read once.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/AttentionEmitter.h"
#include "compiler/codegen/x86/AttentionMicrokernels.h"
#include "compiler/codegen/x86/PackPanel.h"
#include "compiler/codegen/x86/VectorMath.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/bit.h"
#include <limits>

using namespace mlir;
using namespace txc;
using namespace txc::x86;

/// Rows of keys in flight; each needs a pointer.
static constexpr int64_t rowsInFlight = 8;

/// How far ahead keys and values are fetched: a cache's rows are read once, and
/// memory is slower than what is computed with them.
static constexpr int64_t fetchedBytes = 4096;

/// Fetches the lines of a row of \p size numbers at least fetchedBytes behind
/// \p row.
void AttentionEmitter::fetchRow(Type memory, Value row, Value stride,
                                int64_t size) {
  int64_t bytes = size * memory.getIntOrFloatBitWidth() / 8;
  int64_t rows = llvm::divideCeil(fetchedBytes, bytes);
  Value later = code.advance(row, code.mul(stride, rows), memory);
  constexpr int64_t line = 64;
  for (int64_t i = 0; i < bytes; i += line)
    code.prefetch(code.advance(later, i, code.builder.getI8Type()));
}

void AttentionEmitter::emitRows(const Queries &block) {
  code.loop(code.index(0), block.count, 1, [&](Value row) {
    Queries query = block;
    query.first = code.add(block.first, row);
    query.count = code.index(1);
    if (spec.causalOffset) {
      query.causalLimit = code.add(block.causalLimit, row);
      query.keyEnd = code.min(block.keyEnd, code.add(query.causalLimit, 1));
    }
    emitRow(query);
  });
}

/// The whole attention of one query, in row 0 of the scratch.
void AttentionEmitter::emitRow(const Queries &query) {
  packRow(query);
  initializeState(query);
  code.loop(code.index(0), query.keyEnd, schedule.keyBlock, [&](Value key) {
    Keys keys{key, code.min(code.sub(query.keyEnd, key), schedule.keyBlock)};
    Value greatest = emitRowScores(query, keys);
    emitRowSoftmax(query, keys, greatest);
    emitRowOutputs(query, keys);
  });
  finish(query);
}

/// Copies the scaled query to adjacent elements.
void AttentionEmitter::packRow(const Queries &query) {
  Type memory = spec.q.getElement();
  Value offset = code.mul(query.first, code.index(spec.q.strides[2]));
  Value from = code.advance(query.queries, offset, memory);
  Value stride = code.index(spec.q.strides[3]);
  Value factor = code.constant(element, factors.ofQueries);
  code.loop(code.index(0), code.index(spec.size), 1, [&](Value i) {
    Value value = loadNumbers(memory, element,
                              code.advance(from, code.mul(i, stride), memory));
    code.store(arith::MulFOp::create(code.builder, code.loc, value, factor),
               scratchAt(query.panel, i));
  });
}

/// Adds the lanes of each of \p rows: lane i of the result is the sum of row i.
static Value sumLanes(CodeBuilder &code, SmallVector<Value> rows) {
  auto n = static_cast<int64_t>(rows.size());
  for (int64_t half = n / 2; half >= 1; half /= 2) {
    SmallVector<Value> next;
    for (int64_t i = 0; i < half; ++i) {
      auto [low, high] = emitBlockSwap(code, rows[i], rows[i + half], half);
      next.push_back(arith::AddFOp::create(code.builder, code.loc, low, high));
    }
    rows = std::move(next);
  }
  return rows.front();
}

/// Dot products of the query with as many keys as a vector has lanes. Keys from
/// \p left on repeat the last.
Value AttentionEmitter::emitRowDots(const Queries &query, Value keys,
                                    Value left) {
  Type memory = spec.k.getElement();
  Value stride = code.index(spec.k.strides[2]);
  Value last = code.sub(left, 1);
  int64_t full = spec.size / lanes() * lanes();
  Value tailMask;
  if (full != spec.size)
    tailMask = code.firstLanes(vectorType(), code.index(spec.size - full));
  SmallVector<Value> dots;
  for (int64_t first = 0; first < lanes(); first += rowsInFlight) {
    SmallVector<Value> rows;
    for (int64_t i = first; i < std::min(first + rowsInFlight, lanes()); ++i)
      rows.push_back(code.advance(
          keys, code.mul(code.min(code.index(i), last), stride), memory));
    auto step = [&](Value i, ValueRange sums, Value mask) {
      Value part = atom.loadLanes(code, scratchAt(query.panel, i), mask);
      SmallVector<Value> next;
      for (auto [row, sum] : llvm::zip(rows, sums))
        next.push_back(code.fma(loadNumbers(memory, vectorType(),
                                            code.advance(row, i, memory), mask),
                                part, sum));
      return next;
    };
    for (Value row : rows)
      fetchRow(memory, row, stride, spec.size);
    SmallVector<Value> zeros(rows.size(), code.constant(vectorType(), 0.0));
    SmallVector<Value> sums =
        code.loop(code.index(0), code.index(full), lanes(), zeros,
                  [&](Value i, ValueRange carried) {
                    return step(i, carried, /*mask=*/Value());
                  });
    if (tailMask)
      sums = step(code.index(full), sums, tailMask);
    llvm::append_range(dots, sums);
  }
  return sumLanes(code, std::move(dots));
}

/// Stores the block's scores side by side and returns a vector of maxima.
Value AttentionEmitter::emitRowScores(const Queries &query, const Keys &keys) {
  Value stride = code.index(spec.k.strides[2]);
  Value least =
      code.constant(vectorType(), std::numeric_limits<float>::lowest());
  Value hidden =
      code.constant(vectorType(), -std::numeric_limits<double>::infinity());
  return code
      .loop(code.index(0), keys.count, lanes(), {least},
            [&](Value key, ValueRange carried) -> SmallVector<Value> {
              Value offset = code.mul(code.add(keys.first, key), stride);
              Value left = code.sub(keys.count, key);
              Value score = emitRowDots(
                  query, code.advance(query.keys, offset, spec.k.getElement()),
                  left);
              Value bias;
              if (spec.mask) {
                storeBias(query, keys, query.first, key, biases);
                bias = code.load(vectorType(), biases);
              }
              score = transformScore(score, bias);
              score = code.select(code.firstLanes(vectorType(), left), score,
                                  hidden);
              code.store(score, scratchAt(scores, key));
              return {emitLarger(code, carried.front(), score)};
            })
      .front();
}

/// As emitWeight(), to f32's precision.
Value AttentionEmitter::emitExactWeight(Value score, Value maximum) {
  OpBuilder &builder = code.builder;
  Value shifted = arith::SubFOp::create(builder, code.loc, score, maximum);
  if (factors.ofScores != 1.0)
    shifted =
        arith::MulFOp::create(builder, code.loc, shifted,
                              code.constant(vectorType(), factors.ofScores));
  return emitExp(builder, code.loc, shifted, spec.target);
}

void AttentionEmitter::emitRowSoftmax(const Queries &query, const Keys &keys,
                                      Value greatest) {
  OpBuilder &builder = code.builder;
  Location loc = code.loc;
  // Maxima never are NaN.
  auto flags = arith::FastMathFlags::nnan | arith::FastMathFlags::nsz;
  Value blockMaximum = vector::ReductionOp::create(
      builder, loc, vector::CombiningKind::MAXNUMF, greatest, flags);
  Value before = code.splat(code.load(element, query.maxima), vectorType());
  Value now = emitLarger(code, before, code.splat(blockMaximum, vectorType()));
  Value zero = code.constant(vectorType(), 0.0);
  Value weights =
      code.loop(code.index(0), keys.count, lanes(), {zero},
                [&](Value key, ValueRange carried) -> SmallVector<Value> {
                  Value at = scratchAt(scores, key);
                  Value weight =
                      emitExactWeight(code.load(vectorType(), at), now);
                  code.store(weight, at);
                  return {arith::AddFOp::create(builder, loc, carried.front(),
                                                weight)};
                })
          .front();
  Value blockSum =
      vector::ReductionOp::create(builder, loc, vector::CombiningKind::ADD,
                                  weights, arith::FastMathFlags::reassoc);
  Value correction =
      vector::ExtractOp::create(builder, loc, emitExactWeight(before, now), 0);
  Value sum = code.load(element, query.sums);
  code.store(code.fma(sum, correction, blockSum), query.sums);
  code.store(vector::ExtractOp::create(builder, loc, now, 0), query.maxima);
  code.store(correction, corrections);
}

/// Adds the block's weighted values to the output, a few keys at a time for
/// more chains.
void AttentionEmitter::emitRowOutputs(const Queries &query, const Keys &keys) {
  Type memory = spec.v.getElement();
  Value stride = code.index(spec.v.strides[2]);
  Value values =
      code.advance(query.values, code.mul(keys.first, stride), memory);
  Value lastKey = code.sub(keys.count, 1);
  // As many accumulators as leave registers for the rest; long rows in one go,
  // since a row is a stream. Weights end with a whole vector, so that the keys
  // have to divide it.
  int64_t inFlight = spec.target.numVectorRegisters / 2;
  int64_t vectorsInFlight = std::min(valueVectors(), inFlight);
  auto keysInFlight = static_cast<int64_t>(llvm::bit_floor<uint64_t>(
      std::min<int64_t>(4, inFlight / vectorsInFlight)));
  int64_t lastLanes = spec.valueSize - (valueVectors() - 1) * lanes();
  Value tailMask;
  if (lastLanes != lanes())
    tailMask = code.firstLanes(vectorType(), code.index(lastLanes));
  Value correction = code.splat(code.load(element, corrections), vectorType());
  for (int64_t first = 0; first < valueVectors(); first += vectorsInFlight) {
    int64_t count = std::min(vectorsInFlight, valueVectors() - first);
    SmallVector<Value> init(keysInFlight * count,
                            code.constant(vectorType(), 0.0));
    SmallVector<Value> partial = code.loop(
        code.index(0), keys.count, keysInFlight, init,
        [&](Value key, ValueRange carried) {
          SmallVector<Value> next;
          for (int64_t u = 0; u < keysInFlight; ++u) {
            // Weights past the last key are zero.
            Value at = code.add(key, u);
            Value weight = atom.broadcast(code, scratchAt(scores, at));
            Value offset = code.mul(code.min(at, lastKey), stride);
            Value row = code.advance(values, offset, memory);
            if (first == 0)
              fetchRow(memory, row, stride, spec.valueSize);
            for (int64_t j = 0; j < count; ++j) {
              bool isTail = first + j + 1 == valueVectors();
              Value lane =
                  loadNumbers(memory, vectorType(),
                              code.advance(row, (first + j) * lanes(), memory),
                              isTail ? tailMask : Value());
              next.push_back(
                  atom.accumulate(code, carried[next.size()], weight, lane));
            }
          }
          return next;
        });
    for (int64_t j = 0; j < count; ++j) {
      Value at = code.advance(query.outputs, (first + j) * lanes(), element);
      Value sum = arith::MulFOp::create(
          code.builder, code.loc, code.load(vectorType(), at), correction);
      for (int64_t u = 0; u < keysInFlight; ++u)
        sum = arith::AddFOp::create(code.builder, code.loc, sum,
                                    partial[u * count + j]);
      code.store(sum, at);
    }
  }
}
