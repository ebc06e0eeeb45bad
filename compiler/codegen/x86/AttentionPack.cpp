//===- AttentionPack.cpp - Operands of attention's products -----*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Copies queries, keys and values to what the tiles read, converting them on
/// the way. Rows of adjacent elements go there in one pass; others take that of
/// matrix products by way of f32.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/AttentionEmitter.h"
#include "compiler/codegen/x86/Intrinsics.h"
#include "compiler/codegen/x86/PackPanel.h"
#include "compiler/codegen/x86/PackWords.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/Twine.h"

using namespace mlir;
using namespace txc;
using namespace txc::x86;
using arith::CmpIPredicate;

/// \p type with elements of another type.
static Type withElement(Type type, Type element) {
  auto vector = dyn_cast<VectorType>(type);
  return vector ? Type(vector.clone(element)) : element;
}

/// For the names of functions.
static StringRef getMemoryName(Type memory) {
  return memory.isF16() ? "f16" : memory.isBF16() ? "bf16" : "f32";
}

Value AttentionEmitter::loadNumbers(Type memory, Type type, Value from,
                                    Value mask) {
  OpBuilder &b = code.builder;
  bool isNarrow = memory != element;
  // As integers: not every target has vectors of narrow numbers.
  Type loadedType = isNarrow ? withElement(type, b.getI16Type()) : type;
  Value loaded = mask
                     ? code.maskedLoad(cast<VectorType>(loadedType), from, mask)
                     : code.load(loadedType, from);
  if (!isNarrow)
    return loaded;
  loaded =
      arith::BitcastOp::create(b, code.loc, withElement(type, memory), loaded);
  return arith::ExtFOp::create(b, code.loc, type, loaded);
}

void AttentionEmitter::storeNumbers(Value value, Value to, Value mask) {
  OpBuilder &b = code.builder;
  Type type = value.getType(), memory = spec.o.getElement();
  if (memory != element) {
    auto narrow =
        arith::TruncFOp::create(b, code.loc, withElement(type, memory), value);
    // A product that rounds to bf16 takes denormals for zeros anyway.
    if (schedule.type == DotType::bf16)
      narrow.setFastmath(arith::FastMathFlags::afn);
    value = narrow;
    value = arith::BitcastOp::create(b, code.loc,
                                     withElement(type, b.getI16Type()), value);
  }
  if (mask)
    code.maskedStore(value, to, mask);
  else
    code.store(value, to);
}

//===----------------------------------------------------------------------===//
// Queries and keys
//===----------------------------------------------------------------------===//

namespace {
/// Rows of a head's size, whose elements are adjacent.
struct PackedRows {
  Value pointer, stride, count;
};
} // namespace

/// Numbers k to k + depth · lanes - 1 of a row as words, where \p left of them
/// exist and the others are zero.
static Value joinNumbers(CodeBuilder &code, const DotAtom &atom, int64_t left,
                         function_ref<Value(int64_t, Value)> load) {
  SmallVector<Value> vectors;
  auto type = VectorType::get(atom.lanes(), code.builder.getF32Type());
  for (int64_t part = 0; part < atom.depth(); ++part) {
    int64_t first = part * atom.lanes(), count = left - first;
    Value mask;
    if (count < atom.lanes())
      mask = code.firstLanes(type, code.index(count));
    vectors.push_back(count <= 0 ? code.constant(type, 0.0)
                                 : load(first, mask));
  }
  return atom.joinRow(code, vectors, Quantization());
}

/// The same of a row in memory, multiplied by \p factor (null: not).
Value AttentionEmitter::loadRow(Type memory, Value from, int64_t left,
                                Value factor) {
  if (!factor && areFactors(memory)) {
    auto type =
        VectorType::get(tileAtom.depth() * lanes(), code.builder.getI16Type());
    Value mask;
    if (left < type.getNumElements())
      mask = code.firstLanes(type, code.index(left));
    Value numbers =
        mask ? code.maskedLoad(type, from, mask) : code.load(type, from);
    return viewAs(code, numbers, tileAtom.word());
  }
  return joinNumbers(code, tileAtom, left, [&](int64_t number, Value mask) {
    Value vector = loadNumbers(memory, vectorType(),
                               code.advance(from, number, memory), mask);
    return factor
               ? arith::MulFOp::create(code.builder, code.loc, vector, factor)
               : vector;
  });
}

/// Emits a call that packs up to \p width rows to [steps of size][width],
/// multiplied by \p scale (null: not). Vectors of lanes without any row stay as
/// they are, other lanes without one repeat the last.
void AttentionEmitter::emitPackRows(Type memory, Value from,
                                    OpFoldResult rowStride, Value rows,
                                    int64_t width, Value scale, Value to) {
  std::string name =
      ("txc_attention_rows_" + getMemoryName(memory) + "_" +
       getName(tileAtom.type()) + (scale ? "_scaled_" : "_") +
       Twine(spec.size) + "x" + Twine(width) + "_v" + Twine(lanes()))
          .str();
  SmallVector<Value> operands{from, code.index(rowStride), rows, to};
  if (scale)
    operands.push_back(scale);
  auto emitBody = [&](ValueRange args) {
    Value from = args[0], stride = args[1], rows = args[2], to = args[3];
    Value factor;
    if (scale)
      factor = code.splat(args[4], vectorType());
    Value last = code.sub(rows, 1);
    auto emitSquare = [&](Value k, int64_t left, int64_t first) {
      SmallVector<Value> words;
      for (int64_t i = 0; i < lanes(); ++i) {
        // Rows past the width fill the square; their lanes are overwritten.
        Value row = code.min(code.index(std::min(first + i, width - 1)), last);
        Value at =
            code.advance(from, code.add(code.mul(row, stride), k), memory);
        words.push_back(loadRow(memory, at, left, factor));
      }
      emitTranspose(code, words);
      Value firstStep = code.div(k, code.index(tileAtom.depth()));
      int64_t steps = llvm::divideCeil(left, tileAtom.depth());
      for (int64_t i = 0; i < std::min(steps, lanes()); ++i) {
        Value word = code.add(code.mul(code.add(firstStep, i), width), first);
        code.store(words[tileAtom.getRowLane(i)],
                   code.advance(to, word, tileAtom.word()));
      }
    };
    int64_t square = lanes() * tileAtom.depth();
    int64_t full = spec.size / square * square;
    for (int64_t first = 0; first < width; first += lanes()) {
      auto emitColumn = [&] {
        code.loop(code.index(0), code.index(full), square,
                  [&](Value k) { emitSquare(k, square, first); });
        if (full != spec.size)
          emitSquare(code.index(full), spec.size - full, first);
      };
      if (first == 0)
        emitColumn();
      else
        code.ifThen(code.compare(CmpIPredicate::sgt, rows, code.index(first)),
                    emitColumn);
    }
  };
  func::FuncOp callee =
      code.getOrCreateFunction(name, ValueRange(operands).getTypes(), emitBody);
  code.call(callee, operands);
}

/// Copies the queries to [steps of size][queryBlock], scaled.
void AttentionEmitter::packQueries(const Queries &queries) {
  OpBuilder &b = code.builder;
  Type memory = spec.q.getElement();
  Value offset = code.mul(queries.first, code.index(spec.q.strides[2]));
  Value from = code.advance(queries.queries, offset, memory);
  if (isStaticOne(spec.q.strides[3])) {
    Value factor;
    if (factors.ofQueries != 1.0)
      factor = code.constant(element, factors.ofQueries);
    return emitPackRows(memory, from, spec.q.strides[2], queries.count,
                        schedule.queryBlock, factor, queries.panel);
  }
  PanelSource source{from, spec.q.strides[2], spec.q.strides[3], queries.count,
                     code.index(spec.size)};
  Value panel = schedule.converts() ? scaledQueries : queries.panel;
  emitPackPanel(code, element, source, schedule.queryBlock, panel);
  Value factor = code.constant(vectorType(), factors.ofQueries);
  code.loop(code.index(0), code.index(spec.size * schedule.queryBlock), lanes(),
            [&](Value i) {
              Value at = scratchAt(panel, i);
              Value number = code.load(vectorType(), at);
              code.store(arith::MulFOp::create(b, code.loc, number, factor),
                         at);
            });
  if (!schedule.converts())
    return;
  PanelSource scaled{panel, b.getIndexAttr(1),
                     b.getIndexAttr(schedule.queryBlock),
                     code.index(schedule.queryBlock), code.index(spec.size)};
  emitPackWords(code, tileAtom, scaled, schedule.queryBlock, RowScales(),
                numbers, queries.panel);
}

/// Copies a block of keys to panels of scoreKeys.
void AttentionEmitter::packKeys(const Queries &queries, const Keys &keys) {
  Type memory = spec.k.getElement();
  Value stride = code.index(spec.k.strides[2]);
  code.loop(code.index(0), keys.count, schedule.scoreKeys, [&](Value key) {
    Value offset = code.mul(code.add(keys.first, key), stride);
    Value from = code.advance(queries.keys, offset, memory);
    Value left = code.min(code.sub(keys.count, key), schedule.scoreKeys);
    Value to = scratchAt(packedKeys, code.mul(key, sizeSteps()));
    if (isStaticOne(spec.k.strides[3])) {
      emitPackRows(memory, from, spec.k.strides[2], left, schedule.scoreKeys,
                   /*scale=*/Value(), to);
      return;
    }
    PanelSource source{from, spec.k.strides[2], spec.k.strides[3], left,
                       code.index(spec.size)};
    emitPackWords(code, tileAtom, source, schedule.scoreKeys, RowScales(),
                  numbers, to);
  });
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// Calls \p body for tiles of about equal width.
void AttentionEmitter::forEachOutputTile(
    function_ref<void(int64_t firstVector, int64_t vectors)> body) {
  int64_t numTiles = llvm::divideCeil(valueVectors(), schedule.outputVectors);
  int64_t first = 0;
  for (int64_t i = 0; i < numTiles; ++i) {
    int64_t vectors = llvm::divideCeil(valueVectors() - first, numTiles - i);
    body(first, vectors);
    first += vectors;
  }
}

/// Copies a block of values to the columns of each tile.
void AttentionEmitter::packValues(const Queries &queries, const Keys &keys) {
  Type memory = spec.v.getElement();
  Value offset = code.mul(keys.first, code.index(spec.v.strides[2]));
  Value from = code.advance(queries.values, offset, memory);
  Value elementStride = code.index(spec.v.strides[3]);
  forEachOutputTile([&](int64_t first, int64_t vectors) {
    int64_t begin = first * lanes(), width = vectors * lanes();
    int64_t count = std::min(width, spec.valueSize - begin);
    Value column = code.advance(from, code.mul(elementStride, begin), memory);
    Value to = getValueTile(first);
    if (isStaticOne(spec.v.strides[3]))
      return emitPackColumns(column, keys.count, count, vectors, to);
    PanelSource source{column, spec.v.strides[3], spec.v.strides[2],
                       code.index(count), keys.count};
    if (schedule.converts())
      emitPackWords(code, tileAtom, source, width, RowScales(), numbers, to);
    else
      emitPackPanel(code, element, source, width, to);
  });
}

/// Emits a call that packs \p count columns of the values of \p keyCount keys
/// to [steps of keys][vectors]. Numbers of keys past the last are zero.
void AttentionEmitter::emitPackColumns(Value from, Value keyCount,
                                       int64_t count, int64_t vectors,
                                       Value to) {
  Type memory = spec.v.getElement();
  std::string name =
      ("txc_attention_columns_" + getMemoryName(memory) + "_" +
       getName(tileAtom.type()) + "_" + Twine(count) + "_v" + Twine(lanes()))
          .str();
  int64_t depth = tileAtom.depth(), width = vectors * lanes();
  VectorType numbersType = vectorType();
  if (areFactors(memory))
    numbersType = numbersType.clone(code.builder.getI16Type());
  auto emitBody = [&](ValueRange args) {
    Value from = args[0], stride = args[1], keyCount = args[2], to = args[3];
    Value lastMask;
    int64_t lastLanes = count - (vectors - 1) * lanes();
    if (lastLanes != lanes())
      lastMask = code.firstLanes(vectorType(), code.index(lastLanes));
    auto load = [&](Value at, Value mask) {
      if (!areFactors(memory))
        return loadNumbers(memory, vectorType(), at, mask);
      return mask ? code.maskedLoad(numbersType, at, mask)
                  : code.load(numbersType, at);
    };
    auto join = [&](ArrayRef<Value> numbers) {
      if (!areFactors(memory))
        return tileAtom.makeLeftWords(code, numbers, Quantization()).front();
      SmallVector<int64_t> pairs;
      for (int64_t lane = 0; lane < lanes(); ++lane)
        llvm::append_values(pairs, lane, lanes() + lane);
      Value pairsOfLanes = vector::ShuffleOp::create(
          code.builder, code.loc, numbers[0], numbers[1], pairs);
      return viewAs(code, pairsOfLanes, tileAtom.word());
    };
    auto emitStep = [&](Value key, int64_t present) {
      Value step = code.div(key, code.index(depth));
      for (int64_t j = 0; j < vectors; ++j) {
        SmallVector<Value> numbers(depth, code.constant(numbersType, 0.0));
        for (int64_t i = 0; i < present; ++i) {
          Value row =
              code.advance(from, code.mul(code.add(key, i), stride), memory);
          numbers[i] = load(code.advance(row, j * lanes(), memory),
                            j + 1 == vectors ? lastMask : Value());
        }
        Value word = code.add(code.mul(step, width), j * lanes());
        code.store(join(numbers), code.advance(to, word, tileAtom.word()));
      }
    };
    Value whole = code.roundDown(keyCount, depth);
    code.loop(code.index(0), whole, depth,
              [&](Value key) { emitStep(key, depth); });
    if (depth > 1)
      code.loop(whole, keyCount, depth, [&](Value key) { emitStep(key, 1); });
  };
  SmallVector<Value> operands{from, code.index(spec.v.strides[2]), keyCount,
                              to};
  func::FuncOp callee =
      code.getOrCreateFunction(name, ValueRange(operands).getTypes(), emitBody);
  code.call(callee, operands);
}

/// Where the columns from vector \p first on are, if values are copied.
Value AttentionEmitter::getValueTile(int64_t first) {
  int64_t steps = llvm::divideCeil(schedule.keyBlock, tileAtom.depth());
  return code.advance(values, first * lanes() * steps, element);
}
