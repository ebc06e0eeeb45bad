//===- Gemm.cpp - Matrix products for x86 -----------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The loops around the microkernel: tasks, blocks along k, panels of columns,
/// tiles of rows, and the hand-over of finished sums.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/Gemm.h"
#include "compiler/codegen/x86/GemmDots.h"
#include "compiler/codegen/x86/GemmMicrokernel.h"
#include "compiler/codegen/x86/PackBytes.h"
#include "compiler/codegen/x86/PackPanel.h"
#include "compiler/codegen/x86/PackWords.h"

using namespace mlir;
using namespace txc;
using namespace txc::x86;
using arith::CmpIPredicate;

namespace {

/// What a task computes. Pointers are to the block's first element.
struct OutputBlock {
  /// Linear batch index, first row and column in C.
  Value b, m0, n0;
  Value rows, columns;
  Value a, bOperand;
  /// i1: the rows are few enough for wide tiles; rows and columns of a tile.
  Value isFew, tileRows, tileColumns;
};

/// A tile of a block: its first row and column, how many rows it has, and the
/// first row of its panel of packed A, a multiple of MR.
struct Tile {
  Value m, n, rows, packedRow;
};

/// A run along k, in steps. `accumulate` and `isLast` are i1.
struct Run {
  Value k0, kCount;
  Value accumulate, isLast;
};

class GemmEmitter {
public:
  GemmEmitter(CodeBuilder &code, const DotAtom &atom, const GemmSpec &spec,
              Value scratch);
  void emitTasks(Value taskBegin, Value taskEnd);

private:
  Value batchPointer(const StridedOperand &operand, Value linearBatch);
  OutputBlock decodeTask(Value task, Value rowBlock);
  bool computesDots() const;
  void emitDots(const OutputBlock &block);
  void emitRuns(const OutputBlock &block, Value mustPackA);
  void emitRun(const OutputBlock &block, const Run &run);
  void packA(const OutputBlock &block, const Run &run);
  void packB(const OutputBlock &block, const Run &run);
  Tile tileAt(const OutputBlock &block, Value packedRow);
  Value panelOfA(const Run &run, Value packedRow);
  void packConverted(const OutputBlock &block, const Run &run);
  bool quantizesRows() const;
  void scaleRows(const OutputBlock &block, Value m, Value rows);
  Value loadPanelSums(const OutputBlock &block, Value n);
  Value finishSums(Value sums, Value m, Value panelSums);
  SmallVector<Value> panelsAt(const OutputBlock &block, const Run &run, Value n,
                              int64_t columns, bool isInside = true);
  void chooseFetches(const OutputBlock &block, const Run &run, const Tile &tile,
                     MicrokernelTile &call);
  SmallVector<Value> nextPanels(const OutputBlock &block, const Run &run,
                                Value n, int64_t columns);
  void emitTile(const OutputBlock &block, const Run &run, const Tile &tile);
  void emitMicrokernels(const OutputBlock &block, const Run &run,
                        const Tile &tile, MicrokernelTile &call);
  void emitTallMicrokernels(const OutputBlock &block, const Run &run,
                            const Tile &tile, MicrokernelTile &call);
  void emitMicrokernel(const OutputBlock &block, const Run &run,
                       const Tile &tile, MicrokernelTile &call, int64_t rows);
  void storeTile(const OutputBlock &block, const Tile &tile, Value c,
                 Value ldc);

  OpFoldResult aStride(unsigned dim) const {
    return spec.a.strides[spec.batch.size() + dim];
  }
  OpFoldResult bStride(unsigned dim) const {
    return spec.b.strides[spec.batch.size() + dim];
  }

  CodeBuilder &code;
  const DotAtom &atom;
  const GemmSpec &spec;
  const GemmSchedule &schedule;
  /// Of A in memory.
  Type element;
  /// Of packed operands and sums.
  Type word;
  Value M, N, K;
  /// How many blocks the rows are cut into, and how many rows these have.
  Value rowBlocks, blockRows;
  /// Steps along k, and words before them in a packed panel of B, a column.
  Value steps;
  int64_t panelHeader;
  Value scratchA, scratchB, scratchC, scratchColumns, numbers;
  RowScales rowScales;
};

} // namespace

/// The number of blocks that \p m rows are cut into, see GemmSchedule::MC.
static Value countRowBlocks(CodeBuilder &code, const GemmSchedule &schedule,
                            Value m) {
  Value two = code.min(code.div(m, code.index(fewestRows)), 2);
  return code.max(code.ceilDiv(m, schedule.MC), two);
}

GemmEmitter::GemmEmitter(CodeBuilder &code, const DotAtom &atom,
                         const GemmSpec &spec, Value scratch)
    : code(code), atom(atom), spec(spec), schedule(spec.schedule),
      element(cast<MemRefType>(spec.a.buffer.getType()).getElementType()),
      word(atom.word()), M(code.index(spec.m)), N(code.index(spec.n)),
      K(code.index(spec.k)), steps(code.ceilDiv(K, atom.depth())),
      panelHeader(schedule.type == DotType::i8 ? 1 : 0) {
  GemmScratch layout = layOutGemmScratch(schedule, !spec.bIsPacked);
  Type byte = code.builder.getI8Type();
  Value base = code.pointerTo(scratch);
  auto part = [&](int64_t offset) { return code.advance(base, offset, byte); };
  scratchA = part(layout.a);
  scratchB = part(layout.b);
  scratchC = part(layout.c);
  scratchColumns = part(layout.columns);
  numbers = part(layout.numbers);
  rowScales = {part(layout.factors), part(layout.scales), part(layout.zeros)};
  rowBlocks = code.max(countRowBlocks(code, schedule, M), 1);
  blockRows = code.roundUp(code.ceilDiv(M, rowBlocks), rowStep);
}

/// The start of batch \p linearBatch, whose last dim varies fastest.
Value GemmEmitter::batchPointer(const StridedOperand &operand,
                                Value linearBatch) {
  SmallVector<Value> subscripts(spec.batch.size());
  for (size_t dim = spec.batch.size(); dim-- > 0;) {
    Value extent = code.index(spec.batch[dim]);
    subscripts[dim] = dim == 0 ? linearBatch : code.rem(linearBatch, extent);
    linearBatch = code.div(linearBatch, extent);
  }
  return code.pointerTo(operand, subscripts);
}

OutputBlock GemmEmitter::decodeTask(Value task, Value rowBlock) {
  Value columnBlocks = code.ceilDiv(N, schedule.NC);
  OutputBlock block;
  block.b = code.div(rowBlock, rowBlocks);
  block.m0 = code.mul(code.rem(rowBlock, rowBlocks), blockRows);
  block.n0 = code.mul(code.rem(task, columnBlocks), schedule.NC);
  block.rows = code.min(code.sub(M, block.m0), blockRows);
  block.columns = code.min(code.sub(N, block.n0), schedule.NC);
  block.isFew =
      code.compare(CmpIPredicate::sle, block.rows, code.index(fewRows));
  block.tileColumns = code.select(block.isFew, code.index(schedule.wideNR),
                                  code.index(schedule.NR));
  // Two equal tiles waste less than a full one and a short one.
  int64_t balanced = schedule.balancedRows();
  Value isTwo =
      code.compare(CmpIPredicate::sle, block.rows, code.index(2 * balanced));
  Value isMore =
      code.compare(CmpIPredicate::sgt, block.rows, code.index(schedule.MR));
  block.tileRows =
      code.select(arith::AndIOp::create(code.builder, code.loc, isTwo, isMore),
                  code.index(balanced), code.index(schedule.MR));

  block.a = code.advance(batchPointer(spec.a, block.b),
                         code.mul(block.m0, code.index(aStride(0))), element);
  // A packed panel of all steps precedes each 16 columns.
  Value columnStride =
      spec.bIsPacked ? code.add(steps, panelHeader) : code.index(bStride(1));
  block.bOperand =
      code.advance(batchPointer(spec.b, block.b),
                   code.mul(block.n0, columnStride), atom.rightWord());
  return block;
}

/// Whether the columns are few, the same for all batches, and lie so that dot
/// products along k read rows as they are.
bool GemmEmitter::computesDots() const {
  auto isStatic = [](int64_t value) {
    return [value](OpFoldResult size) { return staticValue(size) == value; };
  };
  ArrayRef<OpFoldResult> strides = spec.b.strides;
  return schedule.dotColumns != 0 && spec.bIsPacked &&
         isStaticOne(aStride(1)) && atom.rightWord() == word &&
         (llvm::all_of(spec.batch, isStatic(1)) ||
          llvm::all_of(strides.take_front(spec.batch.size()), isStatic(0)));
}

void GemmEmitter::emitDots(const OutputBlock &block) {
  Value last = code.sub(block.rows, 1);
  code.loop(code.index(0), block.rows, dotRows, [&](Value m) {
    SmallVector<Value> rows;
    for (int64_t i = 0; i < dotRows; ++i) {
      // Rows past the last one repeat it; they are not stored.
      Value row = code.min(code.add(m, i), last);
      rows.push_back(code.advance(
          block.a, code.mul(row, code.index(aStride(0))), element));
    }
    emitDotsCall(code, rows, scratchColumns, schedule.dotColumns,
                 schedule.dotSteps, K, scratchC, schedule.NR);
    Tile tile{m, code.index(0), code.min(code.sub(block.rows, m), dotRows), m};
    storeTile(block, tile, scratchC, code.index(schedule.NR));
  });
}

void GemmEmitter::emitTasks(Value taskBegin, Value taskEnd) {
  if (computesDots()) {
    Value firstBatch = batchPointer(spec.b, code.index(0));
    emitUnpackColumns(code, firstBatch, steps, schedule.dotColumns,
                      schedule.dotSteps, scratchColumns);
    return code.loop(taskBegin, taskEnd, 1, [&](Value task) {
      Value rowBlock = code.div(task, code.ceilDiv(N, schedule.NC));
      emitDots(decodeTask(task, rowBlock));
    });
  }
  // Rows packed by one task serve the worker's next one when it computes other
  // columns of the same rows.
  Value none = code.index(-1);
  code.loop(taskBegin, taskEnd, 1, {none},
            [&](Value task, ValueRange packed) -> SmallVector<Value> {
              Value rowBlock = code.div(task, code.ceilDiv(N, schedule.NC));
              OutputBlock block = decodeTask(task, rowBlock);
              Value isNew =
                  code.compare(CmpIPredicate::ne, rowBlock, packed.front());
              emitRuns(block, isNew);
              return {rowBlock};
            });
}

void GemmEmitter::emitRuns(const OutputBlock &block, Value mustPackA) {
  Value no = arith::ConstantIntOp::create(code.builder, code.loc, 0, 1);
  Value yes = arith::ConstantIntOp::create(code.builder, code.loc, 1, 1);
  if (quantizesRows() && schedule.splitsK)
    code.ifThen(mustPackA,
                [&] { scaleRows(block, code.index(0), block.rows); });
  if (!schedule.splitsK) {
    Run run{code.index(0), steps, /*accumulate=*/no, /*isLast=*/yes};
    code.ifThen(mustPackA, [&] { packA(block, run); });
    packB(block, run);
    emitRun(block, run);
    return;
  }
  // Runs of equal length; one even for K = 0, which stores the zeros.
  Value runs = code.max(code.ceilDiv(steps, schedule.KC), 1);
  Value length = code.roundUp(code.ceilDiv(steps, runs), panelLanes);
  Value isOnly = code.compare(CmpIPredicate::eq, runs, code.index(1));
  code.loop(code.index(0), runs, 1, [&](Value i) {
    Run run;
    run.k0 = code.mul(i, length);
    run.kCount = code.min(code.sub(steps, run.k0), length);
    run.accumulate = code.compare(CmpIPredicate::ne, i, code.index(0));
    run.isLast = code.compare(CmpIPredicate::eq, code.add(i, 1), runs);
    Value mustPack =
        schedule.keepsRuns ? mustPackA : code.select(isOnly, mustPackA, yes);
    code.ifThen(mustPack, [&] { packA(block, run); });
    packB(block, run);
    emitRun(block, run);
  });
}

/// The tile, at column 0, whose rows are packed as \p packedRow and following.
Tile GemmEmitter::tileAt(const OutputBlock &block, Value packedRow) {
  // There are two balanced tiles at most.
  Value m = code.select(
      code.compare(CmpIPredicate::eq, packedRow, code.index(schedule.MR)),
      block.tileRows, packedRow);
  return {m, code.index(0), code.min(code.sub(block.rows, m), block.tileRows),
          packedRow};
}

/// Where the panel of packed rows from \p packedRow on is.
Value GemmEmitter::panelOfA(const Run &run, Value packedRow) {
  Value steps = code.mul(packedRow, code.roundUp(run.kCount, panelLanes));
  if (schedule.keepsRuns)
    steps = code.add(steps, code.mul(run.k0, schedule.MC));
  return code.advance(scratchA, code.mul(steps, atom.leftWords()), word);
}

/// Packs the rows that microkernels with more than directRows rows will read.
void GemmEmitter::packA(const OutputBlock &block, const Run &run) {
  if (schedule.packedRows().empty())
    return;
  if (schedule.converts())
    return packConverted(block, run);
  Value stride = code.index(aStride(0));
  Value start =
      code.advance(block.a, code.mul(run.k0, code.index(aStride(1))), element);
  code.loop(code.index(0), block.rows, schedule.MR, [&](Value packedRow) {
    Tile tile = tileAt(block, packedRow);
    Value isPacked = code.compare(CmpIPredicate::sgt, tile.rows,
                                  code.index(schedule.directRows));
    code.ifThen(isPacked, [&] {
      PanelSource source{code.advance(start, code.mul(tile.m, stride), element),
                         aStride(0), aStride(1), tile.rows, run.kCount};
      emitPackPanel(code, element, source, schedule.MR,
                    panelOfA(run, packedRow));
    });
  });
}

/// Whether the rows' numbers become i8 here.
bool GemmEmitter::quantizesRows() const {
  return schedule.type == DotType::i8 &&
         spec.leftNumbers == LeftNumbers::Floats;
}

/// Packs all rows as words of the atom.
void GemmEmitter::packConverted(const OutputBlock &block, const Run &run) {
  Value stride = code.index(aStride(0));
  Value k0 = code.mul(run.k0, atom.depth());
  Value start =
      code.advance(block.a, code.mul(k0, code.index(aStride(1))), element);
  Value count = code.min(code.sub(K, k0), code.mul(run.kCount, atom.depth()));
  code.loop(code.index(0), block.rows, schedule.MR, [&](Value packedRow) {
    Tile tile = tileAt(block, packedRow);
    PanelSource source{code.advance(start, code.mul(tile.m, stride), element),
                       aStride(0), aStride(1), tile.rows, count};
    Value panel = panelOfA(run, packedRow);
    if (spec.leftNumbers != LeftNumbers::Floats)
      return emitPackBytes(code, atom, source,
                           spec.leftNumbers == LeftNumbers::SignedBytes,
                           schedule.MR, panel);
    // With the rows of one panel in L1, reading them a second time is cheap.
    if (quantizesRows() && !schedule.splitsK)
      scaleRows(block, tile.m, tile.rows);
    emitPackWords(code, atom, source, schedule.MR,
                  rowScales.advance(code, tile.m), numbers, panel);
  });
}

/// Finds how the numbers of \p rows rows from \p m on become i8.
void GemmEmitter::scaleRows(const OutputBlock &block, Value m, Value rows) {
  Value start =
      code.advance(block.a, code.mul(m, code.index(aStride(0))), element);
  PanelSource source{start, aStride(0), aStride(1), rows, K};
  emitRowScales(code, source, rowScales.advance(code, m));
}

/// Packs the columns of a tensor to the layout of packed weights.
void GemmEmitter::packB(const OutputBlock &block, const Run &run) {
  if (spec.bIsPacked)
    return;
  Value stride = code.index(bStride(1));
  Value start = code.advance(block.bOperand,
                             code.mul(run.k0, code.index(bStride(0))), element);
  code.loop(code.index(0), block.columns, panelLanes, [&](Value n) {
    PanelSource source{code.advance(start, code.mul(n, stride), element),
                       bStride(1), bStride(0),
                       code.min(code.sub(block.columns, n), panelLanes),
                       run.kCount};
    Value offset = code.mul(n, code.roundUp(run.kCount, panelLanes));
    emitPackPanel(code, element, source, panelLanes,
                  code.advance(scratchB, offset, element));
  });
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
  constexpr int64_t longestWidePanel = 512;
  bool isWide = call.columns == schedule.wideNR;
  // The hardware prefetcher sees several short streams and stops at each page.
  // With few rows a step takes less time, but more panels are read at once.
  Value isDirect = code.compare(CmpIPredicate::sle, tile.rows,
                                code.index(schedule.directRows));
  Value distance = code.index(32 * panelLanes);
  if (!isWide)
    distance = code.select(isDirect, code.index(64 * panelLanes), distance);
  bool fetchesNext =
      isWide && !schedule.splitsK && schedule.KC <= longestWidePanel;
  call.fetched.clear();
  for (Value panel : call.panels)
    call.fetched.push_back(code.advance(panel, distance, atom.rightWord()));
  call.later.clear();
  if (isWide && !fetchesNext)
    return;
  SmallVector<Value> next = nextPanels(block, run, tile.n, call.columns);
  if (isWide) {
    // One tile a column.
    call.fetched = next;
    return;
  }
  constexpr int64_t line = 64;
  Value tiles = code.ceilDiv(block.rows, schedule.MR);
  Value part = code.div(tile.packedRow, code.index(schedule.MR));
  call.laterStride = code.ceilDiv(code.index(line), tiles);
  Value offset = code.mul(code.mul(part, run.kCount), call.laterStride);
  for (Value panel : next)
    call.later.push_back(code.advance(panel, offset, code.builder.getI8Type()));
}

void GemmEmitter::emitRun(const OutputBlock &block, const Run &run) {
  Value count =
      code.select(block.isFew, code.ceilDiv(block.columns, schedule.wideNR),
                  code.ceilDiv(block.columns, schedule.NR));
  code.loop(code.index(0), count, 1, [&](Value i) {
    code.loop(code.index(0), block.rows, schedule.MR, [&](Value packedRow) {
      Tile tile = tileAt(block, packedRow);
      tile.n = code.mul(i, block.tileColumns);
      emitTile(block, run, tile);
    });
  });
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
  // A known M of more rows has no blocks of few, or just one.
  std::optional<int64_t> knownM = staticValue(spec.m);
  if (knownM && *knownM > fewRows)
    return emitTall();
  auto emitFew = [&] {
    withColumns(schedule.wideNR, [&] {
      Value isOne = code.compare(CmpIPredicate::eq, tile.rows, code.index(1));
      code.ifThenElse(
          isOne, [&] { emitMicrokernel(block, run, tile, call, 1); },
          [&] { emitMicrokernel(block, run, tile, call, 2); });
    });
  };
  code.ifThenElse(block.isFew, emitFew, emitTall);
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
  Value first = code.add(code.mul(tile.m, code.index(aStride(0))),
                         code.mul(run.k0, code.index(aStride(1))));
  call.a = {rows, /*packed=*/false, {}, aStride(1)};
  for (int64_t i = 0; i < rows; ++i) {
    // Rows past the last one repeat it; they are not stored.
    Value row = code.min(code.index(i), code.sub(tile.rows, 1));
    Value offset = code.add(first, code.mul(row, code.index(aStride(0))));
    call.a.pointers.push_back(code.advance(block.a, offset, element));
  }
  emitMicrokernelCall(code, atom, schedule, call);
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

Value txc::x86::emitGemmTaskCount(OpBuilder &builder, Location loc,
                                  const GemmSchedule &schedule,
                                  ArrayRef<OpFoldResult> batch, OpFoldResult m,
                                  OpFoldResult n) {
  VectorTarget target;
  CodeBuilder code(builder, loc, target);
  Value count = code.mul(countRowBlocks(code, schedule, code.index(m)),
                         code.ceilDiv(code.index(n), schedule.NC));
  for (OpFoldResult extent : batch)
    count = code.mul(count, code.index(extent));
  return count;
}

LogicalResult txc::x86::emitGemmTasks(OpBuilder &builder, Location loc,
                                      const GemmSpec &spec, Value taskBegin,
                                      Value taskEnd, Value scratch) {
  auto elementOf = [](const StridedOperand &operand) {
    return cast<MemRefType>(operand.buffer.getType()).getElementType();
  };
  DotType type = spec.schedule.type;
  Type f32 = builder.getF32Type();
  bool hasBytes = spec.leftNumbers != LeftNumbers::Floats;
  if (hasBytes && (type != DotType::i8 || !elementOf(spec.a).isInteger(8)))
    return emitError(loc) << "x86 gemm multiplies bytes by i8, not "
                          << elementOf(spec.a) << " in " << getName(type);
  Type right = elementOf(spec.b);
  bool isNarrow = spec.bIsPacked && type == DotType::f32 && right.isInteger(8);
  if (!hasBytes && (elementOf(spec.a) != f32 ||
                    (type == DotType::f32 && right != f32 && !isNarrow)))
    return emitError(loc) << "x86 gemm multiplies operands of type f32, not "
                          << elementOf(spec.a) << " by " << elementOf(spec.b)
                          << "; convert them to f32";
  if (type != DotType::f32 && !spec.bIsPacked)
    return emitError(loc) << "x86 gemm converts its left operand only for "
                             "packed weights";
  CodeBuilder code(builder, loc, spec.target);
  DotAtom atom(builder.getContext(), type, spec.target,
               isNarrow ? right : Type());
  GemmEmitter(code, atom, spec, scratch).emitTasks(taskBegin, taskEnd);
  return success();
}
