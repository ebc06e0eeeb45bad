//===- Compilation.cpp - one model on its way through txc ----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/driver/Compilation.h"
#include "compiler/codegen/CallLibrary.h"
#include "compiler/codegen/LowerToLLVM.h"
#include "compiler/driver/Dialects.h"
#include "compiler/emit/CIdentifiers.h"
#include "compiler/emit/Cubin.h"
#include "compiler/emit/OutputFile.h"
#include "compiler/program/OnnxNodes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"
#include "passes/attention/CacheToState.h"
#include "passes/fuse/Fuse.h"
#include "passes/graph/Pipeline.h"
#include "passes/layout/ChooseLayouts.h"
#include "passes/layout/MergeMatmuls.h"
#include "passes/layout/OutlineWeights.h"
#include "passes/lower/LowerToKernel.h"
#include "passes/precision/NarrowActivations.h"
#include "passes/precision/ReducePrecision.h"
#include "passes/precision/SmoothChannels.h"
#include "python-free-frontend/TensorConstants.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace txc;

std::string txc::getDefaultName(StringRef path) {
  return makeCIdentifier(llvm::sys::path::stem(path));
}

Compilation::Compilation(CompileOptions compileOptions)
    : options(std::move(compileOptions)), context(getDialects()) {
  if (options.name.empty())
    options.name = getDefaultName(options.inputPath);
  // Program builders create ops of all stages outside of passes.
  context.loadAllAvailableDialects();
  if (options.codeGen.numThreads == 1)
    context.disableMultithreading();
  diagnostics = std::make_unique<ScopedDiagnosticHandler>(
      &context, [this](Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
          addProblem(diagnostic);
        return success();
      });
}

Compilation::~Compilation() = default;

Outcome Compilation::fail(const Twine &message, Outcome outcome) {
  options.onError(message);
  return outcome;
}

void Compilation::addProblem(const Diagnostic &diagnostic) {
  ImportProblem &problem = problems.emplace_back();
  SmallVector<OnnxNode> nodes = getOnnxNodes(diagnostic.getLocation());
  problem.node = joinNames(nodes);
  problem.op = llvm::join(
      llvm::map_range(nodes, [](const OnnxNode &node) { return node.opType; }),
      ", ");
  problem.reason = diagnostic.str();
  options.onError(formatProblem(options.inputPath, problem));
}

/// What a stage does, for people.
static StringRef describeStage(StringRef stage) {
  return llvm::StringSwitch<StringRef>(stage)
      .Case("import", "read the model")
      .Case("graph", "recognize and simplify")
      .Case("phases", "fuse into phases, lay out weights")
      .Case("kernels", "write kernels and plan memory")
      .Case("llvm dialect", "lower kernels to LLVM")
      .Case("assemble", "make machine code of the GPU's kernels")
      .Case("no ptxas", "leave the GPU's kernels as PTX: there is no ptxas")
      .Case("emit", "make machine code, write files")
      .Default(stage);
}

TimingScope Compilation::enter(StringRef stage) {
  StringRef description = describeStage(stage);
  if (options.onStage)
    options.onStage(description);
  return options.timing ? options.timing->nest(description) : TimingScope();
}

Outcome Compilation::saveStage(const Twine &name, ModuleOp stage) {
  if (options.stagesPath.empty())
    return Outcome::success;
  if (std::error_code error =
          llvm::sys::fs::create_directories(options.stagesPath))
    return fail(options.stagesPath + ": " + error.message(),
                Outcome::ioFailure);
  SmallString<128> path(options.stagesPath);
  llvm::sys::path::append(path, Twine(numStages++) + "-" + name + ".mlir");
  std::error_code error;
  llvm::raw_fd_ostream os(path, error);
  if (error)
    return fail(path + ": " + error.message(), Outcome::ioFailure);
  stage->print(os, OpPrintingFlags().enableDebugInfo(true, true));
  os.close();
  if (os.has_error()) {
    std::string reason = os.error().message();
    os.clear_error();
    return fail(path + ": " + reason, Outcome::ioFailure);
  }
  return Outcome::success;
}

Outcome Compilation::saveVariants(StringRef name) {
  for (Variant &variant : variants) {
    std::string suffix =
        variants.size() > 1 ? "-" + variant.target.getName() : std::string();
    if (Outcome outcome = saveStage(name + suffix, *variant.program.code);
        outcome != Outcome::success)
      return outcome;
  }
  return Outcome::success;
}

Outcome Compilation::runPasses(StringRef stage,
                               function_ref<void(OpPassManager &)> build) {
  TimingScope scope = enter(stage);
  PassManager manager(&context);
  build(manager);
  if (failed(manager.run(*module)))
    return Outcome::cannotCompile;
  return saveStage(stage, *module);
}

//===----------------------------------------------------------------------===//
// Stages
//===----------------------------------------------------------------------===//

/// Constants as attributes of this compilation's context; null after an error.
FailureOr<ImportOptions> Compilation::getImportOptions() {
  ImportOptions result;
  result.dims = options.dims;
  for (const ConstantInput &constant : options.constants) {
    Type elementType = frontend::getElementType(&context, constant.type);
    onnx::TensorData data{ArrayRef(constant.bytes)};
    if (!elementType) {
      options.onError("constant \"" + constant.name +
                      "\" has elements of type " +
                      onnx::elementTypeName(constant.type) +
                      ", which no tensor of a model can have");
      return failure();
    }
    auto type = RankedTensorType::get(constant.dims, elementType);
    result.constants.push_back(
        {constant.name, frontend::getElements(type, data)});
  }
  return result;
}

Outcome Compilation::parseTargets() {
  llvm::Expected<std::vector<Target>> parsed =
      Target::parseList(options.target);
  if (!parsed)
    return fail(llvm::toString(parsed.takeError()), Outcome::wrongUsage);
  for (Target &target : *parsed)
    variants.push_back({std::move(target), {}});
  return Outcome::success;
}

Outcome Compilation::importModel() {
  TimingScope scope = enter("import");
  if (Outcome outcome = parseTargets(); outcome != Outcome::success)
    return outcome;
  llvm::Expected<std::unique_ptr<onnx::OnnxFile>> file =
      onnx::OnnxFile::open(options.inputPath);
  if (!file) {
    llvm::Error error = file.takeError();
    Outcome outcome = error.isA<llvm::FileError>() ? Outcome::ioFailure
                                                   : Outcome::cannotCompile;
    return fail(llvm::toString(std::move(error)), outcome);
  }
  FailureOr<ImportOptions> importOptions = getImportOptions();
  if (failed(importOptions))
    return Outcome::wrongUsage;
  FailureOr<OwningOpRef<ModuleOp>> imported =
      importOnnx(context, std::move(*file), *importOptions, weights, problems);
  for (const ImportProblem &problem : problems)
    options.onError(formatProblem(options.inputPath, problem));
  if (failed(imported))
    return Outcome::cannotCompile;
  module = std::move(*imported);
  return saveStage("import", *module);
}

/// Says at main what was measured, for the pass.
static void setChannelMaxima(ModuleOp module,
                             ArrayRef<std::vector<float>> maxima) {
  OpBuilder b(module.getContext());
  SmallVector<Attribute> vectors;
  for (const std::vector<float> &values : maxima)
    vectors.push_back(DenseElementsAttr::get(
        RankedTensorType::get({static_cast<int64_t>(values.size())},
                              b.getF32Type()),
        ArrayRef(values)));
  module.lookupSymbol<func::FuncOp>("main")->setAttr(channelMaximaName,
                                                     b.getArrayAttr(vectors));
}

Outcome Compilation::optimizeGraph() {
  if (!options.channelMaxima.empty())
    setChannelMaxima(*module, options.channelMaxima);
  return runPasses("graph", [&](OpPassManager &manager) {
    if (options.exact)
      buildExactGraphPipeline(manager, &nearMisses);
    else
      buildGraphPipeline(manager, &nearMisses);
    if (options.tapChannels)
      manager.addPass(createTapChannelsPass());
    if (!options.channelMaxima.empty())
      manager.addPass(createSmoothChannelsPass(&nearMisses));
    if (options.cacheToState)
      manager.addPass(createCacheToStatePass());
    manager.addPass(createDropPaddingPass(options.padding, &nearMisses));
    manager.addPass(createCanonicalizerPass());
    manager.addPass(createCSEPass());
  });
}

Outcome Compilation::buildPhases() {
  return runPasses("phases", [&](OpPassManager &manager) {
    manager.addPass(createMergeMatmulsPass());
    manager.addPass(createOutlineWeightsPass());
    manager.addPass(createLowerToKernelPass());
    manager.addPass(createCSEPass());
    manager.addPass(createFusePass(&nearMisses));
    if (options.precision) {
      manager.addPass(
          createReducePrecisionPass(*options.precision, &nearMisses));
      manager.addPass(createNarrowActivationsPass());
    } else if (llvm::any_of(variants, [](const Variant &variant) {
                 return variant.target.getSm() == 0;
               })) {
      // Tensor cores multiply f16 and bf16 as they are in memory.
      manager.addPass(createKeepPrecisionPass(&nearMisses));
    }
    manager.addPass(createChooseLayoutsPass());
  });
}

Outcome Compilation::buildProgram(Variant &variant) {
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine =
      variant.target.createTargetMachine();
  if (!machine)
    return fail(llvm::toString(machine.takeError()), Outcome::wrongUsage);
  FailureOr<Program> built =
      txc::buildProgram(*module, options.name, getVectorTarget(**machine),
                        variant.target.getSm(), weights, image);
  if (failed(built))
    return Outcome::cannotCompile;
  variant.program = std::move(*built);
  return Outcome::success;
}

Outcome Compilation::buildProgram() {
  TimingScope scope = enter("kernels");
  for (Variant &variant : variants)
    if (Outcome outcome = buildProgram(variant); outcome != Outcome::success)
      return outcome;
  return saveVariants("kernels");
}

Outcome Compilation::lowerToLLVM() {
  TimingScope scope = enter("llvm dialect");
  for (Variant &variant : variants)
    if (failed(lowerToLLVMDialect(*variant.program.code)))
      return Outcome::cannotCompile;
  return saveVariants("llvm");
}

Outcome Compilation::compile() {
  for (auto step : {&Compilation::importModel, &Compilation::optimizeGraph,
                    &Compilation::buildPhases, &Compilation::buildProgram,
                    &Compilation::lowerToLLVM})
    if (Outcome outcome = (this->*step)(); outcome != Outcome::success)
      return outcome;
  return Outcome::success;
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

static Outcome getOutcome(const llvm::Error &error) {
  return error.isA<llvm::FileError>() ? Outcome::ioFailure
                                      : Outcome::cannotCompile;
}

/// LLVM IR of the model's code with the routines it calls; null after an error.
std::unique_ptr<llvm::Module>
Compilation::translate(const Variant &variant, llvm::LLVMContext &llvmContext) {
  // What MLIR says is about generated code and no help to people.
  ScopedDiagnosticHandler silence(&context,
                                  [](Diagnostic &) { return success(); });
  std::unique_ptr<llvm::Module> code =
      translateModuleToLLVMIR(*variant.program.code, llvmContext, options.name);
  if (!code) {
    options.onError(options.inputPath +
                    ": internal error: the kernels are not valid; please "
                    "report it with the model or what -save-stages=DIR writes");
    return nullptr;
  }
  if (llvm::Error error = linkCallLibrary(*code, variant.target)) {
    options.onError(options.inputPath + ": " +
                    llvm::toString(std::move(error)));
    return nullptr;
  }
  return code;
}

Outcome Compilation::report(llvm::Error error) {
  if (!error)
    return Outcome::success;
  Outcome outcome = getOutcome(error);
  return fail(llvm::toString(std::move(error)), outcome);
}

Outcome Compilation::assembleKernels() {
  auto hasKernels = [](const Variant &variant) {
    return variant.program.description.gpu.has_value();
  };
  if (llvm::none_of(variants, hasKernels))
    return Outcome::success;
  llvm::Expected<std::string> ptxas = findPtxas(options.codeGen.ptxas);
  if (!ptxas)
    return fail(llvm::toString(ptxas.takeError()), Outcome::wrongUsage);
  TimingScope scope = enter(ptxas->empty() ? "no ptxas" : "assemble");
  if (ptxas->empty())
    return Outcome::success;
  for (Variant &variant : llvm::make_filter_range(variants, hasKernels)) {
    GpuDescription &gpu = *variant.program.description.gpu;
    llvm::Expected<std::string> cubin = assemblePtx(*ptxas, gpu.ptx, gpu.sm);
    if (!cubin)
      return report(cubin.takeError());
    gpu.cubin = std::move(*cubin);
  }
  return Outcome::success;
}

Outcome Compilation::emitSharedObject(const EmitOptions &emit) {
  if (Outcome outcome = assembleKernels(); outcome != Outcome::success)
    return outcome;
  TimingScope scope = enter("emit");
  llvm::LLVMContext llvmContext;
  SmallVector<ProgramCode> programs;
  for (const Variant &variant : variants) {
    std::unique_ptr<llvm::Module> code = translate(variant, llvmContext);
    if (!code)
      return Outcome::cannotCompile;
    programs.push_back(
        {std::move(code), &variant.program.description, &variant.target});
  }
  return report(txc::emitSharedObject(programs, image, emit));
}

Outcome Compilation::emitPtx(StringRef path) {
  const ModelDescription &description = getDescription();
  if (variants.size() > 1 || !description.gpu)
    return fail("-emit=ptx: -target=" + options.target +
                    " is not one GPU; try -target=sm80",
                Outcome::wrongUsage);
  llvm::Expected<OutputFile> file =
      OutputFile::create(path, OutputFile::Kind::Data);
  if (!file)
    return report(file.takeError());
  if (llvm::Error error = file->write(
          ArrayRef(description.gpu->ptx.data(), description.gpu->ptx.size())))
    return report(std::move(error));
  return report(file->commit());
}

Outcome Compilation::emitCode(CodeKind kind, StringRef path) {
  TimingScope scope = enter("emit");
  if (variants.size() > 1)
    return fail("-target=" + options.target +
                    ": several targets make a shared object; for its code "
                    "choose one of them",
                Outcome::wrongUsage);
  const Variant &variant = variants.front();
  llvm::LLVMContext llvmContext;
  std::unique_ptr<llvm::Module> code = translate(variant, llvmContext);
  if (!code)
    return Outcome::cannotCompile;
  return report(txc::emitCode(std::move(code), variant.program.description,
                              image, variant.target, kind, path,
                              options.codeGen));
}
