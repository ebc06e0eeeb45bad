//===- ReferenceModel.cpp - a model by the reference interpreter ---------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/common/ReferenceModel.h"
#include "compiler/program/ElementTypes.h"

using namespace mlir;
using namespace txc;
using namespace txc::tool;

/// Whether both forms have the same bytes.
static bool isSameForm(const HostTensor &tensor, int32_t type) {
  return run::getTypeBits(type) == 8 * tensor.getElementSize();
}

llvm::Expected<HostTensor> tool::toHostTensor(const run::Array &array,
                                              Type elementType) {
  llvm::Expected<HostTensor> tensor =
      HostTensor::allocate(elementType, array.dims);
  if (!tensor)
    return tensor.takeError();
  if (isSameForm(*tensor, array.type)) {
    MutableArrayRef<char> bytes = tensor->getMutableBytes();
    if (bytes.size() != array.data.size())
      return llvm::createStringError("the input has " +
                                     Twine(array.data.size()) + " bytes, not " +
                                     Twine(bytes.size()));
    llvm::copy(array.data, bytes.begin());
    return tensor;
  }
  for (int64_t i = 0; i < tensor->getNumElements(); ++i)
    tensor->setDouble(i, run::getElement(array.type, array.data.data(), i));
  return tensor;
}

run::Array tool::toArray(const HostTensor &tensor) {
  run::Array array;
  array.type = *getTxcType(tensor.getElementType());
  array.dims.assign(tensor.getDims().begin(), tensor.getDims().end());
  array.data.resize(tensor.getPackedSize());
  tensor.pack(array.data);
  return array;
}

FailureOr<std::vector<run::Array>>
tool::runReference(ModuleOp module, ArrayRef<run::Array> inputs,
                   WeightSource weights, Tap tap) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  SmallVector<HostTensor> arguments;
  for (auto [input, type] : llvm::zip_equal(inputs, main.getArgumentTypes())) {
    llvm::Expected<HostTensor> tensor =
        toHostTensor(input, cast<RankedTensorType>(type).getElementType());
    if (!tensor)
      return main.emitError(llvm::toString(tensor.takeError()));
    arguments.push_back(std::move(*tensor));
  }
  FailureOr<SmallVector<HostTensor>> results =
      evaluateFunction(main, arguments, weights, tap);
  if (failed(results))
    return failure();
  std::vector<run::Array> outputs;
  for (const HostTensor &result : *results)
    outputs.push_back(toArray(result));
  return outputs;
}
