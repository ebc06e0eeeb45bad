//===- BodyPlan.cpp - what a nest's body computes when -------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/BodyPlan.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace txc;
using kernel::CheckOp;
using kernel::IndexOp;
using kernel::ReduceOp;

//===----------------------------------------------------------------------===//
// Rates and stages
//===----------------------------------------------------------------------===//

Rate BodyPlan::getRate(unsigned dim, const NestPlan &nest) const {
  if (dim == nest.lanes.dim)
    return nest.lanesInRow ? Rate::point : Rate::lanes;
  bool inRow = llvm::any_of(
      nest.row, [&](const NestLoop &loop) { return loop.dim == dim; });
  return inRow ? Rate::point : Rate::unit;
}

Rate BodyPlan::getRate(const LinearAccess &access, const NestPlan &nest) const {
  Rate rate = Rate::unit;
  for (unsigned dim = 0; dim < access.strides.size(); ++dim)
    if (access.dependsOn(dim))
      rate = std::max(rate, getRate(dim, nest));
  return rate;
}

BodyPlan::Info BodyPlan::analyze(Operation &inner, const NestPlan &nest) const {
  Info info;
  if (auto index = dyn_cast<IndexOp>(inner))
    info.rate = getRate(index.getDim(), nest);
  for (Value operand : inner.getOperands()) {
    Info from = infos.lookup(operand);
    info.rate = std::max(info.rate, from.rate);
    info.stage = std::max(info.stage, from.stage);
  }
  if (isa<ReduceOp>(inner)) {
    info.rate = nest.lanesInRow ? Rate::unit : Rate::lanes;
    ++info.stage;
  }
  return info;
}

BodyPlan::BodyPlan(kernel::NestInterface op, const NestPlan &nest) : op(op) {
  Block &body = op.getBodyBlock();
  for (unsigned i = 0; i < op.getInputs().size(); ++i)
    infos[body.getArgument(i)] = {getRate(nest.accesses[i], nest), 0};
  for (Operation &inner : body.without_terminator()) {
    Info info = analyze(inner, nest);
    for (Value result : inner.getResults())
      infos[result] = info;
    if (auto reduce = dyn_cast<ReduceOp>(inner))
      getPass(info.stage - 1).reductions.push_back(reduce);
    if (auto check = dyn_cast<CheckOp>(inner)) {
      if (info.rate == Rate::point)
        getPass(info.stage).checks.push_back(check);
      else
        rowChecks.push_back(check);
    }
  }
  assignResults(nest);
  chooseSaved();
}

BodyPlan::Pass &BodyPlan::getPass(unsigned stage) {
  if (passes.size() <= stage)
    passes.resize(stage + 1);
  return passes[stage];
}

void BodyPlan::assignResults(const NestPlan &nest) {
  Operation *yield = op.getBodyBlock().getTerminator();
  unsigned numInputs = op.getInputs().size();
  unsigned last = passes.empty() ? 0 : passes.size() - 1;
  SmallVector<unsigned> pointResults;
  for (auto [i, value] : llvm::enumerate(yield->getOperands())) {
    if (getRate(nest.accesses[numInputs + i], nest) == Rate::point) {
      pointResults.push_back(i);
      last = std::max(last, infos.lookup(value).stage);
    } else {
      rowResults.push_back(i);
    }
  }
  if (!pointResults.empty())
    getPass(last).results = std::move(pointResults);
}

//===----------------------------------------------------------------------===//
// Passes
//===----------------------------------------------------------------------===//

SmallVector<Value> BodyPlan::Pass::getTargets(Operation *yield) const {
  SmallVector<Value> targets;
  for (ReduceOp reduce : reductions)
    targets.push_back(reduce.getValue());
  for (CheckOp check : checks)
    llvm::append_range(targets, check.getOperands());
  for (unsigned result : results)
    targets.push_back(yield->getOperand(result));
  return targets;
}

/// The ops that a pass runs at each point for `targets`.
void BodyPlan::collectPointOps(ArrayRef<Value> targets,
                               llvm::SetVector<Operation *> &ops) const {
  SmallVector<Value> worklist(targets);
  while (!worklist.empty()) {
    Value value = worklist.pop_back_val();
    Operation *inner = value.getDefiningOp();
    if (!inner || getRate(value) != Rate::point || !ops.insert(inner))
      continue;
    llvm::append_range(worklist, inner->getOperands());
  }
}

unsigned BodyPlan::countOps(const Pass &pass) {
  llvm::SetVector<Operation *> ops;
  collectPointOps(pass.getTargets(op.getBodyBlock().getTerminator()), ops);
  return ops.size();
}

/// Whether computing a value again costs more than a store and a load.
static bool isExpensive(Operation *inner) {
  return inner->getName().getDialectNamespace() ==
             math::MathDialect::getDialectNamespace() &&
         !isa<math::AbsFOp, math::AbsIOp, math::FloorOp, math::CeilOp,
              math::RoundEvenOp>(inner);
}

void BodyPlan::chooseSaved() {
  Operation *yield = op.getBodyBlock().getTerminator();
  llvm::DenseMap<Operation *, Pass *> firstPass;
  for (Pass &pass : passes) {
    llvm::SetVector<Operation *> ops;
    collectPointOps(pass.getTargets(yield), ops);
    for (Operation *inner : ops) {
      auto [it, isFirst] = firstPass.try_emplace(inner, &pass);
      Value value = inner->getResult(0);
      if (isFirst || !isExpensive(inner) || llvm::is_contained(saved, value))
        continue;
      it->second->saved.push_back(value);
      saved.push_back(value);
    }
  }
}
