//===- NestToGpu.cpp - loop nests on a GPU -------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/ptx/NestToGpu.h"
#include "compiler/codegen/BodyPlan.h"
#include "compiler/codegen/ptx/GpuBody.h"
#include "compiler/codegen/ptx/GpuReduction.h"
#include "compiler/codegen/ptx/GpuTarget.h"

using namespace mlir;
using namespace txc;
using namespace txc::ptx;
using kernel::CheckOp;
using kernel::NestInterface;
using kernel::ReduceOp;
using tx::SymExprAttr;

namespace {
class NestKernel {
public:
  NestKernel(GpuFunction &function, NestInterface op, ArrayRef<Value> operands,
             ArrayRef<Value> results)
      : function(function), b(function.getBuilder()), op(op), results(results),
        nest(op, getGpuVectorTarget()), plan(op, nest),
        body(function, op.getSymbols()),
        yield(op.getBodyBlock().getTerminator()),
        point(nest.accesses.empty() ? op.getSizes().size()
                                    : nest.accesses.front().strides.size()) {
    Block &block = op.getBodyBlock();
    size_t numInputs = op.getInputs().size();
    for (size_t i = 0; i < numInputs; ++i)
      body.addInput(block.getArgument(i), operands[i], nest.accesses[i]);
    for (size_t i = 0; i < op.getTables().size(); ++i)
      body.addTable(block.getArgument(numInputs + i), operands[numInputs + i]);
  }

  void emit();

private:
  using Values = GpuFunction::Values;

  SmallVector<NestLoop> getUnitLoops() const;
  void emitUnit();
  void emitPass(const BodyPlan::Pass &pass);
  Values emitRowLoops(const BodyPlan::Pass &pass, unsigned depth,
                      ValueRange sums);
  Values emitPoint(const BodyPlan::Pass &pass, ValueRange sums);
  void emitRowResults();
  void store(unsigned result, GpuBody::Values &known);
  Value size(const NestLoop &loop) { return function.getValue(loop.size); }

  GpuFunction &function;
  ImplicitLocOpBuilder &b;
  NestInterface op;
  ArrayRef<Value> results;
  NestPlan nest;
  BodyPlan plan;
  GpuBody body;
  Operation *yield;
  /// An index for each iteration dim.
  Values point;
  Value first;
  /// What holds for the whole row.
  GpuBody::Values row;
};
} // namespace

/// The loops whose points are units: a row each, or a point of a map.
SmallVector<NestLoop> NestKernel::getUnitLoops() const {
  SmallVector<NestLoop> loops = nest.outer;
  if (!nest.lanesInRow)
    loops.push_back(nest.lanes);
  return loops;
}

void NestKernel::emit() {
  first = function.index(0);
  llvm::fill(point, first);
  SmallVector<NestLoop> loops = getUnitLoops();
  SymExprAttr units = tx::getConstantExpr(op.getContext(), 1);
  SmallVector<Value> sizes;
  for (const NestLoop &loop : loops) {
    units = tx::mul(units, loop.size);
    sizes.push_back(size(loop));
  }
  int64_t perBlock = nest.lanesInRow ? kNestThreads / kWarpLanes : kNestThreads;
  Value number = function.getThread();
  if (nest.lanesInRow)
    number = function.div(number, function.index(kWarpLanes));
  number = function.add(
      function.mul(function.getBlock(), function.index(perBlock)), number);
  function.ifThen(function.isLess(number, function.getValue(units)), [&] {
    Values indices = function.delinearize(number, sizes);
    for (auto [loop, index] : llvm::zip_equal(loops, indices))
      point[loop.dim] = index;
    emitUnit();
  });
  function.finish({tx::ceilDiv(units, perBlock)});
}

void NestKernel::emitUnit() {
  for (const BodyPlan::Pass &pass : plan.getPasses())
    if (!pass.isEmpty())
      emitPass(pass);
  if (!nest.lanesInRow)
    return emitRowResults();
  // All lanes have the row's sums; one writes what is made of them.
  Value isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::eq,
                                        function.getLane(), function.index(0));
  function.ifThen(isFirst, [&] { emitRowResults(); });
}

void NestKernel::emitRowResults() {
  GpuBody::Values known = row;
  for (CheckOp check : plan.getRowChecks())
    body.check(check, point, known);
  for (unsigned result : plan.getRowResults())
    store(result, known);
}

void NestKernel::store(unsigned result, GpuBody::Values &known) {
  const LinearAccess &access = nest.accesses[op.getInputs().size() + result];
  body.store(yield->getOperand(result), results[result], access, point, known);
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// A walk over the row; its reductions are known afterwards.
void NestKernel::emitPass(const BodyPlan::Pass &pass) {
  Values sums;
  for (ReduceOp reduce : pass.reductions)
    sums.push_back(
        GpuReduction(b, reduce.getKind(), reduce.getType()).getNeutral());
  sums = emitRowLoops(pass, 0, sums);
  for (auto [reduce, sum] : llvm::zip_equal(pass.reductions, sums)) {
    ReduceOp reduceOp = reduce;
    GpuReduction reduction(b, reduceOp.getKind(), reduceOp.getType());
    row[reduceOp.getResult()] =
        reduction.finish(nest.lanesInRow ? reduction.acrossWarp(sum) : sum);
  }
  // The row as a whole is at its first point.
  for (const NestLoop &loop : nest.row)
    point[loop.dim] = first;
  if (nest.lanesInRow)
    point[nest.lanes.dim] = first;
}

NestKernel::Values NestKernel::emitRowLoops(const BodyPlan::Pass &pass,
                                            unsigned depth, ValueRange sums) {
  if (depth < nest.row.size()) {
    const NestLoop &loop = nest.row[depth];
    return function.loop(function.index(0), size(loop), 1, sums,
                         [&](Value index, ValueRange inner) {
                           point[loop.dim] = index;
                           return emitRowLoops(pass, depth + 1, inner);
                         });
  }
  if (!nest.lanesInRow)
    return emitPoint(pass, sums);
  return function.loop(function.getLane(), size(nest.lanes), kWarpLanes, sums,
                       [&](Value index, ValueRange inner) {
                         point[nest.lanes.dim] = index;
                         return emitPoint(pass, inner);
                       });
}

NestKernel::Values NestKernel::emitPoint(const BodyPlan::Pass &pass,
                                         ValueRange sums) {
  GpuBody::Values known = row;
  Values next;
  for (auto [reduce, sum] : llvm::zip_equal(pass.reductions, sums)) {
    ReduceOp reduceOp = reduce;
    GpuReduction reduction(b, reduceOp.getKind(), reduceOp.getType());
    next.push_back(
        reduction.add(sum, body.get(reduceOp.getValue(), point, known)));
  }
  for (CheckOp check : pass.checks)
    body.check(check, point, known);
  for (unsigned result : pass.results)
    store(result, known);
  return next;
}

void txc::ptx::emitNest(GpuFunction &function, NestInterface nest,
                        ArrayRef<Value> operands, ArrayRef<Value> results) {
  NestKernel(function, nest, operands, results).emit();
}
