//===- DescribePhases.cpp - what a phase runs and where its operands are -===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/KernelCodegen.h"
#include "compiler/codegen/ptx/EmitPtx.h"
#include "compiler/program/OnnxNodes.h"
#include "compiler/program/ProgramBuilder.h"

using namespace mlir;
using namespace txc;
using tx::SymExprAttr;

/// The base and the value with the byte offset of a buffer.
std::pair<int64_t, int64_t> ProgramBuilder::locate(const Buffer &buffer) {
  int64_t base = TXC_BASE_WEIGHTS;
  switch (buffer.space) {
  case Buffer::Space::weights:
    break;
  case Buffer::Space::arena:
    base = TXC_BASE_ARENA;
    break;
  case Buffer::Space::input:
    base = TXC_BASE_FIRST_INPUT + buffer.number;
    break;
  case Buffer::Space::output:
    base = TXC_BASE_FIRST_INPUT + main.getNumArguments() + buffer.number;
    break;
  case Buffer::Space::state:
    base = TXC_BASE_FIRST_INPUT + main.getNumArguments() +
           main.getNumResults() + buffer.number;
    break;
  }
  return {base, values.getIndex(buffer.offset)};
}

SymExprAttr txc::getBytes(Type type) {
  if (auto packed = dyn_cast<pack::TensorType>(type))
    return tx::getConstantExpr(type.getContext(), packed.getStoredBytes());
  return getTensorBytes(cast<RankedTensorType>(type));
}

/// What a nest reads at most of its table number `index`: an element a point
/// and fetch.
static SymExprAttr getFetchedBytes(kernel::NestInterface nest, unsigned index) {
  Type type = nest.getTables()[index].getType();
  auto packed = dyn_cast<pack::TensorType>(type);
  Type element = packed ? packed.getElementType() : getElementTypeOrSelf(type);
  Value table =
      nest.getBodyBlock().getArgument(nest.getInputs().size() + index);
  auto fetches = static_cast<int64_t>(llvm::range_size(table.getUsers()));
  SymExprAttr bytes = tx::getConstantExpr(
      type.getContext(),
      fetches * llvm::divideCeil(element.getIntOrFloatBitWidth(), 8));
  for (auto size : nest.getSizes().getAsRange<SymExprAttr>())
    bytes = mul(bytes, size);
  return min(bytes, getBytes(type));
}

SymExprAttr txc::getPhaseBytes(Operation *phase) {
  SymExprAttr bytes = tx::getConstantExpr(phase->getContext(), 0);
  auto nest = dyn_cast<kernel::NestInterface>(phase);
  unsigned numTables = nest ? nest.getTables().size() : 0;
  for (Value operand : phase->getOperands().drop_back(numTables))
    bytes = add(bytes, getBytes(operand.getType()));
  for (unsigned i = 0; i < numTables; ++i)
    bytes = add(bytes, getFetchedBytes(nest, i));
  for (Type type : phase->getResultTypes())
    bytes = add(bytes, getBytes(type));
  return bytes;
}

void ProgramBuilder::describeLaunch(const KernelInstance &kernel,
                                    PhaseDescription &entry) {
  LaunchDescription &launch = entry.launch.emplace();
  launch.kernel = kernel.gpuNumber;
  launch.numBuffers = static_cast<int32_t>(entry.record.size() / 2);
  launch.numValues = static_cast<int32_t>(kernel.gpu->parameters.size());
  launch.reportsFaults = kernel.gpu->reportsFaults;
  for (SymExprAttr expr : kernel.gpu->parameters)
    entry.record.push_back(values.getIndex(expr));
  SymExprAttr blocks = tx::getConstantExpr(phases.getContext(), 1);
  for (auto [value, blocksAlong] :
       llvm::zip_equal(launch.gridValues, kernel.gpu->grid)) {
    value = values.getIndex(blocksAlong);
    blocks = mul(blocks, blocksAlong);
  }
  entry.tasksValue = values.getIndex(blocks);
  auto &all = description.gpu->kernels;
  if (all.size() == static_cast<size_t>(launch.kernel))
    all.push_back({kernel.gpu->name, kernel.gpu->threads});
}

/// Weights and inputs are in the CPU's memory as well.
void ProgramBuilder::describeTransfers(Operation *phase,
                                       PhaseDescription &entry) {
  auto add = [&](Value tensor, bool isResult) {
    Buffer::Space space = plan.get(tensor).space;
    if (space == Buffer::Space::weights || space == Buffer::Space::input)
      return;
    auto [base, offset] = locate(tensor);
    entry.transfers.push_back(
        {static_cast<int32_t>(base), static_cast<int32_t>(offset),
         values.getIndex(getBytes(tensor.getType())), isResult});
  };
  for (Value operand : phase->getOperands())
    add(operand, /*isResult=*/false);
  for (Value result : phase->getResults())
    add(result, /*isResult=*/true);
}

LogicalResult ProgramBuilder::compileGpuCode() {
  FailureOr<std::string> text = ptx::emitPtx(*gpuCode, sm);
  if (failed(text))
    return failure();
  description.gpu->ptx = std::move(*text);
  return success();
}

LogicalResult ProgramBuilder::describePhase(kernel::PhaseInterface phase) {
  FailureOr<KernelInstance> kernel = kernels.get(phase);
  if (failed(kernel))
    return failure();
  PhaseDescription &entry = description.phases.emplace_back();
  entry.function = kernel->function;
  entry.kernelName = kernel->function;
  entry.onnxNodes = joinNames(getOnnxNodes(phase.getLoc()));
  auto addBuffer = [&](Value tensor) {
    auto [base, offset] = locate(tensor);
    entry.record.push_back(base);
    entry.record.push_back(offset);
  };
  llvm::for_each(phase->getOperands(), addBuffer);
  llvm::for_each(phase->getResults(), addBuffer);
  entry.flopsValue = values.getIndex(phase.getFlops());
  entry.bytesValue = values.getIndex(getPhaseBytes(phase));
  hostReasons.resize(description.phases.size());
  if (kernel->gpu) {
    describeLaunch(*kernel, entry);
    return success();
  }
  for (SymExprAttr expr : kernel->exprs)
    entry.record.push_back(values.getIndex(expr));
  entry.tasksValue = values.getIndex(getTaskCount(phase, target));
  if (sm != 0) {
    describeTransfers(phase, entry);
    hostReasons.back() = kernel->hostReason;
  }
  scratchBytes = max(scratchBytes, getScratchBytes(phase, target));
  return success();
}

PhaseDescription &ProgramBuilder::addPhase(txc_phase_kind kind, Location loc) {
  PhaseDescription &entry = description.phases.emplace_back();
  entry.kind = kind;
  entry.onnxNodes = joinNames(getOnnxNodes(loc));
  return entry;
}

void ProgramBuilder::describeDefinition(tx::DefineSymbolOp define) {
  PhaseDescription &entry = addPhase(TXC_PHASE_DEFINE_SYMBOL, define.getLoc());
  entry.symbol = values.getSymbolIndex(define.getSymbolAttr());
  auto [base, offset] = locate(define.getValue());
  entry.conditionBase = static_cast<int32_t>(base);
  entry.conditionOffsetValue = static_cast<int32_t>(offset);
}
