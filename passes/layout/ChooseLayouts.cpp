//===- ChooseLayouts.cpp - one stored layout per weight ------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/layout/ChooseLayouts.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/tx/RunTimeSymbols.h"

using namespace mlir;
using namespace txc;
using kernel::GemmOp;
using kernel::StoredOp;

/// A panel row is one AVX-512 or two AVX2 vectors of f32.
constexpr int64_t kPanelLanes = 16;

/// `vpdpbusd` multiplies unsigned by signed bytes: the left operand's integers
/// are made unsigned by adding a zero of their row, which the sums of a shift
/// of 1 are multiplied by.
constexpr int64_t kInt8Shift = 1;

static func::FuncOp getRecipe(StoredOp stored) {
  return SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
      stored, stored.getRecipeAttr());
}

/// Whether the right operand's numbers lie in panels as they are; those that
/// are not f32 become it when they are read.
static bool hasPanelsOfNumbers(GemmOp gemm, Type element) {
  return getElementTypeOrSelf(gemm.getLhs().getType()).isF32() &&
         (element.isF32() || element.isSignlessInteger(8) || element.isF16() ||
          element.isBF16());
}

/// The panels that `gemm`'s right operand should be stored in, or null. Words
/// of 32 bits hold the neighbours along k that one instruction multiplies.
static pack::TensorType getPanelType(GemmOp gemm, StoredOp stored) {
  auto type = dyn_cast<RankedTensorType>(stored.getType());
  if (!type || !gemm.readsPlainMatrix())
    return nullptr;
  bool hasBytes = getElementTypeOrSelf(gemm.getLhs().getType()).isInteger(8) &&
                  type.getElementType().isSignlessInteger(8);
  bool isInt8 = hasBytes || gemm.getPrecision() == kernel::Precision::int8;
  bool hasWords = hasBytes || gemm.getPrecision();
  if (!hasWords && !hasPanelsOfNumbers(gemm, type.getElementType()))
    return nullptr;
  MLIRContext *context = gemm.getContext();
  auto layout = pack::PanelsAttr::get(
      context, kPanelLanes, hasWords ? 32 / type.getElementTypeBitWidth() : 1,
      isInt8 ? kInt8Shift : 0);
  return pack::TensorType::get(context, type.getShape(), type.getElementType(),
                               layout);
}

//===----------------------------------------------------------------------===//
// Tied embeddings
//===----------------------------------------------------------------------===//

/// The weight of a recipe that transposes a matrix, or of one that is a plain
/// weight; null for others.
static StringAttr getRecipeWeight(func::FuncOp recipe, bool transposed) {
  Operation *result =
      recipe.getBody().front().getTerminator()->getOperand(0).getDefiningOp();
  if (transposed) {
    auto transpose = dyn_cast<tx::TransposeOp>(result);
    if (!transpose || transpose.getPermutation() != ArrayRef<int64_t>{1, 0})
      return nullptr;
    result = transpose.getX().getDefiningOp();
  }
  auto weight = dyn_cast_if_present<tx::WeightOp>(result);
  return weight ? weight.getNameAttr() : nullptr;
}

/// The body's argument for operand `number` of a nest if that is a table.
static BlockArgument getTableArgument(Operation *op, unsigned number) {
  auto nest = dyn_cast<kernel::NestInterface>(op);
  if (!nest)
    return nullptr;
  unsigned firstTable = nest.getInputs().size();
  if (number < firstTable)
    return nullptr;
  Block &body = nest.getBodyBlock();
  unsigned numScalars = body.getNumArguments() - nest.getTables().size();
  return body.getArgument(numScalars + number - firstTable);
}

/// Lets the tables that read `rows` read `columns`, its transpose in panels.
static void readFromPanels(StoredOp rows, StoredOp columns) {
  for (OpOperand &use : llvm::make_early_inc_range(rows->getUses())) {
    BlockArgument table =
        getTableArgument(use.getOwner(), use.getOperandNumber());
    use.set(columns.getResult());
    table.setType(columns.getType());
    for (Operation *user : table.getUsers()) {
      auto fetch = cast<kernel::FetchOp>(user);
      SmallVector<Value> indices = llvm::to_vector(fetch.getIndices());
      std::swap(indices[0], indices[1]);
      fetch.getIndicesMutable().assign(indices);
    }
  }
  rows.erase();
}

/// All ops of one kind in a program, in its branches and loops too.
template <typename OpTy>
static SmallVector<OpTy> collectOps(func::FuncOp function) {
  SmallVector<OpTy> ops;
  for (Block *block : tx::getBlocks(function))
    llvm::append_range(ops, block->getOps<OpTy>());
  return ops;
}

static void shareTiedEmbeddings(func::FuncOp function) {
  llvm::DenseMap<StringAttr, StoredOp> panels;
  SmallVector<StoredOp> all = collectOps<StoredOp>(function);
  for (StoredOp stored : all)
    if (isa<pack::TensorType>(stored.getType()))
      if (StringAttr weight = getRecipeWeight(getRecipe(stored), true))
        panels.try_emplace(weight, stored);
  Block &body = function.getBody().front();
  for (StoredOp stored : all) {
    if (isa<pack::TensorType>(stored.getType()))
      continue;
    StringAttr weight = getRecipeWeight(getRecipe(stored), false);
    StoredOp columns = weight ? panels.lookup(weight) : StoredOp();
    bool onlyTables = llvm::all_of(stored->getUses(), [](OpOperand &use) {
      return getTableArgument(use.getOwner(), use.getOperandNumber());
    });
    if (!columns || !onlyTables)
      continue;
    columns->moveBefore(&body, body.begin());
    readFromPanels(stored, columns);
  }
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

LogicalResult txc::chooseLayouts(func::FuncOp function) {
  Block &body = function.getBody().front();
  llvm::DenseMap<StringAttr, StoredOp> packed;
  for (GemmOp gemm : collectOps<GemmOp>(function)) {
    auto stored = gemm.getRhs().getDefiningOp<StoredOp>();
    if (!stored)
      continue;
    pack::TensorType type = getPanelType(gemm, stored);
    if (!type)
      continue;
    StoredOp &panels = packed[stored.getRecipeAttr().getAttr()];
    if (!panels) {
      OpBuilder b(&body, body.begin());
      panels =
          StoredOp::create(b, stored.getLoc(), type, stored.getRecipeAttr());
    }
    gemm.getRhsMutable().assign(panels.getResult());
    if (stored->use_empty())
      stored.erase();
  }
  shareTiedEmbeddings(function);
  return success();
}

namespace {
struct ChooseLayoutsPass
    : PassWrapper<ChooseLayoutsPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ChooseLayoutsPass)

  StringRef getArgument() const override { return "txc-choose-layouts"; }
  StringRef getDescription() const override {
    return "Choose one stored layout per weight from all its users";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<pack::PackDialect>();
  }
  void runOnOperation() override {
    for (auto function : llvm::to_vector(getOperation().getOps<func::FuncOp>()))
      if (function.isPublic() && failed(chooseLayouts(function)))
        signalPassFailure();
  }
};
} // namespace

std::unique_ptr<Pass> txc::createChooseLayoutsPass() {
  return std::make_unique<ChooseLayoutsPass>();
}
