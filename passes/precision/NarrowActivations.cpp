//===- NarrowActivations.cpp - tensors that only bf16 reads --------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/precision/NarrowActivations.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace txc;
using kernel::AttentionOp;
using kernel::GemmOp;
using kernel::Precision;

/// Whether neighbours along the last iteration dim of q, k or v, which is d or
/// e, are neighbours in memory: the blocked generator takes others as f32 only.
static bool readsAdjacent(AttentionOp attention, unsigned operand) {
  constexpr unsigned dims[] = {4, 4, 5};
  unsigned dim = dims[operand];
  AffineMap map = attention.getMap(operand);
  AffineExpr others = simplifyAffineExpr(
      map.getResults().back() - getAffineDimExpr(dim, map.getContext()),
      map.getNumDims(), map.getNumSymbols());
  return !others.isFunctionOfDim(dim) &&
         llvm::none_of(map.getResults().drop_back(), [&](AffineExpr expr) {
           return expr.isFunctionOfDim(dim);
         });
}

/// Whether a phase rounds the tensor to bf16 before anything else.
static bool isRoundedBy(OpOperand &use) {
  unsigned operand = use.getOperandNumber();
  if (auto gemm = dyn_cast<GemmOp>(use.getOwner()))
    return operand == 0 && gemm.getPrecision() == Precision::bf16;
  auto attention = dyn_cast<AttentionOp>(use.getOwner());
  return attention && operand < 3 &&
         attention.getPrecision() == Precision::bf16 &&
         readsAdjacent(attention, operand);
}

static bool isOnlyRounded(Value tensor) {
  return llvm::all_of(tensor.getUses(), [](OpOperand &use) {
    if (auto reshape = dyn_cast<tx::ReshapeOp>(use.getOwner()))
      return isOnlyRounded(reshape.getResult());
    return isRoundedBy(use);
  });
}

/// Makes the tensor, and what it is reshaped to, one of bf16.
static void setNarrow(Value tensor) {
  Type bf16 = BFloat16Type::get(tensor.getContext());
  tensor.setType(cast<RankedTensorType>(tensor.getType()).clone(bf16));
  for (Operation *user : tensor.getUsers())
    if (auto reshape = dyn_cast<tx::ReshapeOp>(user))
      setNarrow(reshape.getResult());
}

/// Rounds what the phase yields for result `number`.
static void narrowYielded(Block &body, unsigned number) {
  Operation *yield = body.getTerminator();
  OpBuilder b(yield);
  // As the readers' own rounding does, this may take denormals for zeros.
  auto mayFlush =
      arith::FastMathFlagsAttr::get(b.getContext(), arith::FastMathFlags::afn);
  Value rounded = b.createOrFold<arith::TruncFOp>(
      yield->getLoc(), b.getBF16Type(), yield->getOperand(number),
      arith::RoundingModeAttr(), mayFlush);
  yield->setOperand(number, rounded);
}

void txc::narrowActivations(func::FuncOp function) {
  for (Operation &phase : function.getBody().front()) {
    if (isa<kernel::AppendOp>(phase) ||
        !isa<GemmOp, AttentionOp, kernel::NestInterface>(phase))
      continue;
    for (OpResult result : phase.getResults()) {
      if (!getElementTypeOrSelf(result.getType()).isF32() ||
          result.use_empty() || !isOnlyRounded(result))
        continue;
      setNarrow(result);
      if (!isa<AttentionOp>(phase))
        narrowYielded(phase.getRegion(0).front(), result.getResultNumber());
    }
  }
}

namespace {
struct NarrowActivationsPass
    : PassWrapper<NarrowActivationsPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(NarrowActivationsPass)

  StringRef getArgument() const override { return "txc-narrow-activations"; }
  StringRef getDescription() const override {
    return "Store as bf16 what is only read as bf16";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect>();
  }
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function.isPublic())
        narrowActivations(function);
  }
};
} // namespace

std::unique_ptr<Pass> txc::createNarrowActivationsPass() {
  return std::make_unique<NarrowActivationsPass>();
}
