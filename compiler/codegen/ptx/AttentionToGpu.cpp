//===- AttentionToGpu.cpp - attention on a GPU ---------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// One pass over the keys, as in Milakov and Gimelshein, "Online normalizer
/// calculation for softmax" (2018): a greater score scales down what was summed
/// before.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/ptx/AttentionToGpu.h"
#include "compiler/codegen/ptx/GpuAttention.h"
#include "compiler/codegen/ptx/GpuReduction.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace txc;
using namespace txc::ptx;
using kernel::AttentionOp;
using kernel::Combine;
using tx::SymExprAttr;

/// Elements of the result that a lane keeps the sums of; more of them are the
/// work of other blocks, which make the scores again.
constexpr int64_t kMostLaneElements = 8;

namespace {
class AttentionKernel : GpuAttention {
public:
  AttentionKernel(GpuFunction &function, AttentionOp op)
      : GpuAttention(function, op) {}

  void emit();

private:
  int64_t getLaneElements();
  void emitPosition(Value row);
  void emitQuery();
  Value emitScore(Value key);
  Value emitDot();
  Values emitKeys(Value firstKey, ValueRange carried);
  Values addValues(Value firstKey, Value weight, Values sums);
  void emitResult(ValueRange carried);
  Value getColumn(int64_t number);

  /// Keys that may count.
  Value keysEnd;
  /// This lane's first element of the result.
  Value firstColumn;
};
} // namespace

int64_t AttentionKernel::getLaneElements() {
  std::optional<int64_t> known = op.getSize(E).getConstant();
  int64_t wanted = known ? (*known + kWarpLanes - 1) / kWarpLanes : 4;
  return std::clamp<int64_t>(wanted, 1, kMostLaneElements);
}

/// Element `number` of this lane's, on E; those beyond the end are the last
/// one, and not stored.
Value AttentionKernel::getColumn(int64_t number) {
  Value column = function.add(firstColumn, function.index(number * kWarpLanes));
  return min(column, function.add(size(E), function.index(-1)));
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

Value AttentionKernel::emitDot() {
  return function.loop(function.index(0), size(D), 1, {constant(0)},
                       [&](Value d, ValueRange sum) -> Values {
                         point[D] = d;
                         Value product = arith::MulFOp::create(
                             b, loadElement(Q, op.getQMap()),
                             loadElement(K, op.getKMap()));
                         return {arith::AddFOp::create(b, sum[0], product)};
                       })[0];
}

/// The score of this lane's key; none for a key that does not count.
Value AttentionKernel::emitScore(Value key) {
  // Lanes behind the end read the last key.
  point[T] = min(key, function.add(keysEnd, function.index(-1)));
  return getScore(emitDot(), key, keysEnd);
}

//===----------------------------------------------------------------------===//
// A query
//===----------------------------------------------------------------------===//

void AttentionKernel::emitPosition(Value row) {
  Values place = function.delinearize(row, {size(B), size(H), size(S)});
  for (Dim dim : {B, H, S})
    point[dim] = place[dim];
  emitSequence();
}

/// Adds the values of 32 keys, each lane's weight being that of its key.
AttentionKernel::Values AttentionKernel::addValues(Value firstKey, Value weight,
                                                   Values sums) {
  Value left = arith::SubIOp::create(b, keysEnd, firstKey);
  Value count = min(left, function.index(kWarpLanes));
  return function.loop(
      function.index(0), count, 1, sums,
      [&](Value number, ValueRange carried) -> Values {
        point[T] = function.add(firstKey, number);
        Value lane = arith::IndexCastOp::create(b, b.getI32Type(), number);
        Value factor = readLane(b, weight, lane);
        Values next;
        for (auto [i, sum] : llvm::enumerate(carried)) {
          point[E] = getColumn(static_cast<int64_t>(i));
          Value product =
              arith::MulFOp::create(b, factor, loadElement(V, op.getVMap()));
          next.push_back(arith::AddFOp::create(b, sum, product));
        }
        return next;
      });
}

/// `carried`: the greatest score so far, the sum of weights relative to it, and
/// sums of weighted values.
AttentionKernel::Values AttentionKernel::emitKeys(Value firstKey,
                                                  ValueRange carried) {
  GpuReduction greatest(b, Combine::max, sumType);
  GpuReduction total(b, Combine::sum, sumType);
  Value score = emitScore(function.add(firstKey, function.getLane()));
  Value largest = greatest.add(carried[0], greatest.acrossWarp(score));
  // Before any key counts the weights are 0, not exp(-inf - -inf).
  Value base = function.select(isMasked(largest), constant(0), largest);
  auto weigh = [&](Value value) -> Value {
    return math::ExpOp::create(b, arith::SubFOp::create(b, value, base));
  };
  Value weight = weigh(score), decay = weigh(carried[0]);
  auto scaleDown = [&](Value sum) -> Value {
    return arith::MulFOp::create(b, sum, decay);
  };
  Values next = {largest,
                 total.add(scaleDown(carried[1]), total.acrossWarp(weight))};
  Values sums;
  for (Value sum : carried.drop_front(2))
    sums.push_back(scaleDown(sum));
  llvm::append_range(next, addValues(firstKey, weight, std::move(sums)));
  return next;
}

void AttentionKernel::emitResult(ValueRange carried) {
  auto store = [&](int64_t number, function_ref<Value(Value)> make) {
    Value column =
        function.add(firstColumn, function.index(number * kWarpLanes));
    function.ifThen(function.isLess(column, size(E)),
                    [&] { storeResult(make(column), column); });
  };
  Value hasKeys = function.isLess(function.index(0), keys);
  Value masked = arith::AndIOp::create(b, isMasked(carried[0]), hasKeys);
  function.ifThen(masked, [&] {
    for (int64_t i = 0; i < getLaneElements(); ++i)
      store(i, [&](Value column) { return getMaskedResult(column); });
  });
  Value yes = arith::ConstantIntOp::create(b, 1, 1);
  function.ifThen(arith::XOrIOp::create(b, masked, yes), [&] {
    Value isZero = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ,
                                         carried[1], constant(0));
    Value inverse = arith::DivFOp::create(b, constant(1), carried[1]);
    inverse = function.select(isZero, constant(0), inverse);
    for (int64_t i = 0; i < getLaneElements(); ++i)
      store(i, [&](Value) -> Value {
        return arith::MulFOp::create(b, carried[2 + i], inverse);
      });
  });
}

void AttentionKernel::emitQuery() {
  keysEnd = getKeysEnd();
  Values init(2 + getLaneElements(), constant(0));
  init[0] = constant(kNoScore);
  Values carried = function.loop(function.index(0), keysEnd, kWarpLanes, init,
                                 [&](Value firstKey, ValueRange inner) {
                                   return emitKeys(firstKey, inner);
                                 });
  emitResult(carried);
}

void AttentionKernel::emit() {
  SymExprAttr rows =
      tx::mul(tx::mul(op.getSize(B), op.getSize(H)), op.getSize(S));
  int64_t columns = getLaneElements() * kWarpLanes;
  constexpr int64_t warps = kAttentionThreads / kWarpLanes;
  firstColumn =
      function.add(function.mul(function.readRegister<NVVM::BlockIdYOp>(),
                                function.index(columns)),
                   function.getLane());
  Value warp = function.div(function.getThread(), function.index(kWarpLanes));
  Value row = function.add(
      function.mul(function.getBlock(), function.index(warps)), warp);
  function.ifThen(function.isLess(row, function.getValue(rows)), [&] {
    emitPosition(row);
    if (!firstRow)
      return emitQuery();
    // There are as many rows as the longest sequence has.
    function.ifThen(function.isLess(point[S], keys), [&] { emitQuery(); });
  });
  function.finish(
      {tx::ceilDiv(rows, warps), tx::ceilDiv(op.getSize(E), columns)});
}

void txc::ptx::emitAttention(GpuFunction &function, AttentionOp op) {
  AttentionKernel(function, op).emit();
}
