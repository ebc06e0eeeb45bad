//===- LowerToKernel.cpp - from tx to kernel -----------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/lower/LowerToKernel.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/tx/RunTimeSymbols.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/lower/Access.h"
#include "passes/lower/IndexRanges.h"
#include "passes/lower/Lowerings.h"

using namespace mlir;
using namespace txc;

static void eraseDeadOps(func::FuncOp function) {
  IRRewriter rewriter(function.getContext());
  (void)runRegionDCE(rewriter, function->getRegions());
}

static LoweredValues lowerOp(OpBuilder &b, Operation *op) {
  for (auto *lower :
       {lowerElementwise, lowerMovement, lowerIndexing, lowerReduction,
        lowerMatmul, lowerWindow, lowerNorm, lowerAttention, lowerState}) {
    LoweredValues values = lower(b, op);
    if (failed(values) || !values->empty())
      return values;
  }
  op->emitError("txc has no kernel for this operation");
  return failure();
}

/// What a phase may still read: views, reshapes and stored tensors. Symbols and
/// what runs next are decided between two phases.
static bool needsNoPhase(Operation *op) {
  return isView(op) || isa<tx::ReshapeOp, tx::ConstantOp, tx::WeightOp,
                           tx::DefineSymbolOp, tx::IfOp, tx::LoopOp,
                           tx::YieldOp, tx::RequireOp, kernel::StoredOp>(op);
}

/// Copies the views that something reads as a row-major tensor, and writes out
/// the splat constants that no body could take in.
static void materializeViews(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (!isView(&op) && !isa<tx::ConstantOp>(op))
      continue;
    bool needsCopy = llvm::any_of(
        op.getUsers(), [](Operation *user) { return !isView(user); });
    if (!needsCopy)
      continue;
    OpBuilder b(&op);
    b.setInsertionPointAfter(&op);
    Value view = op.getResult(0);
    Value copy = materialize(b, op.getLoc(), view);
    view.replaceUsesWithIf(copy, [&](OpOperand &use) {
      return !isView(use.getOwner()) && use.getOwner() != copy.getDefiningOp();
    });
  }
}

/// Every op without a kernel is reported.
static LogicalResult lowerBlock(Block &block) {
  bool hasFailed = false;
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (op.getDialect()->getNamespace() != tx::TxDialect::getDialectNamespace())
      continue;
    if (isOpTriviallyDead(&op))
      continue;
    OpBuilder b(&op);
    if (auto reshape = dyn_cast<tx::ReshapeOp>(op))
      if (Value view = mergeBeforeTranspose(b, reshape)) {
        reshape.replaceAllUsesWith(view);
        reshape.erase();
        continue;
      }
    if (needsNoPhase(&op))
      continue;
    LoweredValues values = lowerOp(b, &op);
    if (failed(values)) {
      hasFailed = true;
      continue;
    }
    op.replaceAllUsesWith(*values);
    op.erase();
  }
  return success(!hasFailed);
}

LogicalResult txc::lowerToKernel(func::FuncOp function) {
  tx::placeBehindDefinitions(function);
  annotateIndexRanges(function);
  bool hasFailed = false;
  for (Block *block : tx::getBlocks(function))
    hasFailed |= failed(lowerBlock(*block));
  if (hasFailed)
    return failure();
  eraseDeadOps(function);
  for (Block *block : tx::getBlocks(function))
    materializeViews(*block);
  eraseDeadOps(function);
  return success();
}

namespace {
struct LowerToKernelPass
    : PassWrapper<LowerToKernelPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LowerToKernelPass)

  StringRef getArgument() const override { return "txc-lower-to-kernel"; }
  StringRef getDescription() const override {
    return "Turn tensor algebra into phases";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<kernel::KernelDialect, arith::ArithDialect,
                    math::MathDialect>();
  }
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function.isPublic() && failed(lowerToKernel(function)))
        signalPassFailure();
  }
};
} // namespace

std::unique_ptr<Pass> txc::createLowerToKernelPass() {
  return std::make_unique<LowerToKernelPass>();
}
