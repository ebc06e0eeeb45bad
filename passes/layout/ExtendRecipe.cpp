//===- ExtendRecipe.cpp - weights made of weights ------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/layout/ExtendRecipe.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace txc;
using kernel::StoredOp;

Value txc::extendRecipe(OpBuilder &b, StoredOp stored, StringRef kind,
                        function_ref<Value(OpBuilder &, Value)> extend) {
  auto module = stored->getParentOfType<ModuleOp>();
  std::string name = (stored.getRecipe() + "_" + kind).str();
  auto recipe = module.lookupSymbol<func::FuncOp>(name);
  if (!recipe) {
    auto base = module.lookupSymbol<func::FuncOp>(stored.getRecipe());
    recipe = base.clone();
    recipe.setName(name);
    module.push_back(recipe);
    Operation *terminator = recipe.getBody().front().getTerminator();
    OpBuilder body(terminator);
    Value result = extend(body, terminator->getOperand(0));
    terminator->setOperand(0, result);
    recipe.setType(body.getFunctionType({}, result.getType()));
  }
  return StoredOp::create(b, stored.getLoc(), recipe.getResultTypes().front(),
                          name);
}
