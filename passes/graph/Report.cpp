//===- Report.cpp - what a graph pass did not recognize, and why ---------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// The rewriter's listener hears both why a match failed and which ops died.
//
//===----------------------------------------------------------------------===//

#include "passes/graph/Report.h"

using namespace mlir;
using namespace txc;

void Report::add(Location location, StringRef what, StringRef reason) {
  nearMisses.push_back({location, what.str(), reason.str()});
}

namespace {
class RewriteListener : public RewriterBase::Listener {
public:
  RewriteListener(StringRef what, Report *report)
      : what(what), report(report) {}

  void notifyOperationErased(Operation *op) override { erased.insert(op); }

  void notifyMatchFailure(Location loc,
                          function_ref<void(Diagnostic &)> explain) override {
    if (!report)
      return;
    Diagnostic diagnostic(loc, DiagnosticSeverity::Remark);
    explain(diagnostic);
    report->add(loc, what, diagnostic.str());
  }

  bool isErased(Operation *op) const { return erased.contains(op); }

private:
  StringRef what;
  Report *report;
  DenseSet<Operation *> erased;
};
} // namespace

/// Erases `op` and then its producers, as far as nothing uses them.
static void eraseIfDead(RewriterBase &rewriter, ArrayRef<Operation *> ops) {
  SetVector<Operation *> worklist;
  worklist.insert(ops.begin(), ops.end());
  while (!worklist.empty()) {
    Operation *op = worklist.pop_back_val();
    if (!isOpTriviallyDead(op))
      continue;
    for (Value operand : op->getOperands())
      if (Operation *producer = operand.getDefiningOp())
        worklist.insert(producer);
    rewriter.eraseOp(op);
  }
}

bool txc::rewriteCandidates(
    func::FuncOp func, StringRef what, Report *report,
    function_ref<bool(Operation *)> isCandidate,
    function_ref<LogicalResult(Operation *, RewriterBase &)> rewrite) {
  SmallVector<Operation *> candidates;
  func.walk([&](Operation *op) {
    if (isCandidate(op))
      candidates.push_back(op);
  });
  RewriteListener listener(what, report);
  IRRewriter rewriter(func.getContext(), &listener);
  bool changed = false;
  for (Operation *op : candidates) {
    if (listener.isErased(op))
      continue;
    SmallVector<Operation *> producers;
    for (Value operand : op->getOperands())
      if (Operation *producer = operand.getDefiningOp())
        producers.push_back(producer);
    rewriter.setInsertionPoint(op);
    if (failed(rewrite(op, rewriter)))
      continue;
    changed = true;
    producers.push_back(op);
    llvm::erase_if(producers, [&](Operation *producer) {
      return listener.isErased(producer);
    });
    eraseIfDead(rewriter, producers);
  }
  return changed;
}
