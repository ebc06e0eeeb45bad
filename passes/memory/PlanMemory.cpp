//===- PlanMemory.cpp - buffers of the program ---------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/memory/PlanMemory.h"
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

Buffer MemoryPlan::get(Value tensor) const {
  return buffers.lookup(getRoot(tensor));
}

namespace {
/// A range of the arena that several tensors take one after the other.
struct Slot {
  SymExprAttr bytes;
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
        weightOffset(weightOffset) {}

  MemoryPlan plan();

private:
  void placeInputsAndWeights();
  void placeStates();
  void placeOutputs();
  void findLastUses();
  void placeResults();
  void assignOffsets();

  unsigned takeSlot(SymExprAttr bytes);
  int64_t estimate(SymExprAttr expr) const;

  func::FuncOp function;
  Block &body;
  MLIRContext *context;
  tx::SymbolBounds bounds;
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

/// The free slot that fits best: of exactly this size, else the smallest that
/// is large enough, else the largest, which grows.
unsigned MemoryPlanner::takeSlot(SymExprAttr bytes) {
  std::optional<unsigned> best;
  int64_t wanted = estimate(bytes);
  auto cost = [&](const Slot &slot) {
    int64_t size = estimate(slot.bytes);
    // Any waste is better than growth.
    return std::pair(size < wanted, std::abs(size - wanted));
  };
  for (auto [i, slot] : llvm::enumerate(slots)) {
    if (!slot.isFree)
      continue;
    if (slot.bytes == bytes) {
      best = i;
      break;
    }
    if (!best || cost(slot) < cost(slots[*best]))
      best = i;
  }
  if (!best) {
    slots.push_back({bytes});
    return slots.size() - 1;
  }
  Slot &slot = slots[*best];
  slot.isFree = false;
  if (bounds.compare(tx::Predicate::ge, slot.bytes, bytes) != true)
    slot.bytes = max(slot.bytes, bytes);
  return *best;
}

void MemoryPlanner::placeResults() {
  for (Operation &op : body) {
    if (!isa<kernel::PhaseInterface>(op))
      continue;
    for (Value value : op.getResults()) {
      if (result.buffers.contains(value))
        continue;
      SymExprAttr bytes =
          getTensorBytes(cast<RankedTensorType>(value.getType()));
      // Whole cache lines.
      bytes = mul(ceilDiv(bytes, kAlignment), kAlignment);
      slotOf[value] = takeSlot(bytes);
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

void MemoryPlanner::assignOffsets() {
  SymExprAttr offset = tx::getConstantExpr(context, 0);
  SmallVector<SymExprAttr> offsets;
  for (const Slot &slot : slots) {
    offsets.push_back(offset);
    offset = add(offset, slot.bytes);
  }
  for (auto [value, slot] : slotOf)
    result.buffers[value] = {Buffer::Space::arena, 0, offsets[slot]};
  // A borrowed output stays valid until the next run: it shares no slot.
  for (Value output : body.getTerminator()->getOperands()) {
    result.borrowedOffsets.push_back(offset);
    SymExprAttr bytes =
        getTensorBytes(cast<RankedTensorType>(output.getType()));
    offset = add(offset, mul(ceilDiv(bytes, kAlignment), kAlignment));
  }
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
