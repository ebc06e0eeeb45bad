//===- GemmDots.cpp - Products with few columns -----------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See GemmDots.h.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/x86/GemmDots.h"
#include "compiler/codegen/x86/GemmSchedule.h"
#include "compiler/codegen/x86/PackPanel.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/Twine.h"

using namespace mlir;
using namespace txc::x86;

void txc::x86::emitUnpackColumns(CodeBuilder &code, Value panel, Value steps,
                                 int64_t columns, int64_t pitch,
                                 Value destination) {
  Type f32 = code.builder.getF32Type();
  auto forEachPlace = [&](Value begin, Value end,
                          llvm::function_ref<Value(Value, int64_t)> find) {
    code.loop(begin, end, 1, [&](Value k) {
      for (int64_t j = 0; j < columns; ++j)
        code.store(find(k, j), code.advance(code.advance(destination, k, f32),
                                            j * pitch, f32));
    });
  };
  forEachPlace(code.index(0), steps, [&](Value k, int64_t j) {
    Value row = code.advance(panel, code.mul(k, panelLanes), f32);
    return code.load(f32, code.advance(row, j, f32));
  });
  Value zero = code.constant(f32, 0);
  forEachPlace(steps, code.index(pitch), [&](Value, int64_t) { return zero; });
}

/// The arguments: rows, columns, steps, c.
static void emitDots(CodeBuilder &code, ValueRange args, int64_t numColumns,
                     int64_t pitch, int64_t ldc) {
  Type f32 = code.builder.getF32Type();
  ValueRange rows = args.take_front(dotRows);
  Value columns = args[dotRows], steps = args[dotRows + 1];
  Value c = args[dotRows + 2];
  VectorType vector = code.vectorOf(f32);
  int64_t lanes = vector.getNumElements();
  Value full = code.roundDown(steps, lanes);
  auto addProducts = [&](Value k, ValueRange sums, Value mask) {
    SmallVector<Value> right, next;
    for (int64_t j = 0; j < numColumns; ++j)
      right.push_back(code.load(
          vector, code.advance(code.advance(columns, k, f32), j * pitch, f32)));
    for (Value row : rows) {
      Value from = code.advance(row, k, f32);
      Value left =
          mask ? code.maskedLoad(vector, from, mask) : code.load(vector, from);
      for (Value factor : right)
        next.push_back(code.fma(left, factor, sums[next.size()]));
    }
    return next;
  };
  SmallVector<Value> sums(dotRows * numColumns, code.constant(vector, 0));
  sums = code.loop(code.index(0), full, lanes, sums,
                   [&](Value k, ValueRange carried) {
                     return addProducts(k, carried, /*mask=*/Value());
                   });
  // Once or not at all; columns have zeros there.
  sums = code.loop(full, steps, lanes, sums, [&](Value k, ValueRange carried) {
    return addProducts(k, carried, code.firstLanes(vector, code.sub(steps, k)));
  });
  for (int64_t i = 0; i < dotRows; ++i) {
    for (int64_t j = 0; j < numColumns; ++j) {
      // Reassociation makes a tree of what would be a chain of scalar adds.
      Value sum = vector::ReductionOp::create(
          code.builder, code.loc, vector::CombiningKind::ADD,
          sums[i * numColumns + j], arith::FastMathFlags::reassoc);
      code.store(sum, code.advance(c, i * ldc + j, f32));
    }
  }
}

void txc::x86::emitDotsCall(CodeBuilder &code, ValueRange rows, Value columns,
                            int64_t numColumns, int64_t pitch, Value steps,
                            Value c, int64_t ldc) {
  std::string name =
      ("txc_gemm_dots_" + Twine(numColumns) + "_pitch" + Twine(pitch) + "_ldc" +
       Twine(ldc) + "_v" +
       Twine(code.vectorOf(code.builder.getF32Type()).getNumElements()))
          .str();
  SmallVector<Value> operands(rows);
  llvm::append_values(operands, columns, steps, c);
  func::FuncOp callee = code.getOrCreateFunction(
      name, ValueRange(operands).getTypes(),
      [&](ValueRange args) { emitDots(code, args, numColumns, pitch, ldc); });
  code.call(callee, operands);
}
