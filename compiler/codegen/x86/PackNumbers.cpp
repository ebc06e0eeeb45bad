//===- PackNumbers.cpp - Packing what needs no conversion -------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Rows with a k stride of 1 are transposed as words, a square at a time; the
/// words of what is left and of other rows are put together number by number.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/PackNumbers.h"
#include "llvm/ADT/Twine.h"

using namespace mlir;
using namespace txc::x86;
using arith::CmpIPredicate;

namespace {
/// The body of one function that packs numbers.
struct NumberPacker {
  CodeBuilder &code;
  const DotAtom &atom;
  bool isSigned;
  int64_t width;
  PanelSource source;
  Value destination;

  unsigned bits() const { return static_cast<unsigned>(32 / atom.depth()); }
  Type number() const { return code.builder.getIntegerType(bits()); }
  VectorType words() const {
    return VectorType::get(atom.lanes(), atom.word());
  }

  void pack();
  Value packSquares();
  void packSteps(Value begin);
  Value joinNumbers(Value row, Value step);
  void storeWords(Value numbers, Value step, Value lane);
};
} // namespace

void NumberPacker::pack() {
  packSteps(isStaticOne(source.kStride) ? packSquares() : code.index(0));
}

/// Stores what the atom reads of words of numbers, scalar or vector.
void NumberPacker::storeWords(Value numbers, Value step, Value lane) {
  OpBuilder &b = code.builder;
  Type type = numbers.getType();
  auto constant = [&](uint32_t bits) {
    return code.constant(type, static_cast<int32_t>(bits));
  };
  if (isSigned)
    numbers = arith::XOrIOp::create(b, code.loc, numbers, constant(0x80808080));
  auto store = [&](Value value, int64_t word) {
    Value row = code.add(code.mul(step, atom.leftWords()), word);
    Value offset = code.add(code.mul(row, width), lane);
    code.store(value, code.advance(destination, offset, atom.word()));
  };
  if (atom.leftWords() == 1)
    return store(numbers, 0);
  if (atom.type() == DotType::bf16) {
    store(atom.extract(code, numbers, 0), 0);
    store(atom.extract(code, numbers, 1), 1);
    return;
  }
  // Bytes 0 and 2, then 1 and 3, as i16.
  Value even = constant(0x00ff00ff);
  Value shifted = arith::ShRUIOp::create(b, code.loc, numbers, constant(8));
  store(arith::AndIOp::create(b, code.loc, numbers, even), 0);
  store(arith::AndIOp::create(b, code.loc, shifted, even), 1);
}

/// Transposes squares of words. Returns the step where the rest begins.
Value NumberPacker::packSquares() {
  int64_t lanes = atom.lanes(), depth = atom.depth();
  Value end = code.div(source.kCount, code.index(lanes * depth));
  Value last = code.sub(source.lanes, 1);
  code.loop(code.index(0), end, 1, [&](Value square) {
    Value step = code.mul(square, lanes);
    for (int64_t first = 0; first < width; first += lanes) {
      SmallVector<Value> rows;
      for (int64_t i = 0; i < lanes; ++i) {
        // Rows past the width fill the square; their lanes are overwritten.
        Value lane = code.min(code.index(std::min(first + i, width - 1)), last);
        Value offset = code.add(code.mul(lane, code.index(source.laneStride)),
                                code.mul(step, depth));
        rows.push_back(
            code.load(words(), code.advance(source.pointer, offset, number())));
      }
      emitTranspose(code, rows);
      for (int64_t i = 0; i < lanes; ++i)
        storeWords(rows[i], code.add(step, i), code.index(first));
    }
  });
  return code.mul(end, lanes);
}

/// Word \p step of row \p row.
Value NumberPacker::joinNumbers(Value row, Value step) {
  OpBuilder &b = code.builder;
  Value begin = code.mul(row, code.index(source.laneStride));
  Value last = code.sub(source.kCount, 1);
  Value word;
  for (int64_t i = 0; i < atom.depth(); ++i) {
    Value k = code.add(code.mul(step, atom.depth()), i);
    Value offset = code.mul(code.min(k, last), code.index(source.kStride));
    Value from =
        code.advance(source.pointer, code.add(begin, offset), number());
    Value part = arith::ExtUIOp::create(b, code.loc, atom.word(),
                                        code.load(number(), from));
    // Repeated it would make a NaN of the zero it meets, if it is infinite.
    if (atom.type() == DotType::bf16)
      part = code.select(code.compare(CmpIPredicate::sle, k, last), part,
                         code.constant(atom.word(), 0));
    part = arith::ShLIOp::create(
        b, code.loc, part,
        code.constant(atom.word(), static_cast<double>(bits() * i)));
    word = word ? arith::OrIOp::create(b, code.loc, word, part) : part;
  }
  return word;
}

void NumberPacker::packSteps(Value begin) {
  Value last = code.sub(source.lanes, 1);
  code.loop(begin, code.ceilDiv(source.kCount, atom.depth()), 1,
            [&](Value step) {
              code.loop(code.index(0), code.index(width), 1, [&](Value lane) {
                storeWords(joinNumbers(code.min(lane, last), step), step, lane);
              });
            });
}

void txc::x86::emitPackNumbers(CodeBuilder &code, const DotAtom &atom,
                               const PanelSource &source, bool isSigned,
                               int64_t width, Value destination) {
  bool isRows = isStaticOne(source.kStride);
  std::string name = ("txc_pack_stored_" + getName(atom.type()) + "_" +
                      Twine(isSigned ? "signed_" : "") +
                      (isRows ? "rows_" : "strided_") + Twine(width) + "_v" +
                      Twine(atom.lanes()) + "_w" + Twine(atom.leftWords()))
                         .str();
  SmallVector<Value> operands{source.pointer,
                              code.index(source.laneStride),
                              code.index(source.kStride),
                              source.lanes,
                              source.kCount,
                              destination};
  func::FuncOp callee = code.getOrCreateFunction(
      name, ValueRange(operands).getTypes(), [&](ValueRange args) {
        OpFoldResult kStride =
            isRows ? OpFoldResult(code.builder.getIndexAttr(1)) : args[2];
        PanelSource inner{args[0], args[1], kStride, args[3], args[4]};
        NumberPacker{code, atom, isSigned, width, inner, args[5]}.pack();
      });
  code.call(callee, operands);
}
