//===- PlanMemory.cpp - buffers of the program ---------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/memory/PlanMemory.h"
#include "dialects/tx/RunTimeSymbols.h"
#include "passes/lower/Lowerings.h"
#include "passes/memory/PackArena.h"

using namespace mlir;
using namespace txc;
using tx::SymExprAttr;

/// Slots begin at cache lines.
constexpr int64_t kAlignment = 64;

/// What symbols are taken to be where their ranges don't tell sizes apart.
constexpr int64_t kTypicalDim = 128;

/// The tensor whose memory a reshape's result is.
static Value getRoot(Value tensor) {
  while (auto reshape = tensor.getDefiningOp<tx::ReshapeOp>())
    tensor = reshape.getX();
  return tensor;
}

SymExprAttr txc::getTensorBytes(RankedTensorType type) {
  unsigned bits = type.getElementTypeBitWidth();
  SymExprAttr count = tx::getElementCount(type);
  if (bits == 2 || bits == 4)
    return tx::ceilDiv(count, 8 / bits);
  return mul(count, static_cast<int64_t>(llvm::divideCeil(bits, 8)));
}

Buffer MemoryPlan::get(Value tensor) const {
  return buffers.lookup(getRoot(tensor));
}

namespace txc {
class MemoryPlanner {
public:
  MemoryPlanner(func::FuncOp function,
                function_ref<int64_t(kernel::StoredOp)> weightOffset)
      : function(function), body(function.getBody().front()),
        context(function.getContext()), bounds(tx::getSymbolBounds(function)),
        runTimeSymbols(function), weightOffset(weightOffset) {
    auto module = function->getParentOfType<ModuleOp>();
    auto given = module
                     ? module->getAttrOfType<DictionaryAttr>("tx.upper_bounds")
                     : DictionaryAttr();
    if (given)
      for (NamedAttribute bound : given)
        upperBounds[bound.getName()] = cast<SymExprAttr>(bound.getValue());
  }

  MemoryPlan plan();

private:
  void placeInputsAndWeights();
  void placeStates();
  void placeOutputs();
  void findLastUses();
  void collectTensors();
  void assignOffsets();

  ArenaTensor makeArenaTensor(Value value, int64_t last) const;
  int64_t estimate(SymExprAttr expr) const;

  func::FuncOp function;
  Block &body;
  MLIRContext *context;
  tx::SymbolBounds bounds;
  tx::RunTimeSymbols runTimeSymbols;
  /// Of run-time symbols, by symbols that are known before.
  llvm::DenseMap<StringAttr, SymExprAttr> upperBounds;
  function_ref<int64_t(kernel::StoredOp)> weightOffset;
  MemoryPlan result;
  llvm::DenseMap<Value, Operation *> lastUses;
  llvm::DenseMap<Operation *, int64_t> positions;
  /// What lies in the arena; behind the tensors of `values` the outputs.
  SmallVector<Value> values;
  SmallVector<ArenaTensor> tensors;
};
} // namespace txc

void MemoryPlanner::placeInputsAndWeights() {
  SymExprAttr zero = tx::getConstantExpr(context, 0);
  for (auto [i, argument] : llvm::enumerate(body.getArguments()))
    result.buffers[argument] = {Buffer::Space::input, static_cast<unsigned>(i),
                                zero};
  for (auto stored : body.getOps<kernel::StoredOp>())
    result.buffers[stored.getResult()] = {
        Buffer::Space::weights, 0,
        tx::getConstantExpr(context, weightOffset(stored))};
}

void MemoryPlanner::placeStates() {
  unsigned number = 0;
  for (auto append : body.getOps<kernel::AppendOp>())
    result.buffers[append->getResult(0)] = {Buffer::Space::state, number++,
                                            tx::getConstantExpr(context, 0)};
}

void MemoryPlanner::placeOutputs() {
  Operation *terminator = body.getTerminator();
  OpBuilder b(terminator);
  for (OpOperand &operand : terminator->getOpOperands()) {
    Value root = getRoot(operand.get());
    bool isWritten =
        isa_and_present<kernel::PhaseInterface>(root.getDefiningOp());
    if (!isWritten || result.buffers.contains(root)) {
      operand.set(materialize(b, operand.get().getLoc(), operand.get()));
      root = operand.get();
    }
    result.buffers[root] = {Buffer::Space::output, operand.getOperandNumber(),
                            tx::getConstantExpr(context, 0)};
  }
}

void MemoryPlanner::findLastUses() {
  for (Operation &op : body)
    for (Value operand : op.getOperands())
      lastUses[getRoot(operand)] = &op;
}

int64_t MemoryPlanner::estimate(SymExprAttr expr) const {
  llvm::SetVector<StringAttr> symbols;
  collectSymbols(expr, symbols);
  llvm::DenseMap<StringAttr, int64_t> values;
  for (StringAttr symbol : symbols) {
    tx::SymbolBounds::Range range = bounds.get(symbol);
    int64_t upper = range.upper.value_or(kTypicalDim);
    values[symbol] = std::max(range.lower, std::min(kTypicalDim, upper));
  }
  return evaluate(expr, values).value_or(0);
}

/// In whole cache lines. Where a run-time symbol has a bound, a tensor has room
/// for as many: no run at the same dims needs more memory than another.
ArenaTensor MemoryPlanner::makeArenaTensor(Value value, int64_t last) const {
  SymExprAttr bytes = substitute(
      getTensorBytes(cast<RankedTensorType>(value.getType())), upperBounds);
  bytes = mul(ceilDiv(bytes, kAlignment), kAlignment);
  return {bytes, positions.lookup(value.getDefiningOp()), last,
          runTimeSymbols.getStage(bytes)};
}

void MemoryPlanner::collectTensors() {
  for (Operation &op : body)
    positions[&op] = static_cast<int64_t>(positions.size());
  for (Operation &op : body) {
    if (!isa<kernel::PhaseInterface, tx::DefineSymbolOp>(op))
      continue;
    for (Value value : op.getResults()) {
      if (result.buffers.contains(value))
        continue;
      Operation *last = lastUses.lookup(value);
      values.push_back(value);
      tensors.push_back(
          makeArenaTensor(value, positions.lookup(last ? last : &op)));
    }
  }
  // Room for a caller that brings none: valid until the next run, so until the
  // end of this one.
  int64_t end = positions.lookup(body.getTerminator());
  for (Value output : body.getTerminator()->getOperands())
    tensors.push_back(makeArenaTensor(getRoot(output), end));
}

/// A tensor's stage is the number of run-time symbols that have to be defined
/// before its size is known: the definition of a symbol moves no buffer that
/// was written before it (TXC_PHASE_DEFINE_SYMBOL of abi.h).
void MemoryPlanner::assignOffsets() {
  PackedArena arena =
      packArena(context, tensors, bounds,
                [&](SymExprAttr expr) { return estimate(expr); });
  for (auto [value, offset] : llvm::zip(values, arena.offsets))
    result.buffers[value] = {Buffer::Space::arena, 0, offset};
  llvm::append_range(result.borrowedOffsets,
                     ArrayRef(arena.offsets).drop_front(values.size()));
  result.arenaBytes = arena.bytes;
}

MemoryPlan MemoryPlanner::plan() {
  placeInputsAndWeights();
  placeStates();
  placeOutputs();
  findLastUses();
  collectTensors();
  assignOffsets();
  return std::move(result);
}

FailureOr<MemoryPlan>
txc::planMemory(func::FuncOp function,
                function_ref<int64_t(kernel::StoredOp)> weightOffset) {
  return MemoryPlanner(function, weightOffset).plan();
}
