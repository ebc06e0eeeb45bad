//===- OutlineWeights.cpp - what is known before a run -------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/layout/OutlineWeights.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/tx/RunTimeSymbols.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/layout/StaticValues.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace txc;

static bool isSplatConstant(Value value) {
  DenseElementsAttr elements;
  return matchPattern(value, m_Constant(&elements)) && elements.isSplat();
}

namespace {
/// Makes recipes, one for equal computations.
class RecipeTable {
public:
  explicit RecipeTable(func::FuncOp function)
      : module(function->getParentOfType<ModuleOp>()), symbols(module) {}

  func::FuncOp get(Value value) {
    func::FuncOp recipe = build(value);
    std::string text;
    llvm::raw_string_ostream os(text);
    recipe.getBody().front().print(os);
    auto [it, isNew] = recipes.try_emplace(text, recipe);
    if (!isNew) {
      recipe.erase();
      return it->second;
    }
    recipe.setName("recipe");
    symbols.insert(recipe);
    return recipe;
  }

private:
  func::FuncOp build(Value value) {
    llvm::SetVector<Operation *> slice;
    BackwardSliceOptions options;
    options.inclusive = true;
    (void)getBackwardSlice(value, &slice, options);
    OpBuilder b(module.getContext());
    auto recipe = func::FuncOp::create(b, value.getLoc(), "recipe",
                                       b.getFunctionType({}, value.getType()));
    recipe.setPrivate();
    b.setInsertionPointToStart(recipe.addEntryBlock());
    IRMapping mapping;
    for (Operation *op : topologicalSort(slice))
      b.clone(*op, mapping);
    func::ReturnOp::create(b, value.getLoc(), mapping.lookup(value));
    return recipe;
  }

  ModuleOp module;
  SymbolTable symbols;
  llvm::StringMap<func::FuncOp> recipes;
};
} // namespace

static void outlineWeights(Block &block, const StaticValues &known,
                           RecipeTable &recipes) {
  for (Operation &op : llvm::make_early_inc_range(block)) {
    for (Value result : op.getResults()) {
      if (!known.contains(result) || isSplatConstant(result))
        continue;
      auto isProgram = [&](OpOperand &use) {
        Operation *user = use.getOwner();
        return user->getNumResults() == 0 ||
               !known.contains(user->getResult(0));
      };
      if (llvm::none_of(result.getUses(), isProgram))
        continue;
      OpBuilder b(&op);
      func::FuncOp recipe = recipes.get(result);
      Value stored = kernel::StoredOp::create(
          b, result.getLoc(), result.getType(), recipe.getSymName());
      result.replaceUsesWithIf(stored, isProgram);
    }
  }
}

LogicalResult txc::outlineWeights(func::FuncOp function) {
  StaticValues known(function);
  RecipeTable recipes(function);
  for (Block *block : tx::getBlocks(function))
    ::outlineWeights(*block, known, recipes);
  IRRewriter rewriter(function.getContext());
  (void)runRegionDCE(rewriter, function->getRegions());
  return success();
}

namespace {
struct OutlineWeightsPass
    : PassWrapper<OutlineWeightsPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(OutlineWeightsPass)

  StringRef getArgument() const override { return "txc-outline-weights"; }
  StringRef getDescription() const override {
    return "Move computation on weights alone into recipes";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<kernel::KernelDialect>();
  }
  void runOnOperation() override {
    for (auto function : llvm::to_vector(getOperation().getOps<func::FuncOp>()))
      if (function.isPublic() && failed(outlineWeights(function)))
        signalPassFailure();
  }
};
} // namespace

std::unique_ptr<Pass> txc::createOutlineWeightsPass() {
  return std::make_unique<OutlineWeightsPass>();
}
