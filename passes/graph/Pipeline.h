//===- Pipeline.h - the graph passes in their order ------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_PASSES_GRAPH_PIPELINE_H
#define TXC_PASSES_GRAPH_PIPELINE_H

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace txc {

class Report;

/// Adds the passes that turn an imported graph (a module in tx) into one of
/// norms, activations and attentions. `report` (may be null) collects near
/// misses and outlives the pass manager's run; one run at a time may use it.
void buildGraphPipeline(mlir::OpPassManager &manager, Report *report = nullptr);

/// The same without what rounds other than the ONNX ops do: duplicates and
/// dead ops go, gathers at ranges become views, and no more.
void buildExactGraphPipeline(mlir::OpPassManager &manager,
                             Report *report = nullptr);

} // namespace txc

#endif // TXC_PASSES_GRAPH_PIPELINE_H
