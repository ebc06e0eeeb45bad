//===- PackPanel.cpp - Copying an operand to panels -------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Three ways to pack, by which of the source's strides is 1.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/PackPanel.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/Twine.h"
#include <tuple>

using namespace mlir;
using namespace txc::x86;

std::pair<Value, Value> txc::x86::emitBlockSwap(CodeBuilder &code, Value a,
                                                Value b, int64_t half) {
  int64_t n = cast<VectorType>(a.getType()).getNumElements();
  SmallVector<int64_t> low, high;
  for (int64_t lane = 0; lane < n; ++lane) {
    bool isUpper = lane & half;
    low.push_back(isUpper ? n + (lane ^ half) : lane);
    high.push_back(isUpper ? n + lane : lane ^ half);
  }
  return {vector::ShuffleOp::create(code.builder, code.loc, a, b, low),
          vector::ShuffleOp::create(code.builder, code.loc, a, b, high)};
}

void txc::x86::emitTranspose(CodeBuilder &code, SmallVectorImpl<Value> &rows) {
  // Swap off-diagonal blocks of half the size, then of a quarter, …: log2(n)
  // rounds of n shuffles, the fewest there can be with two operands each.
  auto n = static_cast<int64_t>(rows.size());
  for (int64_t half = n / 2; half >= 1; half /= 2)
    for (int64_t i = 0; i < n; ++i)
      if (!(i & half))
        std::tie(rows[i], rows[i + half]) =
            emitBlockSwap(code, rows[i], rows[i + half], half);
}

namespace {
/// The body of one packing function.
struct Packer {
  CodeBuilder &code;
  Type element;
  int64_t width;
  Value source, laneStride, kStride, lanes, kCount, destination;

  VectorType vectorType() const { return code.vectorOf(element); }
  int64_t vectorLanes() const { return vectorType().getNumElements(); }
  int64_t groups() const { return llvm::divideCeil(width, vectorLanes()); }

  Value sourceAt(Value lane, Value k) {
    Value offset = code.add(code.mul(lane, laneStride), code.mul(k, kStride));
    return code.advance(source, offset, element);
  }
  Value destinationAt(Value k, int64_t lane) {
    Value row = code.advance(destination, code.mul(k, width), element);
    return code.advance(row, lane, element);
  }

  /// Element by element, any strides.
  void packScalars(Value kBegin) {
    Value last = code.sub(lanes, 1);
    code.loop(kBegin, kCount, 1, [&](Value k) {
      Value row = destinationAt(k, 0);
      code.loop(code.index(0), code.index(width), 1, [&](Value lane) {
        Value value = code.load(element, sourceAt(code.min(lane, last), k));
        code.store(value, code.advance(row, lane, element));
      });
    });
  }

  /// k contiguous: transposed in registers, a square at a time.
  void packTransposed() {
    Value last = code.sub(lanes, 1);
    Value squares = code.roundDown(kCount, vectorLanes());
    code.loop(code.index(0), squares, vectorLanes(), [&](Value k) {
      for (int64_t group = 0; group < groups(); ++group) {
        int64_t first = group * vectorLanes();
        SmallVector<Value> rows;
        for (int64_t i = 0; i < vectorLanes(); ++i) {
          // Rows past the width fill the square; their lanes are overwritten.
          Value lane =
              code.min(code.index(std::min(first + i, width - 1)), last);
          rows.push_back(code.load(vectorType(), sourceAt(lane, k)));
        }
        emitTranspose(code, rows);
        for (int64_t i = 0; i < vectorLanes(); ++i)
          code.store(rows[i], destinationAt(code.add(k, i), first));
      }
    });
    packScalars(squares);
  }

  /// Lanes contiguous: copied by vectors.
  void packVectors() {
    code.loop(code.index(0), kCount, 1, [&](Value k) {
      for (int64_t group = 0; group < groups(); ++group) {
        int64_t first = group * vectorLanes();
        Value from = sourceAt(code.index(first), k);
        Value to = destinationAt(k, first);
        Value valid = code.sub(code.min(lanes, width), first);
        Value isFull = code.compare(arith::CmpIPredicate::sge, valid,
                                    code.index(vectorLanes()));
        code.ifThenElse(
            isFull, [&] { code.store(code.load(vectorType(), from), to); },
            [&] {
              Value mask = code.firstLanes(vectorType(), valid);
              code.store(code.maskedLoad(vectorType(), from, mask), to);
            });
      }
    });
  }
};
} // namespace

void txc::x86::emitPackPanel(CodeBuilder &code, Type element,
                             const PanelSource &source, int64_t width,
                             Value destination) {
  bool kContiguous = isStaticOne(source.kStride);
  bool lanesContiguous = !kContiguous && isStaticOne(source.laneStride);
  StringRef how = kContiguous       ? "transposed"
                  : lanesContiguous ? "copied"
                                    : "gathered";
  int64_t vectorLanes = code.vectorOf(element).getNumElements();
  std::string name =
      ("txc_pack_f32_" + how + "_" + Twine(width) + "_v" + Twine(vectorLanes))
          .str();
  Type ptr = code.ptrType(), index = code.indexType();
  func::FuncOp callee = code.getOrCreateFunction(
      name, {ptr, index, index, index, index, ptr}, [&](ValueRange args) {
        Packer packer{code,
                      element,
                      width,
                      args[0],
                      kContiguous || !lanesContiguous ? args[1] : code.index(1),
                      kContiguous ? code.index(1) : args[2],
                      args[3],
                      args[4],
                      args[5]};
        if (kContiguous)
          packer.packTransposed();
        else if (lanesContiguous)
          packer.packVectors();
        else
          packer.packScalars(code.index(0));
      });
  code.call(callee, {source.pointer, code.index(source.laneStride),
                     code.index(source.kStride), source.lanes, source.kCount,
                     destination});
}
