//===- Attention.cpp - Attention for x86 ------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The loops of attention: tasks, blocks of keys, and the two products of each
/// block.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/Attention.h"
#include "compiler/codegen/x86/AttentionEmitter.h"
#include "compiler/codegen/x86/AttentionMicrokernels.h"
#include "compiler/codegen/x86/PackPanel.h"
#include "compiler/codegen/x86/PackWords.h"
#include <limits>

using namespace mlir;
using namespace txc;
using namespace txc::x86;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

AttentionHead txc::x86::attentionHead(const AttentionSpec &spec) {
  return {spec.size, spec.valueSize,
          /*packsValues=*/!isStaticOne(spec.v.strides[3]),
          /*hasMask=*/bool(spec.mask)};
}

AttentionEmitter::AttentionEmitter(CodeBuilder &code, const DotAtom &atom,
                                   const DotAtom &tileAtom,
                                   const AttentionSpec &spec, Value scratch)
    : code(code), atom(atom), tileAtom(tileAtom), spec(spec),
      schedule(spec.schedule), element(atom.word()), head(attentionHead(spec)),
      S(code.index(spec.queries)), T(code.index(spec.keys)) {
  AttentionScratch layout = layOutAttentionScratch(spec.target, schedule, head);
  Value base = code.pointerTo(scratch);
  auto part = [&](int64_t offset) {
    return code.advance(base, offset, code.builder.getI8Type());
  };
  queryPanel = part(layout.queries);
  scores = part(layout.scores);
  outputs = part(layout.outputs);
  maxima = part(layout.maxima);
  sums = part(layout.sums);
  corrections = part(layout.corrections);
  biases = part(layout.biases);
  valuePanel = part(layout.values);
  queryWords = part(layout.queryWords);
  keyWords = part(layout.keyWords);
  valueWords = part(layout.valueWords);
  numbers = part(layout.numbers);
}

AttentionEmitter::Queries AttentionEmitter::decodeTask(Value task) {
  Value blocks = code.ceilDiv(S, schedule.queryBlock);
  Value heads = code.index(spec.heads);
  Value headTask = code.div(task, blocks);
  Queries queries;
  queries.b = code.div(headTask, heads);
  queries.h = code.rem(headTask, heads);
  queries.first = code.mul(code.rem(task, blocks), schedule.queryBlock);
  queries.count = code.min(code.sub(S, queries.first), schedule.queryBlock);
  Value keyHead = code.div(queries.h, code.index(spec.group));
  queries.keys = code.pointerTo(spec.k, {queries.b, keyHead});
  queries.values = code.pointerTo(spec.v, {queries.b, keyHead});

  queries.keyEnd = T;
  if (spec.validKeys)
    queries.keyEnd =
        code.min(T, spec.validKeys(code.builder, code.loc, queries.b));
  if (spec.causalOffset) {
    Value offset = spec.causalOffset(code.builder, code.loc, queries.b);
    queries.causalLimit = code.add(queries.first, offset);
    queries.keyEnd =
        code.min(queries.keyEnd, code.add(queries.causalLimit, queries.count));
  }
  return queries;
}

void AttentionEmitter::emitTask(Value task) {
  Queries queries = decodeTask(task);
  // Up to here a row at a time costs less than a block of mostly empty lanes.
  constexpr int64_t fewQueries = 4;
  bool readsRows =
      isStaticOne(spec.k.strides[3]) && isStaticOne(spec.v.strides[3]);
  if (std::optional<int64_t> known = staticValue(spec.queries)) {
    int64_t remainder = *known % schedule.queryBlock;
    readsRows &= 0 < remainder && remainder <= fewQueries;
  }
  if (!readsRows)
    return emitBlock(queries);
  Value areFew =
      code.compare(CmpIPredicate::sle, queries.count, code.index(fewQueries));
  code.ifThenElse(
      areFew, [&] { emitRows(queries); }, [&] { emitBlock(queries); });
}

void AttentionEmitter::emitBlock(const Queries &queries) {
  packQueries(queries);
  initializeState(queries);
  code.loop(code.index(0), queries.keyEnd, schedule.keyBlock, [&](Value key) {
    Keys keys{key, code.min(code.sub(queries.keyEnd, key), schedule.keyBlock)};
    emitScores(queries, keys);
    emitSoftmax(queries, keys);
    emitOutputs(queries, keys);
  });
  finish(queries);
}

/// Sets up the running softmax of a block of queries.
void AttentionEmitter::initializeState(const Queries &queries) {
  // The least finite number rather than -inf: the difference of two maxima is
  // never NaN then, and a score of -inf gets no weight while the -3.4e38 of
  // additive masks, when all scores have it, gets a weight of 1 as it should.
  Value least =
      code.constant(vectorType(), std::numeric_limits<float>::lowest());
  // A sum of 1 makes the result for no keys 0.
  Value noKeys = code.compare(CmpIPredicate::eq, T, code.index(0));
  Value sum = code.select(noKeys, code.constant(element, 1.0),
                          code.constant(element, 0.0));
  Value sumVector = code.splat(sum, vectorType());
  Value zero = code.constant(vectorType(), 0.0);
  code.loop(code.index(0), queries.count, lanes(), [&](Value lane) {
    code.store(least, scratchAt(maxima, lane));
    code.store(sumVector, scratchAt(sums, lane));
  });
  Value rows = code.roundUp(queries.count, schedule.outputRows);
  code.loop(code.index(0), code.mul(rows, valueVectors() * lanes()), lanes(),
            [&](Value i) { code.store(zero, scratchAt(outputs, i)); });
}

/// Copies the queries to [size][queryBlock], scaled.
void AttentionEmitter::packQueries(const Queries &queries) {
  Value from = code.pointerTo(spec.q, {queries.b, queries.h, queries.first});
  PanelSource source{from, spec.q.strides[2], spec.q.strides[3], queries.count,
                     code.index(spec.size)};
  emitPackPanel(code, element, source, schedule.queryBlock, queryPanel);
  if (spec.scale != 1.0) {
    Value scale = code.constant(vectorType(), spec.scale);
    code.loop(code.index(0), code.index(spec.size * schedule.queryBlock),
              lanes(), [&](Value i) {
                Value at = scratchAt(queryPanel, i);
                Value value = code.load(vectorType(), at);
                code.store(
                    arith::MulFOp::create(code.builder, code.loc, value, scale),
                    at);
              });
  }
  if (!schedule.converts())
    return;
  OpBuilder &b = code.builder;
  PanelSource panel{queryPanel, b.getIndexAttr(1),
                    b.getIndexAttr(schedule.queryBlock),
                    code.index(schedule.queryBlock), code.index(spec.size)};
  emitPackWords(code, tileAtom, panel, schedule.queryBlock, RowScales(),
                numbers, queryWords);
}

/// Converts a block of keys to panels of scoreKeys.
void AttentionEmitter::packKeys(const Queries &queries, const Keys &keys) {
  Value stride = code.index(spec.k.strides[2]);
  int64_t steps = llvm::divideCeil(spec.size, tileAtom.depth());
  code.loop(code.index(0), keys.count, schedule.scoreKeys, [&](Value key) {
    Value offset = code.mul(code.add(keys.first, key), stride);
    Value left = code.min(code.sub(keys.count, key), schedule.scoreKeys);
    PanelSource source{code.advance(queries.keys, offset, element),
                       spec.k.strides[2], spec.k.strides[3], left,
                       code.index(spec.size)};
    emitPackWords(code, tileAtom, source, schedule.scoreKeys, RowScales(),
                  numbers, scratchAt(keyWords, code.mul(key, steps)));
  });
}

void AttentionEmitter::emitScores(const Queries &queries, const Keys &keys) {
  if (schedule.converts())
    packKeys(queries, keys);
  Value stride = code.index(spec.k.strides[2]);
  int64_t steps = llvm::divideCeil(spec.size, tileAtom.depth());
  code.loop(code.index(0), keys.count, schedule.scoreKeys, [&](Value key) {
    Value offset = code.mul(code.add(keys.first, key), stride);
    ScoreTile tile;
    tile.keysArePacked = schedule.converts();
    tile.keys = tile.keysArePacked
                    ? scratchAt(keyWords, code.mul(key, steps))
                    : code.advance(queries.keys, offset, element);
    tile.keyCount = code.sub(keys.count, key);
    tile.keyStride = stride;
    tile.elementStride = spec.k.strides[3];
    tile.size = code.index(steps);
    code.loop(code.index(0), queries.count, tileLanes(), [&](Value lane) {
      tile.queries =
          scratchAt(schedule.converts() ? queryWords : queryPanel, lane);
      tile.scores = scoresAt(key, lane);
      emitScoreTile(code, tileAtom, schedule, tile);
    });
  });
}

/// Copies a block of values whose elements are not adjacent, or converts it.
/// Returns where they are then, in rows of whole vectors.
Value AttentionEmitter::packValues(const Queries &queries, const Keys &keys) {
  int64_t width = valueVectors() * lanes();
  Value offset = code.mul(keys.first, code.index(spec.v.strides[2]));
  PanelSource source{code.advance(queries.values, offset, element),
                     spec.v.strides[3], spec.v.strides[2],
                     code.index(spec.valueSize), keys.count};
  if (schedule.converts()) {
    emitPackWords(code, tileAtom, source, width, RowScales(), numbers,
                  valueWords);
    return valueWords;
  }
  emitPackPanel(code, element, source, width, valuePanel);
  return valuePanel;
}

void AttentionEmitter::emitOutputs(const Queries &queries, const Keys &keys) {
  Value stride = code.index(spec.v.strides[2]);
  OutputTile tile;
  Value values =
      code.advance(queries.values, code.mul(keys.first, stride), element);
  tile.valueStride = spec.v.strides[2];
  tile.outputPitch = valueVectors() * lanes();
  int64_t lastLanes = spec.valueSize - (valueVectors() - 1) * lanes();
  if (head.packsValues || schedule.converts()) {
    values = packValues(queries, keys);
    tile.valueStride = code.builder.getIndexAttr(tile.outputPitch);
    lastLanes = lanes();
  }
  tile.keyCount = code.ceilDiv(keys.count, tileAtom.depth());

  // Tiles of about equal width.
  int64_t numTiles = llvm::divideCeil(valueVectors(), schedule.outputVectors);
  code.loop(code.index(0), queries.count, schedule.outputRows, [&](Value row) {
    tile.weights = scoresAt(code.index(0), row);
    tile.corrections = scratchAt(corrections, row);
    Value outputRow = scratchAt(outputs, code.mul(row, tile.outputPitch));
    int64_t vector = 0;
    for (int64_t i = 0; i < numTiles; ++i) {
      tile.vectors = llvm::divideCeil(valueVectors() - vector, numTiles - i);
      tile.values = code.advance(values, vector * lanes(), element);
      tile.outputs = code.advance(outputRow, vector * lanes(), element);
      vector += tile.vectors;
      tile.lastLanes = vector == valueVectors() ? lastLanes : lanes();
      emitOutputTile(code, tileAtom, schedule, tile);
    }
  });
}

void AttentionEmitter::finish(const Queries &queries) {
  code.loop(code.index(0), queries.count, 1,
            [&](Value row) { finishRow(queries, row); });
}

void AttentionEmitter::finishRow(const Queries &queries, Value row) {
  Value sumAt = scratchAt(sums, row);
  Value zero = code.constant(element, 0.0);
  auto isEmptySum = [&](Value sum) -> Value {
    return arith::CmpFOp::create(code.builder, code.loc, CmpFPredicate::OEQ,
                                 sum, zero);
  };
  if (spec.fullyMasked == FullyMasked::Uniform)
    code.ifThen(isEmptySum(code.load(element, sumAt)),
                [&] { averageValues(queries, row); });
  Value sum = code.load(element, sumAt);
  Value one = code.constant(element, 1.0);
  // 0 / 0 is the NaN of FullyMasked::NaN.
  Value factor = arith::DivFOp::create(code.builder, code.loc, one, sum);
  Value isEmpty;
  if (spec.fullyMasked == FullyMasked::Zero)
    isEmpty = isEmptySum(sum);
  Value from = scratchAt(outputs, code.mul(row, valueVectors() * lanes()));
  Value to = code.pointerTo(
      spec.o, {queries.b, queries.h, code.add(queries.first, row)});
  storeRow(from, to, factor, isEmpty);
}

/// Replaces a row that saw no key by the sum of all values, and its sum of
/// weights by their number. Rare, so element by element.
void AttentionEmitter::averageValues(const Queries &queries, Value row) {
  Value keyStride = code.index(spec.v.strides[2]);
  Value elementStride = code.index(spec.v.strides[3]);
  Value output = scratchAt(outputs, code.mul(row, valueVectors() * lanes()));
  code.loop(code.index(0), code.index(spec.valueSize), 1, [&](Value i) {
    Value column =
        code.advance(queries.values, code.mul(i, elementStride), element);
    SmallVector<Value> total = code.loop(
        code.index(0), T, 1, {code.constant(element, 0.0)},
        [&](Value key, ValueRange carried) -> SmallVector<Value> {
          Value value = code.load(
              element, code.advance(column, code.mul(key, keyStride), element));
          return {arith::AddFOp::create(code.builder, code.loc, carried.front(),
                                        value)};
        });
    code.store(total.front(), scratchAt(output, i));
  });
  Value count = arith::IndexCastOp::create(code.builder, code.loc,
                                           code.builder.getI64Type(), T);
  count = arith::SIToFPOp::create(code.builder, code.loc, element, count);
  code.store(count, scratchAt(sums, row));
}

/// Stores a row times \p factor, or zeros where \p isEmpty (null: never).
void AttentionEmitter::storeRow(Value from, Value to, Value factor,
                                Value isEmpty) {
  auto scaled = [&](Type type, Value offset) {
    Value value = code.load(type, scratchAt(from, offset));
    auto vector = dyn_cast<VectorType>(type);
    Value byType = vector ? code.splat(factor, vector) : factor;
    value = arith::MulFOp::create(code.builder, code.loc, value, byType);
    return isEmpty ? code.select(isEmpty, code.constant(type, 0.0), value)
                   : value;
  };
  if (!isStaticOne(spec.o.strides[3])) {
    Value stride = code.index(spec.o.strides[3]);
    code.loop(code.index(0), code.index(spec.valueSize), 1, [&](Value i) {
      code.store(scaled(element, i),
                 code.advance(to, code.mul(i, stride), element));
    });
    return;
  }
  int64_t full = spec.valueSize / lanes() * lanes();
  for (int64_t i = 0; i < full; i += lanes())
    code.store(scaled(vectorType(), code.index(i)),
               code.advance(to, i, element));
  if (full == spec.valueSize)
    return;
  Value mask = code.firstLanes(vectorType(), code.index(spec.valueSize - full));
  code.maskedStore(scaled(vectorType(), code.index(full)),
                   code.advance(to, full, element), mask);
}

Value txc::x86::emitAttentionTaskCount(OpBuilder &builder, Location loc,
                                       const AttentionSchedule &schedule,
                                       OpFoldResult batch, OpFoldResult heads,
                                       OpFoldResult queries) {
  VectorTarget target;
  CodeBuilder code(builder, loc, target);
  Value blocks = code.ceilDiv(code.index(queries), schedule.queryBlock);
  return code.mul(code.mul(code.index(batch), code.index(heads)), blocks);
}

LogicalResult txc::x86::emitAttentionTasks(OpBuilder &builder, Location loc,
                                           const AttentionSpec &spec,
                                           Value taskBegin, Value taskEnd,
                                           Value scratch) {
  Type element;
  for (const StridedOperand *operand : {&spec.q, &spec.k, &spec.v, &spec.o}) {
    Type type = cast<MemRefType>(operand->buffer.getType()).getElementType();
    if (element && element != type)
      return emitError(loc) << "x86 attention takes tensors of one type, not "
                            << element << " and " << type;
    element = type;
  }
  FailureOr<DotAtom> atom = DotAtom::get(loc, element, spec.target);
  if (failed(atom))
    return failure();
  CodeBuilder code(builder, loc, spec.target);
  DotAtom tileAtom(builder.getContext(), spec.schedule.type, spec.target);
  AttentionEmitter emitter(code, *atom, tileAtom, spec, scratch);
  code.loop(taskBegin, taskEnd, 1, [&](Value task) { emitter.emitTask(task); });
  return success();
}
