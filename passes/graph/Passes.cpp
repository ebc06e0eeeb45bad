//===- Passes.cpp - the graph passes -------------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/graph/Passes.h"
#include "dialects/tx/Tx.h"
#include "mlir/Pass/PassRegistry.h"
#include "passes/graph/Pipeline.h"
#include "passes/graph/Recognize.h"
#include "passes/graph/Simplify.h"

using namespace mlir;
using namespace txc;

namespace {
class SimplifyPass
    : public PassWrapper<SimplifyPass, OperationPass<func::FuncOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SimplifyPass)

  StringRef getArgument() const override { return "txc-simplify"; }
  StringRef getDescription() const override {
    return "Give equal computations one form";
  }

  void runOnOperation() override {
    if (failed(simplify(getOperation())))
      getOperation().emitWarning("the simplifications did not converge");
  }
};

/// What tells one recognition pass from another.
struct Recognizer {
  StringLiteral argument;
  StringLiteral description;
  bool (*run)(func::FuncOp, Report *);
};

constexpr Recognizer kLayerNorm = {"txc-recognize-layer-norm",
                                   "Find layer norms", recognizeLayerNorm};
constexpr Recognizer kRmsNorm = {"txc-recognize-rms-norm", "Find RMS norms",
                                 recognizeRmsNorm};
constexpr Recognizer kActivations = {"txc-recognize-activations",
                                     "Find sigmoid, SiLU and GELU",
                                     recognizeActivations};
constexpr Recognizer kSoftmax = {"txc-recognize-softmax", "Find softmax",
                                 recognizeSoftmax};

template <const Recognizer &recognizer>
class RecognizePass : public PassWrapper<RecognizePass<recognizer>,
                                         OperationPass<func::FuncOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(RecognizePass)

  explicit RecognizePass(Report *report = nullptr) : report(report) {}
  RecognizePass(const RecognizePass &other)
      : PassWrapper<RecognizePass, OperationPass<func::FuncOp>>(other),
        report(other.report) {}

  StringRef getArgument() const override { return recognizer.argument; }
  StringRef getDescription() const override { return recognizer.description; }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<tx::TxDialect>();
  }

  void runOnOperation() override {
    Report local;
    recognizer.run(this->getOperation(), report ? report : &local);
    if (remarks)
      for (const NearMiss &miss : local.getNearMisses())
        emitRemark(miss.location, "not recognized as ")
            << miss.what << ": " << miss.reason;
  }

private:
  Report *report;
  Pass::Option<bool> remarks{*this, "remarks",
                             llvm::cl::desc("Say why near misses are none")};
};
} // namespace

std::unique_ptr<Pass> txc::createSimplifyPass() {
  return std::make_unique<SimplifyPass>();
}
std::unique_ptr<Pass> txc::createRecognizeLayerNormPass(Report *report) {
  return std::make_unique<RecognizePass<kLayerNorm>>(report);
}
std::unique_ptr<Pass> txc::createRecognizeRmsNormPass(Report *report) {
  return std::make_unique<RecognizePass<kRmsNorm>>(report);
}
std::unique_ptr<Pass> txc::createRecognizeActivationsPass(Report *report) {
  return std::make_unique<RecognizePass<kActivations>>(report);
}
std::unique_ptr<Pass> txc::createRecognizeSoftmaxPass(Report *report) {
  return std::make_unique<RecognizePass<kSoftmax>>(report);
}

void txc::registerGraphPasses() {
  registerPass(createSimplifyPass);
  registerPass([] { return createRecognizeLayerNormPass(); });
  registerPass([] { return createRecognizeRmsNormPass(); });
  registerPass([] { return createRecognizeActivationsPass(); });
  registerPass([] { return createRecognizeSoftmaxPass(); });
  PassPipelineRegistration<>(
      "txc-graph", "What happens to a graph before it is cut into phases",
      [](OpPassManager &manager) { buildGraphPipeline(manager); });
}
