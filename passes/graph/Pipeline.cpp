//===- Pipeline.cpp - the graph passes in their order --------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/graph/Pipeline.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "passes/graph/Passes.h"

using namespace mlir;
using namespace txc;

void txc::buildGraphPipeline(OpPassManager &manager, Report *report) {
  OpPassManager &function = manager.nest<func::FuncOp>();
  auto clean = [&] {
    function.addPass(createCanonicalizerPass());
    function.addPass(createCSEPass());
  };
  // Exporters repeat subexpressions that a pattern wants to see as one value.
  clean();
  function.addPass(createSimplifyPass());
  clean();
  function.addPass(createRecognizeLayerNormPass(report));
  function.addPass(createRecognizeRmsNormPass(report));
  function.addPass(createRecognizeActivationsPass(report));
  function.addPass(createRecognizeSoftmaxPass(report));
  clean();
}
