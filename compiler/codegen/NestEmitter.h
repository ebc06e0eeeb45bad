//===- NestEmitter.h - the emitter of a nest -------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// What the parts of the generator of nests share; internal to this folder.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_NESTEMITTER_H
#define TXC_COMPILER_CODEGEN_NESTEMITTER_H

#include "compiler/codegen/BodyPlan.h"
#include "compiler/codegen/KernelFunction.h"
#include "compiler/codegen/Lanes.h"
#include "compiler/codegen/NestPlan.h"
#include "dialects/kernel/Kernel.h"

namespace txc {

/// Emits the loops of one nest; used once.
class NestEmitter {
public:
  NestEmitter(KernelFunction &function, kernel::NestInterface op,
              llvm::ArrayRef<mlir::Value> operands)
      : function(function), code(function.getCode()), op(op),
        operands(operands), nest(op, function.getTarget()), body(op, nest),
        yield(op.getBodyBlock().getTerminator()),
        point(nest.accesses.empty() ? op.getSizes().size()
                                    : nest.accesses.front().strides.size()) {}

  void emit();

private:
  /// The values known inside one loop; it looks outward for those of outer
  /// loops.
  struct Scope {
    Scope(Rate rate, Lanes lanes, const Scope *parent)
        : rate(rate), lanes(lanes), parent(parent) {}

    const LaneValue *find(mlir::Value value) const {
      for (const Scope *scope = this; scope; scope = scope->parent)
        if (auto it = scope->values.find(value); it != scope->values.end())
          return &it->second;
      return nullptr;
    }

    Rate rate;
    Lanes lanes;
    const Scope *parent;
    llvm::DenseMap<mlir::Value, LaneValue> values;
  };

  /// A row, or a vector of parallel ones, with an index for each iteration dim.
  struct Row {
    Scope scope;
    llvm::SmallVector<LaneValue> point;
    /// Its place among the rows that are computed at once.
    int64_t number;
  };
  using Rows = llvm::MutableArrayRef<Row>;
  using Carried = llvm::SmallVector<mlir::Value>;

  // Units.
  llvm::SmallVector<mlir::Value> decodeUnit(mlir::Value unit);
  llvm::SmallVector<mlir::Value> getNextUnit(mlir::ValueRange indices);
  llvm::SmallVector<LaneValue> getStart(mlir::ValueRange unit);
  void goTo(const Row &row);
  void emitRowUnits(mlir::Value begin, mlir::Value end);
  void emitLaneUnits(mlir::Value begin, mlir::Value end);
  void emitRun(mlir::ValueRange indices);
  void emitLaneLoops(Rows units, mlir::Value run);
  void emitLanes(Rows units, mlir::Value first, mlir::Value mask);

  // Rows: NestRows.cpp.
  void emitRows(Rows rows);
  void emitPass(Rows rows, unsigned number);
  int64_t getUnrolledPoints(Rows rows, unsigned pass, unsigned depth);
  Carried emitRowLoops(Rows rows, unsigned pass, unsigned depth,
                       mlir::ValueRange carried, int64_t unroll);
  Carried emitRowLanes(Rows rows, unsigned pass, mlir::ValueRange carried,
                       int64_t unroll);
  Carried emitPoints(Rows rows, unsigned pass,
                     llvm::ArrayRef<mlir::Value> lanes, mlir::Value mask,
                     mlir::ValueRange carried);
  Carried finishPoint(Scope &scope, unsigned pass, mlir::ValueRange carried);

  // Values: NestValues.cpp.
  LaneValue get(Scope &scope, mlir::Value value);
  LaneValue compute(Scope &scope, mlir::Value value);
  void prepare(Scope &scope, llvm::ArrayRef<mlir::Value> targets);
  void check(Scope &scope, kernel::CheckOp check);
  void store(Scope &scope, unsigned result);
  LaneValue getSavedElement(Scope &scope);
  mlir::Value getSavedBuffer(mlir::Value value);

  mlir::Value size(const NestLoop &loop) {
    return function.getValue(loop.size);
  }
  bool dividesEvenly(int64_t step) const {
    std::optional<int64_t> known = nest.lanes.size.getConstant();
    return known && *known % step == 0;
  }

  KernelFunction &function;
  x86::CodeBuilder &code;
  kernel::NestInterface op;
  llvm::ArrayRef<mlir::Value> operands;
  NestPlan nest;
  BodyPlan body;
  mlir::Operation *yield;
  /// Where the code being emitted is: an index for each iteration dim.
  llvm::SmallVector<LaneValue> point;
  int64_t rowNumber = 0;
  unsigned currentPass = 0;
};

/// Bytes of the scratch memory of a row's saved values, of those before \p end
/// alone if it is one.
tx::SymExprAttr getSavedBytesOfRow(const NestPlan &nest, const BodyPlan &body,
                                   mlir::Value end = {});

} // namespace txc

#endif // TXC_COMPILER_CODEGEN_NESTEMITTER_H
