//===- ObjectFile.cpp - From LLVM IR to object code -------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Optimisation, instrumentation and code generation, one module a thread.
///
//===----------------------------------------------------------------------===//

#include "compiler/emit/ObjectFile.h"

#include "compiler/emit/ObjectCache.h"

#include "llvm/Analysis/CGSCCPassManager.h"
#include "llvm/Analysis/LoopAnalysisManager.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/MemoryBufferRef.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Instrumentation/AddressSanitizer.h"
#include "llvm/Transforms/Instrumentation/ThreadSanitizer.h"
#include "llvm/Transforms/Utils/SplitModule.h"

#include <algorithm>
#include <optional>

using namespace llvm;
using namespace txc;

/// Kernels come vectorised, unrolled and scheduled by our own generators; what
/// is left to LLVM is to clean up addresses and scalar code around them. On
/// matrix products this leaves size, spills and speed as they were; the passes
/// of -O2 unroll and vectorise once more, to twice the size and three times the
/// spills.
static constexpr StringLiteral cleanupPasses =
    "function(sroa,early-cse<memssa>,instcombine<no-verify-fixpoint>,"
    "simplifycfg,loop-mssa(licm),early-cse),globaldce";

/// A part of a model should take about a tenth of a second to compile. How a
/// model is cut must not depend on the number of threads, or the output would.
static constexpr unsigned instructionsPerPart = 4000;
static constexpr unsigned maxParts = 16;

static Error codeError(const Twine &message) {
  return createStringError("code generation: " + message);
}

//===----------------------------------------------------------------------===//
// One module
//===----------------------------------------------------------------------===//

namespace {

/// Collects errors that LLVM reports to a context, which otherwise ends the
/// process, and restores the former handler.
class DiagnosticCollector {
public:
  explicit DiagnosticCollector(LLVMContext &context)
      : context(context), previous(context.getDiagnosticHandler()) {
    context.setDiagnosticHandler(std::make_unique<Handler>(errors));
  }
  DiagnosticCollector(const DiagnosticCollector &) = delete;
  DiagnosticCollector &operator=(const DiagnosticCollector &) = delete;
  ~DiagnosticCollector() { context.setDiagnosticHandler(std::move(previous)); }

  Error takeError() {
    if (errors.empty())
      return Error::success();
    return codeError(errors);
  }

private:
  struct Handler : DiagnosticHandler {
    explicit Handler(std::string &errors) : errors(errors) {}
    bool handleDiagnostics(const DiagnosticInfo &info) override {
      if (info.getSeverity() != DS_Error)
        return true;
      raw_string_ostream stream(errors);
      DiagnosticPrinterRawOStream printer(stream);
      if (!errors.empty())
        stream << "; ";
      info.print(printer);
      return true;
    }
    std::string &errors;
  };

  LLVMContext &context;
  std::unique_ptr<DiagnosticHandler> previous;
  std::string errors;
};

} // namespace

static void setAttributes(Module &module, Sanitizer sanitizer) {
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    // No code of ours throws: no unwind tables are needed.
    function.setDoesNotThrow();
    if (sanitizer == Sanitizer::Address)
      function.addFnAttr(Attribute::SanitizeAddress);
    else if (sanitizer == Sanitizer::Thread)
      function.addFnAttr(Attribute::SanitizeThread);
  }
}

static void addSanitizerPasses(ModulePassManager &passes, Sanitizer sanitizer) {
  switch (sanitizer) {
  case Sanitizer::None:
    return;
  case Sanitizer::Address:
    passes.addPass(AddressSanitizerPass(AddressSanitizerOptions()));
    return;
  case Sanitizer::Thread:
    passes.addPass(ModuleThreadSanitizerPass());
    passes.addPass(createModuleToFunctionPassAdaptor(ThreadSanitizerPass()));
    return;
  }
}

static Error optimize(Module &module, TargetMachine &machine,
                      Sanitizer sanitizer) {
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);

  ModulePassManager passes;
  if (Error error = builder.parsePassPipeline(passes, cleanupPasses))
    return error;
  addSanitizerPasses(passes, sanitizer);
  passes.run(module, modules);
  return Error::success();
}

static Expected<ObjectBytes> generate(Module &module, TargetMachine &machine,
                                      CodeKind kind) {
  ObjectBytes bytes;
  raw_svector_ostream stream(bytes);
  if (kind == CodeKind::LLVM) {
    module.print(stream, /*AAW=*/nullptr);
    return bytes;
  }
  legacy::PassManager passes;
  CodeGenFileType type = kind == CodeKind::Assembly
                             ? CodeGenFileType::AssemblyFile
                             : CodeGenFileType::ObjectFile;
  if (machine.addPassesToEmitFile(passes, stream, /*DwoOut=*/nullptr, type))
    return codeError("LLVM can't write this kind of file");
  passes.run(module);
  return bytes;
}

Expected<ObjectBytes> txc::compileModule(Module &module,
                                         const txc::Target &target,
                                         CodeKind kind, Sanitizer sanitizer) {
  Expected<std::unique_ptr<TargetMachine>> machine =
      target.createTargetMachine();
  if (!machine)
    return machine.takeError();
  module.setTargetTriple(txc::Target::getTriple());
  module.setDataLayout((*machine)->createDataLayout());
  std::string reason;
  raw_string_ostream stream(reason);
  if (verifyModule(module, &stream))
    return codeError("the module is not valid LLVM IR: " + reason);

  DiagnosticCollector diagnostics(module.getContext());
  setAttributes(module, sanitizer);
  if (Error error = optimize(module, **machine, sanitizer))
    return error;
  // AddressSanitizer checks each lane of a masked access: making good code of
  // that would take most of a compilation.
  if (sanitizer == Sanitizer::Address)
    (*machine)->setOptLevel(CodeGenOptLevel::None);
  Expected<ObjectBytes> bytes = generate(module, **machine, kind);
  if (Error error = diagnostics.takeError()) {
    if (!bytes)
      consumeError(bytes.takeError());
    return error;
  }
  return bytes;
}

//===----------------------------------------------------------------------===//
// Many modules
//===----------------------------------------------------------------------===//

/// Cuts \p model into bitcode of about equal parts.
static std::vector<ObjectBytes> splitToBitcode(Module &model) {
  unsigned numParts = std::clamp<unsigned>(
      model.getInstructionCount() / instructionsPerPart, 1, maxParts);
  std::vector<ObjectBytes> parts;
  auto addPart = [&](const Module &part) {
    raw_svector_ostream stream(parts.emplace_back());
    WriteBitcodeToFile(part, stream);
  };
  if (numParts == 1)
    addPart(model);
  else
    SplitModule(
        model, numParts, [&](std::unique_ptr<Module> part) { addPart(*part); },
        /*PreserveLocals=*/false, /*RoundRobin=*/true);
  return parts;
}

/// Compiles bitcode in a context of its own: contexts can't be shared by
/// threads.
static Expected<ObjectBytes> compileBitcode(ArrayRef<char> bitcode,
                                            const txc::Target &target,
                                            Sanitizer sanitizer) {
  LLVMContext context;
  MemoryBufferRef buffer(StringRef(bitcode.data(), bitcode.size()), "model");
  Expected<std::unique_ptr<Module>> module = parseBitcodeFile(buffer, context);
  if (!module)
    return module.takeError();
  // What ends up in the symbol table must not tell where txc was built.
  (*module)->setSourceFileName("model");
  return compileModule(**module, target, CodeKind::Object, sanitizer);
}

Expected<std::vector<ObjectBytes>>
txc::compileModel(std::unique_ptr<Module> model, const Target &target,
                  const CodeGenOptions &options) {
  std::vector<ObjectBytes> parts = splitToBitcode(*model);
  model.reset();

  ObjectCache cache(options.cachePath);
  std::vector<std::optional<Expected<ObjectBytes>>> results(parts.size());
  {
    DefaultThreadPool pool(hardware_concurrency(options.numThreads));
    for (size_t i = 0; i < parts.size(); ++i)
      pool.async([&, i] {
        results[i] = cache.get(parts[i], target, options.sanitizer, [&] {
          return compileBitcode(parts[i], target, options.sanitizer);
        });
      });
    pool.wait();
  }

  std::vector<ObjectBytes> objects;
  Error failure = Error::success();
  for (std::optional<Expected<ObjectBytes>> &result : results) {
    if (*result)
      objects.push_back(std::move(**result));
    else
      failure = joinErrors(std::move(failure), result->takeError());
  }
  if (failure)
    return failure;
  return objects;
}
