//===- PackWords.cpp - Converting an operand while packing it ---*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Rows with a k stride of 1 are converted and then transposed, words rather
/// than numbers. What that leaves over and other rows are packed as f32 a chunk
/// at a time and converted in L1: rows of a packed panel have the lanes of one
/// k side by side, so that numbers join to words without shuffles.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/PackWords.h"
#include "compiler/codegen/x86/Intrinsics.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/Twine.h"
#include <limits>

using namespace mlir;
using namespace txc::x86;

static_assert(convertedNumbers % getDotDepth(DotType::i8) == 0,
              "chunks are whole steps");

//===----------------------------------------------------------------------===//
// Words
//===----------------------------------------------------------------------===//

namespace {
/// The body of one function that packs words.
struct WordPacker {
  CodeBuilder &code;
  const DotAtom &atom;
  int64_t width;
  PanelSource source;
  RowScales rows;
  Value numbers, destination;

  Type f32() const { return code.builder.getF32Type(); }
  VectorType floats() const { return VectorType::get(atom.lanes(), f32()); }

  void pack();
  Value packSquares();
  void packChunks(Value begin);
  void clearRest(Value count);
  Value joinRow(Value row, int64_t lane, Value k);
  void convertStep(Value step, Value wordsBefore);
};
} // namespace

void WordPacker::pack() {
  bool isRows = isStaticOne(source.kStride) && atom.leftWords() == 1;
  packChunks(isRows ? packSquares() : code.index(0));
}

/// Converts and transposes squares of words. Returns where the rest begins.
Value WordPacker::packSquares() {
  int64_t lanes = atom.lanes(), numbersOfSquare = lanes * atom.depth();
  Value end = code.roundDown(source.kCount, numbersOfSquare);
  Value last = code.sub(source.lanes, 1);
  code.loop(code.index(0), end, numbersOfSquare, [&](Value k) {
    Value step = code.div(k, code.index(atom.depth()));
    for (int64_t first = 0; first < width; first += lanes) {
      SmallVector<Value> rows;
      for (int64_t i = 0; i < lanes; ++i) {
        // Rows past the width fill the square; their lanes are overwritten.
        int64_t lane = std::min(first + i, width - 1);
        rows.push_back(joinRow(code.min(code.index(lane), last), lane, k));
      }
      emitTranspose(code, rows);
      for (int64_t i = 0; i < lanes; ++i) {
        Value word = code.mul(code.add(step, i), width);
        code.store(rows[atom.getRowLane(i)],
                   code.advance(code.advance(destination, word, atom.word()),
                                first, atom.word()));
      }
    }
  });
  return end;
}

/// A vector of words of row \p row, lane \p lane of the panel, from \p k on.
Value WordPacker::joinRow(Value row, int64_t lane, Value k) {
  Value offset = code.add(code.mul(row, code.index(source.laneStride)), k);
  Value from = code.advance(source.pointer, offset, f32());
  SmallVector<Value> vectors;
  for (int64_t part = 0; part < atom.depth(); ++part)
    vectors.push_back(
        code.load(floats(), code.advance(from, part * atom.lanes(), f32())));
  Quantization quantization;
  auto splat = [&](Type type, Value array) {
    return code.splat(code.load(type, code.advance(array, lane, type)),
                      VectorType::get(atom.lanes(), type));
  };
  if (atom.type() == DotType::i8)
    quantization = {splat(f32(), rows.factors), splat(atom.word(), rows.zeros)};
  return atom.joinRow(code, vectors, quantization);
}

void WordPacker::packChunks(Value begin) {
  code.loop(begin, source.kCount, convertedNumbers, [&](Value k) {
    Value count = code.min(code.sub(source.kCount, k), convertedNumbers);
    PanelSource chunk = source;
    chunk.pointer = code.advance(
        source.pointer, code.mul(k, code.index(source.kStride)), f32());
    chunk.kCount = count;
    emitPackPanel(code, f32(), chunk, width, numbers);
    clearRest(count);
    Value before = code.mul(code.div(k, code.index(atom.depth())), width);
    Value words = code.mul(before, atom.leftWords());
    code.loop(code.index(0), code.ceilDiv(count, atom.depth()), 1,
              [&](Value step) { convertStep(step, words); });
  });
}

/// Numbers of the last step that the source doesn't have are zero.
void WordPacker::clearRest(Value count) {
  Value end = code.roundUp(count, atom.depth());
  code.loop(count, end, 1, [&](Value k) {
    Value row = code.advance(numbers, code.mul(k, width), f32());
    for (int64_t lane = 0; lane < width; lane += atom.lanes())
      code.store(code.constant(floats(), 0.0), code.advance(row, lane, f32()));
  });
}

void WordPacker::convertStep(Value step, Value wordsBefore) {
  Value from =
      code.advance(numbers, code.mul(step, atom.depth() * width), f32());
  Value word = code.add(wordsBefore, code.mul(step, atom.leftWords() * width));
  Value to = code.advance(destination, word, atom.word());
  for (int64_t lane = 0; lane < width; lane += atom.lanes()) {
    SmallVector<Value> neighbours;
    for (int64_t k = 0; k < atom.depth(); ++k)
      neighbours.push_back(
          code.load(floats(), code.advance(from, k * width + lane, f32())));
    Quantization quantization;
    if (atom.type() == DotType::i8)
      quantization.factors =
          code.load(floats(), code.advance(rows.factors, lane, f32()));
    if (atom.isLeftUnsigned())
      quantization.zeros = code.load(
          atom.accumulator(), code.advance(rows.zeros, lane, atom.word()));
    SmallVector<Value> words =
        atom.makeLeftWords(code, neighbours, quantization);
    for (auto [w, value] : llvm::enumerate(words))
      code.store(value, code.advance(to, w * width + lane, atom.word()));
  }
}

/// What tells functions for different sources apart.
static StringRef nameStride(OpFoldResult kStride) {
  return isStaticOne(kStride) ? "rows" : "strided";
}

/// A stride that is 1 stays known inside a function.
static OpFoldResult getInnerStride(CodeBuilder &code, OpFoldResult outer,
                                   Value argument) {
  if (isStaticOne(outer))
    return code.builder.getIndexAttr(1);
  return argument;
}

void txc::x86::emitPackWords(CodeBuilder &code, const DotAtom &atom,
                             const PanelSource &source, int64_t width,
                             const RowScales &rows, Value numbers,
                             Value destination) {
  std::string name =
      ("txc_pack_" + getName(atom.type()) + "_" + nameStride(source.kStride) +
       (isStaticOne(source.laneStride) ? "_copied_" : "_") + Twine(width) +
       "_v" + Twine(atom.lanes()))
          .str();
  SmallVector<Value> operands{source.pointer,
                              code.index(source.laneStride),
                              code.index(source.kStride),
                              source.lanes,
                              source.kCount,
                              numbers,
                              destination};
  if (atom.type() == DotType::i8)
    llvm::append_values(operands, rows.factors, rows.zeros);
  func::FuncOp callee = code.getOrCreateFunction(
      name, ValueRange(operands).getTypes(), [&](ValueRange args) {
        PanelSource inner{
            args[0], getInnerStride(code, source.laneStride, args[1]),
            getInnerStride(code, source.kStride, args[2]), args[3], args[4]};
        RowScales innerRows;
        if (atom.type() == DotType::i8)
          innerRows = {args[7], /*scales=*/Value(), args[8]};
        WordPacker{code, atom, width, inner, innerRows, args[5], args[6]}
            .pack();
      });
  code.call(callee, operands);
}

//===----------------------------------------------------------------------===//
// Scales
//===----------------------------------------------------------------------===//

RowScales RowScales::advance(CodeBuilder &code, Value row) const {
  Type f32 = code.builder.getF32Type();
  return {code.advance(factors, row, f32), code.advance(scales, row, f32),
          code.advance(zeros, row, f32)};
}

namespace {
/// The greatest x and the greatest -x of a row, at least 0, as bits: integers
/// have the order of positive floats, and NaN above all.
struct Extremes {
  Value above, below;
};
} // namespace

/// Takes more numbers into account, given as bits.
static Extremes widen(CodeBuilder &code, ValueRange extremes, Value bits) {
  OpBuilder &b = code.builder;
  Value signs =
      code.constant(bits.getType(), std::numeric_limits<int32_t>::min());
  Value negated = arith::XOrIOp::create(b, code.loc, bits, signs);
  return {arith::MaxSIOp::create(b, code.loc, extremes[0], bits),
          arith::MaxSIOp::create(b, code.loc, extremes[1], negated)};
}

/// Those of the \p count numbers at \p row.
static Extremes findExtremes(CodeBuilder &code, Value row, OpFoldResult stride,
                             Value count) {
  OpBuilder &b = code.builder;
  Type i32 = b.getI32Type();
  VectorType vector = code.vectorOf(i32);
  SmallVector<Value> found(2, code.constant(i32, 0));
  Value begin = code.index(0);
  if (isStaticOne(stride)) {
    int64_t lanes = vector.getNumElements();
    begin = code.roundDown(count, lanes);
    SmallVector<Value> vectors(2, code.constant(vector, 0));
    auto widenBy = [&](Value from, Value to, int64_t unroll) {
      vectors = code.loop(
          from, to, unroll * lanes, vectors,
          [&](Value k, ValueRange carried) -> SmallVector<Value> {
            Extremes extremes{carried[0], carried[1]};
            for (int64_t i = 0; i < unroll; ++i)
              extremes = widen(
                  code, {extremes.above, extremes.below},
                  code.load(vector,
                            code.advance(row, code.add(k, i * lanes), i32)));
            return {extremes.above, extremes.below};
          });
    };
    Value unrolled = code.roundDown(count, 4 * lanes);
    widenBy(code.index(0), unrolled, 4);
    widenBy(unrolled, begin, 1);
    for (auto [number, lanesOf] : llvm::zip(found, vectors))
      number = vector::ReductionOp::create(
          b, code.loc, vector::CombiningKind::MAXSI, lanesOf);
  }
  found = code.loop(begin, count, 1, found,
                    [&](Value k, ValueRange carried) -> SmallVector<Value> {
                      Value offset = code.mul(k, code.index(stride));
                      Value bits =
                          code.load(i32, code.advance(row, offset, i32));
                      auto [above, below] = widen(code, carried, bits);
                      return {above, below};
                    });
  return {found[0], found[1]};
}

static void emitScalesOfRow(CodeBuilder &code, const Extremes &extremes,
                            const RowScales &row) {
  OpBuilder &b = code.builder;
  Location loc = code.loc;
  Type f32 = b.getF32Type();
  Value above = arith::BitcastOp::create(b, loc, f32, extremes.above);
  Value below = arith::BitcastOp::create(b, loc, f32, extremes.below);
  Value range = arith::AddFOp::create(b, loc, above, below);
  Value levels = code.constant(f32, 254);
  Value inverse = arith::DivFOp::create(b, loc, levels, range);
  Value limit = code.constant(f32, std::numeric_limits<float>::max());
  Value factor = arith::MinNumFOp::create(b, loc, inverse, limit);
  Value zero = callIntrinsic(code, b.getI32Type(), "llvm.lrint",
                             {arith::MulFOp::create(b, loc, below, factor)});
  code.store(factor, row.factors);
  code.store(arith::DivFOp::create(b, loc, range, levels), row.scales);
  code.store(zero, row.zeros);
}

void txc::x86::emitRowScales(CodeBuilder &code, const PanelSource &source,
                             const RowScales &rows) {
  std::string name =
      ("txc_row_scales_" + nameStride(source.kStride) + "_v" +
       Twine(code.vectorOf(code.builder.getF32Type()).getNumElements()))
          .str();
  Type ptr = code.ptrType(), index = code.indexType();
  func::FuncOp callee = code.getOrCreateFunction(
      name, {ptr, index, index, index, index, ptr, ptr, ptr},
      [&](ValueRange args) {
        Type f32 = code.builder.getF32Type();
        OpFoldResult kStride = getInnerStride(code, source.kStride, args[2]);
        RowScales inner{args[5], args[6], args[7]};
        code.loop(code.index(0), args[3], 1, [&](Value i) {
          Value row = code.advance(args[0], code.mul(i, args[1]), f32);
          emitScalesOfRow(code, findExtremes(code, row, kStride, args[4]),
                          inner.advance(code, i));
        });
      });
  code.call(callee, {source.pointer, code.index(source.laneStride),
                     code.index(source.kStride), source.lanes, source.kCount,
                     rows.factors, rows.scales, rows.zeros});
}
