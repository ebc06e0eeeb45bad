//===- SimplifyBroadcasts.cpp - broadcasts and element-wise ops ----------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Element-wise ops broadcast their operands themselves. An explicit broadcast
/// either does nothing more than that, and is dropped, or is done after the
/// arithmetic, on fewer elements: f(broadcast(x)) is broadcast(f(x)).
//
//===----------------------------------------------------------------------===//

#include "passes/graph/Match.h"
#include "passes/graph/Simplify.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

/// x of a broadcast that repeats dims of static size 1 only, which element-wise
/// ops can repeat themselves.
static Value matchStaticBroadcast(Value value) {
  auto broadcast = value.getDefiningOp<BroadcastOp>();
  if (!broadcast)
    return nullptr;
  SmallVector<SymExprAttr> from = getDims(broadcast.getX().getType());
  SmallVector<SymExprAttr> to = getDims(broadcast.getType());
  for (auto [x, y] : llvm::zip(llvm::reverse(from), llvm::reverse(to)))
    if (x != y && !x.isConstant(1))
      return nullptr;
  return broadcast.getX();
}

namespace {
class ElementwiseOfBroadcast
    : public OpInterfaceRewritePattern<ElementwiseInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(ElementwiseInterface op,
                                PatternRewriter &rewriter) const override {
    SmallVector<Value> operands(op->getOperands());
    bool hasBroadcast = false;
    for (Value &operand : operands)
      if (Value x = matchStaticBroadcast(operand)) {
        operand = x;
        hasBroadcast = true;
      }
    if (!hasBroadcast)
      return rewriter.notifyMatchFailure(op, "no operand is a broadcast");
    auto type = getTensorType(op->getResult(0));
    SmallVector<Type> natural;
    if (failed(tx::inferBroadcastType(std::nullopt, operands,
                                      type.getElementType(), natural)))
      return rewriter.notifyMatchFailure(
          op, "the operands differ in dims that may be 1");
    Operation *small =
        rewriter.create(op->getLoc(), op->getName().getIdentifier(), operands,
                        natural, op->getAttrs());
    Value result = small->getResult(0);
    if (result.getType() != type)
      result = BroadcastOp::create(rewriter, op->getLoc(), type, result);
    rewriter.replaceOp(op, result);
    return success();
  }
};
} // namespace

/// broadcast(broadcast(x)) is one broadcast.
static LogicalResult mergeBroadcasts(BroadcastOp op,
                                     PatternRewriter &rewriter) {
  Value x = matchStaticBroadcast(op.getX());
  if (!x)
    return rewriter.notifyMatchFailure(op, "the operand is no broadcast");
  rewriter.replaceOpWithNewOp<BroadcastOp>(op, op.getType(), x);
  return success();
}

void txc::populateBroadcastPatterns(RewritePatternSet &patterns) {
  patterns.add<ElementwiseOfBroadcast>(patterns.getContext());
  patterns.add(mergeBroadcasts);
}
