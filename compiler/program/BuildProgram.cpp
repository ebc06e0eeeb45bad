//===- BuildProgram.cpp - from phases to code and tables -----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/program/ProgramBuilder.h"
#include "compiler/program/Recipes.h"

using namespace mlir;
using namespace txc;

/// Name of the shape program in the generated module.
constexpr StringLiteral kEvaluate = "txc_evaluate_shapes";

SmallVector<StringAttr> ProgramBuilder::getSymbolNames() const {
  SmallVector<StringAttr> names;
  if (auto ranges = phases->getAttrOfType<DictionaryAttr>("tx.symbols"))
    for (NamedAttribute range : ranges)
      names.push_back(range.getName());
  return names;
}

/// Every phase without a kernel is reported, not the first alone.
LogicalResult ProgramBuilder::describeBlock(Block &block) {
  bool hasFailed = false;
  for (Operation &op : block) {
    if (auto phase = dyn_cast<kernel::PhaseInterface>(op))
      hasFailed |= failed(describePhase(phase));
    else if (auto define = dyn_cast<tx::DefineSymbolOp>(op))
      describeDefinition(define);
    else if (auto branches = dyn_cast<tx::IfOp>(op))
      hasFailed |= failed(describeBranches(branches));
    else if (auto loop = dyn_cast<tx::LoopOp>(op))
      hasFailed |= failed(describeLoop(loop));
    else if (auto require = dyn_cast<tx::RequireOp>(op))
      describeCheck(require);
  }
  return success(!hasFailed);
}

FailureOr<Program> ProgramBuilder::build(StringRef name) {
  description.name = name.str();
  if (failed(tx::verifyRunTimeSymbols(main)))
    return failure();
  FailureOr<MemoryPlan> memory = planMemory(main, [&](kernel::StoredOp stored) {
    return static_cast<int64_t>(addStoredTensor(weights, stored, store));
  });
  if (failed(memory))
    return failure();
  plan = std::move(*memory);
  describeSymbols();
  if (failed(describeInterface()) || failed(describeStates()))
    return failure();
  describeRequirements();
  scratchBytes = tx::getConstantExpr(phases.getContext(), 0);
  if (sm != 0)
    description.gpu.emplace().sm = sm;
  if (failed(describeBlock(main.getBody().front())) ||
      (sm != 0 && failed(compileGpuCode())))
    return failure();
  description.arenaBytesValue = values.getIndex(plan.getArenaBytes());
  description.scratchBytesValue = values.getIndex(scratchBytes);
  description.valueCount = values.size();
  description.evaluateFunction = kEvaluate.str();
  OpBuilder b = OpBuilder::atBlockEnd(code->getBody());
  values.buildFunction(b, phases.getLoc(), kEvaluate);

  Program program;
  program.description = std::move(description);
  program.code = std::move(code);
  program.numKernels = kernels.size();
  hostReasons.resize(program.description.phases.size());
  program.hostReasons = std::move(hostReasons);
  program.arenaBytes = plan.getArenaBytes();
  program.scratchBytes = scratchBytes;
  return program;
}

FailureOr<Program> txc::buildProgram(ModuleOp phases, StringRef modelName,
                                     const VectorTarget &target, unsigned sm,
                                     const WeightStore &store,
                                     WeightsImage &weights) {
  return ProgramBuilder(phases, target, sm, store, weights).build(modelName);
}
