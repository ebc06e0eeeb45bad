//===- Constants.cpp - -constant NAME=VALUE ------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Gives inputs of the model values when it is compiled: from a file, or one
/// number for all elements.
//
//===----------------------------------------------------------------------===//

#include "tools/txc-run/Files.h"
#include "tools/txc/Commands.h"

using namespace llvm;
using namespace txc;
using namespace txc::tool;

static const onnx::ValueInfo *findInput(const onnx::Model &model,
                                        StringRef name) {
  for (const onnx::ValueInfo &input : model.graph.inputs)
    if (input.name == name)
      return &input;
  return nullptr;
}

/// Nothing for what is no number.
static std::optional<double> parseNumber(StringRef text) {
  if (text == "true" || text == "false")
    return text == "true";
  double number = 0;
  if (text.getAsDouble(number))
    return std::nullopt;
  return number;
}

/// A tensor of the input's type with one number in all places.
static Expected<run::Array> makeSplat(const onnx::Type &type, double number) {
  run::Array array;
  array.type = static_cast<int32_t>(type.elementType);
  for (const onnx::Dim &dim : type.dims) {
    if (!dim.value)
      return createStringError("its dims are not all fixed; give a file");
    array.dims.push_back(*dim.value);
  }
  if (run::getTypeBits(array.type) < 8)
    return createStringError("a number can't be given for elements of type " +
                             run::getTypeName(array.type) + "; give a file");
  int64_t count = run::countElements(array.dims);
  int64_t size = count < 0 ? -1 : run::countBytes(array.type, count);
  if (size < 0)
    return createStringError("it has more elements than fit in memory");
  array.data.resize(static_cast<size_t>(size));
  for (int64_t i = 0; i < count; ++i)
    run::setElement(array.type, array.data.data(), i, number);
  return array;
}

static Expected<run::Array> readConstant(const onnx::Model &model,
                                         StringRef name, StringRef value) {
  const onnx::ValueInfo *input = findInput(model, name);
  if (!input || input->type.kind != onnx::Type::Kind::Tensor)
    return createStringError("the model has no such input");
  if (std::optional<double> number = parseNumber(value))
    return makeSplat(input->type, *number);
  run::Array array;
  std::string error;
  if (!run::readTensor(value.str(), array, error))
    return createStringError(error);
  if (array.type != static_cast<int32_t>(input->type.elementType))
    return createStringError(
        value + " has elements of type " + run::getTypeName(array.type) +
        ", the input of type " +
        run::getTypeName(static_cast<int32_t>(input->type.elementType)));
  return array;
}

Outcome tool::readConstants(Options &options, Console &console) {
  if (options.constants.empty())
    return Outcome::success;
  Expected<std::unique_ptr<onnx::OnnxFile>> file =
      onnx::OnnxFile::open(options.inputPath);
  if (!file) {
    bool isIo = file.errorIsA<FileError>();
    console.error(toString(file.takeError()));
    return isIo ? Outcome::ioFailure : Outcome::cannotCompile;
  }
  for (const auto &[name, value] : options.constants) {
    Expected<run::Array> array = readConstant((*file)->model(), name, value);
    if (!array) {
      console.error("option -constant: \"" + name +
                    "\": " + toString(array.takeError()));
      return Outcome::wrongUsage;
    }
    options.constantInputs.push_back(
        {name, static_cast<onnx::ElementType>(array->type), array->dims,
         std::vector<uint8_t>(array->data.begin(), array->data.end())});
  }
  return Outcome::success;
}
