//===- Report.cpp - What is printed -----------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See Report.h.
///
//===----------------------------------------------------------------------===//

#include "tools/txc-run/Report.h"

#include "tools/txc-run/Array.h"
#include "tools/txc-run/Format.h"

#include <algorithm>
#include <cmath>

using namespace txc::run;

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

Timing txc::run::summarize(std::vector<uint64_t> nanoseconds) {
  std::sort(nanoseconds.begin(), nanoseconds.end());
  size_t count = nanoseconds.size();
  auto ms = [&](size_t index) {
    return static_cast<double>(nanoseconds[index]) / 1e6;
  };
  size_t p99 = (99 * count + 99) / 100;
  return {ms(0), (ms((count - 1) / 2) + ms(count / 2)) / 2, ms(p99 - 1)};
}

static std::vector<int64_t> getDims(const txc_tensor &tensor) {
  return std::vector<int64_t>(tensor.dims, tensor.dims + tensor.rank);
}

static std::string formatOutput(const txc_tensor &output) {
  auto *data = static_cast<const char *>(output.data);
  int64_t count = countElements(getDims(output));
  double least = INFINITY, most = -INFINITY, sum = 0;
  std::string first;
  for (int64_t i = 0; i < count; ++i) {
    double element = getElement(output.type, data, i);
    // A NaN stays: it is what the user has to see.
    least = element < least || std::isnan(element) ? element : least;
    most = element > most || std::isnan(element) ? element : most;
    sum += element;
    if (i < 4)
      first += format(" %.6g", element);
  }
  std::string text =
      format("%s: %s %s", output.name, getTypeName(output.type).c_str(),
             formatDims(getDims(output)).c_str());
  if (count > 0)
    text += format(", min %.6g, mean %.6g, max %.6g:%s%s", least,
                   sum / static_cast<double>(count), most, first.c_str(),
                   count > 4 ? " ..." : "");
  return text + "\n";
}

std::string txc::run::formatOutputs(const std::vector<txc_tensor> &outputs) {
  std::string text;
  for (const txc_tensor &output : outputs)
    text += formatOutput(output);
  return text;
}

std::string txc::run::formatTiming(const Result &result) {
  Timing timing = summarize(result.nanoseconds);
  return format("%zu runs, %d threads: min %.4f ms, median %.4f ms, p99 %.4f "
                "ms; loaded in %.1f ms, %.1f MB resident\n",
                result.nanoseconds.size(), result.session.threads, timing.minMs,
                timing.medianMs, timing.p99Ms, result.loadMs, result.rssMb);
}

std::string txc::run::formatMemory(const Result &result) {
  auto mb = [](uint64_t bytes) { return static_cast<double>(bytes) / 1e6; };
  return format("session: arena %.2f MB, scratch %.2f MB, state %.2f MB\n",
                mb(result.session.arena_bytes),
                mb(result.session.scratch_bytes),
                mb(result.session.state_bytes));
}

std::string txc::run::formatJson(const Result &result) {
  std::string text = "{";
  if (!result.nanoseconds.empty()) {
    Timing timing = summarize(result.nanoseconds);
    text += format("\"median_ms\": %s, \"min_ms\": %s, \"p99_ms\": %s, ",
                   formatJson(timing.medianMs).c_str(),
                   formatJson(timing.minMs).c_str(),
                   formatJson(timing.p99Ms).c_str());
  }
  text += format("\"runs\": %zu, \"threads\": %d, \"target\": %s, "
                 "\"load_ms\": %s, \"rss_mb\": %s, \"arena_bytes\": %llu, "
                 "\"scratch_bytes\": %llu, \"state_bytes\": %llu, "
                 "\"outputs\": [",
                 std::max<size_t>(result.nanoseconds.size(), 1),
                 result.session.threads, quoteJson(result.target).c_str(),
                 formatJson(result.loadMs).c_str(),
                 formatJson(result.rssMb).c_str(),
                 static_cast<unsigned long long>(result.session.arena_bytes),
                 static_cast<unsigned long long>(result.session.scratch_bytes),
                 static_cast<unsigned long long>(result.session.state_bytes));
  for (size_t i = 0; i < result.outputs.size(); ++i) {
    const txc_tensor &output = result.outputs[i];
    text +=
        format("%s[%s, %s, %s]", i ? ", " : "", quoteJson(output.name).c_str(),
               quoteJson(getTypeName(output.type)).c_str(),
               formatDims(getDims(output)).c_str());
  }
  text += "], \"dims\": {";
  for (const auto &dim : result.dims)
    text += (&dim == result.dims.data() ? "" : ", ") + quoteJson(dim.first) +
            ": " + std::to_string(dim.second);
  text += "}";
  if (result.profile)
    text += ", " + formatProfileJson(*result.profile, result.scale);
  return text + "}\n";
}
