//===- GemmTiles.cpp - The tiles of a product -------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The microkernels of a tile, what they fetch ahead, and the hand-over of
/// finished sums.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/GemmEmitter.h"
#include "compiler/codegen/x86/GemmStream.h"
#include "compiler/codegen/x86/PackNumbers.h"

using namespace mlir;
using namespace txc;
using namespace txc::x86;
using arith::CmpIPredicate;

/// The tile, at column 0, whose rows are packed as \p packedRow and following.
Tile GemmEmitter::tileAt(const OutputBlock &block, Value packedRow) {
  // There are two balanced tiles at most.
  Value m = code.select(
      code.compare(CmpIPredicate::eq, packedRow, code.index(schedule.MR)),
      block.tileRows, packedRow);
  return {m, code.index(0), code.min(code.sub(block.rows, m), block.tileRows),
          packedRow};
}

/// The panels of the tile at column \p n of the block. One that is to be read
/// must be inside: a tile that reaches past the last panel reads that one again
/// instead; the columns are not stored.
SmallVector<Value> GemmEmitter::panelsAt(const OutputBlock &block,
                                         const Run &run, Value n,
                                         int64_t columns, bool isInside) {
  Value base = scratchB;
  if (spec.bIsPacked)
    base = code.advance(
        block.bOperand,
        code.mul(code.add(run.k0, panelHeader), code.index(panelLanes)),
        atom.rightWord());
  Value lanePitch = spec.bIsPacked ? code.add(steps, panelHeader)
                                   : code.roundUp(run.kCount, panelLanes);
  Value lastPanel = code.roundDown(code.sub(block.columns, 1), panelLanes);
  Value first = code.roundDown(n, panelLanes);
  // Tiles narrower than a panel start inside it.
  Value inPanel = code.sub(n, first);
  SmallVector<Value> panels;
  for (int64_t column = 0; column < columns; column += panelLanes) {
    Value panel = code.add(first, column);
    if (isInside)
      panel = code.min(panel, lastPanel);
    Value offset = code.add(code.mul(panel, lanePitch), inPanel);
    panels.push_back(code.advance(base, offset, atom.rightWord()));
  }
  return panels;
}

/// The panels of the tiles that come after those at column \p n: of the same
/// run, the next one, or the next task.
SmallVector<Value> GemmEmitter::nextPanels(const OutputBlock &block,
                                           const Run &run, Value n,
                                           int64_t columns) {
  Value next = code.add(n, block.tileColumns);
  if (!schedule.splitsK)
    return panelsAt(block, run, next, columns, /*isInside=*/false);
  Value isLast = code.compare(CmpIPredicate::sge, next, block.columns);
  Value zero = code.index(0);
  Run after = run;
  after.k0 = code.select(
      isLast, code.select(run.isLast, zero, code.add(run.k0, run.kCount)),
      run.k0);
  Value isNextRun =
      arith::AndIOp::create(code.builder, code.loc, isLast,
                            code.compare(CmpIPredicate::ne, after.k0, zero));
  return panelsAt(block, after, code.select(isNextRun, zero, next), columns,
                  /*isInside=*/false);
}

/// What a tile fetches meanwhile: its own panels further on and its part of the
/// panels that come next, which are in memory: all tiles of a column share that
/// work, so that none waits for memory.
void GemmEmitter::chooseFetches(const OutputBlock &block, const Run &run,
                                const Tile &tile, MicrokernelTile &call) {
  // The hardware prefetcher sees several short streams and stops at each page.
  // With few rows a step takes less time.
  Value isDirect = code.compare(CmpIPredicate::sle, tile.rows,
                                code.index(schedule.directRows));
  Value distance = code.select(isDirect, code.index(64 * panelLanes),
                               code.index(32 * panelLanes));
  call.fetched.clear();
  for (Value panel : call.panels)
    call.fetched.push_back(code.advance(panel, distance, atom.rightWord()));
  call.later.clear();
  SmallVector<Value> next = nextPanels(block, run, tile.n, call.columns);
  constexpr int64_t line = 64;
  Value tiles = code.ceilDiv(block.rows, schedule.MR);
  Value part = code.div(tile.packedRow, code.index(schedule.MR));
  call.laterStride = code.ceilDiv(code.index(line), tiles);
  Value offset = code.mul(code.mul(part, run.kCount), call.laterStride);
  for (Value panel : next)
    call.later.push_back(code.advance(panel, offset, code.builder.getI8Type()));
}

void GemmEmitter::emitTile(const OutputBlock &block, const Run &run,
                           const Tile &tile) {
  // Sums that more runs will add to need a place of their own; finished ones
  // pass through a tile that stays in L1.
  MicrokernelTile call;
  call.ldc = schedule.splitsK ? code.index(schedule.NC) : block.tileColumns;
  call.c =
      schedule.splitsK
          ? code.advance(scratchC, code.add(code.mul(tile.m, call.ldc), tile.n),
                         word)
          : scratchC;
  call.kCount = run.kCount;
  call.accumulate = run.accumulate;
  Value isTall = arith::XOrIOp::create(
      code.builder, code.loc, block.isFew,
      arith::ConstantIntOp::create(code.builder, code.loc, 1, 1));
  code.ifThen(arith::AndIOp::create(code.builder, code.loc, run.isLast, isTall),
              [&] { fetchTile(block, tile); });
  emitMicrokernels(block, run, tile, call);
  code.ifThen(run.isLast, [&] { storeTile(block, tile, call.c, call.ldc); });
}

/// Calls the smallest microkernel that covers the tile.
void GemmEmitter::emitMicrokernels(const OutputBlock &block, const Run &run,
                                   const Tile &tile, MicrokernelTile &call) {
  auto withColumns = [&](int64_t columns, llvm::function_ref<void()> emit) {
    call.columns = columns;
    call.panels = panelsAt(block, run, tile.n, columns);
    chooseFetches(block, run, tile, call);
    emit();
  };
  auto emitTall = [&] {
    auto emitFull = [&] {
      withColumns(schedule.NR,
                  [&] { emitTallMicrokernels(block, run, tile, call); });
    };
    if (!schedule.hasNarrowTile)
      return emitFull();
    Value isNarrow =
        code.compare(CmpIPredicate::sle, code.sub(block.columns, tile.n),
                     code.index(panelLanes));
    code.ifThenElse(
        isNarrow,
        [&] {
          withColumns(panelLanes,
                      [&] { emitTallMicrokernels(block, run, tile, call); });
        },
        emitFull);
  };
  code.ifThenElse(
      block.isFew, [&] { emitFewRows(block, run, tile, call.c, call.ldc); },
      emitTall);
}

void GemmEmitter::emitTallMicrokernels(const OutputBlock &block, const Run &run,
                                       const Tile &tile,
                                       MicrokernelTile &call) {
  SmallVector<int64_t> counts = schedule.packedRows();
  if (schedule.directRows)
    counts.push_back(schedule.directRows);
  std::function<void(size_t)> choose = [&](size_t i) {
    if (i + 1 == counts.size())
      return emitMicrokernel(block, run, tile, call, counts[i]);
    Value needed =
        code.compare(CmpIPredicate::sgt, tile.rows, code.index(counts[i + 1]));
    code.ifThenElse(
        needed, [&] { emitMicrokernel(block, run, tile, call, counts[i]); },
        [&] { choose(i + 1); });
  };
  choose(0);
}

/// Calls the microkernel of \p rows rows.
void GemmEmitter::emitMicrokernel(const OutputBlock &block, const Run &run,
                                  const Tile &tile, MicrokernelTile &call,
                                  int64_t rows) {
  if (rows > schedule.directRows) {
    call.a = {rows, /*packed=*/true, {panelOfA(run, tile.packedRow)}, {}};
    return emitMicrokernelCall(code, atom, schedule, call);
  }
  call.a = {rows, /*packed=*/false, rowsOfTile(block, run, tile, rows),
            aStride(1)};
  emitMicrokernelCall(code, atom, schedule, call);
}

/// The first \p count rows of the tile where they lie. Those past the last one
/// repeat it; they are not stored.
SmallVector<Value> GemmEmitter::rowsOfTile(const OutputBlock &block,
                                           const Run &run, const Tile &tile,
                                           int64_t count) {
  Value first = code.add(code.mul(tile.m, code.index(aStride(0))),
                         code.mul(run.k0, code.index(aStride(1))));
  SmallVector<Value> rows;
  for (int64_t i = 0; i < count; ++i) {
    Value row = code.min(code.index(i), code.sub(tile.rows, 1));
    Value offset = code.add(first, code.mul(row, code.index(aStride(0))));
    rows.push_back(code.advance(block.a, offset, element));
  }
  return rows;
}

/// Streams all columns of a block of few rows through the microkernel for the
/// next power of two of them.
void GemmEmitter::emitFewRows(const OutputBlock &block, const Run &run,
                              const Tile &tile, Value c, Value ldc) {
  GemmStream stream;
  stream.packedWidth = schedule.fewRows;
  stream.panels =
      code.advance(block.bOperand, panelHeader * panelLanes, atom.rightWord());
  stream.panelPitch = code.mul(code.add(steps, panelHeader), panelLanes);
  stream.panelCount = code.ceilDiv(block.columns, panelLanes);
  stream.steps = steps;
  stream.c = c;
  stream.ldc = ldc;
  std::function<void(int64_t)> choose = [&](int64_t count) {
    auto emit = [&] {
      stream.a = {count, schedule.converts(), {scratchA}, aStride(1)};
      if (!schedule.converts())
        stream.a.pointers = rowsOfTile(block, run, tile, count);
      emitStreamCall(code, atom, stream);
    };
    if (count == schedule.fewRows)
      return emit();
    Value covers =
        code.compare(CmpIPredicate::sle, tile.rows, code.index(count));
    code.ifThenElse(covers, emit, [&] { choose(2 * count); });
  };
  choose(1);
}

/// What a unit of a row's zero has added to the sums from column \p n of the
/// block on; null when the factors have none.
Value GemmEmitter::loadPanelSums(const OutputBlock &block, Value n) {
  bool hasZeros = spec.leftNumbers == LeftNumbers::SignedBytes ||
                  (quantizesRows() && atom.isLeftUnsigned());
  if (!hasZeros)
    return {};
  Value panel = code.roundDown(n, panelLanes);
  Value pitch = code.add(steps, panelHeader);
  Value offset = code.add(code.mul(panel, pitch), code.sub(n, panel));
  return code.load(atom.accumulator(),
                   code.advance(block.bOperand, offset, word));
}

/// Sums of the factors, for row \p m of the block, as sums of what the factors
/// stand for.
Value GemmEmitter::finishSums(Value sums, Value m, Value panelSums) {
  OpBuilder &b = code.builder;
  RowScales row = rowScales.advance(code, m);
  if (panelSums) {
    Value zero = quantizesRows() ? code.load(word, row.zeros)
                                 : code.constant(word, signedByteZero);
    Value correction = arith::MulIOp::create(
        b, code.loc, panelSums, code.splat(zero, atom.accumulator()));
    sums = arith::AddIOp::create(b, code.loc, sums, correction);
  }
  if (!quantizesRows())
    return sums;
  auto type = VectorType::get(atom.lanes(), element);
  Value integers = arith::SIToFPOp::create(b, code.loc, type, sums);
  Value scale = code.splat(code.load(element, row.scales), type);
  return arith::MulFOp::create(b, code.loc, integers, scale);
}

/// Where C is in memory, each of a tile's rows would wait for it: some lines a
/// row, too few for a prefetcher. They come while the tile is computed, unless
/// that takes no longer than fetching them.
void GemmEmitter::fetchTile(const OutputBlock &block, const Tile &tile) {
  constexpr int64_t shortest = 64, lineColumns = 64 / 4;
  std::optional<int64_t> k = staticValue(spec.k);
  if (!spec.fetch || (k && *k < shortest * atom.depth()))
    return;
  Value m0 = code.add(block.m0, tile.m), n0 = code.add(block.n0, tile.n);
  code.loop(code.index(0), tile.rows, 1, [&](Value i) {
    for (int64_t n = 0; n < schedule.NR; n += lineColumns)
      spec.fetch(code.builder, code.loc, block.b, code.add(m0, i),
                 code.add(n0, n));
  });
}

/// Hands the finished tile to the caller, vector by vector. A loop rather than
/// straight code: an epilogue may be long, and then appears twice, not for
/// every accumulator. Its inner one goes down the rows, of which there are
/// more.
void GemmEmitter::storeTile(const OutputBlock &block, const Tile &tile, Value c,
                            Value ldc) {
  int64_t lanes = atom.lanes();
  Value columns = code.min(code.sub(block.columns, tile.n), block.tileColumns);
  Value full = code.roundDown(columns, lanes);
  Value m0 = code.add(block.m0, tile.m), n0 = code.add(block.n0, tile.n);
  auto emitVectors = [&](Value j, Value mask) {
    Value panelSums = loadPanelSums(block, code.add(tile.n, j));
    Value column = code.advance(c, j, word);
    code.loop(code.index(0), tile.rows, 1, [&](Value i) {
      Value sums = code.load(atom.accumulator(),
                             code.advance(column, code.mul(i, ldc), word));
      sums = finishSums(sums, code.add(tile.m, i), panelSums);
      spec.store(code.builder, code.loc, sums, block.b, code.add(m0, i),
                 code.add(n0, j), mask);
    });
  };
  code.loop(code.index(0), full, lanes,
            [&](Value j) { emitVectors(j, /*mask=*/Value()); });
  // Blocks start at multiples of the vector length, so only N decides.
  std::optional<int64_t> knownN = staticValue(spec.n);
  if (knownN && *knownN % lanes == 0)
    return;
  Value hasTail = code.compare(CmpIPredicate::slt, full, columns);
  code.ifThen(hasTail, [&] {
    emitVectors(full,
                code.firstLanes(atom.accumulator(), code.sub(columns, full)));
  });
}
