//===- Passes.h - the graph passes -----------------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Pass wrappers of FoldConstants.h, Simplify.h and Recognize.h, for pipelines
/// and txc-opt. They run on modules: a rewrite may add a requirement on the
/// model's dims.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_GRAPH_PASSES_H
#define TXC_PASSES_GRAPH_PASSES_H

#include "mlir/Pass/Pass.h"

namespace txc {

class Report;

std::unique_ptr<mlir::Pass> createFoldConstantsPass();
std::unique_ptr<mlir::Pass> createSimplifyPass();

// `report` outlives the pass; null means that near misses become remarks at
// their ops if the pass option `remarks` asks for them.
std::unique_ptr<mlir::Pass>
createRecognizeLayerNormPass(Report *report = nullptr);
std::unique_ptr<mlir::Pass>
createRecognizeRmsNormPass(Report *report = nullptr);
std::unique_ptr<mlir::Pass>
createRecognizeActivationsPass(Report *report = nullptr);
std::unique_ptr<mlir::Pass>
createRecognizeSoftmaxPass(Report *report = nullptr);

std::unique_ptr<mlir::Pass>
createRecognizeRotaryEmbeddingPass(Report *report = nullptr);
std::unique_ptr<mlir::Pass> createIotaIndexingPass(Report *report = nullptr);
std::unique_ptr<mlir::Pass>
createRecognizeByteProductsPass(Report *report = nullptr);
std::unique_ptr<mlir::Pass>
createRecognizeAttentionPass(Report *report = nullptr);

/// Makes the passes above and the pipeline `txc-graph` known to txc-opt.
void registerGraphPasses();

} // namespace txc

#endif // TXC_PASSES_GRAPH_PASSES_H
