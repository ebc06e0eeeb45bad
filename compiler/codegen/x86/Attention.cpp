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
#include <cmath>
#include <limits>

using namespace mlir;
using namespace txc;
using namespace txc::x86;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

AttentionHead txc::x86::attentionHead(const AttentionSpec &spec) {
  return {spec.size,
          spec.valueSize,
          /*packsValues=*/!isStaticOne(spec.v.strides[3]),
          /*hasMask=*/bool(spec.mask),
          /*hasNarrowKeys=*/!spec.k.getElement().isF32(),
          /*hasNarrowValues=*/!spec.v.getElement().isF32()};
}

AttentionEmitter::AttentionEmitter(CodeBuilder &code, const DotAtom &atom,
                                   const DotAtom &tileAtom,
                                   const AttentionSpec &spec, Value buffer)
    : code(code), atom(atom), tileAtom(tileAtom), spec(spec),
      schedule(spec.schedule), element(atom.word()), head(attentionHead(spec)),
      factors(splitScale(spec)), S(code.index(spec.queries)),
      T(code.index(spec.keys)),
      layout(layOutAttentionScratch(spec.target, schedule, head)),
      scratch(code.pointerTo(buffer)) {
  auto part = [&](int64_t offset) {
    return code.advance(scratch, offset, code.builder.getI8Type());
  };
  scores = part(layout.scores);
  blockMaxima = part(layout.blockMaxima);
  corrections = part(layout.corrections);
  ignored = part(layout.ignored);
  biases = part(layout.biases);
  values = part(layout.values);
  scaledQueries = part(layout.queries);
  packedKeys = part(layout.keys);
  numbers = part(layout.numbers);
}

/// Queries that are rounded to bf16 take a power of two only: those that were
/// rounded before stay as they are. The rest, at least 1, costs scores nothing.
AttentionEmitter::ScaleFactors
AttentionEmitter::splitScale(const AttentionSpec &spec) {
  if (spec.schedule.type != DotType::bf16 ||
      !std::isnormal(static_cast<float>(spec.scale)))
    return {spec.scale, 1.0};
  double power = std::scalbn(1.0, std::ilogb(spec.scale));
  return {std::copysign(power, spec.scale), std::abs(spec.scale) / power};
}

//===----------------------------------------------------------------------===//
// Tasks
//===----------------------------------------------------------------------===//

AttentionEmitter::Queries AttentionEmitter::decodeTask(Value task) {
  Value blocks = code.ceilDiv(S, schedule.queryBlock);
  Value heads = code.index(spec.heads);
  Value headTask = code.div(task, blocks);
  Queries queries;
  queries.b = code.div(headTask, heads);
  queries.h = code.rem(headTask, heads);
  queries.block = code.rem(task, blocks);
  queries.first = code.mul(queries.block, schedule.queryBlock);
  Value keyHead = code.div(queries.h, code.index(spec.group));
  SmallVector<Value> query = {queries.b, queries.h}, key = {queries.b, keyHead};
  queries.queryTotal = S;
  queries.keyTotal = T;
  if (spec.firstRow) {
    Value row = spec.firstRow(code.builder, code.loc, queries.b);
    Value next = spec.firstRow(code.builder, code.loc, code.add(queries.b, 1));
    query.push_back(row);
    key.push_back(row);
    queries.queryTotal = queries.keyTotal = code.sub(next, row);
  }
  queries.count = code.min(code.sub(queries.queryTotal, queries.first),
                           schedule.queryBlock);
  queries.queries = code.pointerTo(spec.q, query);
  queries.results = code.pointerTo(spec.o, query);
  queries.keys = code.pointerTo(spec.k, key);
  queries.values = code.pointerTo(spec.v, key);

  queries.keyCount = queries.keyTotal;
  if (spec.validKeys)
    queries.keyCount = code.min(
        queries.keyTotal, spec.validKeys(code.builder, code.loc, queries.b));
  queries.keyEnd = queries.keyCount;
  if (spec.causalOffset) {
    Value offset = spec.causalOffset(code.builder, code.loc, queries.b);
    queries.causalLimit = code.add(queries.first, offset);
    queries.keyEnd = code.min(queries.keyCount,
                              code.add(queries.causalLimit, queries.count));
  }
  setState(queries, code.index(0));
  return queries;
}

void AttentionEmitter::setState(Queries &queries, Value slot) {
  Type byte = code.builder.getI8Type();
  Value base =
      code.advance(code.advance(scratch, layout.blocks, byte),
                   code.mul(slot, code.index(layout.blockBytes)), byte);
  queries.panel = code.advance(base, layout.panel, byte);
  queries.outputs = code.advance(base, layout.outputs, byte);
  queries.maxima = code.advance(base, layout.maxima, byte);
  queries.sums = code.advance(base, layout.sums, byte);
}

/// The block of the same head that comes \p number blocks later.
AttentionEmitter::Queries AttentionEmitter::advanceBlock(const Queries &first,
                                                         Value number) {
  Queries queries = first;
  Value distance = code.mul(number, schedule.queryBlock);
  queries.block = code.add(first.block, number);
  queries.first = code.add(first.first, distance);
  queries.count = code.min(code.sub(queries.queryTotal, queries.first),
                           schedule.queryBlock);
  if (first.causalLimit) {
    queries.causalLimit = code.add(first.causalLimit, distance);
    queries.keyEnd =
        code.min(first.keyCount, code.add(queries.causalLimit, queries.count));
  }
  setState(queries, number);
  return queries;
}

void AttentionEmitter::emitTask(Value task, Value begin, Value end) {
  Queries queries = decodeTask(task);
  // Up to here a row at a time costs less than a block of mostly empty lanes.
  constexpr int64_t fewQueries = 4;
  bool readsRows =
      isStaticOne(spec.k.strides[3]) && isStaticOne(spec.v.strides[3]);
  std::optional<int64_t> known = staticValue(spec.queries);
  if (known && !spec.firstRow) {
    int64_t remainder = *known % schedule.queryBlock;
    readsRows &= 0 < remainder && remainder <= fewQueries;
  }
  // The first task of some that go together does them all. Which ones are there
  // changes no bits: a block goes through the same keys either way.
  auto emitTogether = [&] {
    Value total = queries.queryTotal;
    Value fullBlocks = code.ceilDiv(
        readsRows ? code.sub(total, fewQueries) : total, schedule.queryBlock);
    Value number = code.rem(queries.block, code.index(schedule.blocksTogether));
    Value isFirst = code.compare(CmpIPredicate::eq, task, begin);
    Value isStart = code.compare(CmpIPredicate::eq, number, code.index(0));
    Value count = code.sub(code.index(schedule.blocksTogether), number);
    count = code.min(count, code.sub(end, task));
    count = code.min(count, code.sub(fullBlocks, queries.block));
    code.ifThen(arith::OrIOp::create(code.builder, code.loc, isFirst, isStart),
                [&] { emitBlocks(queries, count); });
  };
  auto emit = [&] {
    if (!readsRows)
      return emitTogether();
    Value areFew =
        code.compare(CmpIPredicate::sle, queries.count, code.index(fewQueries));
    code.ifThenElse(areFew, [&] { emitRows(queries); }, emitTogether);
  };
  if (!spec.firstRow)
    return emit();
  // Tasks are as many as the longest sequence has; others have ended before.
  code.ifThen(code.compare(CmpIPredicate::sgt, queries.count, code.index(0)),
              emit);
}

void AttentionEmitter::emitBlocks(const Queries &first, Value count) {
  auto forEachBlock = [&](function_ref<void(const Queries &)> body) {
    code.loop(code.index(0), count, 1,
              [&](Value number) { body(advanceBlock(first, number)); });
  };
  forEachBlock([&](const Queries &queries) {
    packQueries(queries);
    initializeState(queries);
  });
  Value end = advanceBlock(first, code.sub(count, 1)).keyEnd;
  code.loop(code.index(0), end, schedule.keyBlock, [&](Value key) {
    Keys all{key, code.min(code.sub(end, key), schedule.keyBlock)};
    if (copiesKeys())
      packKeys(first, all);
    if (copiesValues())
      packValues(first, all);
    Value biasesCount;
    if (spec.mask && spec.maskIsPerKey)
      biasesCount = loadKeyBiases(first, all);
    forEachBlock([&](const Queries &queries) {
      Keys keys{key,
                code.min(code.sub(queries.keyEnd, key), schedule.keyBlock)};
      auto emit = [&] {
        Value plain = countPlainKeys(queries, keys, biasesCount);
        code.loop(code.index(0), queries.count, tileLanes(), [&](Value lane) {
          auto emitLanes = [&](int64_t vectors) {
            emitScores(queries, keys, lane, vectors, plain);
            softmaxLanes(queries, keys, lane, vectors);
          };
          Value isNarrow =
              code.compare(CmpIPredicate::sle, code.sub(queries.count, lane),
                           code.index(lanes()));
          code.ifThenElse(
              isNarrow, [&] { emitLanes(1); },
              [&] { emitLanes(schedule.scoreVectors); });
        });
        emitOutputs(queries, keys);
      };
      if (!spec.causalOffset)
        return emit();
      // Earlier blocks may see none of these keys.
      code.ifThen(code.compare(CmpIPredicate::sgt, keys.count, code.index(0)),
                  emit);
    });
  });
  forEachBlock([&](const Queries &queries) { finish(queries); });
}

/// Sets up the running softmax of a block of queries.
void AttentionEmitter::initializeState(const Queries &queries) {
  // The least finite number rather than -inf: the difference of two maxima is
  // never NaN then, and a score of -inf gets no weight while the -3.4e38 of
  // additive masks, when all scores have it, gets a weight of 1 as it should.
  Value least =
      code.constant(vectorType(), std::numeric_limits<float>::lowest());
  // A sum of 1 makes the result for no keys 0.
  Value noKeys =
      code.compare(CmpIPredicate::eq, queries.keyTotal, code.index(0));
  Value sum = code.select(noKeys, code.constant(element, 1.0),
                          code.constant(element, 0.0));
  Value sumVector = code.splat(sum, vectorType());
  Value zero = code.constant(vectorType(), 0.0);
  code.loop(code.index(0), queries.count, lanes(), [&](Value lane) {
    code.store(least, scratchAt(queries.maxima, lane));
    code.store(sumVector, scratchAt(queries.sums, lane));
  });
  Value rows = code.roundUp(queries.count, schedule.outputRows);
  code.loop(code.index(0), code.mul(rows, valueVectors() * lanes()), lanes(),
            [&](Value i) { code.store(zero, scratchAt(queries.outputs, i)); });
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Scores of the queries from \p lane on, and the maxima including them. The
/// first \p plain keys' scores are what the softmax takes, the others change.
void AttentionEmitter::emitScores(const Queries &queries, const Keys &keys,
                                  Value lane, int64_t vectors, Value plain) {
  for (int64_t j = 0; j < vectors; ++j) {
    Value at = code.add(lane, j * lanes());
    code.store(code.load(vectorType(), scratchAt(queries.maxima, at)),
               scratchAt(blockMaxima, at));
  }
  Value stride = code.index(spec.k.strides[2]);
  ScoreTile tile;
  tile.keysArePacked = copiesKeys();
  tile.keyStride = stride;
  tile.elementStride = spec.k.strides[3];
  tile.size = code.index(sizeSteps());
  tile.queries = scratchAt(queries.panel, lane);
  tile.vectors = vectors;
  code.loop(code.index(0), keys.count, schedule.scoreKeys, [&](Value key) {
    Value offset = code.mul(code.add(keys.first, key), stride);
    tile.keys = tile.keysArePacked
                    ? scratchAt(packedKeys, code.mul(key, sizeSteps()))
                    : code.advance(queries.keys, offset, element);
    tile.keyCount = code.sub(keys.count, key);
    tile.scores = scoresAt(key, lane);
    Value isPlain = code.compare(CmpIPredicate::slt, key, plain);
    tile.maxima = scratchAt(code.select(isPlain, blockMaxima, ignored), lane);
    emitScoreTile(code, tileAtom, schedule, tile);
  });
  for (int64_t j = 0; j < vectors; ++j)
    transformScores(queries, keys, plain, code.add(lane, j * lanes()));
}

void AttentionEmitter::emitOutputs(const Queries &queries, const Keys &keys) {
  Value offset = code.mul(keys.first, code.index(spec.v.strides[2]));
  Value from = code.advance(queries.values, offset, element);
  OutputTile tile;
  tile.outputPitch = valueVectors() * lanes();
  int64_t lastLanes = spec.valueSize - (valueVectors() - 1) * lanes();
  forEachOutputTile([&](int64_t first, int64_t vectors) {
    bool isLast = first + vectors == valueVectors();
    tile.vectors = vectors;
    tile.lastLanes = isLast && !copiesValues() ? lastLanes : lanes();
    tile.values = copiesValues() ? getValueTile(first)
                                 : code.advance(from, first * lanes(), element);
    tile.valueStride =
        copiesValues()
            ? OpFoldResult(code.builder.getIndexAttr(vectors * lanes()))
            : spec.v.strides[2];
    code.loop(
        code.index(0), queries.count, schedule.outputRows, [&](Value row) {
          Value seen = keys.count;
          if (queries.causalLimit) {
            // Of the last of the rows.
            Value limit = code.add(queries.causalLimit,
                                   code.add(row, schedule.outputRows));
            seen = code.min(seen, code.max(code.sub(limit, keys.first), 0));
          }
          tile.keyCount = code.ceilDiv(seen, tileAtom.depth());
          tile.weights = scoresAt(code.index(0), row);
          tile.corrections = scratchAt(corrections, row);
          Value outputRow =
              scratchAt(queries.outputs, code.mul(row, tile.outputPitch));
          tile.outputs = code.advance(outputRow, first * lanes(), element);
          emitOutputTile(code, tileAtom, schedule, tile);
        });
  });
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

void AttentionEmitter::finish(const Queries &queries) {
  code.loop(code.index(0), queries.count, 1,
            [&](Value row) { finishRow(queries, row); });
}

void AttentionEmitter::finishRow(const Queries &queries, Value row) {
  Value sumAt = scratchAt(queries.sums, row);
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
  Value from =
      scratchAt(queries.outputs, code.mul(row, valueVectors() * lanes()));
  Value offset =
      code.mul(code.add(queries.first, row), code.index(spec.o.strides[2]));
  Value to = code.advance(queries.results, offset, spec.o.getElement());
  storeRow(from, to, factor, isEmpty);
}

/// Replaces a row that saw no key by the sum of all values, and its sum of
/// weights by their number. Rare, so element by element.
void AttentionEmitter::averageValues(const Queries &queries, Value row) {
  Value keyStride = code.index(spec.v.strides[2]);
  Value elementStride = code.index(spec.v.strides[3]);
  Value output =
      scratchAt(queries.outputs, code.mul(row, valueVectors() * lanes()));
  Type memory = spec.v.getElement();
  code.loop(code.index(0), code.index(spec.valueSize), 1, [&](Value i) {
    Value column =
        code.advance(queries.values, code.mul(i, elementStride), memory);
    SmallVector<Value> total = code.loop(
        code.index(0), queries.keyTotal, 1, {code.constant(element, 0.0)},
        [&](Value key, ValueRange carried) -> SmallVector<Value> {
          Value value = loadNumbers(
              memory, element,
              code.advance(column, code.mul(key, keyStride), memory));
          return {arith::AddFOp::create(code.builder, code.loc, carried.front(),
                                        value)};
        });
    code.store(total.front(), scratchAt(output, i));
  });
  Value count = arith::IndexCastOp::create(
      code.builder, code.loc, code.builder.getI64Type(), queries.keyTotal);
  count = arith::SIToFPOp::create(code.builder, code.loc, element, count);
  code.store(count, scratchAt(queries.sums, row));
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
  Type memory = spec.o.getElement();
  if (!isStaticOne(spec.o.strides[3])) {
    Value stride = code.index(spec.o.strides[3]);
    code.loop(code.index(0), code.index(spec.valueSize), 1, [&](Value i) {
      storeNumbers(scaled(element, i),
                   code.advance(to, code.mul(i, stride), memory));
    });
    return;
  }
  int64_t full = spec.valueSize / lanes() * lanes();
  for (int64_t i = 0; i < full; i += lanes())
    storeNumbers(scaled(vectorType(), code.index(i)),
                 code.advance(to, i, memory));
  if (full == spec.valueSize)
    return;
  Value mask = code.firstLanes(vectorType(), code.index(spec.valueSize - full));
  storeNumbers(scaled(vectorType(), code.index(full)),
               code.advance(to, full, memory), mask);
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
  for (const StridedOperand *operand : {&spec.q, &spec.k, &spec.v, &spec.o}) {
    Type memory = operand->getElement();
    if (!memory.isF32() && !memory.isF16() && !memory.isBF16())
      return emitError(loc) << "x86 attention takes tensors of f32, f16 or "
                               "bf16, not "
                            << memory;
    if (!memory.isF32() && operand != &spec.o &&
        !isStaticOne(operand->strides[3]))
      return emitError(loc) << "x86 attention takes tensors of " << memory
                            << " with adjacent elements only";
  }
  CodeBuilder code(builder, loc, spec.target);
  DotAtom atom(builder.getContext(), DotType::f32, spec.target);
  DotAtom tileAtom(builder.getContext(), spec.schedule.type, spec.target);
  AttentionEmitter emitter(code, atom, tileAtom, spec, scratch);
  code.loop(taskBegin, taskEnd, 1,
            [&](Value task) { emitter.emitTask(task, taskBegin, taskEnd); });
  return success();
}
