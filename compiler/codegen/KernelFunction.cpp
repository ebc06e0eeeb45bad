//===- KernelFunction.cpp - a phase's function while it is made ----------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/KernelFunction.h"
#include "dialects/pack/Pack.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace txc;
using tx::SymExprAttr;

Type txc::getScalarType(Type tensor) {
  Type type = isa<pack::TensorType>(tensor)
                  ? cast<pack::TensorType>(tensor).getElementType()
                  : getElementTypeOrSelf(tensor);
  if (type.isInteger() && !type.isSignlessInteger())
    return IntegerType::get(type.getContext(), type.getIntOrFloatBitWidth());
  return type;
}

unsigned txc::getPackedBits(Type scalar) {
  unsigned width = scalar.isIntOrFloat() ? scalar.getIntOrFloatBitWidth() : 0;
  return width == 2 || width == 4 ? width : 0;
}

Type txc::getStorageType(Type tensor) {
  Type type = getScalarType(tensor);
  if (type.isInteger(1) || getPackedBits(type) != 0)
    return IntegerType::get(type.getContext(), 8);
  if (isa<FloatType>(type) && type.getIntOrFloatBitWidth() < 32)
    return IntegerType::get(type.getContext(), type.getIntOrFloatBitWidth());
  return type;
}

static func::FuncOp createFunction(OpBuilder &builder, Operation *phase,
                                   StringRef name) {
  MLIRContext *context = phase->getContext();
  SmallVector<Type> types;
  auto addBuffer = [&](Type element) {
    types.push_back(MemRefType::get({ShapedType::kDynamic}, element));
  };
  for (Type type : phase->getOperandTypes())
    addBuffer(getStorageType(type));
  for (Type type : phase->getResultTypes())
    addBuffer(getStorageType(type));
  addBuffer(builder.getI8Type());
  types.push_back(LLVM::LLVMPointerType::get(context));
  types.append(2, builder.getIndexType());
  return func::FuncOp::create(builder, phase->getLoc(), name,
                              builder.getFunctionType(types, {}));
}

KernelFunction::KernelFunction(OpBuilder &builder, Operation *phase,
                               StringRef name, const VectorTarget &target)
    : phase(phase), function(createFunction(builder, phase, name)),
      bodyBuilder(builder.getContext()),
      // Locations of phases are names of nodes, which equal kernels don't
      // share.
      code(bodyBuilder, builder.getUnknownLoc(), target),
      entry(function.addEntryBlock()) {
  bodyBuilder.setInsertionPointToStart(entry);
}

Value KernelFunction::getOperand(unsigned number) const {
  return entry->getArgument(number);
}

SmallVector<Value> KernelFunction::getOperands() const {
  return llvm::to_vector_of<Value>(
      entry->getArguments().take_front(phase->getNumOperands()));
}

Value KernelFunction::getResult(unsigned number) const {
  return entry->getArgument(phase->getNumOperands() + number);
}

Value KernelFunction::fromEnd(unsigned distance) const {
  return entry->getArgument(entry->getNumArguments() - distance);
}

Value KernelFunction::getValue(SymExprAttr expr) {
  if (std::optional<int64_t> constant = expr.getConstant())
    return code.index(*constant);
  Value &value = exprs[expr];
  if (!value)
    value = entry->insertArgument(entry->getNumArguments() - 4,
                                  code.indexType(), code.loc);
  return value;
}

EmittedKernel KernelFunction::finish() {
  func::ReturnOp::create(bodyBuilder, code.loc);
  function.setType(bodyBuilder.getFunctionType(entry->getArgumentTypes(), {}));
  EmittedKernel kernel{function, {}};
  for (auto &[expr, value] : exprs)
    kernel.exprs.push_back(expr);
  return kernel;
}
