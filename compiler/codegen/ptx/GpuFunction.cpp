//===- GpuFunction.cpp - the function of a kernel on a GPU ---------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/ptx/GpuFunction.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace txc;
using namespace txc::ptx;
using tx::SymExprAttr;

static LLVM::LLVMFunctionType getFunctionType(MLIRContext *context,
                                              TypeRange parameters) {
  return LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(context),
                                     llvm::to_vector(parameters));
}

GpuFunction::GpuFunction(ModuleOp module, StringRef name, Operation *phase,
                         int64_t threads)
    : builder(phase->getLoc(), module.getContext()) {
  builder.setInsertionPointToEnd(module.getBody());
  MLIRContext *context = module.getContext();
  unsigned operands = phase->getNumOperands();
  SmallVector<Type> buffers(operands + phase->getNumResults(),
                            LLVM::LLVMPointerType::get(context, /*global*/ 1));
  function = LLVM::LLVMFuncOp::create(builder, name,
                                      getFunctionType(context, buffers));
  function->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(),
                    builder.getUnitAttr());
  function->setAttr(
      NVVM::NVVMDialect::getReqntidAttrName(),
      builder.getDenseI32ArrayAttr({static_cast<int32_t>(threads), 1, 1}));
  Block *entry = function.addEntryBlock(builder);
  builder.setInsertionPointToStart(entry);
  for (unsigned i = 0; i < buffers.size(); ++i) {
    function.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(),
                        builder.getUnitAttr());
    if (i < operands)
      function.setArgAttr(i, LLVM::LLVMDialect::getReadonlyAttrName(),
                          builder.getUnitAttr());
  }
}

Value GpuFunction::getValue(SymExprAttr expr) {
  if (std::optional<int64_t> constant = expr.getConstant())
    return index(*constant);
  Value &value = parameters[expr];
  if (!value) {
    OpBuilder::InsertionGuard guard(builder);
    Block &entry = function.getBody().front();
    builder.setInsertionPointToStart(&entry);
    Value argument = entry.addArgument(builder.getI64Type(), builder.getLoc());
    value =
        arith::IndexCastOp::create(builder, builder.getIndexType(), argument);
  }
  return value;
}

Value GpuFunction::index(int64_t value) {
  return arith::ConstantIndexOp::create(builder, value);
}

Value GpuFunction::add(Value lhs, Value rhs) {
  return builder.createOrFold<arith::AddIOp>(lhs, rhs);
}

Value GpuFunction::mul(Value lhs, Value rhs) {
  return builder.createOrFold<arith::MulIOp>(lhs, rhs);
}

Value GpuFunction::getElementNumber(const LinearAccess &access,
                                    ArrayAttr symbols, ArrayRef<Value> point) {
  Value number = getValue(access.offset);
  for (auto [stride, coordinate] : llvm::zip_equal(access.strides, point))
    if (!stride.isConstant(0))
      number = add(number, mul(coordinate, getValue(stride)));
  if (access.terms.empty())
    return number;
  SmallVector<Value> symbolValues;
  for (auto symbol : symbols.getAsRange<SymExprAttr>())
    symbolValues.push_back(getValue(symbol));
  for (const LinearAccess::Term &term : access.terms) {
    Value count = affine::expandAffineExpr(builder, builder.getLoc(), term.expr,
                                           point, symbolValues);
    number = add(number, mul(count, getValue(term.stride)));
  }
  return number;
}

Value GpuFunction::getAddress(Value buffer, Value number, Type type) {
  Value offset =
      arith::IndexCastOp::create(builder, builder.getI64Type(), number);
  return LLVM::GEPOp::create(builder, buffer.getType(), type, buffer,
                             ValueRange{offset});
}

Value GpuFunction::load(Value buffer, Value number, Type type) {
  if (!type.isInteger(1))
    return LLVM::LoadOp::create(builder, type,
                                getAddress(buffer, number, type));
  Type byte = builder.getI8Type();
  Value loaded =
      LLVM::LoadOp::create(builder, byte, getAddress(buffer, number, byte));
  Value zero = arith::ConstantIntOp::create(builder, byte, 0);
  return arith::CmpIOp::create(builder, arith::CmpIPredicate::ne, loaded, zero);
}

void GpuFunction::store(Value value, Value buffer, Value number) {
  if (value.getType().isInteger(1))
    value = arith::ExtUIOp::create(builder, builder.getI8Type(), value);
  LLVM::StoreOp::create(builder, value,
                        getAddress(buffer, number, value.getType()));
}

void GpuFunction::finish(ArrayRef<SymExprAttr> grid) {
  LLVM::ReturnOp::create(builder, ValueRange());
  SmallVector<Attribute> exprs;
  for (auto &[expr, value] : parameters)
    exprs.push_back(expr);
  Block &entry = function.getBody().front();
  auto argumentAttrs =
      llvm::to_vector(function.getArgAttrsAttr().getAsRange<DictionaryAttr>());
  argumentAttrs.resize(entry.getNumArguments(),
                       DictionaryAttr::get(function.getContext()));
  function.setFunctionType(
      getFunctionType(function.getContext(), entry.getArgumentTypes()));
  function.setAllArgAttrs(argumentAttrs);
  function->setAttr("warp.parameters", builder.getArrayAttr(exprs));
  function->setAttr("warp.grid",
                    builder.getArrayAttr(llvm::to_vector_of<Attribute>(grid)));
}
