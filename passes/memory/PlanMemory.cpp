//===- PlanMemory.cpp - buffers of the program ---------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/memory/PlanMemory.h"
#include "dialects/tx/RunTimeSymbols.h"
#include "passes/lower/Lowerings.h"

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

/// Whole cache lines.
static SymExprAttr getSlotBytes(RankedTensorType type) {
  return mul(ceilDiv(txc::getTensorBytes(type), kAlignment), kAlignment);
}

Buffer MemoryPlan::get(Value tensor) const {
  return buffers.lookup(getRoot(tensor));
}

namespace {
/// A range of the arena that several tensors take one after the other.
struct Slot {
  SymExprAttr bytes;
  /// How many run-time symbols have to be defined before `bytes` is known.
  unsigned stage = 0;
  bool isFree = false;
};
} // namespace

namespace txc {
class MemoryPlanner {
public:
  MemoryPlanner(func::FuncOp function,
                function_ref<int64_t(kernel::StoredOp)> weightOffset)
      : function(function), body(function.getBody().front()),
        context(function.getContext()), bounds(tx::getSymbolBounds(function)),
        runTimeSymbols(function), weightOffset(weightOffset) {}

  MemoryPlan plan();

private:
  void placeInputsAndWeights();
  void placeStates();
  void placeOutputs();
  void findLastUses();
  void placeResults();
  void assignOffsets();

  unsigned addSlot(SymExprAttr bytes);
  unsigned takeSlot(SymExprAttr bytes);
  int64_t estimate(SymExprAttr expr) const;

  func::FuncOp function;
  Block &body;
  MLIRContext *context;
  tx::SymbolBounds bounds;
  tx::RunTimeSymbols runTimeSymbols;
  function_ref<int64_t(kernel::StoredOp)> weightOffset;
  MemoryPlan result;
  llvm::DenseMap<Value, Operation *> lastUses;
  SmallVector<Slot> slots;
  llvm::MapVector<Value, unsigned> slotOf;
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

unsigned MemoryPlanner::addSlot(SymExprAttr bytes) {
  slots.push_back({bytes, runTimeSymbols.getStage(bytes)});
  return slots.size() - 1;
}

/// The free slot that fits best: of exactly this size, else the smallest that
/// is large enough, else the largest, which grows. All tensors of a slot are of
/// one stage, so that slots can be in the order of their stages.
unsigned MemoryPlanner::takeSlot(SymExprAttr bytes) {
  std::optional<unsigned> best;
  unsigned stage = runTimeSymbols.getStage(bytes);
  int64_t wanted = estimate(bytes);
  auto cost = [&](const Slot &slot) {
    int64_t size = estimate(slot.bytes);
    // Any waste is better than growth.
    return std::pair(size < wanted, std::abs(size - wanted));
  };
  for (auto [i, slot] : llvm::enumerate(slots)) {
    if (!slot.isFree || slot.stage != stage)
      continue;
    if (slot.bytes == bytes) {
      best = i;
      break;
    }
    if (!best || cost(slot) < cost(slots[*best]))
      best = i;
  }
  if (!best)
    return addSlot(bytes);
  Slot &slot = slots[*best];
  slot.isFree = false;
  if (bounds.compare(tx::Predicate::ge, slot.bytes, bytes) != true)
    slot.bytes = max(slot.bytes, bytes);
  return *best;
}

void MemoryPlanner::placeResults() {
  for (Operation &op : body) {
    if (!isa<kernel::PhaseInterface, tx::DefineSymbolOp>(op))
      continue;
    for (Value value : op.getResults()) {
      if (result.buffers.contains(value))
        continue;
      slotOf[value] =
          takeSlot(getSlotBytes(cast<RankedTensorType>(value.getType())));
    }
    // Only now: a phase may not write over what it reads.
    auto release = [&](Value value) {
      auto *it = slotOf.find(value);
      auto last = lastUses.find(value);
      if (it != slotOf.end() && (last == lastUses.end() || last->second == &op))
        slots[it->second].isFree = true;
    };
    for (Value operand : op.getOperands())
      release(getRoot(operand));
    for (Value value : op.getResults())
      release(value);
  }
}

/// Slots are in the order of their stages: the definition of a symbol moves no
/// buffer that was written before it (TXC_PHASE_DEFINE_SYMBOL of abi.h).
void MemoryPlanner::assignOffsets() {
  // A borrowed output stays valid until the next run: it shares no slot.
  SmallVector<unsigned> borrowed;
  for (Value output : body.getTerminator()->getOperands())
    borrowed.push_back(
        addSlot(getSlotBytes(cast<RankedTensorType>(output.getType()))));

  auto order = llvm::to_vector(llvm::seq<unsigned>(slots.size()));
  llvm::sort(order, [&](unsigned lhs, unsigned rhs) {
    return std::pair(slots[lhs].stage, lhs) < std::pair(slots[rhs].stage, rhs);
  });
  SymExprAttr offset = tx::getConstantExpr(context, 0);
  SmallVector<SymExprAttr> offsets(slots.size());
  for (unsigned slot : order) {
    offsets[slot] = offset;
    offset = add(offset, slots[slot].bytes);
  }
  for (auto [value, slot] : slotOf)
    result.buffers[value] = {Buffer::Space::arena, 0, offsets[slot]};
  for (unsigned slot : borrowed)
    result.borrowedOffsets.push_back(offsets[slot]);
  result.arenaBytes = offset;
}

MemoryPlan MemoryPlanner::plan() {
  placeInputsAndWeights();
  placeStates();
  placeOutputs();
  findLastUses();
  placeResults();
  assignOffsets();
  return std::move(result);
}

FailureOr<MemoryPlan>
txc::planMemory(func::FuncOp function,
                function_ref<int64_t(kernel::StoredOp)> weightOffset) {
  return MemoryPlanner(function, weightOffset).plan();
}
