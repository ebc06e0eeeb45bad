//===- GemmPanels.cpp - Operands of a product in panels ---------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Packing of both operands, and the scales of rows that become bytes.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/GemmEmitter.h"
#include "compiler/codegen/x86/PackNumbers.h"
#include "compiler/codegen/x86/PackPanel.h"

using namespace mlir;
using namespace txc;
using namespace txc::x86;
using arith::CmpIPredicate;

/// Where the panel of packed rows from \p packedRow on is.
Value GemmEmitter::panelOfA(const Run &run, Value packedRow) {
  Value steps = code.mul(packedRow, code.roundUp(run.kCount, panelLanes));
  if (schedule.keepsRuns)
    steps = code.add(steps, code.mul(run.k0, schedule.MC));
  return code.advance(scratchA, code.mul(steps, atom.leftWords()), word);
}

/// Packs the rows that microkernels with more than directRows rows will read.
void GemmEmitter::packA(const OutputBlock &block, const Run &run) {
  if (schedule.converts())
    return packConverted(block, run);
  if (schedule.packedRows().empty())
    return;
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
  auto packFew = [&] {
    Value first = code.index(0);
    Tile tile{first, first, block.rows, first};
    packTile(block, run, tile, schedule.fewRows, scratchA);
  };
  auto packPanels = [&] {
    code.loop(code.index(0), block.rows, schedule.MR, [&](Value packedRow) {
      packTile(block, run, tileAt(block, packedRow), schedule.MR,
               panelOfA(run, packedRow));
    });
  };
  code.ifThenElse(block.isFew, packFew, packPanels);
}

/// Packs a tile's rows as words, \p width of them a step.
void GemmEmitter::packTile(const OutputBlock &block, const Run &run,
                           const Tile &tile, int64_t width, Value panel) {
  Value k0 = code.mul(run.k0, atom.depth());
  Value count = code.min(code.sub(K, k0), code.mul(run.kCount, atom.depth()));
  Value offset = code.add(code.mul(k0, code.index(aStride(1))),
                          code.mul(tile.m, code.index(aStride(0))));
  PanelSource source{code.advance(block.a, offset, element), aStride(0),
                     aStride(1), tile.rows, count};
  if (spec.leftNumbers != LeftNumbers::Floats)
    return emitPackNumbers(code, atom, source,
                           spec.leftNumbers == LeftNumbers::SignedBytes, width,
                           panel);
  // With the rows of one panel in L1, reading them a second time is cheap.
  if (quantizesRows() && !schedule.splitsK)
    scaleRows(block, tile.m, tile.rows);
  emitPackWords(code, atom, source, width, rowScales.advance(code, tile.m),
                numbers, panel);
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
