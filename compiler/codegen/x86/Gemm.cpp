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
  void emitRuns(const OutputBlock &block, Value mustPackA);
  void emitRun(const OutputBlock &block, const Run &run);
  void packA(const OutputBlock &block, const Run &run);
  void packB(const OutputBlock &block, const Run &run);
  Value panelOfA(const Run &run, Value m);
  void packConverted(const OutputBlock &block, const Run &run);
  bool quantizesRows() const;
  void scaleRows(const OutputBlock &block);
  Value finishSums(const OutputBlock &block, Value sums, Value m, Value n);
  Value correctSums(const OutputBlock &block, Value sums, Value zero, Value n);
  SmallVector<Value> panelsAt(const OutputBlock &block, const Run &run,
                              Value n);
  SmallVector<Value> fetchedPanels(const OutputBlock &block, const Run &run,
                                   Value n, Value m, Value rows,
                                   ValueRange panels);
  void emitTile(const OutputBlock &block, const Run &run, Value n, Value m);
  void emitMicrokernels(const OutputBlock &block, const Run &run, Value m,
                        Value rows, MicrokernelTile &tile);
  void storeTile(const OutputBlock &block, Value n, Value m, Value rows,
                 Value c, Value ldc);

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
  Value scratchA, scratchB, scratchC, numbers;
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

void GemmEmitter::emitTasks(Value taskBegin, Value taskEnd) {
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
  if (quantizesRows())
    code.ifThen(mustPackA, [&] { scaleRows(block); });
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
    Value skip = code.select(isOnly, mustPackA, yes);
    code.ifThen(skip, [&] { packA(block, run); });
    packB(block, run);
    emitRun(block, run);
  });
}

/// The packed rows from \p m of the block on, a multiple of MR.
Value GemmEmitter::panelOfA(const Run &run, Value m) {
  Value words =
      code.mul(code.roundUp(run.kCount, panelLanes), atom.leftWords());
  return code.advance(scratchA, code.mul(m, words), word);
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
  Value packedRows = code.sub(block.rows, schedule.directRows);
  code.loop(code.index(0), packedRows, schedule.MR, [&](Value m) {
    PanelSource source{
        code.advance(start, code.mul(m, stride), element), aStride(0),
        aStride(1), code.min(code.sub(block.rows, m), schedule.MR), run.kCount};
    emitPackPanel(code, element, source, schedule.MR, panelOfA(run, m));
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
  code.loop(code.index(0), block.rows, schedule.MR, [&](Value m) {
    PanelSource source{code.advance(start, code.mul(m, stride), element),
                       aStride(0), aStride(1),
                       code.min(code.sub(block.rows, m), schedule.MR), count};
    if (spec.leftNumbers != LeftNumbers::Floats)
      return emitPackBytes(code, atom, source,
                           spec.leftNumbers == LeftNumbers::SignedBytes,
                           schedule.MR, panelOfA(run, m));
    emitPackWords(code, atom, source, schedule.MR, rowScales.advance(code, m),
                  numbers, panelOfA(run, m));
  });
}

/// Finds how the numbers of the block's rows become i8.
void GemmEmitter::scaleRows(const OutputBlock &block) {
  PanelSource source{block.a, aStride(0), aStride(1), block.rows, K};
  emitRowScales(code, source, rowScales);
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

/// The panels of the tile at column \p n of the block. A tile that reaches past
/// the last panel reads that one again instead; the columns are not stored.
SmallVector<Value> GemmEmitter::panelsAt(const OutputBlock &block,
                                         const Run &run, Value n) {
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
  for (int64_t column = 0; column < schedule.NR; column += panelLanes) {
    Value panel = code.min(code.add(first, column), lastPanel);
    Value offset = code.add(code.mul(panel, lanePitch), inPanel);
    panels.push_back(code.advance(base, offset, atom.rightWord()));
  }
  return panels;
}

/// What the tile at row \p m fetches meanwhile: its own panels further on, the
/// last tile of a column the next tile's panels, or that one would begin with
/// misses that nothing hides. Panels longer than this would leave L1 before.
SmallVector<Value> GemmEmitter::fetchedPanels(const OutputBlock &block,
                                              const Run &run, Value n, Value m,
                                              Value rows, ValueRange panels) {
  constexpr int64_t longestPanel = 512;
  // The hardware prefetcher sees several short streams and stops at each page.
  // With few rows a step takes less time.
  Value isDirect =
      code.compare(CmpIPredicate::sle, rows, code.index(schedule.directRows));
  Value distance = code.select(isDirect, code.index(64 * panelLanes),
                               code.index(32 * panelLanes));
  SmallVector<Value> ahead;
  for (Value panel : panels)
    ahead.push_back(code.advance(panel, distance, atom.rightWord()));
  if (schedule.splitsK || schedule.KC > longestPanel)
    return ahead;
  Value isLast =
      code.compare(CmpIPredicate::sge, code.add(m, schedule.MR), block.rows);
  SmallVector<Value> next = panelsAt(block, run, code.add(n, schedule.NR));
  for (auto [pointer, nextPanel] : llvm::zip_equal(ahead, next))
    pointer = code.select(isLast, nextPanel, pointer);
  return ahead;
}

void GemmEmitter::emitRun(const OutputBlock &block, const Run &run) {
  code.loop(code.index(0), block.columns, schedule.NR, [&](Value n) {
    code.loop(code.index(0), block.rows, schedule.MR,
              [&](Value m) { emitTile(block, run, n, m); });
  });
}

void GemmEmitter::emitTile(const OutputBlock &block, const Run &run, Value n,
                           Value m) {
  // Sums that more runs will add to need a place of their own; finished ones
  // pass through a tile that stays in L1.
  MicrokernelTile tile;
  tile.ldc = code.index(schedule.splitsK ? schedule.NC : schedule.NR);
  tile.c =
      schedule.splitsK
          ? code.advance(scratchC, code.add(code.mul(m, tile.ldc), n), word)
          : scratchC;
  tile.kCount = run.kCount;
  tile.accumulate = run.accumulate;
  tile.panels = panelsAt(block, run, n);
  Value rows = code.min(code.sub(block.rows, m), schedule.MR);
  tile.fetched = fetchedPanels(block, run, n, m, rows, tile.panels);
  emitMicrokernels(block, run, m, rows, tile);
  code.ifThen(run.isLast,
              [&] { storeTile(block, n, m, rows, tile.c, tile.ldc); });
}

/// Calls the smallest microkernel that covers \p rows.
void GemmEmitter::emitMicrokernels(const OutputBlock &block, const Run &run,
                                   Value m, Value rows, MicrokernelTile &tile) {
  auto emitDirect = [&] {
    Value first = code.add(code.mul(m, code.index(aStride(0))),
                           code.mul(run.k0, code.index(aStride(1))));
    tile.a = {schedule.directRows, /*packed=*/false, {}, aStride(1)};
    for (int64_t i = 0; i < schedule.directRows; ++i) {
      // Rows past the last one repeat it; they are not stored.
      Value row = code.min(code.index(i), code.sub(rows, 1));
      Value offset = code.add(first, code.mul(row, code.index(aStride(0))));
      tile.a.pointers.push_back(code.advance(block.a, offset, element));
    }
    emitMicrokernelCall(code, atom, schedule, tile);
  };
  auto emitPacked = [&](int64_t count) {
    tile.a = {count, /*packed=*/true, {panelOfA(run, m)}, {}};
    emitMicrokernelCall(code, atom, schedule, tile);
  };

  SmallVector<int64_t> counts = schedule.packedRows();
  std::function<void(size_t)> choose = [&](size_t i) {
    if (i == counts.size())
      return emitDirect();
    int64_t nextSmaller =
        i + 1 < counts.size() ? counts[i + 1] : schedule.directRows;
    if (nextSmaller == 0)
      return emitPacked(counts[i]);
    Value needed =
        code.compare(CmpIPredicate::sgt, rows, code.index(nextSmaller));
    code.ifThenElse(
        needed, [&] { emitPacked(counts[i]); }, [&] { choose(i + 1); });
  };
  choose(0);
}

/// Sums of the factors, for row \p m and from column \p n of the block on, as
/// sums of what the factors stand for.
Value GemmEmitter::finishSums(const OutputBlock &block, Value sums, Value m,
                              Value n) {
  if (schedule.type != DotType::i8)
    return sums;
  if (spec.leftNumbers == LeftNumbers::UnsignedBytes)
    return sums;
  if (spec.leftNumbers == LeftNumbers::SignedBytes)
    return correctSums(block, sums, code.constant(word, signedByteZero), n);
  OpBuilder &b = code.builder;
  RowScales row = rowScales.advance(code, m);
  if (atom.isLeftUnsigned())
    sums = correctSums(block, sums, code.load(word, row.zeros), n);
  auto type = VectorType::get(atom.lanes(), element);
  Value integers = arith::SIToFPOp::create(b, code.loc, type, sums);
  Value scale = code.splat(code.load(element, row.scales), type);
  return arith::MulFOp::create(b, code.loc, integers, scale);
}

/// Takes what \p zero, added to all integers of a row, has added to its sums
/// away again.
Value GemmEmitter::correctSums(const OutputBlock &block, Value sums, Value zero,
                               Value n) {
  Value panel = code.roundDown(n, panelLanes);
  Value pitch = code.add(steps, panelHeader);
  Value offset = code.add(code.mul(panel, pitch), code.sub(n, panel));
  Value sumOfOne =
      code.load(atom.accumulator(), code.advance(block.bOperand, offset, word));
  Value correction = arith::MulIOp::create(
      code.builder, code.loc, sumOfOne, code.splat(zero, atom.accumulator()));
  return arith::AddIOp::create(code.builder, code.loc, sums, correction);
}

/// Hands the finished tile to the caller, vector by vector. A loop rather than
/// straight code: an epilogue may be long, and then appears twice, not for
/// every accumulator.
void GemmEmitter::storeTile(const OutputBlock &block, Value n, Value m,
                            Value rows, Value c, Value ldc) {
  int64_t lanes = atom.lanes();
  Value columns = code.min(code.sub(block.columns, n), schedule.NR);
  Value full = code.roundDown(columns, lanes);
  Value column0 = code.add(block.n0, n);
  code.loop(code.index(0), rows, 1, [&](Value i) {
    Value row = code.advance(c, code.mul(i, ldc), word);
    Value mGlobal = code.add(code.add(block.m0, m), i);
    auto emitVector = [&](Value j, Value mask) {
      Value sums = code.load(atom.accumulator(), code.advance(row, j, word));
      sums = finishSums(block, sums, code.add(m, i), code.add(n, j));
      spec.store(code.builder, code.loc, sums, block.b, mGlobal,
                 code.add(column0, j), mask);
    };
    code.loop(code.index(0), full, lanes,
              [&](Value j) { emitVector(j, /*mask=*/Value()); });
    // Blocks start at multiples of the vector length, so only N decides.
    std::optional<int64_t> knownN = staticValue(spec.n);
    if (knownN && *knownN % lanes == 0)
      return;
    Value hasTail = code.compare(CmpIPredicate::slt, full, columns);
    code.ifThen(hasTail, [&] {
      emitVector(full,
                 code.firstLanes(atom.accumulator(), code.sub(columns, full)));
    });
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
