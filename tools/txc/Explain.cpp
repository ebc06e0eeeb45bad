//===- Explain.cpp - txc explain MODEL.onnx ------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/driver/Explain.h"
#include "tools/txc/Commands.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;
using namespace txc;
using namespace txc::tool;

/// The profile that the options name; none without one.
static Outcome readProfile(const Options &options, Console &console,
                           std::optional<MeasuredProfile> &profile) {
  if (options.profilePath.empty())
    return Outcome::success;
  auto file = MemoryBuffer::getFile(options.profilePath, /*IsText=*/true);
  if (!file) {
    console.error(options.profilePath + ": " + file.getError().message());
    return Outcome::ioFailure;
  }
  Expected<MeasuredProfile> parsed = parseProfile((*file)->getBuffer());
  if (!parsed) {
    console.error(options.profilePath +
                  " is no profile: " + llvm::toString(parsed.takeError()));
    return Outcome::ioFailure;
  }
  profile = std::move(*parsed);
  return Outcome::success;
}

Outcome tool::explainModel(const Options &options, Console &console) {
  std::optional<MeasuredProfile> profile;
  if (Outcome outcome = readProfile(options, console, profile);
      outcome != Outcome::success)
    return outcome;
  Compilation compilation(getCompileOptions(options, console));
  for (auto step : {&Compilation::importModel, &Compilation::optimizeGraph,
                    &Compilation::buildPhases, &Compilation::buildProgram})
    if (Outcome outcome = (compilation.*step)(); outcome != Outcome::success)
      return outcome;
  Explanation explanation = explain(compilation, profile ? &*profile : nullptr);
  if (profile)
    if (Error error = addProfile(*profile, explanation)) {
      console.error(options.profilePath +
                    " does not fit: " + llvm::toString(std::move(error)));
      return Outcome::ioFailure;
    }
  explanation.model = options.inputPath;
  if (!options.htmlPath.empty()) {
    std::string page;
    raw_string_ostream os(page);
    printHtml(explanation, os);
    return writeText(options.htmlPath, page, console);
  }
  if (options.json)
    printJson(explanation, outs());
  else
    printText(explanation, outs());
  return Outcome::success;
}
