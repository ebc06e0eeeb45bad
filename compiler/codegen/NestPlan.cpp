//===- NestPlan.cpp - loops and tasks of a loop nest ---------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/NestPlan.h"
#include "compiler/codegen/KernelFunction.h"

using namespace mlir;
using namespace txc;
using tx::SymExprAttr;

/// Points of a task: enough to hide the cost of handing it out (a barrier takes
/// 0.2 µs), few enough to keep many cores busy.
constexpr int64_t kPointsPerTask = 8192;

static SmallVector<LinearAccess> getAccesses(kernel::NestInterface op) {
  SmallVector<LinearAccess> accesses;
  for (auto [i, input] : llvm::enumerate(op.getInputs()))
    accesses.push_back(LinearAccess::get(
        op.getInputMap(i), cast<RankedTensorType>(input.getType()),
        op.getSymbols()));
  for (auto [i, type] : llvm::enumerate(op->getResultTypes()))
    accesses.push_back(LinearAccess::get(
        op.getResultMap(i), cast<RankedTensorType>(type), op.getSymbols()));
  return accesses;
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// Whether steps of `outer` continue those of `inner` in every operand.
static bool areContiguous(const NestLoop &outer, const NestLoop &inner,
                          ArrayRef<LinearAccess> accesses) {
  return llvm::all_of(accesses, [&](const LinearAccess &access) {
    return access.isLinearIn(outer.dim) && access.isLinearIn(inner.dim) &&
           access.strides[outer.dim] ==
               tx::mul(access.strides[inner.dim], inner.size);
  });
}

/// The iteration dims [begin, end) as loops: without those of size 1, and with
/// contiguous neighbours as one.
static SmallVector<NestLoop> collapse(kernel::NestInterface op, unsigned begin,
                                      unsigned end,
                                      ArrayRef<LinearAccess> accesses) {
  llvm::SmallDenseSet<unsigned> indexed;
  op.getBody().walk(
      [&](kernel::IndexOp index) { indexed.insert(index.getDim()); });
  SmallVector<NestLoop> loops;
  for (unsigned dim = begin; dim < end; ++dim) {
    NestLoop loop{op.getSize(dim), dim};
    if (loop.size.isConstant(1))
      continue;
    if (!loops.empty() && !indexed.contains(dim) &&
        !indexed.contains(loops.back().dim) &&
        areContiguous(loops.back(), loop, accesses)) {
      loop.size = tx::mul(loops.back().size, loop.size);
      loops.pop_back();
    }
    loops.push_back(loop);
  }
  return loops;
}

/// How often an access happens for each row: what is the same for a whole row
/// is loaded or stored once. Beyond some points more make no difference.
static int64_t getRepeats(const LinearAccess &access, ArrayRef<NestLoop> row) {
  constexpr int64_t most = 32;
  int64_t repeats = 1;
  bool changes = row.empty();
  for (const NestLoop &loop : row) {
    changes |= access.dependsOn(loop.dim);
    repeats = std::min(most, repeats * loop.size.getConstant().value_or(most));
  }
  return changes ? repeats : 1;
}

/// What lanes along the loop cost for each row, in rough units of a contiguous
/// vector access; an access of separate elements is ten times dearer, a store
/// of those twenty.
static int64_t getLaneCost(const NestLoop &loop, ArrayRef<NestLoop> row,
                           ArrayRef<LinearAccess> accesses, size_t numInputs) {
  int64_t cost = 0;
  for (auto [i, access] : llvm::enumerate(accesses)) {
    if (!access.dependsOn(loop.dim))
      continue;
    bool isContiguous = access.getConstantStride(loop.dim) == 1;
    cost += getRepeats(access, row) * (isContiguous    ? 1
                                       : i < numInputs ? 10
                                                       : 20);
  }
  // Vectors that are mostly empty.
  if (std::optional<int64_t> size = loop.size.getConstant(); size && *size < 8)
    cost *= 4;
  return cost;
}

/// How often tables are not read along the lanes when these go along `dim`.
static int64_t getTableCost(kernel::NestInterface op, unsigned dim) {
  int64_t cost = 0;
  op.getBody().walk([&](kernel::FetchOp fetch) {
    bool isContiguous = false;
    if (!fetch.getIndices().empty())
      if (auto last =
              fetch.getIndices().back().getDefiningOp<kernel::IndexOp>())
        isContiguous = last.getDim() == dim;
    cost += isContiguous ? 1 : 10;
  });
  return cost;
}

namespace {
/// A choice of the loop that lanes go along.
struct LaneChoice {
  int64_t cost = std::numeric_limits<int64_t>::max();
  size_t position = 0;
  bool inRow = false;
};
} // namespace

/// The cheapest loop; if equal one of the row, which then is read once, and the
/// innermost of those.
static LaneChoice chooseLanes(kernel::NestInterface op,
                              ArrayRef<NestLoop> parallel,
                              ArrayRef<NestLoop> row,
                              ArrayRef<LinearAccess> accesses) {
  LaneChoice best;
  size_t numInputs = op.getInputs().size();
  for (bool inRow : {true, false}) {
    ArrayRef<NestLoop> loops = inRow ? row : parallel;
    for (size_t i = loops.size(); i-- > 0;) {
      int64_t cost = getLaneCost(loops[i], row, accesses, numInputs) +
                     getTableCost(op, loops[i].dim);
      if (cost < best.cost)
        best = {cost, i, inRow};
    }
  }
  return best;
}

/// Lanes of a vector that holds the widest numbers which vary between lanes.
static int64_t getNumLanes(kernel::NestInterface op, unsigned laneDim,
                           ArrayRef<LinearAccess> accesses,
                           const VectorTarget &target) {
  unsigned width = 32;
  SmallVector<Type> types(op.getInputs().getTypes());
  llvm::append_range(types, op->getResultTypes());
  for (auto [type, access] : llvm::zip_equal(types, accesses))
    if (access.dependsOn(laneDim))
      width =
          std::max(width, getElementTypeOrSelf(type).getIntOrFloatBitWidth());
  return target.lanes(static_cast<int>(width));
}

/// Several of rows that are short, which take about as long as the ends of
/// their reductions, and have so short a body that its copies are no burden.
static int64_t chooseRowsAtOnce(kernel::NestInterface op,
                                const NestPlan &nest) {
  constexpr size_t mostOps = 32;
  constexpr int64_t longestRow = 4096;
  Block &body = op.getBodyBlock();
  std::optional<int64_t> length = nest.rowElements.getConstant();
  bool isWorth = nest.lanesInRow && length && *length <= longestRow &&
                 !body.getOps<kernel::ReduceOp>().empty() &&
                 body.getOperations().size() <= mostOps;
  return isWorth ? 4 : 1;
}

/// Neighbours whose rows are a window of a few points: they share much of what
/// they read. The fewer are left over, which take as long as all of them, the
/// better.
static int64_t chooseNeighbours(kernel::NestInterface op,
                                const NestPlan &nest) {
  constexpr size_t mostOps = 16;
  constexpr int64_t largestWindow = 512, fewest = 4, most = 8;
  Block &body = op.getBodyBlock();
  std::optional<int64_t> points = nest.rowElements.getConstant();
  if (nest.lanesInRow || nest.outer.empty() || !points ||
      *points > largestWindow || body.getOps<kernel::ReduceOp>().empty() ||
      body.getOperations().size() > mostOps)
    return 1;
  std::optional<int64_t> number = nest.outer.back().size.getConstant();
  if (!number)
    return fewest;
  int64_t best = fewest;
  for (int64_t count = fewest; count <= most; ++count)
    if (*number % count <= *number % best)
      best = count;
  return std::clamp<int64_t>(*number, 1, best);
}

//===----------------------------------------------------------------------===//
// Tasks
//===----------------------------------------------------------------------===//

static SymExprAttr multiplySizes(MLIRContext *context,
                                 ArrayRef<NestLoop> loops) {
  SymExprAttr product = tx::getConstantExpr(context, 1);
  for (const NestLoop &loop : loops)
    product = tx::mul(product, loop.size);
  return product;
}

NestPlan::NestPlan(kernel::NestInterface op, const VectorTarget &target)
    : accesses(getAccesses(op)) {
  MLIRContext *context = op.getContext();
  SymExprAttr one = tx::getConstantExpr(context, 1);
  unsigned numDims = op.getSizes().size();
  unsigned numParallel = numDims - static_cast<unsigned>(op.getNumRowDims());
  outer = collapse(op, 0, numParallel, accesses);
  row = collapse(op, numParallel, numDims, accesses);
  rowElements = multiplySizes(context, row);

  if (outer.empty() && row.empty()) {
    // A single point: lanes of a loop of size 1, over no dim at all.
    lanes = {one, numDims};
    for (LinearAccess &access : accesses)
      access.strides.push_back(tx::getConstantExpr(context, 0));
  } else {
    LaneChoice choice = chooseLanes(op, outer, row, accesses);
    SmallVector<NestLoop> &loops = choice.inRow ? row : outer;
    lanes = loops[choice.position];
    loops.erase(loops.begin() + choice.position);
    lanesInRow = choice.inRow;
  }
  numLanes = getNumLanes(op, lanes.dim, accesses, target);

  rowsAtOnce =
      lanesInRow ? chooseRowsAtOnce(op, *this) : chooseNeighbours(op, *this);

  for (const NestLoop &loop : outer)
    unitSizes.push_back(loop.size);
  SymExprAttr pointsPerUnit = rowElements;
  if (lanesInRow) {
    unitSizes.push_back(one);
  } else {
    if (rowsAtOnce > 1)
      unitSizes.back() = tx::ceilDiv(unitSizes.back(), rowsAtOnce);
    // Rows along other dims than the lanes keep their sums in registers: short
    // runs give tasks enough.
    run = op.getNumRowDims() == 0 ? 2 * kPointsPerTask : 4 * numLanes;
    unitSizes.push_back(tx::ceilDiv(lanes.size, run));
    pointsPerUnit =
        tx::mul(tx::mul(rowElements, rowsAtOnce),
                tx::min(lanes.size, tx::getConstantExpr(context, run)));
  }
  units = one;
  for (SymExprAttr size : unitSizes)
    units = tx::mul(units, size);
  unitsPerTask =
      tx::floorDiv(tx::add(tx::max(pointsPerUnit, one), kPointsPerTask - 1),
                   tx::max(pointsPerUnit, one));
  if (lanesInRow)
    unitsPerTask = tx::mul(tx::ceilDiv(unitsPerTask, rowsAtOnce), rowsAtOnce);
  // Threads must not write to one byte.
  if (llvm::any_of(op->getResultTypes(), [](Type type) {
        return getPackedBits(getScalarType(type)) != 0;
      }))
    unitsPerTask = tx::max(units, one);
  tasks = tx::floorDiv(tx::add(units, tx::add(unitsPerTask, -1)), unitsPerTask);
}
