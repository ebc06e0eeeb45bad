//===- CallPhase.cpp - code of kernel.call -------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/CallPhase.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;
using namespace txc;
using tx::SymExprAttr;

static func::FuncOp declareRoutine(x86::CodeBuilder &code, StringRef name,
                                   Operation *scope) {
  if (auto existing = dyn_cast_or_null<func::FuncOp>(
          SymbolTable::lookupSymbolIn(scope, name)))
    return existing;
  OpBuilder::InsertionGuard guard(code.builder);
  code.builder.setInsertionPointToStart(&scope->getRegion(0).front());
  Type i64 = code.builder.getI64Type(), pointer = code.ptrType();
  auto routine = func::FuncOp::create(
      code.builder, code.loc, name,
      code.builder.getFunctionType({pointer, pointer, i64, i64, pointer}, {}));
  routine.setPrivate();
  return routine;
}

/// An array on the stack.
static Value buildArray(x86::CodeBuilder &code, ArrayRef<Value> elements,
                        Type type) {
  Value size = LLVM::ConstantOp::create(
      code.builder, code.loc, code.builder.getI64Type(),
      static_cast<int64_t>(std::max<size_t>(elements.size(), 1)));
  Value array = LLVM::AllocaOp::create(code.builder, code.loc, code.ptrType(),
                                       type, size, /*alignment=*/8);
  for (auto [i, element] : llvm::enumerate(elements)) {
    Value place = code.advance(array, static_cast<int64_t>(i), type);
    LLVM::StoreOp::create(code.builder, code.loc, element, place,
                          /*alignment=*/8);
  }
  return array;
}

LogicalResult txc::emitCall(KernelFunction &function, kernel::CallOp op) {
  x86::CodeBuilder &code = function.getCode();
  Type i64 = code.builder.getI64Type();
  auto toInteger = [&](Value index) -> Value {
    return arith::IndexCastOp::create(code.builder, code.loc, i64, index);
  };
  SmallVector<Value> buffers, parameters;
  for (unsigned i = 0; i < op.getNumOperands(); ++i)
    buffers.push_back(code.pointerTo(function.getOperand(i)));
  for (unsigned i = 0; i < op.getNumResults(); ++i)
    buffers.push_back(code.pointerTo(function.getResult(i)));
  for (auto expr : op.getParameters().getAsRange<SymExprAttr>())
    parameters.push_back(toInteger(function.getValue(expr)));
  Value bufferArray = buildArray(code, buffers, code.ptrType());
  Value parameterArray = buildArray(code, parameters, i64);

  Operation *scope = SymbolTable::getNearestSymbolTable(
      code.builder.getInsertionBlock()->getParentOp()->getParentOp());
  func::FuncOp routine = declareRoutine(code, op.getCallee(), scope);
  func::CallOp::create(code.builder, code.loc, routine,
                       ValueRange{bufferArray, parameterArray,
                                  toInteger(function.getTaskBegin()),
                                  toInteger(function.getTaskEnd()),
                                  function.getFault()});
  return success();
}
