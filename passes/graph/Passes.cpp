//===- Passes.cpp - the graph passes -------------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/graph/Passes.h"
#include "dialects/tx/Tx.h"
#include "mlir/Pass/PassRegistry.h"
#include "passes/graph/FoldConstants.h"
#include "passes/graph/Pipeline.h"
#include "passes/graph/Recognize.h"
#include "passes/graph/Simplify.h"

using namespace mlir;
using namespace txc;

namespace {
class FoldConstantsPass
    : public PassWrapper<FoldConstantsPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(FoldConstantsPass)

  StringRef getArgument() const override { return "txc-fold-constants"; }
  StringRef getDescription() const override {
    return "Evaluate ops on constants";
  }

  void runOnOperation() override {
    if (!foldConstants(getOperation()))
      markAllAnalysesPreserved();
  }
};

class SimplifyPass : public PassWrapper<SimplifyPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SimplifyPass)

  StringRef getArgument() const override { return "txc-simplify"; }
  StringRef getDescription() const override {
    return "Give equal computations one form";
  }

  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (failed(simplify(func)))
        func.emitWarning("the simplifications did not converge");
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

constexpr Recognizer kRotaryEmbedding = {"txc-recognize-rotary-embedding",
                                         "Find rotary embeddings",
                                         recognizeRotaryEmbedding};
constexpr Recognizer kIotaIndexing = {"txc-iota-indexing",
                                      "Turn gathers at ranges into views",
                                      recognizeIotaIndexing};
constexpr Recognizer kByteProducts = {"txc-recognize-byte-products",
                                      "Find products of quantized tensors",
                                      recognizeByteProducts};
constexpr Recognizer kAttention = {"txc-recognize-attention", "Find attention",
                                   recognizeAttention};

template <const Recognizer &recognizer>
class RecognizePass
    : public PassWrapper<RecognizePass<recognizer>, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(RecognizePass)

  explicit RecognizePass(Report *report = nullptr) : report(report) {}
  RecognizePass(const RecognizePass &other)
      : PassWrapper<RecognizePass, OperationPass<ModuleOp>>(other),
        report(other.report) {}

  StringRef getArgument() const override { return recognizer.argument; }
  StringRef getDescription() const override { return recognizer.description; }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<tx::TxDialect>();
  }

  void runOnOperation() override {
    Report local;
    for (auto func : this->getOperation().template getOps<func::FuncOp>())
      recognizer.run(func, report ? report : &local);
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

std::unique_ptr<Pass> txc::createFoldConstantsPass() {
  return std::make_unique<FoldConstantsPass>();
}
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

std::unique_ptr<Pass> txc::createRecognizeRotaryEmbeddingPass(Report *report) {
  return std::make_unique<RecognizePass<kRotaryEmbedding>>(report);
}
std::unique_ptr<Pass> txc::createIotaIndexingPass(Report *report) {
  return std::make_unique<RecognizePass<kIotaIndexing>>(report);
}
std::unique_ptr<Pass> txc::createRecognizeByteProductsPass(Report *report) {
  return std::make_unique<RecognizePass<kByteProducts>>(report);
}
std::unique_ptr<Pass> txc::createRecognizeAttentionPass(Report *report) {
  return std::make_unique<RecognizePass<kAttention>>(report);
}

void txc::registerGraphPasses() {
  registerPass(createFoldConstantsPass);
  registerPass(createSimplifyPass);
  registerPass([] { return createRecognizeLayerNormPass(); });
  registerPass([] { return createRecognizeRmsNormPass(); });
  registerPass([] { return createRecognizeActivationsPass(); });
  registerPass([] { return createRecognizeSoftmaxPass(); });
  registerPass([] { return createRecognizeRotaryEmbeddingPass(); });
  registerPass([] { return createIotaIndexingPass(); });
  registerPass([] { return createRecognizeByteProductsPass(); });
  registerPass([] { return createRecognizeAttentionPass(); });
  PassPipelineRegistration<>(
      "txc-graph", "What happens to a graph before it is cut into phases",
      [](OpPassManager &manager) { buildGraphPipeline(manager); });
}
