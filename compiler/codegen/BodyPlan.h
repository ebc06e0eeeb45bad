//===- BodyPlan.h - what a nest's body computes when -----------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Sorts the values of a body by the loop they belong to and by the pass over
/// the row in which they are first known.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_BODYPLAN_H
#define TXC_COMPILER_CODEGEN_BODYPLAN_H

#include "compiler/codegen/NestPlan.h"

namespace txc {

/// The innermost loop that changes a value.
enum class Rate {
  /// Outer loops only: a scalar.
  unit,
  /// The loop of parallel lanes.
  lanes,
  /// The loops of the row.
  point
};

class BodyPlan {
public:
  BodyPlan(kernel::NestInterface op, const NestPlan &nest);

  /// A walk over the row. It may use the reductions of the passes before it.
  struct Pass {
    llvm::SmallVector<kernel::ReduceOp> reductions;
    llvm::SmallVector<kernel::CheckOp> checks;
    /// Numbers of the results with an element at each point of the row.
    llvm::SmallVector<unsigned> results;
    /// Values that later passes need and that are dear to compute: kept in
    /// scratch.
    llvm::SmallVector<mlir::Value> saved;

    /// What the pass computes, or needs, at each point.
    llvm::SmallVector<mlir::Value> getTargets(mlir::Operation *yield) const;
    bool isEmpty() const {
      return reductions.empty() && checks.empty() && results.empty();
    }
  };

  Rate getRate(mlir::Value value) const { return infos.lookup(value).rate; }
  llvm::ArrayRef<Pass> getPasses() const { return passes; }
  /// Results and checks with one element (or condition) a row.
  llvm::ArrayRef<unsigned> getRowResults() const { return rowResults; }
  llvm::ArrayRef<kernel::CheckOp> getRowChecks() const { return rowChecks; }
  /// All saved values, in the order of their buffers.
  llvm::ArrayRef<mlir::Value> getSaved() const { return saved; }
  /// Operations at each point of `pass`.
  unsigned countOps(const Pass &pass);

private:
  struct Info {
    Rate rate = Rate::unit;
    unsigned stage = 0;
  };

  Info analyze(mlir::Operation &op, const NestPlan &nest) const;
  Rate getRate(unsigned dim, const NestPlan &nest) const;
  Rate getRate(const LinearAccess &access, const NestPlan &nest) const;
  Pass &getPass(unsigned stage);
  void assignResults(const NestPlan &nest);
  void chooseSaved();
  void collectPointOps(llvm::ArrayRef<mlir::Value> targets,
                       llvm::SetVector<mlir::Operation *> &ops) const;

  kernel::NestInterface op;
  llvm::DenseMap<mlir::Value, Info> infos;
  llvm::SmallVector<Pass> passes;
  llvm::SmallVector<unsigned> rowResults;
  llvm::SmallVector<kernel::CheckOp> rowChecks;
  llvm::SmallVector<mlir::Value> saved;
};

} // namespace txc

#endif // TXC_COMPILER_CODEGEN_BODYPLAN_H
