//===- RecognizeSoftmax.cpp - softmax written out ------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// `e / sum(e)` with `e = exp(x - max(x))`. Without the subtraction the result
/// is the same until exp overflows, where tx.softmax is the better one; that
/// form is taken too.
//
//===----------------------------------------------------------------------===//

#include "passes/graph/Match.h"
#include "passes/graph/Recognize.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

static ReduceOp matchReduce(Value value, ReduceKind kind) {
  auto op = value.getDefiningOp<ReduceOp>();
  return op && op.getKind() == kind && op.getAxes().size() == 1 ? op
                                                                : ReduceOp();
}

/// The sum that `op` divides its operand by, if that is `exp / sum(exp)`.
static ReduceOp matchNormalization(Operation *op) {
  Value numerator, denominator;
  if (auto div = dyn_cast<DivOp>(op)) {
    numerator = div.getLhs();
    denominator = div.getRhs();
  } else if (auto mul = dyn_cast<MulOp>(op)) {
    numerator = mul.getLhs();
    denominator = matchReciprocal(mul.getRhs());
    if (!denominator) {
      numerator = mul.getRhs();
      denominator = matchReciprocal(mul.getLhs());
    }
  }
  ReduceOp sum =
      denominator ? matchReduce(denominator, ReduceKind::sum) : ReduceOp();
  bool isNormalized = sum && sum.getX() == numerator &&
                      isa_and_present<ExpOp>(numerator.getDefiningOp());
  return isNormalized ? sum : ReduceOp();
}

static LogicalResult rewriteSoftmax(Operation *op, RewriterBase &rewriter) {
  ReduceOp sum = matchNormalization(op);
  auto exp = sum.getX().getDefiningOp<ExpOp>();
  Value x = exp.getX();
  auto sub = x.getDefiningOp<SubOp>();
  if (ReduceOp max =
          sub ? matchReduce(sub.getRhs(), ReduceKind::max) : ReduceOp();
      max && max.getX() == sub.getLhs()) {
    if (max.getAxes() != sum.getAxes())
      return rewriter.notifyMatchFailure(
          op, "the maximum and the sum are along different axes");
    x = sub.getLhs();
  }
  rewriter.replaceOp(
      op, SoftmaxOp::create(rewriter, fuseLocations({exp, sum, op}), x,
                            sum.getAxes().front(), /*log=*/false));
  return success();
}

bool txc::recognizeSoftmax(func::FuncOp func, Report *report) {
  return rewriteCandidates(
      func, "softmax", report,
      [](Operation *op) {
        return isa<DivOp, MulOp>(op) && matchNormalization(op);
      },
      rewriteSoftmax);
}
