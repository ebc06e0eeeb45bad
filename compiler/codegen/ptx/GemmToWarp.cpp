//===- GemmToWarp.cpp - matrix products on tensor cores ------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// A block computes a blockM x blockN tile of the result. A ring of stages in
/// shared memory holds tiles of the operands: while the warps multiply one,
/// the copies of the next ones are under way. Each warp keeps its part of the
/// sums in fragments; the body is applied to the elements where they are.
///
//===----------------------------------------------------------------------===//

#include "compiler/codegen/ptx/GemmToWarp.h"
#include "compiler/codegen/ptx/GpuBody.h"
#include "dialects/warp/Warp.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include <utility>

using namespace mlir;
using namespace txc;
using namespace txc::ptx;
using kernel::GemmOp;
using tx::SymExprAttr;
using warp::FragmentType;
using warp::Role;
using warp::TileType;

/// The atom for the operands' types, if there is one. f32 beside a narrower
/// weight is rounded to its type where the precision says so, else both are
/// multiplied as tf32.
static std::optional<warp::Atom> findAtom(GemmOp op, Type lhs, Type rhs) {
  bool isNarrower = rhs.isBF16() || rhs.isF16() || rhs.isSignlessInteger(8);
  if (op.getPrecision() == kernel::Precision::int8)
    return std::nullopt;
  if (op.getPrecision() == kernel::Precision::bf16)
    return warp::getAtomFor(rhs, rhs);
  if (lhs.isF32() && isNarrower)
    return warp::getAtomFor(lhs, lhs);
  return warp::getAtomFor(lhs, rhs);
}

/// What a tile holds of a stored rhs, which is read where it lies: chunks of 16
/// bytes are in one panel, and with a depth an element is what a register of
/// the atom holds. Null for other layouts.
static Type getStoredTileType(GemmOp op, warp::Atom atom) {
  auto stored = cast<pack::TensorType>(op.getRhs().getType());
  pack::PanelsAttr layout = stored.getLayout();
  Type type = stored.getElementType();
  int64_t bits = type.getIntOrFloatBitWidth() * layout.getDepth();
  if (!op.readsPlainMatrix() || layout.getLanes() * bits % 128 != 0)
    return nullptr;
  if (layout.getDepth() == 1)
    return type;
  if (layout.getDepth() != warp::getMmaAtom(atom).getElementsPerRegister())
    return nullptr;
  return VectorType::get(layout.getDepth(), type);
}

/// Tiles don't know signs, atoms do.
static Type getTileType(Type type) {
  return type.isInteger(8) ? IntegerType::get(type.getContext(), 8) : type;
}

FailureOr<GemmSchedule> txc::ptx::chooseGemmSchedule(GemmOp op, unsigned sm) {
  auto stored = dyn_cast<pack::TensorType>(op.getRhs().getType());
  Type lhs = getElementTypeOrSelf(op.getLhs().getType());
  Type rhs = stored ? stored.getElementType()
                    : getElementTypeOrSelf(op.getRhs().getType());
  std::optional<warp::Atom> atom = findAtom(op, lhs, rhs);
  if (!atom)
    return op.emitError("no matrix instruction multiplies ")
           << lhs << " by " << rhs
           << (op.getPrecision() ? " in this precision" : "");
  unsigned firstSm = warp::getMmaAtom(*atom).firstSm;
  if (sm < firstSm)
    return op.emitError("the matrix instruction of ")
           << lhs << " needs sm_" << firstSm << ", found sm_" << sm;
  Type rhsType = stored ? getStoredTileType(op, *atom) : getTileType(rhs);
  if (!rhsType)
    return op.emitError("a GPU's matrix instructions read no panels like "
                        "these, found ")
           << op.getRhs().getType();
  // 64 bytes of k in a row of factors: four chunks, which is enough to keep
  // copies of 16 bytes free of bank conflicts; twice as many of bytes that
  // become tf32, of which each thread copies 16. A stage has 8 KiB, or up to 12
  // if an operand is wider than its factors; so several blocks share a
  // multiprocessor, as 32 registers of sums a lane let them.
  int64_t factorBits = warp::getMmaAtom(*atom).operandBits;
  bool isWidened = rhs.isInteger(8) && factorBits == 32;
  int64_t blockK = (isWidened ? 128 : 64) * 8 / factorBits;
  bool isWider = isWidened || lhs.getIntOrFloatBitWidth() > factorBits;
  return GemmSchedule{*atom, getTileType(lhs), rhsType, 64, 64, blockK, 32,
                      32,    isWider ? 3 : 4};
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

namespace {
/// lhs or rhs: a matrix over `outerDim` (m or n) and k, and its ring of tiles.
struct Operand {
  Role role;
  LinearAccess access;
  unsigned outerDim = 0, kDim = 0;
  /// Whether k runs along the rows of a tile, as it does in memory.
  bool hasKColumns = false;
  /// Whether copies may move 16 bytes at a time.
  bool isAligned = true;
  TileType tile;
  /// Columns of a panel, if the operand is stored in panels.
  int64_t panels = 0;
  /// Elements of the tile from one panel to the next, and before the first row.
  int64_t panelElements = 0, panelStart = 0;
  /// Rows of the tile that a stage has.
  int64_t stageRows = 0;
  /// Of the block's first row or column, at k = 0.
  Value base;
  /// Where the block begins on `outerDim`, and elements from there to the end.
  Value outerLeft;

  /// Whether a warp loads fragments of four times eight columns at a time: the
  /// tile's rows have what a register holds of a column.
  bool hasSpreadColumns() const {
    return role == Role::rhs && !hasKColumns &&
           (tile.getDepth() != 1 || isTf32);
  }
  bool isTf32 = false;
  /// Whether a factor is the sum of two of tf32.
  bool hasRests() const { return isTf32 && tile.getElementType().isF32(); }
};
} // namespace

/// Panels of a weight, of which a tile has whole ones.
static Operand getStoredOperand(GemmOp op, const GemmSchedule &schedule) {
  auto stored = cast<pack::TensorType>(op.getRhs().getType());
  Operand operand;
  operand.role = Role::rhs;
  operand.outerDim = op.getBatchRank() + 1;
  operand.kDim = operand.outerDim + 1;
  operand.isTf32 = schedule.atom == warp::Atom::tf32_m16n8k8;
  operand.panels = stored.getLayout().getLanes();
  operand.stageRows = schedule.blockK / stored.getLayout().getDepth();
  operand.tile =
      TileType::get(op.getContext(), operand.stageRows * schedule.stages,
                    schedule.blockN, schedule.rhsType);
  int64_t bytes = operand.tile.getElementBytes();
  operand.panelElements = stored.getPanelBytes() / bytes;
  if (stored.getLayout().getShift() != 0)
    operand.panelStart =
        operand.panels * static_cast<int64_t>(sizeof(int32_t)) / bytes;
  return operand;
}

static FailureOr<Operand> getOperand(GemmOp op, Role role,
                                     const GemmSchedule &schedule) {
  bool isLhs = role == Role::lhs;
  if (!isLhs && isa<pack::TensorType>(op.getRhs().getType()))
    return getStoredOperand(op, schedule);
  auto type =
      cast<RankedTensorType>((isLhs ? op.getLhs() : op.getRhs()).getType());
  Operand operand;
  operand.role = role;
  operand.access = LinearAccess::get(isLhs ? op.getLhsMap() : op.getRhsMap(),
                                     type, op.getSymbols());
  operand.outerDim = op.getBatchRank() + (isLhs ? 0 : 1);
  operand.kDim = op.getBatchRank() + 2;
  const LinearAccess &access = operand.access;
  if (!access.isLinearIn(operand.outerDim) || !access.isLinearIn(operand.kDim))
    return op.emitError("a GPU's product needs strides along m, n and k; the ")
           << (isLhs ? "left" : "right") << " operand's map has none";

  // No instruction transposes bytes.
  operand.hasKColumns = access.getConstantStride(operand.kDim) == 1 ||
                        access.getConstantStride(operand.outerDim) != 1 ||
                        warp::getMmaAtom(schedule.atom).isInteger();
  operand.isTf32 = schedule.atom == warp::Atom::tf32_m16n8k8;
  int64_t block = isLhs ? schedule.blockM : schedule.blockN;
  operand.stageRows = operand.hasKColumns ? block : schedule.blockK;
  int64_t columns = operand.hasKColumns ? schedule.blockK : block;
  operand.tile =
      TileType::get(op.getContext(), operand.stageRows * schedule.stages,
                    columns, isLhs ? schedule.lhsType : schedule.rhsType);
  operand.isAligned = hasAlignedRows(
      access, operand.hasKColumns ? operand.kDim : operand.outerDim,
      operand.tile.getChunkElements());
  return operand;
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

namespace {
class GemmKernel {
public:
  GemmKernel(GpuFunction &function, GemmOp op, const GemmSchedule &schedule,
             Operand lhs, Operand rhs)
      : function(function), b(function.getBuilder()), op(op),
        schedule(schedule), lhs(std::move(lhs)), rhs(std::move(rhs)) {}

  void emit();

private:
  const warp::MmaAtom &getAtom() const {
    return warp::getMmaAtom(schedule.atom);
  }
  FragmentType getFragmentType(Role role) {
    return FragmentType::get(op.getContext(), role, schedule.atom);
  }
  void emitPosition();
  void prepare(Operand &operand, Value buffer, Value firstOuter);
  void emitCopies(Value kTile);
  void emitCopy(const Operand &operand, Value tile, Value kTile);
  SmallVector<Value> emitFragments(const Operand &operand, Value tile,
                                   Value stage, int64_t k, bool isRest);
  SmallVector<Value> emitProducts(Value stage, SmallVector<Value> sums);
  SmallVector<Value> emitLoop();
  /// Neighbours in a row of the warp's part of the result.
  struct Run {
    Value m, n;
    SmallVector<Value> sums;
  };
  int64_t getRunLength() const;
  Run getRun(ArrayRef<Value> sums, int64_t row, int64_t half, int64_t run);
  void emitEpilogue(ArrayRef<Value> sums);
  void emitBody(ArrayRef<Value> sums, ArrayRef<Value> first);
  GpuBody getBody();

  GpuFunction &function;
  ImplicitLocOpBuilder &b;
  GemmOp op;
  const GemmSchedule &schedule;
  Operand lhs, rhs;

  /// Coordinates of this block; m and n are those of its first element.
  SmallVector<Value> batch;
  Value firstM, firstN;
  /// Of this warp's first element in the block.
  Value warpM, warpN;
  Value lhsTile, rhsTile;
};
} // namespace

/// Which part of the result this block and warp compute.
void GemmKernel::emitPosition() {
  firstM = function.mul(function.getBlock(), function.index(schedule.blockM));
  firstN = function.mul(function.readRegister<NVVM::BlockIdYOp>(),
                        function.index(schedule.blockN));
  SmallVector<Value> extents;
  for (unsigned dim = 0; dim < op.getBatchRank(); ++dim)
    extents.push_back(function.getValue(op.getSize(dim)));
  if (!extents.empty())
    batch = function.delinearize(function.readRegister<NVVM::BlockIdZOp>(),
                                 extents);
  Value warp = function.div(function.getThread(), function.index(kWarpLanes));
  Value columns = function.index(schedule.blockN / schedule.warpN);
  warpM =
      function.mul(function.div(warp, columns), function.index(schedule.warpM));
  warpN =
      function.mul(function.rem(warp, columns), function.index(schedule.warpN));
}

void GemmKernel::prepare(Operand &operand, Value buffer, Value firstOuter) {
  SmallVector<Value> point(batch);
  point.resize(op.getSizes().size(), function.index(0));
  point[operand.outerDim] = firstOuter;
  // A block begins with a panel.
  Value number =
      operand.panels != 0
          ? function.add(
                function.mul(
                    function.div(firstOuter, function.index(operand.panels)),
                    function.index(operand.panelElements)),
                function.index(operand.panelStart))
          : function.getElementNumber(operand.access, op.getSymbols(), point);
  operand.base =
      function.getAddress(buffer, number, operand.tile.getElementType());
  operand.outerLeft = arith::SubIOp::create(
      b, function.getValue(op.getSize(operand.outerDim)), firstOuter);
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

/// Starts the copy of a tile from k-tile `kTile`, to the stage it belongs to.
/// Beyond the last k-tile it only fills with zeros.
void GemmKernel::emitCopy(const Operand &operand, Value tile, Value kTile) {
  // Panels end with a whole word.
  int64_t depth = operand.tile.getDepth();
  Value k = function.mul(kTile, function.index(schedule.blockK / depth));
  Value endK = function.getValue(tx::ceilDiv(op.getSize(operand.kDim), depth));
  auto getStride = [&](unsigned dim, int64_t inPanels) {
    return operand.panels != 0 ? function.index(inPanels)
                               : function.getValue(operand.access.strides[dim]);
  };
  Value kStride = getStride(operand.kDim, operand.panels);
  Value outerStride = getStride(operand.outerDim, operand.panelElements);
  Value source = function.getAddress(operand.base, function.mul(k, kStride),
                                     operand.tile.getElementType());
  Value kLeft = arith::SubIOp::create(b, endK, k);
  Value stage =
      arith::RemUIOp::create(b, kTile, function.index(schedule.stages));
  Value row = function.mul(stage, function.index(operand.stageRows));
  Value rowStride = outerStride, columnStride = kStride;
  Value rows = operand.outerLeft, columns = kLeft;
  if (!operand.hasKColumns) {
    std::swap(rowStride, columnStride);
    std::swap(rows, columns);
  }
  warp::CopyOp::create(b, source, rowStride, columnStride, rows, columns, tile,
                       row, operand.stageRows, schedule.getThreads(),
                       operand.isAligned,
                       operand.panels != 0 ? b.getI64IntegerAttr(operand.panels)
                                           : IntegerAttr());
}

void GemmKernel::emitCopies(Value kTile) {
  emitCopy(lhs, lhsTile, kTile);
  emitCopy(rhs, rhsTile, kTile);
  NVVM::CpAsyncCommitGroupOp::create(b);
}

/// The fragments of a warp's rows (lhs) or columns (rhs) at k of a stage.
SmallVector<Value> GemmKernel::emitFragments(const Operand &operand, Value tile,
                                             Value stage, int64_t k,
                                             bool isRest) {
  bool isLhs = operand.role == Role::lhs;
  Value firstOuter = isLhs ? warpM : warpN;
  int64_t extent = isLhs ? schedule.warpM : schedule.warpN;
  int64_t step = isLhs ? getAtom().m : getAtom().n;
  if (operand.hasSpreadColumns())
    step = warp::kSpreadColumns;
  FragmentType type = getFragmentType(operand.role);
  Value stageRow = function.mul(stage, function.index(operand.stageRows));
  SmallVector<Value> fragments;
  for (int64_t offset = 0; offset < extent; offset += step) {
    Value row = function.add(firstOuter, function.index(offset));
    Value column = function.index(k / operand.tile.getDepth());
    if (!operand.hasKColumns)
      std::swap(row, column);
    row = function.add(stageRow, row);
    if (operand.hasSpreadColumns()) {
      SmallVector<Type> types(warp::kSpreadFragments, type);
      auto columns =
          warp::LoadColumnsOp::create(b, types, tile, row, column, isRest);
      llvm::append_range(fragments, columns.getFragments());
      continue;
    }
    // An lhs is m x k, an rhs k x n.
    bool isTransposed = isLhs != operand.hasKColumns;
    fragments.push_back(warp::LoadFragmentOp::create(
        b, type, tile, row, column, isTransposed, isRest, /*spread=*/false));
  }
  return fragments;
}

/// A product of f32 is up to three of tf32: of the roundings, and of each with
/// the rest of the other factor, which come first as they are small. What is
/// left out is 2^-22 of the product.
SmallVector<Value> GemmKernel::emitProducts(Value stage,
                                            SmallVector<Value> sums) {
  auto multiply = [&](ArrayRef<Value> rows, ArrayRef<Value> columns) {
    for (auto [i, row] : llvm::enumerate(rows))
      for (auto [j, column] : llvm::enumerate(columns)) {
        Value &sum = sums[i * columns.size() + j];
        sum = warp::MmaOp::create(b, row, column, sum);
      }
  };
  for (int64_t k = 0; k < schedule.blockK; k += getAtom().k) {
    SmallVector<Value> rows = emitFragments(lhs, lhsTile, stage, k, false);
    SmallVector<Value> columns = emitFragments(rhs, rhsTile, stage, k, false);
    if (lhs.hasRests())
      multiply(emitFragments(lhs, lhsTile, stage, k, true), columns);
    if (rhs.hasRests())
      multiply(rows, emitFragments(rhs, rhsTile, stage, k, true));
    multiply(rows, columns);
  }
  return sums;
}

/// The warp's sums, by rows of fragments.
SmallVector<Value> GemmKernel::emitLoop() {
  lhsTile = warp::AllocOp::create(b, lhs.tile);
  rhsTile = warp::AllocOp::create(b, rhs.tile);
  int64_t ahead = schedule.stages - 1;
  for (int64_t stage = 0; stage < ahead; ++stage)
    emitCopies(function.index(stage));

  FragmentType type = getFragmentType(Role::acc);
  Type sumType = warp::getSumType(schedule.atom, op.getContext());
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(sumType));
  SmallVector<Value> sums(schedule.warpM / getAtom().m *
                              (schedule.warpN / getAtom().n),
                          warp::FillOp::create(b, type, zero));
  Value end =
      function.getValue(tx::ceilDiv(op.getSize(lhs.kDim), schedule.blockK));
  auto loop =
      scf::ForOp::create(b, function.index(0), end, function.index(1), sums);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value kTile = loop.getInductionVar();
  // After the barrier this k-tile is there for all, and all are done with the
  // stage before it, which the next copies fill.
  NVVM::CpAsyncWaitGroupOp::create(b, static_cast<uint32_t>(ahead - 1));
  NVVM::Barrier0Op::create(b);
  emitCopies(function.add(kTile, function.index(ahead)));
  Value stage =
      arith::RemUIOp::create(b, kTile, function.index(schedule.stages));
  scf::YieldOp::create(b, emitProducts(stage, llvm::to_vector_of<Value>(
                                                  loop.getRegionIterArgs())));
  return llvm::to_vector_of<Value>(loop.getResults());
}

//===----------------------------------------------------------------------===//
// Epilogue
//===----------------------------------------------------------------------===//

GpuBody GemmKernel::getBody() {
  GpuBody body(function, op.getSymbols());
  for (auto [i, input] : llvm::enumerate(op.getInputs()))
    body.addInput(op.getBodyBlock().getArgument(i + 1),
                  function.getBuffer(i + 2),
                  LinearAccess::get(op.getInputMap(i),
                                    cast<RankedTensorType>(input.getType()),
                                    op.getSymbols()));
  return body;
}

/// Loads the inputs at points that are neighbours, applies the body, stores the
/// results: all loads come before the first store, so that accesses of
/// neighbours can become one.
void GemmKernel::emitBody(ArrayRef<Value> sums, ArrayRef<Value> first) {
  Block &block = op.getBodyBlock();
  GpuBody body = getBody();
  SmallVector<SmallVector<Value>> points;
  SmallVector<GpuBody::Values> known(sums.size());
  for (auto [i, sum] : llvm::enumerate(sums)) {
    SmallVector<Value> &point = points.emplace_back(first);
    point[rhs.outerDim] = function.add(point[rhs.outerDim], function.index(i));
    known[i][block.getArgument(0)] = sum;
    for (Value result : block.getTerminator()->getOperands())
      body.get(result, point, known[i]);
  }
  for (size_t i = 0; i < sums.size(); ++i) {
    for (auto check : block.getOps<kernel::CheckOp>())
      body.check(check, points[i], known[i]);
    for (auto [j, type] : llvm::enumerate(op.getResultTypes()))
      body.store(block.getTerminator()->getOperand(j),
                 function.getBuffer(op->getNumOperands() + j),
                 LinearAccess::get(op.getResultMap(j),
                                   cast<RankedTensorType>(type),
                                   op.getSymbols()),
                 points[i], known[i]);
  }
}

/// Columns that one lane has side by side.
int64_t GemmKernel::getRunLength() const {
  return rhs.hasSpreadColumns() ? warp::kSpreadFragments : 2;
}

/// The lane's run of neighbours number `run` in row `row` of fragments, and
/// number `half` of the fragment's two rows that the lane has a part of.
GemmKernel::Run GemmKernel::getRun(ArrayRef<Value> sums, int64_t row,
                                   int64_t half, int64_t run) {
  FragmentType type = getFragmentType(Role::acc);
  Type sumType = warp::getSumType(schedule.atom, op.getContext());
  int64_t columns = schedule.warpN / getAtom().n;
  // Of the run's first element: its fragment in the row, and number there.
  bool isSpread = rhs.hasSpreadColumns();
  int64_t fragment = isSpread ? run / 2 * warp::kSpreadFragments : run;
  int64_t number = 2 * half + (isSpread ? run % 2 : 0);
  auto coordinate = warp::CoordinateOp::create(b, type, number);
  Value column = coordinate.getColumn();
  if (isSpread)
    column = affine::expandAffineExpr(
        b, b.getLoc(), warp::getSpreadColumn(b.getAffineDimExpr(0), 0), column,
        {});
  Run result;
  result.m =
      function.add(coordinate.getRow(), function.index(row * getAtom().m));
  result.n = function.add(column, function.index(fragment * getAtom().n));
  for (int64_t i = 0; i < getRunLength(); ++i)
    result.sums.push_back(warp::ElementOp::create(
        b, sumType, sums[row * columns + fragment + (isSpread ? i : 0)],
        number + (isSpread ? 0 : i)));
  return result;
}

/// Applies the body to each of the lane's sums that is inside of the result.
void GemmKernel::emitEpilogue(ArrayRef<Value> sums) {
  Value m = function.add(firstM, warpM), n = function.add(firstN, warpN);
  Value endM = function.getValue(op.getSize(lhs.outerDim));
  Value endN = function.getValue(op.getSize(rhs.outerDim));
  // Runs are inside or outside as a whole if they divide the columns.
  int64_t length = getRunLength();
  int64_t together =
      isMultipleOf(op.getSize(rhs.outerDim), length) ? length : 1;
  for (int64_t row = 0; row < schedule.warpM / getAtom().m; ++row)
    for (int64_t half = 0; half < 2; ++half)
      for (int64_t number = 0; number < schedule.warpN / (4 * length);
           ++number) {
        Run run = getRun(sums, row, half, number);
        for (int64_t i = 0; i < length; i += together) {
          SmallVector<Value> point(batch);
          point.push_back(function.add(m, run.m));
          point.push_back(
              function.add(n, function.add(run.n, function.index(i))));
          point.push_back(function.index(0));
          Value isRow = function.isLess(point[lhs.outerDim], endM);
          Value isColumn = function.isLess(point[rhs.outerDim], endN);
          Value isInside = arith::AndIOp::create(b, isRow, isColumn);
          function.ifThen(isInside, [&] {
            emitBody(ArrayRef(run.sums).slice(i, together), point);
          });
        }
      }
}

void GemmKernel::emit() {
  emitPosition();
  prepare(lhs, function.getBuffer(0), firstM);
  prepare(rhs, function.getBuffer(1), firstN);
  emitEpilogue(emitLoop());
}

FailureOr<LLVM::LLVMFuncOp>
txc::ptx::lowerGemmToWarp(GemmOp op, const GemmSchedule &schedule,
                          ModuleOp module, StringRef name) {
  FailureOr<Operand> lhs = getOperand(op, Role::lhs, schedule);
  FailureOr<Operand> rhs = getOperand(op, Role::rhs, schedule);
  if (failed(lhs) || failed(rhs))
    return failure();
  GpuFunction function(module, name, op, schedule.getThreads());
  GemmKernel(function, op, schedule, *lhs, *rhs).emit();
  SymExprAttr batches = tx::getConstantExpr(op.getContext(), 1);
  for (unsigned dim = 0; dim < op.getBatchRank(); ++dim)
    batches = tx::mul(batches, op.getSize(dim));
  function.finish({tx::ceilDiv(op.getSize(lhs->outerDim), schedule.blockM),
                   tx::ceilDiv(op.getSize(rhs->outerDim), schedule.blockN),
                   batches});
  return function.getFunction();
}

//===----------------------------------------------------------------------===//
// Pass
//===----------------------------------------------------------------------===//

namespace {
struct GemmToWarpPass : PassWrapper<GemmToWarpPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(GemmToWarpPass)

  explicit GemmToWarpPass(unsigned sm) { this->sm = sm; }
  GemmToWarpPass(const GemmToWarpPass &other) : PassWrapper(other) {
    sm = other.sm.getValue();
  }

  StringRef getArgument() const override { return "txc-gemm-to-warp"; }
  StringRef getDescription() const override {
    return "Write GPU kernels of kernel.gemm in the warp dialect";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<warp::WarpDialect, NVVM::NVVMDialect, LLVM::LLVMDialect,
                    arith::ArithDialect, math::MathDialect, scf::SCFDialect>();
  }
  void runOnOperation() override {
    SmallVector<GemmOp> gemms;
    getOperation().walk([&](GemmOp op) { gemms.push_back(op); });
    for (auto [i, op] : llvm::enumerate(gemms)) {
      FailureOr<GemmSchedule> schedule = chooseGemmSchedule(op, sm);
      if (failed(schedule) ||
          failed(lowerGemmToWarp(op, *schedule, getOperation(),
                                 ("gemm_" + Twine(i)).str())))
        return signalPassFailure();
    }
  }

  Option<unsigned> sm{*this, "sm", llvm::cl::desc("80 for sm_80")};
};
} // namespace

std::unique_ptr<Pass> txc::ptx::createGemmToWarpPass(unsigned sm) {
  return std::make_unique<GemmToWarpPass>(sm);
}
