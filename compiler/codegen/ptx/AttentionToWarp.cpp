//===- AttentionToWarp.cpp - attention on tensor cores -------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// A warp has 16 queries, in fragments. V's tile arrives while scores are made,
/// K's next one while values are added. A lane has parts of two rows: its
/// elements of an accumulator 0 and 1 are of one, 2 and 3 of the other; the
/// four lanes of a group share them.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/ptx/AttentionToWarp.h"
#include "compiler/codegen/KernelFunction.h"
#include "compiler/codegen/ptx/AttentionToGpu.h"
#include "compiler/codegen/ptx/GpuAttention.h"
#include "compiler/codegen/ptx/GpuReduction.h"
#include "dialects/warp/Warp.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace txc;
using namespace txc::ptx;
using kernel::AttentionOp;
using tx::SymExprAttr;
using warp::Atom;
using warp::FragmentType;
using warp::Role;
using warp::TileType;

/// Of a warp, and of a block.
constexpr int64_t kWarpQueries = 16;
constexpr int64_t kBlockQueries = kAttentionThreads / kWarpLanes * kWarpQueries;
/// Rows that a lane has parts of.
constexpr int64_t kLaneRows = 2;

/// What a kernel may have without asking.
constexpr int64_t kSharedBytes = 48 << 10;
/// Head sizes: queries and sums have to fit the registers of a lane, and a
/// query of f32 is two of tf32.
constexpr int64_t kMostHeadSize = 256, kMostFloatHeadSize = 64;
/// Elements of a result that a block has.
constexpr int64_t kMostValueColumns = 128;

namespace {
class WarpAttention : GpuAttention {
public:
  WarpAttention(GpuFunction &function, AttentionOp op,
                const AttentionSchedule &schedule)
      : GpuAttention(function, op), schedule(schedule),
        atom(warp::getMmaAtom(schedule.atom)) {}

  void emit();

private:
  /// What the loop over keys carries: of each row the greatest score and this
  /// lane's sum of weights relative to it, then the sums of weighted values.
  struct State {
    SmallVector<Value> greatest, total, sums;

    SmallVector<Value> flatten() const {
      SmallVector<Value> all(greatest);
      llvm::append_range(all, total);
      llvm::append_range(all, sums);
      return all;
    }
    static State get(ValueRange all) {
      return {llvm::to_vector_of<Value>(all.take_front(kLaneRows)),
              llvm::to_vector_of<Value>(all.slice(kLaneRows, kLaneRows)),
              llvm::to_vector_of<Value>(all.drop_front(2 * kLaneRows))};
    }
  };

  bool isTf32() const { return schedule.atom == Atom::tf32_m16n8k8; }
  FragmentType getType(Role role) {
    return FragmentType::get(op.getContext(), role, schedule.atom);
  }
  int64_t getHeadSize() { return *op.getSize(D).getConstant(); }
  int64_t getValueFragments() const { return schedule.valueColumns / atom.n; }
  int64_t getScoreFragments() const { return schedule.blockKeys / atom.n; }

  void emitPosition();
  void emitBlock();
  SmallVector<Value> loadQueries(bool isRest);
  void prepare(unsigned operand, AffineMap map, Dim column, Value &base);
  void emitCopy(unsigned operand, AffineMap map, Dim column, Value base,
                Value tile, Value firstKey);
  Value getElement(Value fragment, int64_t number) {
    return warp::ElementOp::create(b, sumType, fragment, number);
  }
  Value makeFragment(Role role, ArrayRef<Value> elements, bool isRest = false) {
    return warp::FragmentOp::create(b, getType(role), elements, isRest);
  }
  SmallVector<Value> emitDots();
  /// By row, in the order of fragments.
  using Rows = SmallVector<SmallVector<Value>>;
  Rows emitScores(Value firstKey);
  Rows emitWeights(Rows scores, State &state);
  void addValues(const Rows &weights, State &state);
  SmallVector<Value> loadValues(int64_t key, bool isRest);
  State emitKeys(Value firstKey, State state);
  void emitResult(const State &state);
  Value exp2(Value x);
  Value acrossGroup(Value value, bool isSum);

  const AttentionSchedule &schedule;
  const warp::MmaAtom &atom;
  /// The block's first query and element of the result; the end of its keys.
  Value firstQuery, firstColumn, blockEnd;
  /// Of each row of the lane: its number, the last one instead of those behind
  /// it, whether it is none of these, and the end of its keys.
  SmallVector<Value> rows, isRow, rowEnds;
  /// Queries, and what rounding left of them.
  SmallVector<Value> queries, queryRests;
  Value keyTile, valueTile, keyBase, valueBase;
};
} // namespace

std::optional<AttentionSchedule>
txc::ptx::chooseAttentionSchedule(AttentionOp op, unsigned sm) {
  Type type = getScalarType(op.getQ().getType());
  if (getScalarType(op.getK().getType()) != type ||
      getScalarType(op.getV().getType()) != type)
    return std::nullopt;
  Type factor = type.isF32() && op.getPrecision() == kernel::Precision::bf16
                    ? Type(BFloat16Type::get(op.getContext()))
                    : type;
  std::optional<Atom> atom =
      isa<FloatType>(factor) ? warp::getAtomFor(factor, factor) : std::nullopt;
  std::optional<int64_t> d = op.getSize(GpuAttention::D).getConstant();
  std::optional<int64_t> e = op.getSize(GpuAttention::E).getConstant();
  int64_t most = factor.isF32() ? kMostFloatHeadSize : kMostHeadSize;
  if (!atom || sm < warp::getMmaAtom(*atom).firstSm || !d || !e || *d < 1 ||
      *d > most || *e < 1 || *e > most)
    return std::nullopt;
  auto isLinear = [&](AffineMap map, Type tensor, unsigned column) {
    auto access =
        LinearAccess::get(map, cast<RankedTensorType>(tensor), op.getSymbols());
    return access.isLinearIn(GpuAttention::T) && access.isLinearIn(column);
  };
  if (!isLinear(op.getKMap(), op.getK().getType(), GpuAttention::D) ||
      !isLinear(op.getVMap(), op.getV().getType(), GpuAttention::E))
    return std::nullopt;
  // A tile has at least 32 columns, of which every thread copies a part.
  auto getColumns = [](int64_t size) {
    return std::max<int64_t>(kWarpLanes, llvm::PowerOf2Ceil(size));
  };
  AttentionSchedule schedule{*atom, 64, getColumns(*d),
                             std::min(getColumns(*e), kMostValueColumns)};
  int64_t bytes = type.getIntOrFloatBitWidth() / 8 *
                  (schedule.keyColumns + schedule.valueColumns);
  if (bytes * schedule.blockKeys > kSharedBytes || *d > 128)
    schedule.blockKeys = 32;
  if (bytes * schedule.blockKeys > kSharedBytes)
    return std::nullopt;
  return schedule;
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

/// Where K or V begins for this block.
void WarpAttention::prepare(unsigned operand, AffineMap map, Dim column,
                            Value &base) {
  Type type = op->getOperand(operand).getType();
  point[T] = function.index(0);
  point[column] = column == E ? firstColumn : function.index(0);
  base = function.getAddress(function.getBuffer(operand), getNumber(map, type),
                             getScalarType(type));
}

/// Starts the copy of K or V from `firstKey` on; zeros behind the block's keys.
void WarpAttention::emitCopy(unsigned operand, AffineMap map, Dim column,
                             Value base, Value tile, Value firstKey) {
  Type type = op->getOperand(operand).getType();
  LinearAccess access = getAccess(map, type);
  Value rowStride = function.getValue(access.strides[T]);
  Value source = function.getAddress(base, function.mul(firstKey, rowStride),
                                     getScalarType(type));
  Value rowsLeft = arith::SubIOp::create(b, blockEnd, firstKey);
  Value columnsLeft =
      column == E ? Value(arith::SubIOp::create(b, size(E), firstColumn))
                  : size(D);
  auto tileType = cast<TileType>(tile.getType());
  bool isAligned = hasAlignedRows(access, column, tileType.getChunkElements());
  warp::CopyOp::create(b, source, rowStride,
                       function.getValue(access.strides[column]), rowsLeft,
                       columnsLeft, tile, function.index(0), schedule.blockKeys,
                       kAttentionThreads, isAligned,
                       /*panels=*/IntegerAttr());
  NVVM::CpAsyncCommitGroupOp::create(b);
}

/// The warp's queries, a fragment for each step along the head.
SmallVector<Value> WarpAttention::loadQueries(bool isRest) {
  FragmentType type = getType(Role::lhs);
  SmallVector<Value> fragments;
  for (int64_t first = 0; first < getHeadSize(); first += atom.k) {
    SmallVector<Value> elements;
    for (int64_t i = 0; i < warp::getLaneElementCount(type); ++i) {
      auto coordinate = warp::CoordinateOp::create(b, type, i);
      // Registers alternate between the lane's rows.
      int64_t row = i / atom.getElementsPerRegister() % kLaneRows;
      point[S] = rows[row];
      Value d = function.add(coordinate.getColumn(), function.index(first));
      Value last = function.index(getHeadSize() - 1);
      point[D] = min(d, last);
      Value element = loadElement(Q, op.getQMap());
      if (first + atom.k > getHeadSize())
        element =
            function.select(function.isLess(last, d), constant(0), element);
      elements.push_back(element);
    }
    fragments.push_back(makeFragment(Role::lhs, elements, isRest));
  }
  return fragments;
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

/// Scalar products of the warp's queries and the tile's keys. Keys of tf32 are
/// spread, so that weights are factors lane by lane.
SmallVector<Value> WarpAttention::emitDots() {
  SmallVector<Value> dots(
      getScoreFragments(),
      warp::FillOp::create(b, getType(Role::acc), constant(0)));
  for (size_t step = 0; step < queries.size(); ++step)
    for (size_t i = 0; i < dots.size(); ++i) {
      Value query = queries[step], &dot = dots[i];
      auto load = [&](bool isRest) -> Value {
        return warp::LoadFragmentOp::create(
            b, getType(Role::rhs), keyTile,
            function.index(static_cast<int64_t>(i) * atom.n),
            function.index(static_cast<int64_t>(step) * atom.k),
            /*transposed=*/true, isRest, /*spread=*/isTf32());
      };
      Value key = load(false);
      if (isTf32()) {
        dot = warp::MmaOp::create(b, queryRests[step], key, dot);
        dot = warp::MmaOp::create(b, query, load(true), dot);
      }
      dot = warp::MmaOp::create(b, query, key, dot);
    }
  return dots;
}

WarpAttention::Rows WarpAttention::emitScores(Value firstKey) {
  FragmentType type = getType(Role::acc);
  SmallVector<Value> dots = emitDots();
  Rows scores(kLaneRows);
  for (auto [i, dot] : llvm::enumerate(dots))
    for (int64_t number = 0; number < warp::getLaneElementCount(type);
         ++number) {
      int64_t row = number / 2;
      Value column = warp::CoordinateOp::create(b, type, number).getColumn();
      if (isTf32())
        column = affine::expandAffineExpr(
            b, b.getLoc(), warp::getSpreadRow(b.getAffineDimExpr(0)), column,
            {});
      Value key = function.add(
          firstKey,
          function.add(column,
                       function.index(static_cast<int64_t>(i) * atom.n)));
      point[S] = rows[row];
      // Of keys behind the last one there is no mask.
      point[T] = min(key, function.add(keys, function.index(-1)));
      scores[row].push_back(
          getScore(getElement(dot, number), key, rowEnds[row]));
    }
  return scores;
}

//===----------------------------------------------------------------------===//
// Weights and values
//===----------------------------------------------------------------------===//

/// To 2^-22 of the result, denormals become zero; a weight of that size does
/// not count beside the greatest one, which is 1.
Value WarpAttention::exp2(Value x) {
  return LLVM::CallIntrinsicOp::create(
             b, sumType, b.getStringAttr("llvm.nvvm.ex2.approx.ftz.f32"),
             ValueRange{x})
      .getResult(0);
}

/// The sum, or the greatest, of the values of four lanes that have parts of the
/// same rows.
Value WarpAttention::acrossGroup(Value value, bool isSum) {
  for (int32_t mask : {1, 2}) {
    Value other = exchangeLanes(b, value, mask);
    value = isSum ? arith::AddFOp::create(b, value, other).getResult()
                  : arith::MaxNumFOp::create(b, value, other).getResult();
  }
  return value;
}

/// exp(score - greatest); what was summed before is scaled down to the new
/// greatest score.
WarpAttention::Rows WarpAttention::emitWeights(Rows scores, State &state) {
  constexpr double log2OfE = 1.4426950408889634;
  Value factor = constant(log2OfE);
  SmallVector<Value> decays;
  for (auto [i, row] : llvm::enumerate(scores)) {
    Value largest = state.greatest[i];
    for (Value score : row)
      largest = arith::MaxNumFOp::create(b, largest, score);
    largest = acrossGroup(largest, /*isSum=*/false);
    // Before any key counts the weights are 0, not exp(-inf - -inf).
    Value base = function.select(isMasked(largest), constant(0), largest);
    auto weigh = [&](Value score) {
      Value distance = arith::SubFOp::create(b, score, base);
      return exp2(arith::MulFOp::create(b, distance, factor));
    };
    Value decay = weigh(state.greatest[i]);
    Value total = arith::MulFOp::create(b, state.total[i], decay);
    for (Value &score : row) {
      score = weigh(score);
      total = arith::AddFOp::create(b, total, score);
    }
    state.greatest[i] = largest;
    state.total[i] = total;
    decays.push_back(decay);
  }
  for (Value &sum : state.sums) {
    SmallVector<Value> elements;
    for (int64_t i = 0; i < 2 * kLaneRows; ++i)
      elements.push_back(
          arith::MulFOp::create(b, getElement(sum, i), decays[i / 2]));
    sum = makeFragment(Role::acc, elements);
  }
  return scores;
}

/// The fragments of all the block's columns of V, from key `key` of the tile
/// on.
SmallVector<Value> WarpAttention::loadValues(int64_t key, bool isRest) {
  FragmentType type = getType(Role::rhs);
  SmallVector<Value> fragments;
  if (!isTf32()) {
    for (int64_t i = 0; i < getValueFragments(); ++i)
      fragments.push_back(warp::LoadFragmentOp::create(
          b, type, valueTile, function.index(key), function.index(i * atom.n),
          /*transposed=*/false, /*rest=*/false, /*spread=*/false));
    return fragments;
  }
  SmallVector<Type> types(warp::kSpreadFragments, type);
  for (int64_t column = 0; column < schedule.valueColumns;
       column += warp::kSpreadColumns)
    llvm::append_range(fragments, warp::LoadColumnsOp::create(
                                      b, types, valueTile, function.index(key),
                                      function.index(column), isRest)
                                      .getFragments());
  return fragments;
}

void WarpAttention::addValues(const Rows &weights, State &state) {
  auto multiply = [&](Value rows, ArrayRef<Value> columns) {
    for (auto [sum, column] : llvm::zip_equal(state.sums, columns))
      sum = warp::MmaOp::create(b, rows, column, sum);
  };
  int64_t perLane = warp::getLaneElementCount(getType(Role::lhs)) / kLaneRows;
  for (int64_t step = 0; step < schedule.blockKeys / atom.k; ++step) {
    // Accumulators of 8 keys become factors of 8 or 16: registers alternate
    // between the rows.
    SmallVector<Value> elements;
    int64_t inRegister = atom.getElementsPerRegister();
    for (int64_t i = 0; i < perLane; i += inRegister)
      for (const SmallVector<Value> &row : weights)
        llvm::append_range(elements,
                           ArrayRef(row).slice(step * perLane + i, inRegister));
    Value factors = makeFragment(Role::lhs, elements);
    SmallVector<Value> values = loadValues(step * atom.k, false);
    if (isTf32()) {
      multiply(makeFragment(Role::lhs, elements, /*isRest=*/true), values);
      multiply(factors, loadValues(step * atom.k, true));
    }
    multiply(factors, values);
  }
}

WarpAttention::State WarpAttention::emitKeys(Value firstKey, State state) {
  auto waitForTile = [&] {
    NVVM::CpAsyncWaitGroupOp::create(b, 0);
    NVVM::Barrier0Op::create(b);
  };
  // After the barrier K is there for all, and all are done with V.
  waitForTile();
  emitCopy(V, op.getVMap(), E, valueBase, valueTile, firstKey);
  Rows weights = emitWeights(emitScores(firstKey), state);
  waitForTile();
  emitCopy(K, op.getKMap(), D, keyBase, keyTile,
           function.add(firstKey, function.index(schedule.blockKeys)));
  addValues(weights, state);
  return state;
}

//===----------------------------------------------------------------------===//
// A block
//===----------------------------------------------------------------------===//

/// Divides the sums by the weights' and stores them.
void WarpAttention::emitResult(const State &state) {
  FragmentType type = getType(Role::acc);
  for (int64_t row = 0; row < kLaneRows; ++row) {
    point[S] = rows[row];
    Value hasKeys = function.isLess(function.index(0), keys);
    Value masked =
        arith::AndIOp::create(b, isMasked(state.greatest[row]), hasKeys);
    Value total = acrossGroup(state.total[row], /*isSum=*/true);
    Value isZero =
        arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, total, constant(0));
    Value inverse = arith::DivFOp::create(b, constant(1), total);
    inverse = function.select(isZero, constant(0), inverse);
    // The group's lanes share what a row without keys needs.
    Value inGroup = function.rem(function.getLane(), function.index(4));
    Value end =
        function.add(firstColumn, function.index(schedule.valueColumns));
    function.ifThen(arith::AndIOp::create(b, masked, isRow[row]), [&] {
      function.loop(function.add(firstColumn, inGroup), min(end, size(E)), 4,
                    {}, [&](Value column, ValueRange) -> Values {
                      storeResult(getMaskedResult(column), column);
                      return {};
                    });
    });
    Value yes = arith::ConstantIntOp::create(b, 1, 1);
    Value isSummed = arith::AndIOp::create(
        b, isRow[row], arith::XOrIOp::create(b, masked, yes));
    function.ifThen(isSummed, [&] {
      for (auto [i, sum] : llvm::enumerate(state.sums))
        for (int64_t number = 2 * row; number < 2 * row + 2; ++number) {
          auto fragment = static_cast<int64_t>(i);
          Value column =
              warp::CoordinateOp::create(b, type, number).getColumn();
          int64_t first = fragment * atom.n;
          if (isTf32()) {
            column = affine::expandAffineExpr(
                b, b.getLoc(),
                warp::getSpreadColumn(b.getAffineDimExpr(0),
                                      fragment % warp::kSpreadFragments),
                column, {});
            first = fragment / warp::kSpreadFragments * warp::kSpreadColumns;
          }
          column = function.add(function.add(firstColumn, column),
                                function.index(first));
          Value result =
              arith::MulFOp::create(b, getElement(sum, number), inverse);
          function.ifThen(function.isLess(column, size(E)),
                          [&] { storeResult(result, column); });
        }
    });
  }
}

void WarpAttention::emitPosition() {
  firstColumn = function.mul(function.readRegister<NVVM::BlockIdYOp>(),
                             function.index(schedule.valueColumns));
  SymExprAttr tiles = tx::ceilDiv(op.getSize(S), kBlockQueries);
  Values place = function.delinearize(
      function.getBlock(), {size(B), size(H), function.getValue(tiles)});
  point[B] = place[0];
  point[H] = place[1];
  firstQuery = function.mul(place[2], function.index(kBlockQueries));
  emitSequence();
}

void WarpAttention::emitBlock() {
  Value queryEnd = op.getStarts() ? keys : size(S);
  Value last = function.add(queryEnd, function.index(-1));
  Value warp = function.div(function.getThread(), function.index(kWarpLanes));
  Value firstRow = function.add(
      firstQuery, function.mul(warp, function.index(kWarpQueries)));
  for (int64_t row = 0; row < kLaneRows; ++row) {
    auto place = warp::CoordinateOp::create(b, getType(Role::acc), 2 * row);
    Value query = function.add(firstRow, place.getRow());
    isRow.push_back(function.isLess(query, queryEnd));
    rows.push_back(min(query, last));
    point[S] = rows.back();
    rowEnds.push_back(getKeysEnd());
  }
  // A later query has as many keys or more.
  point[S] =
      min(function.add(firstQuery, function.index(kBlockQueries - 1)), last);
  blockEnd = getKeysEnd();

  queries = loadQueries(/*isRest=*/false);
  if (isTf32())
    queryRests = loadQueries(/*isRest=*/true);
  auto allocate = [&](unsigned operand, int64_t columns) -> Value {
    return warp::AllocOp::create(
        b, TileType::get(op.getContext(), schedule.blockKeys, columns,
                         getScalarType(op->getOperand(operand).getType())));
  };
  keyTile = allocate(K, schedule.keyColumns);
  valueTile = allocate(V, schedule.valueColumns);
  prepare(K, op.getKMap(), D, keyBase);
  prepare(V, op.getVMap(), E, valueBase);
  Value zero = function.index(0);
  emitCopy(K, op.getKMap(), D, keyBase, keyTile, zero);
  State state;
  state.greatest.assign(kLaneRows, constant(kNoScore));
  state.total.assign(kLaneRows, constant(0));
  state.sums.assign(getValueFragments(),
                    warp::FillOp::create(b, getType(Role::acc), constant(0)));
  state = State::get(
      function.loop(zero, blockEnd, schedule.blockKeys, state.flatten(),
                    [&](Value firstKey, ValueRange carried) -> Values {
                      return emitKeys(firstKey, State::get(carried)).flatten();
                    }));
  emitResult(state);
}

void WarpAttention::emit() {
  emitPosition();
  if (op.getStarts())
    // There are as many rows as the longest sequence has.
    function.ifThen(function.isLess(firstQuery, keys), [&] { emitBlock(); });
  else
    emitBlock();
  SymExprAttr blocks = tx::mul(tx::mul(op.getSize(B), op.getSize(H)),
                               tx::ceilDiv(op.getSize(S), kBlockQueries));
  function.finish({blocks, tx::ceilDiv(op.getSize(E), schedule.valueColumns)});
}

void txc::ptx::emitAttention(GpuFunction &function, AttentionOp op,
                             const AttentionSchedule &schedule) {
  WarpAttention(function, op, schedule).emit();
}
