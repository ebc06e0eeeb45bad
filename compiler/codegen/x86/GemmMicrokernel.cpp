//===- GemmMicrokernel.cpp - A register tile of a product -------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Emits microkernels as private functions. A call for each tile costs nothing
/// measurable from K = 64 on.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/GemmMicrokernel.h"
#include "llvm/ADT/Twine.h"

using namespace mlir;
using namespace txc::x86;

namespace {
/// Splits a microkernel's flat argument list.
struct Arguments {
  SmallVector<Value> a;
  Value aStride;
  SmallVector<Value> panels, fetched, later;
  Value laterStride;
  Value kCount, c, ldc, accumulate;

  Arguments(ValueRange args, size_t numA, size_t numPanels, size_t numLater) {
    llvm::append_range(a, args.take_front(numA));
    args = args.drop_front(numA);
    aStride = args.front();
    llvm::append_range(panels, args.drop_front().take_front(numPanels));
    args = args.drop_front(1 + numPanels);
    llvm::append_range(fetched, args.take_front(numPanels));
    args = args.drop_front(numPanels);
    llvm::append_range(later, args.take_front(numLater));
    laterStride = args[numLater];
    args = args.drop_front(numLater + 1);
    kCount = args[0];
    c = args[1];
    ldc = args[2];
    accumulate = args[3];
  }
};
} // namespace

static void emitStores(CodeBuilder &code, const DotAtom &atom,
                       const Arguments &args, ValueRange sums, int64_t rows,
                       bool accumulate) {
  auto columns = static_cast<int64_t>(sums.size()) / rows;
  for (int64_t i = 0; i < rows; ++i) {
    Value row = code.advance(args.c, code.mul(args.ldc, i), atom.word());
    for (int64_t j = 0; j < columns; ++j) {
      Value pointer = code.advance(row, j * atom.lanes(), atom.word());
      Value sum = sums[i * columns + j];
      if (accumulate) {
        Value before = code.load(atom.accumulator(), pointer);
        sum = atom.addSums(code, before, sum);
      }
      code.store(sum, pointer);
    }
  }
}

static void emitBody(CodeBuilder &code, const DotAtom &atom,
                     const GemmSchedule &schedule, const MicrokernelTile &tile,
                     const Arguments &args) {
  const MicrokernelRows &rows = tile.a;
  TileOperand left, right;
  left.kStride =
      rows.packed ? code.index(schedule.MR * schedule.leftWords) : args.aStride;
  left.wordStride = schedule.MR;
  for (int64_t i = 0; i < rows.count; ++i)
    left.append(args.a[rows.packed ? 0 : i], rows.packed ? i : 0);
  right.kStride = code.index(panelLanes);
  for (int64_t n = 0; n < tile.columns; n += atom.lanes())
    right.append(args.panels[n / panelLanes], n % panelLanes);

  Value zero = code.constant(atom.accumulator(), 0.0);
  SmallVector<Value> init(left.size() * right.size(), zero);
  TileOptions options;
  options.fetched = args.fetched;
  options.later = args.later;
  options.laterStride = args.laterStride;
  SmallVector<Value> sums =
      emitTileLoop(code, atom, left, right, args.kCount, init, options);
  // Partial sums are added after the loop: loading them before it would stall
  // the first updates.
  code.ifThenElse(
      args.accumulate,
      [&] { emitStores(code, atom, args, sums, rows.count, true); },
      [&] { emitStores(code, atom, args, sums, rows.count, false); });
}

void txc::x86::emitMicrokernelCall(CodeBuilder &code, const DotAtom &atom,
                                   const GemmSchedule &schedule,
                                   const MicrokernelTile &tile) {
  const MicrokernelRows &rows = tile.a;
  bool unitStride = !rows.packed && isStaticOne(rows.kStride);
  std::string reads = rows.packed  ? ("packed" + Twine(schedule.MR)).str()
                      : unitStride ? "rows"
                                   : "strided";
  std::string name =
      ("txc_gemm_" + atom.name() + "_" + reads + "_" + Twine(rows.count) + "x" +
       Twine(tile.columns) + "_v" + Twine(atom.lanes()))
          .str();

  SmallVector<Value> operands = llvm::to_vector(rows.pointers);
  operands.push_back(rows.packed ? code.index(schedule.MR)
                                 : code.index(rows.kStride));
  llvm::append_range(operands, tile.panels);
  llvm::append_range(operands, tile.fetched);
  llvm::append_range(operands, tile.later);
  operands.push_back(tile.later.empty() ? code.index(0) : tile.laterStride);
  llvm::append_range(operands, ArrayRef<Value>{tile.kCount, tile.c, tile.ldc,
                                               tile.accumulate});
  func::FuncOp callee = code.getOrCreateFunction(
      name, ValueRange(operands).getTypes(), [&](ValueRange values) {
        Arguments args(values, rows.pointers.size(), tile.panels.size(),
                       tile.later.size());
        if (unitStride)
          args.aStride = code.index(1);
        emitBody(code, atom, schedule, tile, args);
      });
  code.call(callee, operands);
}
