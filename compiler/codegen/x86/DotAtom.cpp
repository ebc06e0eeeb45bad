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

using namespace mlir;
using namespace txc::x86;

FailureOr<DotAtom> DotAtom::get(Location loc, Type element,
                                const VectorTarget &target) {
  if (!element.isF32())
    return emitError(loc) << "no x86 contraction of elements of type "
                          << element << "; convert them to f32";
  return DotAtom(element, VectorType::get(target.lanes(32), element));
}

Value DotAtom::broadcast(CodeBuilder &code, Value pointer) const {
  return code.splat(code.load(elementType, pointer), accumulatorType);
}

Value DotAtom::loadLanes(CodeBuilder &code, Value pointer, Value mask) const {
  return mask ? code.maskedLoad(accumulatorType, pointer, mask)
              : code.load(accumulatorType, pointer);
}

Value DotAtom::accumulate(CodeBuilder &code, Value accumulator, Value left,
                          Value right) const {
  return code.fma(left, right, accumulator);
}

Value TileOperand::address(CodeBuilder &code, Value kOffset, size_t i,
                           Type element) const {
  Value atK = code.advance(pointers[i], kOffset, element);
  return code.advance(atK, displacements[i], element);
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
              code, right.address(code, rightOffset, j, atom.element()),
              isLast ? options.lastMask : Value()));
        }
        if (options.prefetchDistance != 0) {
          Value ahead =
              code.mul(code.add(k, options.prefetchDistance), right.kStride);
          for (size_t j = 0; j < right.size(); ++j)
            code.prefetch(right.address(code, ahead, j, atom.element()));
        }
        for (size_t i = 0; i < left.size(); ++i) {
          Value scalar = atom.broadcast(
              code, left.address(code, leftOffset, i, atom.element()));
          for (size_t j = 0; j < right.size(); ++j) {
            Value &accumulator = accumulators[i * right.size() + j];
            accumulator = atom.accumulate(code, accumulator, scalar, lanes[j]);
          }
        }
        return accumulators;
      });
}
