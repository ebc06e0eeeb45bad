//===- Gemm.cpp - Matrix products for x86 -----------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The loops around the microkernel: tasks, blocks along k, panels of columns,
/// tiles of rows.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/Gemm.h"
#include "compiler/codegen/x86/GemmDots.h"
#include "compiler/codegen/x86/GemmEmitter.h"

using namespace mlir;
using namespace txc;
using namespace txc::x86;
using arith::CmpIPredicate;

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

/// Whether a block has so few rows that packed panels stream through them.
Value GemmEmitter::isFew(Value rows) {
  int64_t few = spec.bIsPacked ? schedule.fewRows : 0;
  // A known M of more rows has no blocks of few, or just one.
  std::optional<int64_t> m = staticValue(spec.m);
  if (m || few == 0)
    return arith::ConstantIntOp::create(code.builder, code.loc,
                                        few != 0 && m && *m <= few, 1);
  return code.compare(CmpIPredicate::sle, rows, code.index(few));
}

OutputBlock GemmEmitter::decodeTask(Value task, Value rowBlock) {
  Value columnBlocks = code.ceilDiv(N, schedule.NC);
  OutputBlock block;
  block.b = code.div(rowBlock, rowBlocks);
  block.m0 = code.mul(code.rem(rowBlock, rowBlocks), blockRows);
  block.n0 = code.mul(code.rem(task, columnBlocks), schedule.NC);
  block.rows = code.min(code.sub(M, block.m0), blockRows);
  block.columns = code.min(code.sub(N, block.n0), schedule.NC);
  block.isFew = isFew(block.rows);
  block.tileColumns = code.select(block.isFew, code.index(schedule.NC),
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
  runs = code.select(block.isFew, code.index(1), runs);
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

void GemmEmitter::emitRun(const OutputBlock &block, const Run &run) {
  Value count = code.select(block.isFew, code.index(1),
                            code.ceilDiv(block.columns, schedule.NR));
  code.loop(code.index(0), count, 1, [&](Value i) {
    code.loop(code.index(0), block.rows, schedule.MR, [&](Value packedRow) {
      Tile tile = tileAt(block, packedRow);
      tile.n = code.mul(i, block.tileColumns);
      emitTile(block, run, tile);
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
  bool isStored = spec.leftNumbers != LeftNumbers::Floats;
  bool hasBf16 = spec.leftNumbers == LeftNumbers::Bf16;
  if (isStored && (type != (hasBf16 ? DotType::bf16 : DotType::i8) ||
                   !elementOf(spec.a).isInteger(hasBf16 ? 16 : 8)))
    return emitError(loc) << "x86 gemm multiplies bf16 by bf16 and bytes by "
                             "i8, not "
                          << elementOf(spec.a) << " in " << getName(type);
  bool isFloat = type == DotType::f32 && !spec.narrowB;
  if (!isStored &&
      (elementOf(spec.a) != f32 || (isFloat && elementOf(spec.b) != f32)))
    return emitError(loc) << "x86 gemm multiplies operands of type f32, not "
                          << elementOf(spec.a) << " by " << elementOf(spec.b)
                          << "; convert them to f32";
  if (!isFloat && !spec.bIsPacked)
    return emitError(loc) << "x86 gemm multiplies other types than f32 only "
                             "by packed weights";
  CodeBuilder code(builder, loc, spec.target);
  DotAtom atom(builder.getContext(), type, spec.target, spec.narrowB);
  GemmEmitter(code, atom, spec, scratch).emitTasks(taskBegin, taskEnd);
  return success();
}
