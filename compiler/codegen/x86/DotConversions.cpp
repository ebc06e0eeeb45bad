//===- DotConversions.cpp - Words of the left operand -----------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Rounds f32 to the types that a DotAtom multiplies and joins them to words.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/DotAtom.h"
#include "compiler/codegen/x86/Intrinsics.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace txc::x86;

/// f32 rounded to bf16, to nearest even, left in the upper halves of words.
static Value roundToBf16(CodeBuilder &code, Value number) {
  OpBuilder &b = code.builder;
  Location loc = code.loc;
  Value bits = viewAs(code, number, b.getI32Type());
  auto constant = [&](int64_t value) {
    return code.constant(bits.getType(), static_cast<double>(value));
  };
  Value upper = arith::ShRUIOp::create(b, loc, bits, constant(16));
  Value isOdd = arith::AndIOp::create(b, loc, upper, constant(1));
  Value half = arith::AddIOp::create(b, loc, isOdd, constant(0x7fff));
  Value rounded = arith::AddIOp::create(b, loc, bits, half);
  // The sum would carry a NaN's payload into its sign.
  Value quiet = arith::OrIOp::create(b, loc, bits, constant(0x400000));
  Value isNaN =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, number, number);
  Value chosen = arith::SelectOp::create(b, loc, isNaN, quiet, rounded);
  return arith::AndIOp::create(b, loc, chosen, constant(-65536));
}

/// Numbers as integers, rounded to nearest even as MXCSR says.
static SmallVector<Value> quantize(CodeBuilder &code, ValueRange numbers,
                                   const Quantization &quantization) {
  SmallVector<Value> integers;
  for (Value number : numbers) {
    Value scaled = arith::MulFOp::create(code.builder, code.loc, number,
                                         quantization.factors);
    auto type = cast<VectorType>(number.getType());
    Value integer = callIntrinsic(
        code, VectorType::get(type.getShape(), code.builder.getI32Type()),
        "llvm.lrint", scaled);
    if (quantization.zeros)
      integer = arith::AddIOp::create(code.builder, code.loc, integer,
                                      quantization.zeros);
    integers.push_back(integer);
  }
  return integers;
}

/// The low \p width bits of each of \p integers, the first one lowest.
static Value joinBits(CodeBuilder &code, ArrayRef<Value> integers,
                      int64_t width) {
  OpBuilder &b = code.builder;
  Type type = integers.front().getType();
  Value mask = code.constant(type, static_cast<double>((1 << width) - 1));
  Value word;
  for (auto [i, integer] : llvm::enumerate(integers)) {
    // The last one's upper bits are shifted out.
    bool isLast = i + 1 == integers.size();
    Value bits =
        isLast ? integer : arith::AndIOp::create(b, code.loc, integer, mask);
    Value count = code.constant(type, static_cast<double>(i * width));
    bits = arith::ShLIOp::create(b, code.loc, bits, count);
    word = word ? arith::OrIOp::create(b, code.loc, word, bits) : bits;
  }
  return word;
}

SmallVector<Value>
DotAtom::makeLeftWords(CodeBuilder &code, ValueRange numbers,
                       const Quantization &quantization) const {
  OpBuilder &b = code.builder;
  if (dotType == DotType::f32)
    return {numbers.front()};
  if (dotType == DotType::bf16) {
    if (numLeftWords == 2)
      return {roundToBf16(code, numbers[0]), roundToBf16(code, numbers[1])};
    // The instruction puts its second operand into the lower half.
    auto type = VectorType::get(2 * lanes(), b.getBF16Type());
    Value halves = callIntrinsic(
        code, type, "llvm.x86.avx512bf16.cvtne2ps2bf16." + Twine(lanes() * 32),
        {numbers[1], numbers[0]});
    SmallVector<int64_t> pairs;
    for (int64_t lane = 0; lane < lanes(); ++lane)
      llvm::append_values(pairs, lane, lanes() + lane);
    Value joined =
        vector::ShuffleOp::create(b, code.loc, halves, halves, pairs);
    return {viewAs(code, joined, wordType)};
  }
  SmallVector<Value> integers = quantize(code, numbers, quantization);
  if (numLeftWords == 2)
    return {joinBits(code, {integers[0], integers[2]}, 16),
            joinBits(code, {integers[1], integers[3]}, 16)};
  return {joinBits(code, integers, 8)};
}

/// The narrowing instructions work on 128 bits at a time.
int64_t DotAtom::getRowLane(int64_t step) const {
  if (dotType != DotType::i8)
    return step;
  int64_t parts = lanes() / 4;
  return step % parts * 4 + step / parts;
}

Value DotAtom::joinRow(CodeBuilder &code, ValueRange numbers,
                       const Quantization &quantization) const {
  assert(numLeftWords == 1 && "two words of a row have no common vector");
  OpBuilder &b = code.builder;
  if (dotType == DotType::f32)
    return numbers.front();
  if (dotType == DotType::bf16)
    return viewAs(code,
                  callIntrinsic(code,
                                VectorType::get(2 * lanes(), b.getBF16Type()),
                                "llvm.x86.avx512bf16.cvtne2ps2bf16." +
                                    Twine(lanes() * 32),
                                {numbers[1], numbers[0]}),
                  wordType);
  SmallVector<Value> integers = quantize(code, numbers, quantization);
  bool isWide = lanes() == 16;
  auto halves = VectorType::get(2 * lanes(), b.getI16Type());
  StringRef toHalves =
      isWide ? "llvm.x86.avx512.packssdw.512" : "llvm.x86.avx2.packssdw";
  Value low = callIntrinsic(code, halves, toHalves, {integers[0], integers[1]});
  Value high =
      callIntrinsic(code, halves, toHalves, {integers[2], integers[3]});
  Value bytes = callIntrinsic(code, VectorType::get(4 * lanes(), b.getI8Type()),
                              isWide ? "llvm.x86.avx512.packuswb.512"
                                     : "llvm.x86.avx2.packuswb",
                              {low, high});
  return viewAs(code, bytes, wordType);
}
