//===- Target.h - The machine a model is compiled for -----------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// What `-target=` names: an x86-64 CPU of LLVM with features switched on or
/// off, or a GPU. A Target is a value; it gives the code generator of LLVM and
/// the list of CPU features that a compiled model needs from the machine it
/// runs on.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_TARGETS_TARGET_H
#define TXC_COMPILER_TARGETS_TARGET_H

#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/CodeGen.h"
#include "llvm/Support/Error.h"
#include "llvm/TargetParser/Triple.h"

#include <memory>
#include <string>
#include <vector>

namespace llvm {
class TargetMachine;
} // namespace llvm

namespace txc {

/// An x86-64 CPU and the features that generated code may use on it. Of a GPU
/// it is the CPU beside it, x86-64-v3, which evaluates shapes and runs what the
/// GPU has no kernel for.
class Target {
public:
  /// Parses the value of `-target=`:
  ///
  ///     target  ::= cpu (':' ('+' | '-') feature)* | gpu
  ///     cpu     ::= 'native' | a name that `llc -mcpu=help` lists
  ///     gpu     ::= 'sm80' | 'sm86' | 'sm89' | 'sm90'
  ///
  /// `native` is this machine's CPU with just the features that the operating
  /// system lets programs use. A list of targets is refused. The error says
  /// what was found and, for a misspelt name, which one is nearest.
  static llvm::Expected<Target> parse(llvm::StringRef spec);

  /// Parses targets joined with commas. They come out in the order in which a
  /// machine should try them: one that requires more comes before one that
  /// requires less, otherwise as they were written, and CPUs before GPUs. None
  /// is there twice.
  static llvm::Expected<std::vector<Target>> parseList(llvm::StringRef spec);

  /// The target in the syntax that parse() takes, with `native` spelt out: what
  /// a compiled model says that it was compiled for.
  const std::string &getName() const { return name; }

  /// The CPU's LLVM name, never "native".
  const std::string &getCpu() const { return cpu; }

  /// The features switched besides those of the CPU, as LLVM writes them:
  /// "+avx512fp16,-gfni".
  const std::string &getFeatureString() const { return featureString; }

  /// The compute capability of a GPU, 80 for 8.0; 0 for a CPU.
  unsigned getSm() const { return sm; }

  /// The triple of generated code: x86_64-unknown-linux-gnu.
  static llvm::Triple getTriple();

  /// Whether code may use \p feature, an LLVM feature name such as
  /// "avx512vnni".
  bool hasFeature(llvm::StringRef feature) const {
    return features.contains(feature);
  }

  /// The instruction-set extensions beyond plain x86-64 that code generation
  /// may use, as LLVM names, from older to newer. A machine that lacks one of
  /// them can't run the model.
  std::vector<std::string> getRequiredFeatures() const;

  /// A code generator for position independent code. Not to be shared between
  /// threads.
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createTargetMachine(
      llvm::CodeGenOptLevel level = llvm::CodeGenOptLevel::Default) const;

private:
  Target() = default;

  std::string name;
  std::string cpu;
  std::string featureString;
  llvm::StringSet<> features;
  unsigned sm = 0;
};

} // namespace txc

#endif // TXC_COMPILER_TARGETS_TARGET_H
