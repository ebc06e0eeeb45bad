//===- Explain.h - what became of a model ----------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// The answer to "why is it as fast or slow as it is": the phases of a compiled
/// program with the ONNX nodes they compute, what they cost, how weights are
/// stored, and what was not recognized or merged, and why. Plain data, and its
/// printers: text for people, JSON for programs, a page to look at.
///
/// Costs are expressions of the symbolic dims, with their values at given dims.
/// What a phase takes at least is a prediction by a simple model of a core
/// (Roofline.h): nobody has measured the machine when the model is compiled.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_DRIVER_EXPLAIN_H
#define TXC_COMPILER_DRIVER_EXPLAIN_H

#include "compiler/driver/Compilation.h"
#include "compiler/targets/Roofline.h"
#include "llvm/Support/Error.h"
#include <map>

namespace txc {

/// An expression of dims, and its value where it could be evaluated.
struct ExplainedAmount {
  std::string expr;
  std::optional<int64_t> value;
};

/// How long a phase took: the least of the runs, which others on the machine
/// disturbed least.
struct ExplainedTime {
  double milliseconds = 0;
  /// What it would take at the rates of the machine that were probed with the
  /// profile, and which of them that is.
  double possible = 0;
  Bound bound = Bound::Compute;
};

struct ExplainedNode {
  std::string name;
  /// The ONNX operator; empty for what is no node.
  std::string op;
};

struct ExplainedPhase {
  /// The function that runs it; equal phases share one.
  std::string kernel;
  /// Among the steps of the program, where definitions of symbols count.
  size_t index = 0;
  std::vector<ExplainedNode> nodes;
  /// Sizes of the iteration space.
  std::vector<std::string> sizes;
  /// Types of what it reads and writes, "f32 [B, S, 384]".
  std::vector<std::string> reads;
  std::vector<std::string> writes;
  ExplainedAmount flops;
  /// Each tensor read or written counts once.
  ExplainedAmount bytes;
  /// At the given dims, on one core.
  std::optional<Roofline> roofline;
  /// Products that an instruction adds up in a lane of 32 bits.
  int64_t dotDepth = 1;
  /// In the program of a GPU: why it runs on the CPU; empty if it doesn't.
  std::string hostReason;
  /// Where there is a profile.
  std::optional<ExplainedTime> measured;
};

/// A tensor of the weights image.
struct ExplainedWeight {
  /// Its type in the image, with the layout.
  std::string type;
  /// The model's tensors it is made of.
  std::vector<std::string> sources;
  /// The ops that make it, in order: what is computed ahead of all runs. Empty
  /// for a tensor that is stored as it is.
  std::vector<std::string> recipe;
  /// How many phases read it.
  size_t numReaders = 0;
};

/// Something that looked like a pattern, or could have been merged, but was
/// not.
struct ExplainedMiss {
  std::string what;
  std::vector<ExplainedNode> nodes;
  std::string reason;
};

struct Explanation {
  std::string model;
  std::string target;
  /// The dims at which amounts are evaluated.
  std::vector<std::pair<std::string, int64_t>> dims;
  /// "tokens <= B*S", if padding is dropped: how many tokens a run computes.
  std::string padding;
  std::vector<ExplainedPhase> phases;
  size_t numKernels = 0;
  std::vector<ExplainedWeight> weights;
  uint64_t weightBytes = 0;
  /// Memory of a run, and of each of its threads besides.
  ExplainedAmount arenaBytes;
  ExplainedAmount scratchBytes;
  /// The largest sum of tensors in the arena that are needed at the same time.
  std::optional<int64_t> liveBytes;
  ExplainedAmount flops;
  /// The sum over the phases.
  double cycles = 0;
  /// Of a core, for which tensors count as cached.
  int64_t l2Bytes = 0;
  /// The threads of the profile; 0: there is none.
  int64_t measuredThreads = 0;
  std::vector<ExplainedMiss> misses;
};

/// What `txc-run --profile --json` wrote.
struct MeasuredProfile {
  struct Phase {
    std::string kernel;
    /// Of the shortest call.
    double milliseconds = 0;
    int64_t threads = 1;
  };
  std::vector<std::pair<std::string, int64_t>> dims;
  int64_t threads = 1;
  /// Operations and bytes a second of all threads.
  double peak = 0, cacheRate = 0, memoryRate = 0;
  /// By the phase's index; those that did not run are missing.
  std::map<size_t, Phase> phases;
};

/// Explains a compilation that has gone as far as buildProgram(). Symbolic dims
/// count as 1 on the first axis of an input, elsewhere as 128 or what fewer the
/// model's bounds and requirements allow; or as the profile had them.
Explanation explain(Compilation &compilation,
                    const MeasuredProfile *profile = nullptr);

/// An error is a sentence.
llvm::Expected<MeasuredProfile> parseProfile(llvm::StringRef json);

/// Adds times. Fails when the profile is of another program.
llvm::Error addProfile(const MeasuredProfile &profile,
                       Explanation &explanation);

void printText(const Explanation &explanation, llvm::raw_ostream &os);
void printJson(const Explanation &explanation, llvm::raw_ostream &os);
/// A page in one file, without scripts from elsewhere.
void printHtml(const Explanation &explanation, llvm::raw_ostream &os);

} // namespace txc

#endif // TXC_COMPILER_DRIVER_EXPLAIN_H
