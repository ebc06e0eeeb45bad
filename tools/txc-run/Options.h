//===- Options.h - The command line -----------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// What the user asked for.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_TXC_RUN_OPTIONS_H
#define TXC_TOOLS_TXC_RUN_OPTIONS_H

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace txc::run {

struct Options {
  std::string model;
  /// Input name and where its elements come from: a file, or random[:SEED].
  std::vector<std::pair<std::string, std::string>> inputs;
  std::vector<std::pair<std::string, int64_t>> dims;
  std::string outputDir;
  std::string weights;
  std::string traceFile;
  std::string device; ///< Empty: the model's default.
  int32_t threads = 0;
  int32_t repeat = 0; ///< 0: one run, not timed.
  int64_t stateCapacity = 0;
  bool profile = false;
  bool json = false;
  bool list = false;
  bool help = false;
  bool verifyWeights = false;
};

/// False with a reason that names the nearest option, for one it doesn't know.
/// Options are -name=value, --name=value or --name value.
bool parseOptions(int argc, char **argv, Options &options, std::string &error);

/// The help: fits a screen.
const char *getHelp();

/// The candidate with the fewest edits to \p name; empty when none is near.
std::string findNearest(const std::string &name,
                        const std::vector<std::string> &candidates);

} // namespace txc::run

#endif // TXC_TOOLS_TXC_RUN_OPTIONS_H
