//===- Verify.cpp - txc verify MODEL.onnx --------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Runs a compiled model beside the reference interpreter at several shapes,
/// and where they differ looks for the first node that does.
//
//===----------------------------------------------------------------------===//

#include "compiler/driver/ChooseDims.h"
#include "tools/common/ReferenceModel.h"
#include "tools/txc-run/Inputs.h"
#include "tools/txc/VerifyModels.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;
using namespace txc;
using namespace txc::tool;

using Dims = std::vector<std::pair<std::string, int64_t>>;

namespace {

class Verifier {
public:
  Verifier(const Options &options, Console &console, const ModuleEdit &plant)
      : options(options), console(console), models(options, console, plant) {}

  Outcome run();

private:
  std::vector<Dims> chooseShapes();
  Expected<std::vector<run::Array>> makeInputs(const Dims &dims);
  /// Success also for a shape that neither side takes.
  Outcome tryShape(const Dims &dims);
  Outcome compareOutputs(ArrayRef<run::Array> inputs,
                         ArrayRef<run::Array> found,
                         const ReferenceResults &expected);
  void findFirstDifference(ArrayRef<run::Array> inputs,
                           const ReferenceResults &expected, size_t output);
  /// The reference always computes in the model's own types.
  bool isTolerable(const Difference &difference) const;
  std::optional<bool> isValueWrong(unsigned number, ArrayRef<run::Array> inputs,
                                   const ReferenceResults &expected);

  const Options &options;
  Console &console;
  VerifyModels models;
  size_t numRuns = 0;
};

} // namespace

//===----------------------------------------------------------------------===//
// Shapes and inputs
//===----------------------------------------------------------------------===//

/// All dims 1, then small ones that differ, then longer ones: whole vectors
/// with a rest. Files for inputs decide the one shape.
std::vector<Dims> Verifier::chooseShapes() {
  static constexpr DimWish wishes[] = {{/*outer=*/1, /*inner=*/1, /*step=*/0},
                                       {/*outer=*/2, /*inner=*/3, /*step=*/1},
                                       {/*outer=*/3, /*inner=*/17, /*step=*/1},
                                       {/*outer=*/1, /*inner=*/28, /*step=*/1}};
  if (!options.inputs.empty())
    return {Dims()};
  std::vector<Dims> shapes;
  for (const DimWish &wish : wishes) {
    std::optional<SymbolValues> values =
        chooseDims(models.getCompiledModule(), wish);
    if (!values)
      continue;
    Dims dims;
    for (auto [symbol, value] : *values)
      dims.emplace_back(symbol.str(), value);
    llvm::sort(dims);
    if (!is_contained(shapes, dims))
      shapes.push_back(std::move(dims));
  }
  return shapes;
}

Expected<std::vector<run::Array>> Verifier::makeInputs(const Dims &dims) {
  run::Options choices;
  choices.inputs = options.inputs;
  choices.dims = dims;
  std::vector<run::Array> inputs;
  CompiledModel &compiled = models.getCompiled();
  if (run::Failure failure = run::makeInputs(
          compiled.getModel(), compiled.getSession(), choices, inputs))
    return createStringError(failure.text);
  return inputs;
}

//===----------------------------------------------------------------------===//
// Comparing
//===----------------------------------------------------------------------===//

Outcome Verifier::compareOutputs(ArrayRef<run::Array> inputs,
                                 ArrayRef<run::Array> found,
                                 const ReferenceResults &expected) {
  std::vector<std::string> names = models.getCompiled().getOutputNames();
  std::optional<size_t> wrong;
  for (size_t i = 0; i < names.size(); ++i) {
    Difference difference =
        compare(found[i], expected.outputs[i], expected.movedOutputs[i]);
    outs() << formatv("  {0} {1}: max error {2:e2}, rms {3:e2}, ", names[i],
                      run::formatDims(expected.outputs[i].dims),
                      difference.largest, difference.rms);
    if (options.precision)
      outs() << formatv("cosine {0:f6}", difference.cosine);
    else
      outs() << formatv("tolerance {0:e2}", difference.tolerance);
    outs() << (isTolerable(difference) ? ": ok\n" : ": DIFFERENT\n");
    if (!isTolerable(difference) && !wrong)
      wrong = i;
  }
  if (!wrong)
    return Outcome::success;
  findFirstDifference(inputs, expected, *wrong);
  return Outcome::cannotCompile;
}

bool Verifier::isTolerable(const Difference &difference) const {
  return options.precision ? difference.isTolerable(*options.precision)
                           : difference.isTolerable();
}

std::optional<bool> Verifier::isValueWrong(unsigned number,
                                           ArrayRef<run::Array> inputs,
                                           const ReferenceResults &expected) {
  console.enter("look at " + models.describeValue(number));
  std::unique_ptr<CompiledModel> tapped = models.compileWithTap(number);
  if (!tapped)
    return std::nullopt;
  Expected<std::vector<run::Array>> found = tapped->run(inputs);
  if (!found) {
    consumeError(found.takeError());
    return std::nullopt;
  }
  bool isWrong =
      !isTolerable(compare(found->back(), toArray(expected.values[number]),
                           toArray(expected.movedValues[number])));
  // A comparison comes out right for many wrong numbers.
  if (!isWrong && !models.isFloat(number))
    return std::nullopt;
  return isWrong;
}

void Verifier::findFirstDifference(ArrayRef<run::Array> inputs,
                                   const ReferenceResults &expected,
                                   size_t output) {
  std::optional<unsigned> first = findFirstWrong(
      models.getValueGraph(), models.getSources(output),
      [&](unsigned number) { return isValueWrong(number, inputs, expected); });
  if (first)
    outs() << "  first difference: " << models.describeValue(*first) << '\n';
  else
    outs() << "  no node differs when it is an output as well\n";
}

static std::string formatShape(const Dims &dims) {
  std::vector<std::string> texts;
  for (const auto &[name, size] : dims)
    texts.push_back(name + " = " + std::to_string(size));
  return texts.empty() ? "the model's shape" : join(texts, ", ");
}

Outcome Verifier::tryShape(const Dims &dims) {
  console.enter("verify at " + formatShape(dims));
  Expected<std::vector<run::Array>> inputs = makeInputs(dims);
  if (!inputs) {
    outs() << formatShape(dims) << ": skipped: " << toString(inputs.takeError())
           << '\n';
    return Outcome::success;
  }
  Expected<std::vector<run::Array>> found = models.getCompiled().run(*inputs);
  Expected<ReferenceResults> expected = models.runReference(*inputs);
  if (found && expected) {
    outs() << formatShape(dims) << ":\n";
    ++numRuns;
    return compareOutputs(*inputs, *found, *expected);
  }
  // Both refuse a shape or a value that the model does not take.
  bool agree = !found && !expected;
  std::string ours = found ? "runs" : toString(found.takeError());
  std::string theirs = expected ? "runs" : toString(expected.takeError());
  outs() << formatShape(dims);
  if (agree)
    outs() << ": skipped: " << ours << '\n';
  else
    outs() << ": DIFFERENT: compiled: " << ours << "; reference: " << theirs
           << '\n';
  return agree ? Outcome::success : Outcome::cannotCompile;
}

Outcome Verifier::run() {
  if (Outcome outcome = models.prepare(); outcome != Outcome::success)
    return outcome;
  for (const Dims &dims : chooseShapes())
    if (Outcome outcome = tryShape(dims); outcome != Outcome::success)
      return outcome;
  if (numRuns == 0) {
    console.error(options.inputPath +
                  ": no shape could be run; try -dim or -input");
    return Outcome::cannotCompile;
  }
  return Outcome::success;
}

Outcome tool::verifyModel(const Options &options, Console &console,
                          const ModuleEdit &plant) {
  return Verifier(options, console, plant).run();
}
