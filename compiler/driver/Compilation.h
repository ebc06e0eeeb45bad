//===- Compilation.h - one model on its way through txc --------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// The compiler as a library: the tools and the test suites are thin shells
/// over this class. Each step takes the module one stage further, so a caller
/// may stop at any of them and look at it.
///
/// Re-entrant: a Compilation owns its MLIRContext and shares nothing; one
/// thread at a time may use it. Nothing is printed: problems go to the options'
/// handler.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_DRIVER_COMPILATION_H
#define TXC_COMPILER_DRIVER_COMPILATION_H

#include "compiler/emit/SharedObject.h"
#include "compiler/program/BuildProgram.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/Timing.h"
#include "passes/attention/DropPadding.h"
#include "passes/graph/Report.h"
#include "python-free-frontend/ImportOnnx.h"
#include <functional>

namespace llvm {
class LLVMContext;
} // namespace llvm

namespace txc {

/// How a step ended; the numbers are the tools' exit codes.
enum class Outcome {
  success = 0,
  cannotCompile = 1,
  wrongUsage = 2,
  ioFailure = 3
};

/// Elements for an input that becomes a constant of the compiled model.
struct ConstantInput {
  std::string name;
  onnx::ElementType type = onnx::ElementType::Undefined;
  std::vector<int64_t> dims;
  /// In the form of onnx::TensorData.
  std::vector<uint8_t> bytes;
};

struct CompileOptions {
  std::string inputPath;
  /// `-target=`: one target, or several for which one .so has code.
  std::string target = "native";
  /// `-dim=`.
  std::vector<DimOption> dims;
  /// `-constant=`.
  std::vector<ConstantInput> constants;
  CodeGenOptions codeGen;
  /// `-state=kv`: past/present pairs become state of the session.
  bool cacheToState = false;
  /// `-padding=`: which padding tokens of a batch are not computed.
  PaddingMode padding = PaddingMode::drop;
  /// The C prefix; empty: the input file's stem made a C identifier.
  std::string name;
  /// `-precision=exact`: no rewrite that rounds other than the ONNX ops do.
  bool exact = false;
  /// `-precision=bf16` or `int8`: what products with weights multiply; none:
  /// the model's own types.
  std::optional<kernel::Precision> precision;
  /// Outputs that measure the channels of products, to be made channelMaxima
  /// of the compilation that is meant (passes/precision/SmoothChannels.h).
  bool tapChannels = false;
  std::vector<std::vector<float>> channelMaxima;
  /// A folder for a file per stage; empty: none.
  std::string stagesPath;
  /// Receives a message for people per problem, without "error:" in front.
  std::function<void(const llvm::Twine &message)> onError;
  /// Is told each stage as it begins; may be null.
  std::function<void(llvm::StringRef stage)> onStage;
  /// Where to account time; may be null.
  mlir::TimingScope *timing = nullptr;
};

class Compilation {
public:
  explicit Compilation(CompileOptions options);
  ~Compilation();

  /// ONNX to tx. Reports every node that can't be compiled.
  Outcome importModel();
  /// Recognises norms, activations and attention (passes/graph).
  Outcome optimizeGraph();
  /// tx to a program of phases with stored layouts (passes/lower, fuse,
  /// layout).
  Outcome buildPhases();
  /// Phases to kernels, tables and the plan of the weights.
  Outcome buildProgram();
  /// Kernels to LLVM IR, ready to be emitted.
  Outcome lowerToLLVM();
  /// Writes the shared object, or stops at `kind` of its code.
  Outcome emitSharedObject(const EmitOptions &options);
  Outcome emitCode(CodeKind kind, llvm::StringRef path);
  /// The GPU's kernels; after buildProgram().
  Outcome emitPtx(llvm::StringRef path);

  /// All steps up to LLVM IR.
  Outcome compile();

  mlir::ModuleOp getModule() { return *module; }
  mlir::ModuleOp getCode() { return *variants.front().program.code; }
  const ModelDescription &getDescription() const {
    return getProgram().description;
  }
  /// All errors so far that are about the model, of any stage.
  const std::vector<ImportProblem> &getProblems() const { return problems; }
  const WeightStore &getWeights() const { return weights; }
  const WeightsImage &getImage() const { return image; }
  const Report &getReport() const { return nearMisses; }
  /// The target that requires most, and the program for it.
  const Target &getTarget() const { return variants.front().target; }
  const Program &getProgram() const { return variants.front().program; }
  const std::string &getName() const { return options.name; }

private:
  /// What differs between the targets; the program is there from
  /// buildProgram() on.
  struct Variant {
    Target target;
    Program program;
  };

  Outcome fail(const llvm::Twine &message, Outcome outcome);
  mlir::FailureOr<ImportOptions> getImportOptions();
  Outcome runPasses(llvm::StringRef stage,
                    llvm::function_ref<void(mlir::OpPassManager &)> build);
  Outcome parseTargets();
  Outcome buildProgram(Variant &variant);
  /// The GPU's kernels as machine code, where there is an assembler.
  Outcome assembleKernels();
  std::unique_ptr<llvm::Module> translate(const Variant &variant,
                                          llvm::LLVMContext &llvmContext);
  Outcome report(llvm::Error error);
  Outcome saveStage(const llvm::Twine &name, mlir::ModuleOp stage);
  Outcome saveVariants(llvm::StringRef name);
  /// Begins a stage, which lasts as long as the scope.
  mlir::TimingScope enter(llvm::StringRef stage);
  void addProblem(const mlir::Diagnostic &diagnostic);

  CompileOptions options;
  mlir::MLIRContext context;
  std::unique_ptr<mlir::ScopedDiagnosticHandler> diagnostics;
  /// In the order in which a machine tries them.
  std::vector<Variant> variants;
  WeightStore weights;
  WeightsImage image;
  std::vector<ImportProblem> problems;
  Report nearMisses;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  unsigned numStages = 0;
};

/// A C identifier made of a file's stem: "my-model.onnx" gives "my_model".
std::string getDefaultName(llvm::StringRef path);

} // namespace txc

#endif // TXC_COMPILER_DRIVER_COMPILATION_H
