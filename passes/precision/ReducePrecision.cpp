//===- ReducePrecision.cpp - narrower factors in gemms -------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/precision/ReducePrecision.h"
#include "dialects/tx/RunTimeSymbols.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/fuse/Fuse.h"
#include "passes/graph/Report.h"
#include "passes/layout/ExtendRecipe.h"

using namespace mlir;
using namespace txc;
using kernel::GemmOp;
using kernel::Precision;
using kernel::StoredOp;

/// Of so many columns f32 computes dot products of rows as they lie; converting
/// these would take longer than multiplying them.
constexpr int64_t kMostDotColumns = 3;

/// Columns of zeros have no scale of their own.
constexpr float kLeastScale = 1e-30F;

//===----------------------------------------------------------------------===//
// Recipes
//===----------------------------------------------------------------------===//

/// A tensor of one number, which broadcasts.
static Value createScalar(OpBuilder &b, Location loc, float value) {
  auto type = RankedTensorType::get({}, b.getF32Type());
  return tx::ConstantOp::create(b, loc, DenseElementsAttr::get(type, value));
}

static Value castTo(OpBuilder &b, Location loc, Value x, Type element) {
  auto type = cast<RankedTensorType>(x.getType()).clone(element);
  return tx::CastOp::create(b, loc, type, x, /*saturate=*/false);
}

static Value widenWeight(OpBuilder &b, Value weight) {
  if (getElementTypeOrSelf(weight.getType()).isF32())
    return weight;
  return castTo(b, weight.getLoc(), weight, b.getF32Type());
}

/// max over k of |w| / 127, 1 x n.
static Value computeScales(OpBuilder &b, Value weight) {
  Location loc = weight.getLoc();
  Value largest =
      tx::ReduceOp::create(b, loc, tx::AbsOp::create(b, loc, weight),
                           tx::ReduceKind::max, ArrayRef<int64_t>{0});
  Value scales =
      tx::DivOp::create(b, loc, largest, createScalar(b, loc, 127.0F));
  return tx::MaximumOp::create(b, loc, scales,
                               createScalar(b, loc, kLeastScale));
}

static Value getRounded(OpBuilder &b, StoredOp stored) {
  return extendRecipe(b, stored, "bf16", [](OpBuilder &b, Value weight) {
    return castTo(b, weight.getLoc(), weight, b.getBF16Type());
  });
}

static Value getQuantized(OpBuilder &b, StoredOp stored) {
  return extendRecipe(b, stored, "int8", [](OpBuilder &b, Value weight) {
    Location loc = weight.getLoc();
    weight = widenWeight(b, weight);
    Value scaled = tx::DivOp::create(b, loc, weight, computeScales(b, weight));
    return castTo(b, loc, tx::RoundOp::create(b, loc, scaled), b.getI8Type());
  });
}

static Value getScales(OpBuilder &b, StoredOp stored) {
  return extendRecipe(b, stored, "scales", [](OpBuilder &b, Value weight) {
    return computeScales(b, widenWeight(b, weight));
  });
}

/// Of a weight of bytes, without -128.
static Value getClamped(OpBuilder &b, StoredOp stored) {
  return extendRecipe(
      b, stored, "clamped", [](OpBuilder &b, Value weight) -> Value {
        auto type = RankedTensorType::get({}, b.getI8Type());
        Value least = tx::ConstantOp::create(
            b, weight.getLoc(), DenseElementsAttr::get(type, int8_t(-127)));
        return tx::MaximumOp::create(b, weight.getLoc(), weight, least);
      });
}

//===----------------------------------------------------------------------===//
// Gemms
//===----------------------------------------------------------------------===//

/// Whether the weight is quantized already; what its scale is, the gemm's body
/// knows.
static bool hasBytes(StoredOp stored) {
  return getElementTypeOrSelf(stored.getType()).isSignlessInteger(8);
}

/// Why the gemm has to stay as it is, or nothing.
static StringRef findObstacle(GemmOp gemm) {
  auto stored = gemm.getRhs().getDefiningOp<StoredOp>();
  if (!stored)
    return notAWeight;
  auto isFloat = [](Value operand) {
    Type element = getElementTypeOrSelf(operand.getType());
    return element.isF32() || element.isF16() || element.isBF16();
  };
  if (!isFloat(gemm.getLhs()) || !(isFloat(gemm.getRhs()) || hasBytes(stored)))
    return "the operands are not floats";
  if (!gemm.readsPlainMatrix())
    return "the weight is not read as a matrix, k x n";
  bool isLinear = llvm::all_of(gemm.getLhsMap().getResults(), [](AffineExpr e) {
    bool hasQuotient = false;
    e.walk([&](AffineExpr part) {
      hasQuotient |= part.getKind() == AffineExprKind::FloorDiv ||
                     part.getKind() == AffineExprKind::CeilDiv ||
                     part.getKind() == AffineExprKind::Mod;
    });
    return !hasQuotient;
  });
  return isLinear ? "" : "the left operand's elements have no fixed strides";
}

/// Why fewer bits would bring nothing, or nothing.
static StringRef findObstacleOfSpeed(GemmOp gemm) {
  std::optional<int64_t> columns =
      gemm.getSize(gemm.getBatchRank() + 1).getConstant();
  bool isF32 = getElementTypeOrSelf(gemm.getRhs().getType()).isF32();
  return columns && *columns <= kMostDotColumns && isF32
             ? "so few columns are faster in f32"
             : "";
}

/// Multiplies the sums by the scale of their column, another input.
static GemmOp scaleColumns(GemmOp gemm, Value scales) {
  OpBuilder b(gemm);
  MLIRContext *context = b.getContext();
  unsigned rank = gemm.getSizes().size();
  AffineMap map = AffineMap::get(
      rank, gemm.getSymbols().size(),
      {getAffineConstantExpr(0, context), getAffineDimExpr(rank - 2, context)},
      context);
  SmallVector<Attribute> maps = llvm::to_vector(gemm.getMaps());
  unsigned numInputs = gemm.getInputs().size();
  maps.insert(maps.begin() + 2 + numInputs, AffineMapAttr::get(map));
  SmallVector<Value> inputs = llvm::to_vector(gemm.getInputs());
  inputs.push_back(scales);
  auto scaled =
      GemmOp::create(b, gemm.getLoc(), gemm.getResultTypes(), gemm.getLhs(),
                     gemm.getRhs(), inputs, gemm.getSizes(), gemm.getSymbols(),
                     b.getArrayAttr(maps), gemm.getPrecisionAttr());
  scaled.getBody().takeBody(gemm.getBody());
  Block &body = scaled.getBodyBlock();
  Value scale = body.addArgument(b.getF32Type(), gemm.getLoc());
  Value sum = body.getArgument(0);
  b.setInsertionPointToStart(&body);
  auto product = arith::MulFOp::create(b, gemm.getLoc(), sum, scale);
  sum.replaceAllUsesExcept(product, product);
  gemm->replaceAllUsesWith(scaled);
  gemm.erase();
  return scaled;
}

/// An f32 of each element, a phase of its own if no fusion takes it.
static Value widen(OpBuilder &b, Location loc, Value tensor) {
  // Reshapes to the same dims and back would keep it from a gemm's epilogue.
  for (Value root = tensor; auto reshape = root.getDefiningOp<tx::ReshapeOp>();)
    if (root = reshape.getX(); root.getType() == tensor.getType())
      tensor = root;
  auto type = cast<RankedTensorType>(tensor.getType());
  RankedTensorType wide = type.clone(b.getF32Type());
  SmallVector<Attribute> sizes;
  for (tx::SymExprAttr dim : tx::getDims(type))
    sizes.push_back(dim);
  Attribute map = AffineMapAttr::get(
      AffineMap::getMultiDimIdentityMap(type.getRank(), b.getContext()));
  auto widened = kernel::MapOp::create(
      b, loc, TypeRange(wide), ValueRange(tensor), ValueRange(),
      b.getArrayAttr(sizes), b.getArrayAttr({}), b.getArrayAttr({map, map}));
  OpBuilder::InsertionGuard guard(b);
  Block *body = b.createBlock(&widened.getBody());
  Value element = body->addArgument(type.getElementType(), loc);
  kernel::YieldOp::create(
      b, loc,
      arith::ExtFOp::create(b, loc, b.getF32Type(), element).getResult());
  return widened.getResult(0);
}

/// Makes the left factor f32 where the gemm can't multiply it as it is.
static void widenLeft(GemmOp gemm) {
  Type left = getElementTypeOrSelf(gemm.getLhs().getType());
  if (left.isF32() || (left.isBF16() && gemm.getPrecision() == Precision::bf16))
    return;
  OpBuilder before(gemm);
  gemm.getLhsMutable().assign(widen(before, gemm.getLoc(), gemm.getLhs()));
}

static void reduceGemm(GemmOp gemm, Precision precision) {
  auto stored = gemm.getRhs().getDefiningOp<StoredOp>();
  OpBuilder b(stored);
  gemm.setPrecision(precision);
  widenLeft(gemm);
  if (precision == Precision::bf16) {
    gemm.getRhsMutable().assign(getRounded(b, stored));
  } else if (hasBytes(stored)) {
    gemm.getRhsMutable().assign(getClamped(b, stored));
  } else {
    gemm.getRhsMutable().assign(getQuantized(b, stored));
    scaleColumns(gemm, getScales(b, stored));
  }
  if (stored->use_empty())
    stored.erase();
}

//===----------------------------------------------------------------------===//
// What comes before
//===----------------------------------------------------------------------===//

/// Whether all that becomes of the tensor is a left factor of few bits.
static bool isOnlyNarrowed(Value tensor) {
  return llvm::all_of(tensor.getUses(), [](OpOperand &use) {
    if (auto reshape = dyn_cast<tx::ReshapeOp>(use.getOwner()))
      return isOnlyNarrowed(reshape.getResult());
    auto gemm = dyn_cast<GemmOp>(use.getOwner());
    return gemm && gemm.getPrecision() && use.getOperandNumber() == 0;
  });
}

/// Allows approximate functions where nobody sees the difference.
static void loosenFunctions(func::FuncOp function) {
  for (Block *block : tx::getBlocks(function))
    for (Operation &phase : *block)
      if (isa<GemmOp, kernel::NestInterface>(phase) &&
          llvm::all_of(phase.getResults(), isOnlyNarrowed))
        phase.walk([](math::ErfOp erf) {
          erf.setFastmath(erf.getFastmath() | arith::FastMathFlags::afn);
        });
}

/// Conversions of left factors join what makes these, once the reshapes between
/// are gone.
static void fuseConversions(func::FuncOp function) {
  IRRewriter rewriter(function.getContext());
  (void)runRegionDCE(rewriter, function->getRegions());
  (void)fusePhases(function);
}

void txc::reducePrecision(func::FuncOp function, Precision precision,
                          Report *report) {
  // Scores of 8 bits would not do: a softmax magnifies differences.
  for (Block *block : tx::getBlocks(function)) {
    for (auto attention : block->getOps<kernel::AttentionOp>())
      attention.setPrecision(Precision::bf16);
    for (auto gemm : llvm::to_vector(block->getOps<GemmOp>())) {
      StringRef obstacle = findObstacle(gemm);
      if (obstacle.empty())
        obstacle = findObstacleOfSpeed(gemm);
      if (obstacle.empty())
        reduceGemm(gemm, precision);
      else if (report)
        report->add(gemm.getLoc(), "reduced precision", obstacle);
    }
  }
  fuseConversions(function);
  loosenFunctions(function);
}

void txc::keepPrecision(func::FuncOp function, Report *report) {
  SmallVector<GemmOp> gemms;
  for (Block *block : tx::getBlocks(function))
    llvm::append_range(gemms, block->getOps<GemmOp>());
  bool hasChanged = false;
  for (GemmOp gemm : gemms) {
    Type left = getElementTypeOrSelf(gemm.getLhs().getType());
    Type right = getElementTypeOrSelf(gemm.getRhs().getType());
    if (left != right || !(left.isF16() || left.isBF16()))
      continue;
    StringRef obstacle = findObstacle(gemm);
    if (!obstacle.empty()) {
      if (report)
        report->add(gemm.getLoc(), "blocked product", obstacle);
      continue;
    }
    if (left.isBF16())
      gemm.setPrecision(Precision::bf16);
    widenLeft(gemm);
    hasChanged = true;
  }
  if (hasChanged)
    fuseConversions(function);
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct ReducePrecisionPass
    : PassWrapper<ReducePrecisionPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ReducePrecisionPass)
  ReducePrecisionPass() = default;
  ReducePrecisionPass(const ReducePrecisionPass &other)
      : PassWrapper(other), report(other.report) {}

  StringRef getArgument() const override { return "txc-reduce-precision"; }
  StringRef getDescription() const override {
    return "Multiply weights in bf16 or int8";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, tx::TxDialect>();
  }
  void runOnOperation() override {
    for (auto function : llvm::to_vector(getOperation().getOps<func::FuncOp>()))
      if (function.isPublic())
        reducePrecision(function, precision, report);
  }

  Option<Precision> precision{
      *this, "precision", llvm::cl::desc("Of the factors"),
      llvm::cl::init(Precision::bf16),
      llvm::cl::values(clEnumValN(Precision::bf16, "bf16", ""),
                       clEnumValN(Precision::int8, "int8", ""))};
  Report *report = nullptr;
};

struct KeepPrecisionPass
    : PassWrapper<KeepPrecisionPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(KeepPrecisionPass)
  explicit KeepPrecisionPass(Report *report) : report(report) {}

  StringRef getArgument() const override { return "txc-keep-precision"; }
  StringRef getDescription() const override {
    return "Multiply f16 and bf16 by weights as blocked kernels do";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect>();
  }
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function.isPublic())
        keepPrecision(function, report);
  }

  Report *report;
};
} // namespace

std::unique_ptr<Pass> txc::createKeepPrecisionPass(Report *report) {
  return std::make_unique<KeepPrecisionPass>(report);
}

std::unique_ptr<Pass> txc::createReducePrecisionPass(Precision precision,
                                                     Report *report) {
  auto pass = std::make_unique<ReducePrecisionPass>();
  pass->precision = precision;
  pass->report = report;
  return pass;
}

std::unique_ptr<Pass> txc::createReducePrecisionPass() {
  return std::make_unique<ReducePrecisionPass>();
}
