//===- Recipes.cpp - making the stored tensors ---------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/program/Recipes.h"
#include "compiler/reference/Interpreter.h"

using namespace mlir;
using namespace txc;

llvm::Expected<HostTensor> txc::readWeight(const WeightStore &store,
                                           tx::WeightOp op) {
  llvm::Expected<onnx::TensorData> data = store.read(op.getName());
  if (!data)
    return data.takeError();
  auto owner = std::make_shared<onnx::TensorData>(std::move(*data));
  ArrayRef<uint8_t> bytes = owner->bytes();
  return HostTensor::unpack(
      op.getType().getElementType(), op.getType().getShape(),
      {reinterpret_cast<const char *>(bytes.data()), bytes.size()}, owner);
}

/// Evaluates a recipe and writes its result in the stored form.
static llvm::Error writeStored(func::FuncOp recipe, Type storedType,
                               const WeightStore &store,
                               MutableArrayRef<char> out) {
  // The interpreter reports faults as diagnostics; here they become the error.
  std::string message;
  ScopedDiagnosticHandler handler(recipe.getContext(), [&](Diagnostic &diag) {
    message += diag.str();
    return success();
  });
  Value result = recipe.getBody().front().getTerminator()->getOperand(0);
  FailureOr<HostTensor> tensor =
      evaluateValue(result, SymbolValues(),
                    [&](tx::WeightOp op) { return readWeight(store, op); });
  if (failed(tensor))
    return llvm::createStringError("the stored tensor '" + recipe.getSymName() +
                                   "' can't be made: " + message);
  if (auto packed = dyn_cast<pack::TensorType>(storedType))
    packed.encode(tensor->getBytes(), out);
  else
    tensor->pack(out);
  return llvm::Error::success();
}

static uint64_t getStoredBytes(Type type) {
  if (auto packed = dyn_cast<pack::TensorType>(type))
    return packed.getStoredBytes();
  auto tensor = cast<RankedTensorType>(type);
  unsigned bits = tensor.getElementTypeBitWidth();
  return bits == 1 ? tensor.getNumElements()
                   : llvm::divideCeil(tensor.getNumElements() * bits, 8);
}

uint64_t txc::addStoredTensor(WeightsImage &image, kernel::StoredOp stored,
                              const WeightStore &weights) {
  auto recipe = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
      stored, stored.getRecipeAttr());
  Type type = stored.getType();
  std::string key;
  llvm::raw_string_ostream os(key);
  os << recipe.getSymName() << " as " << type;
  return image.add(getStoredBytes(type), key,
                   [recipe, type, &weights](MutableArrayRef<char> out) {
                     return writeStored(recipe, type, weights, out);
                   });
}
