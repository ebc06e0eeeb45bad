//===- DotAtom.cpp - The multiply-accumulate step and its loop --*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Emits register-tiled rank-1 updates.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/DotAtom.h"
#include "compiler/codegen/x86/Intrinsics.h"

using namespace mlir;
using namespace txc::x86;

DotAtom::DotAtom(MLIRContext *context, DotType type, const VectorTarget &target,
                 Type right)
    : dotType(type), numLeftWords(hasDotInstruction(type, target) ? 1 : 2) {
  Type f32 = Float32Type::get(context), i32 = IntegerType::get(context, 32);
  wordType = type == DotType::f32 ? f32 : i32;
  rightWordType = right ? right : wordType;
  assert((rightWordType == wordType ||
          (type == DotType::f32 && becomesF32(rightWordType))) &&
         "the right operand has other numbers");
  accumulatorType =
      VectorType::get(target.lanes(32), type == DotType::i8 ? i32 : f32);
}

bool DotAtom::isLeftUnsigned() const {
  return dotType == DotType::i8 && numLeftWords == 1;
}

//===----------------------------------------------------------------------===//
// One step
//===----------------------------------------------------------------------===//

/// Sums of pairs of products of i16, whose names follow no pattern.
static StringRef getMultiplyAddName(int64_t lanes) {
  return lanes == 16  ? "llvm.x86.avx512.pmaddw.d.512"
         : lanes == 8 ? "llvm.x86.avx2.pmadd.wd"
                      : "llvm.x86.sse2.pmadd.wd";
}

Value DotAtom::broadcast(CodeBuilder &code, Value pointer) const {
  Value word = code.load(wordType, pointer);
  return code.splat(word, VectorType::get(lanes(), wordType));
}

Value DotAtom::loadLanes(CodeBuilder &code, Value pointer, Value mask) const {
  OpBuilder &b = code.builder;
  bool isNarrowFloat = rightWordType.isF16() || rightWordType.isBF16();
  // As integers: not every target has vectors of narrow floats.
  auto type = VectorType::get(lanes(), isNarrowFloat ? Type(b.getI16Type())
                                                     : rightWordType);
  Value words =
      mask ? code.maskedLoad(type, pointer, mask) : code.load(type, pointer);
  if (rightWordType == wordType)
    return words;
  auto floats = VectorType::get(lanes(), wordType);
  if (!isNarrowFloat)
    return arith::SIToFPOp::create(b, code.loc, floats, words);
  words = arith::BitcastOp::create(
      b, code.loc, VectorType::get(lanes(), rightWordType), words);
  return arith::ExtFOp::create(b, code.loc, floats, words);
}

std::string DotAtom::name() const {
  std::string name = getName(dotType).str();
  llvm::raw_string_ostream os(name);
  if (rightWordType != wordType)
    os << "_by_" << rightWordType;
  return name;
}

Value DotAtom::extract(CodeBuilder &code, Value lanes, int64_t word) const {
  if (numLeftWords == 1)
    return lanes;
  OpBuilder &b = code.builder;
  Location loc = code.loc;
  if (dotType == DotType::bf16) {
    // A bf16 is the upper half of an f32.
    if (word == 0)
      return arith::ShLIOp::create(b, loc, lanes,
                                   code.constant(lanes.getType(), 16));
    return arith::AndIOp::create(b, loc, lanes,
                                 code.constant(lanes.getType(), -65536));
  }
  // Numbers 0 and 2 of each word, or 1 and 3, as i16.
  Value pairs = viewAs(code, lanes, b.getI16Type());
  Value eight = code.constant(pairs.getType(), 8);
  if (word == 0)
    pairs = arith::ShLIOp::create(b, loc, pairs, eight);
  return arith::ShRSIOp::create(b, loc, pairs, eight);
}

Value DotAtom::accumulate(CodeBuilder &code, Value accumulator, Value left,
                          Value right) const {
  OpBuilder &b = code.builder;
  int64_t bits = lanes() * 32;
  auto view = [&](Value words, Type element) {
    return viewAs(code, words, element);
  };
  if (dotType == DotType::f32)
    return code.fma(left, right, accumulator);
  if (dotType == DotType::bf16) {
    if (numLeftWords == 2)
      return code.fma(view(left, b.getF32Type()), view(right, b.getF32Type()),
                      accumulator);
    Type bf16 = b.getBF16Type();
    return callIntrinsic(code, accumulatorType,
                         "llvm.x86.avx512bf16.dpbf16ps." + Twine(bits),
                         {accumulator, view(left, bf16), view(right, bf16)});
  }
  if (numLeftWords == 1) {
    Type i8 = b.getI8Type();
    return callIntrinsic(code, accumulatorType,
                         "llvm.x86.avx512.vpdpbusd." + Twine(bits),
                         {accumulator, view(left, i8), view(right, i8)});
  }
  Type i16 = b.getI16Type();
  Value products =
      callIntrinsic(code, accumulatorType, getMultiplyAddName(lanes()),
                    {view(left, i16), view(right, i16)});
  return arith::AddIOp::create(b, code.loc, accumulator, products);
}

Value DotAtom::addSums(CodeBuilder &code, Value a, Value b) const {
  if (dotType == DotType::i8)
    return arith::AddIOp::create(code.builder, code.loc, a, b);
  return arith::AddFOp::create(code.builder, code.loc, a, b);
}

//===----------------------------------------------------------------------===//
// The loop
//===----------------------------------------------------------------------===//

Value TileOperand::address(CodeBuilder &code, Value kOffset, size_t i,
                           Type word, int64_t number) const {
  Value atK = code.advance(pointers[i], kOffset, word);
  return code.advance(atK, displacements[i] + number * wordStride, word);
}

SmallVector<Value> txc::x86::emitTileLoop(CodeBuilder &code,
                                          const DotAtom &atom,
                                          const TileOperand &left,
                                          const TileOperand &right,
                                          Value kCount, ValueRange init,
                                          const TileOptions &options) {
  return code.loop(
      code.index(0), kCount, 1, init, [&](Value k, ValueRange carried) {
        SmallVector<Value> accumulators = llvm::to_vector(carried);
        Value leftOffset = code.mul(k, left.kStride);
        Value rightOffset = code.mul(k, right.kStride);
        SmallVector<Value> lanes;
        for (size_t j = 0; j < right.size(); ++j) {
          bool isLast = j + 1 == right.size();
          lanes.push_back(atom.loadLanes(
              code, right.address(code, rightOffset, j, atom.rightWord()),
              isLast ? options.lastMask : Value()));
        }
        for (Value place : options.fetched)
          code.prefetch(code.advance(place, rightOffset, atom.rightWord()));
        for (Value place : options.later)
          code.prefetch(code.advance(place, code.mul(k, options.laterStride),
                                     code.builder.getI8Type()),
                        /*level=*/2);
        for (int64_t word = 0; word < atom.leftWords(); ++word) {
          SmallVector<Value> factors;
          for (Value vector : lanes)
            factors.push_back(atom.extract(code, vector, word));
          for (size_t i = 0; i < left.size(); ++i) {
            Value scalar = atom.broadcast(
                code, left.address(code, leftOffset, i, atom.word(), word));
            for (size_t j = 0; j < right.size(); ++j) {
              Value &sum = accumulators[i * right.size() + j];
              sum = atom.accumulate(code, sum, scalar, factors[j]);
            }
          }
        }
        return accumulators;
      });
}
