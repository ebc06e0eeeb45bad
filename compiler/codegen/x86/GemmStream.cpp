//===- GemmStream.cpp - Products of few rows --------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See GemmStream.h.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/GemmStream.h"
#include "llvm/ADT/Twine.h"

using namespace mlir;
using namespace txc::x86;

/// Steps of an iteration. One line of theirs is fetched ahead, to L2: enough
/// for the hardware prefetcher, which would stop at each page, to follow.
/// Fetching all lines takes more bandwidth than it brings where they are in a
/// cache.
static constexpr int64_t stepsPerFetch = 16, fetchDistance = 3 * 4096;

namespace {
/// The body of one function that multiplies streams.
class StreamEmitter {
public:
  StreamEmitter(CodeBuilder &code, const DotAtom &atom, int64_t rows,
                TileOperand left);

  void emit(const GemmStream &stream);

private:
  SmallVector<Value> placesAt(Value k);
  void addStep(ArrayRef<Value> places, Value k, MutableArrayRef<Value> sums);
  SmallVector<Value> addSteps(Value k, ValueRange sums, int64_t count);
  SmallVector<Value> multiply(Value steps);

  CodeBuilder &code;
  const DotAtom &atom;
  int64_t rows;
  TileOperand left;
  /// Vectors of a panel's step, panels side by side, and sums of each place
  /// that are kept apart.
  int64_t vectors, streams, copies;
  SmallVector<Value> panels;
};
} // namespace

StreamEmitter::StreamEmitter(CodeBuilder &code, const DotAtom &atom,
                             int64_t rows, TileOperand left)
    : code(code), atom(atom), rows(rows), left(std::move(left)),
      vectors(panelLanes / atom.lanes()) {
  // As many sums hide the latency of adding. With more rows a line takes more
  // time and more reads of the left operand, so that fewer lines are on their
  // way: several streams make up for it.
  constexpr int64_t fewestSums = 8;
  int64_t mostSums = code.target.numVectorRegisters / 2;
  int64_t sumsOfPanel = rows * vectors;
  streams = rows == 1 ? 1 : std::clamp<int64_t>(mostSums / sumsOfPanel, 1, 4);
  copies = std::max<int64_t>(1, fewestSums / (sumsOfPanel * streams));
}

/// The lines of step \p k.
SmallVector<Value> StreamEmitter::placesAt(Value k) {
  Value offset = code.mul(k, panelLanes);
  SmallVector<Value> places;
  for (Value panel : panels)
    places.push_back(code.advance(panel, offset, atom.rightWord()));
  return places;
}

/// Adds the products of step \p k to \p sums, rows of streams of vectors.
void StreamEmitter::addStep(ArrayRef<Value> places, Value k,
                            MutableArrayRef<Value> sums) {
  SmallVector<Value> lanes;
  for (Value place : places)
    for (int64_t v = 0; v < vectors; ++v)
      lanes.push_back(atom.loadLanes(
          code, code.advance(place, v * atom.lanes(), atom.rightWord()),
          /*mask=*/Value()));
  Value leftOffset = code.mul(k, left.kStride);
  for (int64_t word = 0; word < atom.leftWords(); ++word) {
    SmallVector<Value> factors;
    for (Value vector : lanes)
      factors.push_back(atom.extract(code, vector, word));
    for (int64_t i = 0; i < rows; ++i) {
      Value scalar = atom.broadcast(
          code, left.address(code, leftOffset, i, atom.word(), word));
      for (auto [j, factor] : llvm::enumerate(factors)) {
        Value &sum = sums[i * factors.size() + j];
        sum = atom.accumulate(code, sum, scalar, factor);
      }
    }
  }
}

SmallVector<Value> StreamEmitter::addSteps(Value k, ValueRange sums,
                                           int64_t count) {
  SmallVector<Value> next(sums);
  size_t size = next.size() / copies;
  for (int64_t step = 0; step < count; ++step) {
    // Prefetchers follow lines in the order of memory, which the compiler would
    // change.
    code.keepOrder();
    Value at = code.add(k, step);
    addStep(placesAt(at), at,
            MutableArrayRef(next).slice(step % copies * size, size));
  }
  return next;
}

/// The sums of one panel of each stream, over all steps.
SmallVector<Value> StreamEmitter::multiply(Value steps) {
  int64_t size = rows * streams * vectors;
  SmallVector<Value> sums(copies * size, code.constant(atom.accumulator(), 0));
  Value full = code.roundDown(steps, stepsPerFetch);
  sums = code.loop(code.index(0), full, stepsPerFetch, sums,
                   [&](Value k, ValueRange carried) {
                     for (Value place : placesAt(k))
                       code.prefetch(code.advance(place, fetchDistance,
                                                  code.builder.getI8Type()),
                                     /*level=*/2);
                     return addSteps(k, carried, stepsPerFetch);
                   });
  sums = code.loop(full, steps, 1, sums, [&](Value k, ValueRange carried) {
    return addSteps(k, carried, 1);
  });
  for (int64_t half = copies / 2; half > 0; half /= 2)
    for (int64_t i = 0; i < half * size; ++i)
      sums[i] = atom.addSums(code, sums[i], sums[half * size + i]);
  sums.truncate(size);
  return sums;
}

void StreamEmitter::emit(const GemmStream &stream) {
  // Each stream has its share of the panels, one after the other.
  Value share = code.ceilDiv(stream.panelCount, streams);
  Value last = code.sub(stream.panelCount, 1);
  code.loop(code.index(0), share, 1, [&](Value i) {
    SmallVector<Value> columns;
    panels.clear();
    for (int64_t s = 0; s < streams; ++s) {
      // Past the last panel, that one is computed again.
      Value panel = code.min(code.add(i, code.mul(share, s)), last);
      panels.push_back(code.advance(
          stream.panels, code.mul(panel, stream.panelPitch), atom.rightWord()));
      columns.push_back(code.mul(panel, panelLanes));
    }
    SmallVector<Value> sums = multiply(stream.steps);
    for (auto [j, sum] : llvm::enumerate(sums)) {
      int64_t row = j / (streams * vectors), s = j / vectors % streams;
      Value column = code.add(columns[s], j % vectors * atom.lanes());
      Value place = code.add(code.mul(stream.ldc, row), column);
      code.store(sum, code.advance(stream.c, place, atom.word()));
    }
  });
}

void txc::x86::emitStreamCall(CodeBuilder &code, const DotAtom &atom,
                              const GemmStream &stream) {
  const MicrokernelRows &rows = stream.a;
  bool unitStride = !rows.packed && isStaticOne(rows.kStride);
  std::string reads = rows.packed ? ("packed" + Twine(stream.packedWidth)).str()
                      : unitStride ? "rows"
                                   : "strided";
  std::string name = ("txc_gemm_stream_" + atom.name() + "_" + reads + "_" +
                      Twine(rows.count) + "_v" + Twine(atom.lanes()))
                         .str();
  SmallVector<Value> operands = llvm::to_vector(rows.pointers);
  llvm::append_values(operands,
                      rows.packed ? code.index(0) : code.index(rows.kStride),
                      stream.panels, stream.panelPitch, stream.panelCount,
                      stream.steps, stream.c, stream.ldc);
  func::FuncOp callee = code.getOrCreateFunction(
      name, ValueRange(operands).getTypes(), [&](ValueRange args) {
        ValueRange a = args.take_front(rows.pointers.size());
        args = args.drop_front(a.size());
        TileOperand left;
        left.kStride = rows.packed
                           ? code.index(stream.packedWidth * atom.leftWords())
                       : unitStride ? code.index(1)
                                    : args[0];
        left.wordStride = stream.packedWidth;
        for (int64_t i = 0; i < rows.count; ++i)
          left.append(a[rows.packed ? 0 : i], rows.packed ? i : 0);
        GemmStream inner{stream.a, stream.packedWidth,
                         args[1],  args[2],
                         args[3],  args[4],
                         args[5],  args[6]};
        StreamEmitter(code, atom, rows.count, std::move(left)).emit(inner);
      });
  code.call(callee, operands);
}
