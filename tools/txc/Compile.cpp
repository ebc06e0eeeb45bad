//===- Compile.cpp - txc MODEL.onnx -o MODEL.so --------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/emit/OutputFile.h"
#include "passes/precision/ReducePrecision.h"
#include "tools/txc/Commands.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"
#include <sys/resource.h>

using namespace llvm;
using namespace txc;
using namespace txc::tool;

CompileOptions tool::getCompileOptions(const Options &options,
                                       Console &console) {
  CompileOptions compile;
  compile.inputPath = options.inputPath;
  compile.target = options.target;
  compile.dims = options.dims;
  compile.constants = options.constantInputs;
  compile.codeGen = options.codeGen;
  compile.name = options.name;
  compile.exact = options.exact;
  compile.precision = options.precision;
  compile.channelMaxima = options.channelMaxima;
  compile.cacheToState = options.cacheToState;
  compile.padding = options.padding;
  compile.stagesPath = options.stagesPath;
  compile.onError = [&console](const Twine &message) {
    console.error(message);
  };
  compile.onStage = [&console](StringRef stage) { console.enter(stage); };
  return compile;
}

Outcome tool::writeText(StringRef path, StringRef text, Console &console) {
  auto write = [&]() -> Error {
    Expected<OutputFile> file =
        OutputFile::create(path, OutputFile::Kind::Data);
    if (!file)
      return file.takeError();
    if (Error error = file->write(text))
      return error;
    return file->commit();
  };
  if (Error error = write()) {
    console.error(toString(std::move(error)));
    return Outcome::ioFailure;
  }
  return Outcome::success;
}

static Outcome writeModule(mlir::ModuleOp module, StringRef path,
                           Console &console) {
  std::string text;
  raw_string_ostream os(text);
  module.print(os);
  os << '\n';
  return writeText(path, text, console);
}

/// The files of one compile must not overwrite each other or the model.
static Outcome checkPaths(const Options &options, const EmitOptions &emit,
                          Console &console) {
  auto isSame = [](StringRef a, StringRef b) {
    return a == b || sys::fs::equivalent(a, b);
  };
  SmallVector<StringRef> paths = {options.inputPath, emit.outputPath};
  if (options.stage == Stage::SharedObject)
    paths.append({emit.headerPath, emit.weightsPath});
  for (size_t i = 0; i < paths.size(); ++i)
    for (size_t j = i + 1; j < paths.size(); ++j)
      if (!paths[j].empty() && isSame(paths[i], paths[j])) {
        console.error(paths[j] +
                      " would be overwritten; choose another name with -o or "
                      "-weights");
        return Outcome::wrongUsage;
      }
  return Outcome::success;
}

static EmitOptions getEmitOptions(const Options &options) {
  EmitOptions emit;
  emit.outputPath = getOutputPath(options);
  SmallString<128> header(emit.outputPath);
  sys::path::replace_extension(header, ".h");
  emit.headerPath = header.str();
  emit.weightsPath = options.weightsPath;
  emit.codeGen = options.codeGen;
  return emit;
}

/// Products that the asked precision leaves as they are.
static void warnOfLeftovers(const Compilation &compilation,
                            const Options &options, Console &console) {
  if (!options.precision)
    return;
  size_t count = 0;
  StringRef reason;
  for (const NearMiss &miss : compilation.getReport().getNearMisses())
    if (miss.what == "reduced precision" && miss.reason != notAWeight) {
      ++count;
      reason = miss.reason;
    }
  if (count)
    console.warning(
        "-precision=" + kernel::stringifyPrecision(*options.precision) +
        " leaves " + Twine(count) + (count == 1 ? " product" : " products") +
        " with weights as they are, since " + reason +
        "; txc explain lists them");
}

/// Runs the compiler as far as the wanted stage and writes that.
static Outcome produce(Compilation &compilation, const Options &options,
                       Console &console) {
  EmitOptions emit = getEmitOptions(options);
  StringRef path = emit.outputPath;
  if (Outcome outcome = checkPaths(options, emit, console);
      outcome != Outcome::success)
    return outcome;
  using Step = Outcome (Compilation::*)();
  auto run = [&](std::initializer_list<Step> steps) {
    for (Step step : steps)
      if (Outcome outcome = (compilation.*step)(); outcome != Outcome::success)
        return outcome;
    return Outcome::success;
  };
  if (Outcome outcome =
          run({&Compilation::importModel, &Compilation::optimizeGraph});
      outcome != Outcome::success)
    return outcome;
  if (options.stage == Stage::Tx)
    return writeModule(compilation.getModule(), path, console);
  if (Outcome outcome = run({&Compilation::buildPhases});
      outcome != Outcome::success)
    return outcome;
  warnOfLeftovers(compilation, options, console);
  if (options.stage == Stage::Kernel)
    return writeModule(compilation.getModule(), path, console);
  if (Outcome outcome = run({&Compilation::buildProgram});
      outcome != Outcome::success)
    return outcome;
  if (options.stage == Stage::Loops)
    return writeModule(compilation.getCode(), path, console);
  if (options.stage == Stage::Ptx)
    return compilation.emitPtx(path);
  if (Outcome outcome = run({&Compilation::lowerToLLVM});
      outcome != Outcome::success)
    return outcome;
  switch (options.stage) {
  case Stage::LLVM:
    return compilation.emitCode(CodeKind::LLVM, path);
  case Stage::Assembly:
    return compilation.emitCode(CodeKind::Assembly, path);
  case Stage::Object:
    return compilation.emitCode(CodeKind::Object, path);
  default:
    return compilation.emitSharedObject(emit);
  }
}

/// Peak memory and what the compiler shared, behind the table of times.
static void reportResources(const Compilation &compilation) {
  rusage resources = {};
  getrusage(RUSAGE_SELF, &resources);
  errs() << format("peak memory: %.1f MiB\n", resources.ru_maxrss / 1024.0)
         << "phases: " << compilation.getDescription().phases.size()
         << ", distinct kernels: " << compilation.getProgram().numKernels
         << '\n';
}

Outcome tool::compileModel(const Options &options, Console &console) {
  mlir::DefaultTimingManager timing;
  timing.setEnabled(options.timeReport);
  timing.setDisplayMode(mlir::DefaultTimingManager::DisplayMode::Tree);
  mlir::TimingScope total = timing.getRootScope();
  CompileOptions compile = getCompileOptions(options, console);
  compile.timing = &total;
  Compilation compilation(std::move(compile));
  Outcome outcome = produce(compilation, options, console);
  total.stop();
  if (options.timeReport) {
    timing.print();
    // Its destructor would print once more.
    timing.setEnabled(false);
    reportResources(compilation);
  }
  return outcome;
}
