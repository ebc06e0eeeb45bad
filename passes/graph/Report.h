//===- Report.h - what a graph pass did not recognize, and why -*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Near misses of the recognition passes: an op that began like a pattern and
/// the reason why it is not one. `txc explain` prints them. What is not
/// recognized still compiles, so a near miss is no error.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_GRAPH_REPORT_H
#define TXC_PASSES_GRAPH_REPORT_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"

namespace txc {

struct NearMiss {
  mlir::Location location;
  /// The pattern: "attention", "layer norm", …
  std::string what;
  std::string reason;
};

/// Collects near misses in the order of the function's ops. Passes that run on
/// one function share it; it is not synchronized.
class Report {
public:
  void add(mlir::Location location, llvm::StringRef what,
           llvm::StringRef reason);
  llvm::ArrayRef<NearMiss> getNearMisses() const { return nearMisses; }

private:
  std::vector<NearMiss> nearMisses;
};

/// Calls `rewrite` once on each op of the function that `isCandidate` accepts,
/// in order, and erases what becomes dead. The reasons that `rewrite` gives to
/// notifyMatchFailure go to `report` (may be null) under the name `what`.
/// Returns whether any rewrite succeeded.
bool rewriteCandidates(mlir::func::FuncOp func, llvm::StringRef what,
                       Report *report,
                       llvm::function_ref<bool(mlir::Operation *)> isCandidate,
                       llvm::function_ref<llvm::LogicalResult(
                           mlir::Operation *, mlir::RewriterBase &)>
                           rewrite);

} // namespace txc

#endif // TXC_PASSES_GRAPH_REPORT_H
