//===- Pipeline.cpp - the graph passes in their order --------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/graph/Pipeline.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "passes/graph/Passes.h"

using namespace mlir;
using namespace txc;

static void clean(OpPassManager &manager) {
  manager.addPass(createFoldConstantsPass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
}

void txc::buildGraphPipeline(OpPassManager &manager, Report *report) {
  // Exporters repeat subexpressions that a pattern wants to see as one value.
  clean(manager);
  manager.addPass(createRecognizeByteProductsPass(report));
  manager.addPass(createSimplifyPass());
  clean(manager);
  manager.addPass(createIotaIndexingPass(report));
  manager.addPass(createRecognizeLayerNormPass(report));
  manager.addPass(createRecognizeRmsNormPass(report));
  manager.addPass(createRecognizeActivationsPass(report));
  manager.addPass(createRecognizeSoftmaxPass(report));
  manager.addPass(createRecognizeRotaryEmbeddingPass(report));
  manager.addPass(createRecognizeAttentionPass(report));
  clean(manager);
}

void txc::buildExactGraphPipeline(OpPassManager &manager, Report *report) {
  clean(manager);
  manager.addPass(createIotaIndexingPass(report));
  clean(manager);
}
