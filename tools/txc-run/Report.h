//===- Report.h - What is printed -------------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The results of a run, and the description of a model, as text or JSON.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_TXC_RUN_REPORT_H
#define TXC_TOOLS_TXC_RUN_REPORT_H

#include "tools/txc-run/Profile.h"

#include <utility>

namespace txc::run {

/// Minimum, median and p99 of run times.
struct Timing {
  double minMs = 0;
  double medianMs = 0;
  double p99Ms = 0; ///< By nearest rank.
};

/// \p nanoseconds is not empty.
Timing summarize(std::vector<uint64_t> nanoseconds);

struct Result {
  /// What the symbolic dims of the inputs were.
  std::vector<std::pair<std::string, int64_t>> dims;
  std::vector<txc_tensor> outputs;
  std::vector<uint64_t> nanoseconds; ///< Empty: not timed.
  txc_session_info session = {};     ///< Its threads and memory.
  std::string target;
  double loadMs = 0;
  double rssMb = 0;
  const Profile *profile = nullptr; ///< Null: not profiled.
  ProfileScale scale;
};

/// One line for each output: type, shape, min, mean, max, first values.
std::string formatOutputs(const std::vector<txc_tensor> &outputs);
std::string formatTiming(const Result &result);
std::string formatMemory(const Result &result);
/// One object, with a newline.
std::string formatJson(const Result &result);

std::string formatModel(txc_model *model);
std::string formatModelJson(txc_model *model);

} // namespace txc::run

#endif // TXC_TOOLS_TXC_RUN_REPORT_H
