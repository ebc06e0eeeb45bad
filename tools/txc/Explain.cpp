//===- Explain.cpp - txc explain MODEL.onnx ------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/driver/Explain.h"
#include "tools/txc/Commands.h"

using namespace llvm;
using namespace txc;
using namespace txc::tool;

Outcome tool::explainModel(const Options &options, Console &console) {
  Compilation compilation(getCompileOptions(options, console));
  for (auto step : {&Compilation::importModel, &Compilation::optimizeGraph,
                    &Compilation::buildPhases, &Compilation::buildProgram})
    if (Outcome outcome = (compilation.*step)(); outcome != Outcome::success)
      return outcome;
  Explanation explanation = explain(compilation);
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
