//===- PlanMemory.cpp - buffers of the program ---------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/memory/PlanMemory.h"
#include "dialects/tx/RunTimeSymbols.h"
#include "passes/lower/Lowerings.h"
#include "passes/memory/PackArena.h"
#include "llvm/ADT/MapVector.h"

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
        blocks(tx::getBlocks(function)), context(function.getContext()),
        bounds(tx::getSymbolBounds(function)), runTimeSymbols(function),
        weightOffset(weightOffset) {
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
  void numberOps(Block &block);
  void boundIndices();
  void placeInputsAndWeights();
  void placeStates();
  void placeOutputs();
  void shareLoopBuffers();
  void shareBranchBuffers(tx::IfOp op);
  void findLifetimes();
  void include(Value tensor, int64_t position);
  void collectTensors();
  void assignOffsets();

  Value getOwner(Value tensor) const;
  ArenaTensor makeArenaTensor(Value value) const;
  int64_t estimate(SymExprAttr expr) const;

  func::FuncOp function;
  Block &body;
  SmallVector<Block *> blocks;
  MLIRContext *context;
  tx::SymbolBounds bounds;
  tx::RunTimeSymbols runTimeSymbols;
  /// Of run-time symbols, by symbols that are known before.
  llvm::DenseMap<StringAttr, SymExprAttr> upperBounds;
  function_ref<int64_t(kernel::StoredOp)> weightOffset;
  MemoryPlan result;
  /// Tensors, no reshapes, that lie where another one does.
  llvm::MapVector<Value, Value> owners;
  /// Where an op stands in the program, and where a branch or loop ends.
  llvm::DenseMap<Operation *, int64_t> positions, ends;
  int64_t numPositions = 0;
  /// The first and the last position at which an owner's memory is needed.
  llvm::DenseMap<Value, std::pair<int64_t, int64_t>> lifetimes;
  /// What lies in the arena; behind the tensors of `values` the outputs.
  SmallVector<Value> values;
  SmallVector<ArenaTensor> tensors;
};
} // namespace txc

void MemoryPlanner::numberOps(Block &block) {
  for (Operation &op : block) {
    positions[&op] = numPositions++;
    if (!isa<tx::IfOp, tx::LoopOp>(op))
      continue;
    for (Region &region : op.getRegions())
      numberOps(region.front());
    ends[&op] = numPositions++;
  }
}

/// A loop's index is at most its trips.
void MemoryPlanner::boundIndices() {
  for (Block *block : blocks)
    for (auto loop : block->getOps<tx::LoopOp>())
      if (SymExprAttr trips = loop.getTripsAttr())
        upperBounds[loop.getIndexAttr()] = substitute(trips, upperBounds);
}

void MemoryPlanner::placeInputsAndWeights() {
  SymExprAttr zero = tx::getConstantExpr(context, 0);
  for (auto [i, argument] : llvm::enumerate(body.getArguments()))
    result.buffers[argument] = {Buffer::Space::input, static_cast<unsigned>(i),
                                zero};
  for (Block *block : blocks)
    for (auto stored : block->getOps<kernel::StoredOp>())
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
        isa_and_present<kernel::PhaseInterface, tx::IfOp>(root.getDefiningOp());
    if (!isWritten || result.buffers.contains(root)) {
      operand.set(materialize(b, operand.get().getLoc(), operand.get()));
      root = operand.get();
    }
    result.buffers[root] = {Buffer::Space::output, operand.getOperandNumber(),
                            tx::getConstantExpr(context, 0)};
  }
}

//===----------------------------------------------------------------------===//
// Branches and loops
//===----------------------------------------------------------------------===//

Value MemoryPlanner::getOwner(Value tensor) const {
  Value root = getRoot(tensor);
  for (const auto *it = owners.find(root); it != owners.end();
       it = owners.find(root))
    root = getRoot(it->second);
  return root;
}

/// What a loop carries is its result when it ends.
void MemoryPlanner::shareLoopBuffers() {
  for (Block *block : blocks)
    for (auto loop : block->getOps<tx::LoopOp>())
      for (auto [argument, value] :
           llvm::zip(loop.getBody().getArguments(), loop.getResults()))
        owners[argument] = value;
}

/// Whether the place of an op's result is known when its branches begin.
static bool isPlaceKnown(tx::IfOp op, Value value) {
  if (definesEarly(op))
    return true;
  llvm::SetVector<StringAttr> mentioned;
  for (SymExprAttr dim : tx::getDims(cast<RankedTensorType>(value.getType())))
    collectSymbols(dim, mentioned);
  return llvm::none_of(
      op.getSymbols().getAsRange<StringAttr>(),
      [&](StringAttr symbol) { return mentioned.contains(symbol); });
}

void MemoryPlanner::shareBranchBuffers(tx::IfOp op) {
  for (unsigned number : {0, 1})
    for (auto [yielded, value] :
         llvm::zip(op.getYield(number).getValues(), op.getResults())) {
      Value root = getRoot(yielded);
      Operation *producer = root.getDefiningOp();
      bool isWritten =
          isa_and_present<kernel::PhaseInterface, tx::IfOp>(producer) &&
          producer->getParentRegion() == &op->getRegion(number);
      if (isWritten && !result.buffers.contains(root) &&
          !owners.contains(root) && isPlaceKnown(op, value))
        owners[root] = value;
    }
}

//===----------------------------------------------------------------------===//
// Lifetimes
//===----------------------------------------------------------------------===//

void MemoryPlanner::include(Value tensor, int64_t position) {
  auto [it, isNew] =
      lifetimes.try_emplace(getOwner(tensor), position, position);
  auto &[first, last] = it->second;
  first = std::min(first, position);
  last = std::max(last, position);
}

void MemoryPlanner::findLifetimes() {
  for (Block *block : blocks)
    for (Operation &op : *block) {
      int64_t position = positions.lookup(&op);
      // The end of an iteration is the loop's: the condition is looked at when
      // all else is copied.
      auto loop = dyn_cast<tx::LoopOp>(block->getParentOp());
      if (loop && isa<tx::YieldOp>(op))
        position = ends.lookup(loop);
      for (Value operand : op.getOperands()) {
        include(operand, position);
        // What a loop reads, the next iteration reads again.
        Region *home = getRoot(operand).getParentRegion();
        for (Operation *parent = block->getParentOp();
             home->isProperAncestor(parent->getParentRegion()) ||
             home == parent->getParentRegion();
             parent = parent->getParentOp())
          if (isa<tx::LoopOp>(parent))
            include(operand, ends.lookup(parent));
      }
      if (isa<tx::ReshapeOp>(op))
        continue;
      for (Value value : op.getResults()) {
        // Branches write their results when they end, if not before.
        auto branches = dyn_cast<tx::IfOp>(op);
        include(value,
                branches ? positions.lookup(branches.getYield(0)) : position);
        if (auto end = ends.find(&op); end != ends.end())
          include(value, end->second);
      }
    }
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
ArenaTensor MemoryPlanner::makeArenaTensor(Value value) const {
  SymExprAttr bytes = substitute(
      getTensorBytes(cast<RankedTensorType>(value.getType())), upperBounds);
  bytes = mul(ceilDiv(bytes, kAlignment), kAlignment);
  auto [first, last] = lifetimes.lookup(getOwner(value));
  return {bytes, first, last, runTimeSymbols.getStage(bytes)};
}

void MemoryPlanner::collectTensors() {
  for (Block *block : blocks)
    for (Operation &op : *block) {
      if (!isa<kernel::PhaseInterface, tx::IfOp, tx::LoopOp>(op))
        continue;
      for (Value value : op.getResults()) {
        if (result.buffers.contains(value) || owners.contains(value))
          continue;
        values.push_back(value);
        tensors.push_back(makeArenaTensor(value));
      }
    }
  // Room for a caller that brings none: valid until the next run, so until the
  // end of this one.
  for (Value output : body.getTerminator()->getOperands()) {
    tensors.push_back(makeArenaTensor(output));
    tensors.back().last = numPositions;
  }
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
  for (auto [tensor, owner] : owners)
    result.buffers[tensor] = result.buffers.lookup(getOwner(owner));
}

MemoryPlan MemoryPlanner::plan() {
  boundIndices();
  placeInputsAndWeights();
  placeStates();
  placeOutputs();
  shareLoopBuffers();
  for (Block *block : blocks)
    for (auto branches : block->getOps<tx::IfOp>())
      shareBranchBuffers(branches);
  numberOps(body);
  findLifetimes();
  collectTensors();
  assignOffsets();
  return std::move(result);
}

FailureOr<MemoryPlan>
txc::planMemory(func::FuncOp function,
                function_ref<int64_t(kernel::StoredOp)> weightOffset) {
  return MemoryPlanner(function, weightOffset).plan();
}
