//===- Calibrate.cpp - -calibrate DIR ------------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Measures on samples how large the channels become that products with weights
/// multiply. The model is compiled as it is, with these maxima as further
/// outputs, and run in this process: the reference interpreter would take
/// minutes for what takes milliseconds.
//
//===----------------------------------------------------------------------===//

#include "tools/txc/LoadCompilation.h"
#include "tools/txc/Samples.h"
#include <cmath>

using namespace llvm;
using namespace txc;
using namespace txc::tool;

/// The largest of what was there and what a run gave; false if that is no
/// number.
static bool widen(std::vector<float> &maxima, const run::Array &found) {
  int64_t count = run::countElements(found.dims);
  maxima.resize(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    auto most =
        static_cast<float>(run::getElement(found.type, found.data.data(), i));
    if (!std::isfinite(most))
      return false;
    maxima[static_cast<size_t>(i)] =
        std::max(maxima[static_cast<size_t>(i)], most);
  }
  return true;
}

/// Widens the maxima by one sample's; `numOutputs` are the model's own.
static Error measure(CompiledModel &model, size_t numOutputs,
                     ArrayRef<run::Array> inputs,
                     std::vector<std::vector<float>> &maxima) {
  Expected<std::vector<run::Array>> found = model.run(inputs);
  if (!found)
    return found.takeError();
  maxima.resize(found->size() - numOutputs);
  for (size_t i = 0; i < maxima.size(); ++i)
    if (!widen(maxima[i], (*found)[numOutputs + i]))
      return createStringError(
          "the sample has no rows, or leads to numbers that are not finite");
  return Error::success();
}

Outcome tool::calibrate(Options &options, Console &console) {
  if (options.calibrationPath.empty())
    return Outcome::success;
  auto fail = [&](Error error) {
    console.error("option -calibrate: " + toString(std::move(error)));
    return Outcome::wrongUsage;
  };
  Expected<std::vector<std::string>> samples =
      listSamples(options.calibrationPath);
  if (!samples)
    return fail(samples.takeError());

  // The machine that compiles may lack what the target has.
  CompileOptions compile = getCompileOptions(options, console);
  compile.target = "native";
  compile.precision.reset();
  compile.cacheToState = false;
  compile.stagesPath.clear();
  compile.tapChannels = true;
  Compilation compilation(std::move(compile));
  std::unique_ptr<CompiledModel> model;
  if (Outcome outcome = compilation.importModel(); outcome != Outcome::success)
    return outcome;
  size_t numOutputs = compilation.getModule()
                          .lookupSymbol<mlir::func::FuncOp>("main")
                          .getNumResults();
  CodeGenOptions codeGen = options.codeGen;
  codeGen.sanitizer = Sanitizer::None;
  if (Outcome outcome = loadCompilation(compilation, codeGen, console, model);
      outcome != Outcome::success)
    return outcome;

  std::vector<std::string> inputs = model->getInputNames();
  std::vector<std::string> outputs = model->getOutputNames();
  if (outputs.size() == numOutputs) {
    console.warning("option -calibrate: the model has no product with an f32 "
                    "weight");
    return Outcome::success;
  }
  for (const std::string &sample : *samples) {
    console.enter("calibrate on " + sample);
    Expected<std::vector<run::Array>> arrays =
        readSample(sample, inputs, outputs);
    if (!arrays)
      return fail(arrays.takeError());
    if (Error error =
            measure(*model, numOutputs, *arrays, options.channelMaxima))
      return fail(
          createStringError(sample + ": " + toString(std::move(error))));
  }
  return Outcome::success;
}
