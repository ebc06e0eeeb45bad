//===- Fuse.cpp - fewer phases, fewer passes over memory -----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/fuse/Fuse.h"
#include "dialects/tx/RunTimeSymbols.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/graph/Report.h"

using namespace mlir;
using namespace txc;
using kernel::MapOp;
using kernel::NestInterface;

/// One sweep over the phases. A fusion replaces the op at hand and erases one
/// before it, so the next op stays where it is.
template <typename OpTy>
static bool sweep(func::FuncOp function,
                  function_ref<LogicalResult(OpTy)> tryFuse) {
  bool changed = false;
  for (Block *block : tx::getBlocks(function))
    for (Operation &op : llvm::make_early_inc_range(*block))
      if (auto phase = dyn_cast<OpTy>(op))
        changed |= succeeded(tryFuse(phase));
  return changed;
}

namespace {
/// Passes the reasons of failed fusions on to a report.
struct ReasonListener : RewriterBase::Listener {
  explicit ReasonListener(Report &report) : report(report) {}
  void notifyMatchFailure(Location loc,
                          function_ref<void(Diagnostic &)> reason) override {
    Diagnostic diagnostic(loc, DiagnosticSeverity::Remark);
    reason(diagnostic);
    report.add(loc, "fusion", diagnostic.str());
  }
  Report &report;
};
} // namespace

/// Says of each map that is left why it is a phase of its own.
static void reportLeftovers(func::FuncOp function, Report &report) {
  ReasonListener listener(report);
  IRRewriter rewriter(function.getContext(), &listener);
  for (Block *block : tx::getBlocks(function))
    for (auto map : llvm::to_vector(block->getOps<MapOp>()))
      (void)fuseEpilogue(rewriter, map);
}

LogicalResult txc::fusePhases(func::FuncOp function, Report *report) {
  IRRewriter rewriter(function.getContext());
  bool changed = true;
  while (changed) {
    // Producers first, so that a chain of maps is one map before it becomes an
    // epilogue.
    changed = sweep<NestInterface>(function, [&](NestInterface consumer) {
      return isa<kernel::AppendOp>(*consumer)
                 ? failure()
                 : fuseProducer(rewriter, consumer);
    });
    changed |= sweep<MapOp>(function, [&](MapOp map) {
      return success(succeeded(foldCopy(rewriter, map)) ||
                     succeeded(fuseEpilogue(rewriter, map)));
    });
    (void)runRegionDCE(rewriter, function->getRegions());
  }
  if (report)
    reportLeftovers(function, *report);
  return success();
}

namespace {
struct FusePass : PassWrapper<FusePass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(FusePass)
  explicit FusePass(Report *report) : report(report) {}

  StringRef getArgument() const override { return "txc-fuse"; }
  StringRef getDescription() const override {
    return "Merge phases that read each other's results";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<affine::AffineDialect, arith::ArithDialect>();
  }
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function.isPublic() && failed(fusePhases(function, report)))
        signalPassFailure();
  }

  Report *report;
};
} // namespace

std::unique_ptr<Pass> txc::createFusePass(Report *report) {
  return std::make_unique<FusePass>(report);
}
