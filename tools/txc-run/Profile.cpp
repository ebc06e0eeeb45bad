//===- Profile.cpp - Where the time goes ------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See Profile.h.
///
//===----------------------------------------------------------------------===//

#include "tools/txc-run/Profile.h"

#include "tools/txc-run/Format.h"

#include <algorithm>
#include <map>

using namespace txc::run;

void Profile::record(void *user, const txc_phase_event *event) {
  static_cast<Profile *>(user)->events.push_back(*event);
}

static void add(const txc_phase_event &event, ProfileRow &sum) {
  if (sum.calls++ == 0) {
    sum.kernel = event.kernel;
    sum.nodes = event.nodes;
    sum.phase = event.phase;
  }
  sum.threads = std::max(sum.threads, event.threads);
  sum.nanoseconds += event.end_ns - event.begin_ns;
  sum.shortest = std::min(sum.shortest, event.end_ns - event.begin_ns);
  sum.flops += static_cast<double>(std::max<int64_t>(event.flops, 0));
  sum.bytes += static_cast<double>(std::max<int64_t>(event.bytes, 0));
}

template <typename Key>
static std::vector<ProfileRow> takeRows(std::map<Key, ProfileRow> &&sums) {
  std::vector<ProfileRow> rows;
  rows.reserve(sums.size());
  for (auto &[key, sum] : sums)
    rows.push_back(std::move(sum));
  return rows;
}

std::vector<ProfileRow> Profile::sumByPhase() const {
  std::map<size_t, ProfileRow> sums;
  for (const txc_phase_event &event : events)
    add(event, sums[event.phase]);
  return takeRows(std::move(sums));
}

std::vector<ProfileRow> Profile::sumByKernel() const {
  std::map<std::string, ProfileRow> sums;
  for (const txc_phase_event &event : events)
    add(event, sums[event.kernel]);
  std::vector<ProfileRow> rows = takeRows(std::move(sums));
  std::sort(rows.begin(), rows.end(),
            [](const ProfileRow &a, const ProfileRow &b) {
              return a.nanoseconds > b.nanoseconds;
            });
  return rows;
}

std::string Profile::formatTrace(const std::string &process) const {
  std::string text = format(
      "{\"displayTimeUnit\": \"ns\", \"traceEvents\": [\n"
      "{\"name\": \"process_name\", \"ph\": \"M\", \"pid\": 1, \"args\": "
      "{\"name\": %s}},\n"
      "{\"name\": \"thread_name\", \"ph\": \"M\", \"pid\": 1, \"tid\": 1, "
      "\"args\": {\"name\": \"phases\"}}",
      quoteJson(process).c_str());
  for (const txc_phase_event &event : events)
    text += format(
        ",\n{\"name\": %s, \"cat\": \"phase\", \"ph\": \"X\", \"pid\": 1, "
        "\"tid\": 1, "
        "\"ts\": %.3f, \"dur\": %.3f, \"args\": {\"phase\": %zu, "
        "\"nodes\": %s, \"tasks\": %lld, \"threads\": %d, "
        "\"flops\": %lld, \"bytes\": %lld}}",
        quoteJson(event.kernel).c_str(),
        static_cast<double>(event.begin_ns - events[0].begin_ns) / 1e3,
        static_cast<double>(event.end_ns - event.begin_ns) / 1e3, event.phase,
        quoteJson(event.nodes).c_str(), static_cast<long long>(event.tasks),
        event.threads, static_cast<long long>(event.flops),
        static_cast<long long>(event.bytes));
  return text + "\n]}\n";
}

/// A fused phase of a long model has dozens of nodes: those that fit a line,
/// and how many there are.
static std::string shorten(const std::string &nodes) {
  constexpr size_t longest = 120;
  if (nodes.size() <= longest)
    return nodes;
  size_t count = 1;
  for (size_t at = nodes.find(", "); at != std::string::npos;
       at = nodes.find(", ", at + 2))
    ++count;
  size_t end = nodes.rfind(", ", longest);
  return nodes.substr(0, end) + format(", ... (%zu nodes)", count);
}

/// The columns that phases and kernels have in common.
static std::string formatRow(const ProfileRow &row, const ProfileScale &scale,
                             double totalNs) {
  auto ns = static_cast<double>(std::max<uint64_t>(row.nanoseconds, 1));
  double gflops = row.flops / ns;
  std::string share =
      scale.peak > 0 ? format("%6.1f", 1e11 * gflops / scale.peak) : "     -";
  return format("%9.4f %8.4f %6.1f %8.1f %s %8.1f %4d  %s  %s\n",
                ns / 1e6 / static_cast<double>(scale.runs),
                static_cast<double>(row.shortest) / 1e6, 100 * ns / totalNs,
                gflops, share.c_str(), row.bytes / ns, row.threads,
                row.kernel.c_str(), shorten(row.nodes).c_str());
}

std::string txc::run::formatProfile(const Profile &profile,
                                    const ProfileScale &scale) {
  static const char columns[] =
      "   ms/run min call      %  GFLOP/s  %peak     GB/s  "
      "thr  kernel and ONNX nodes\n";
  std::vector<ProfileRow> phases = profile.sumByPhase();
  double total = 1;
  for (const ProfileRow &row : phases)
    total += static_cast<double>(row.nanoseconds);
  std::string text =
      scale.peak > 0
          ? format("peak: %.1f GFLOP/s of f32 multiply-adds, %.1f GB/s read "
                   "from L2, %.1f from memory; on the threads of a run, "
                   "probed after the runs\n",
                   scale.peak / 1e9, scale.cacheRate / 1e9,
                   scale.memoryRate / 1e9)
          : "peak: not known for this CPU\n";
  text += std::string("phase ") + columns;
  for (const ProfileRow &row : phases)
    text += format("%5zu ", row.phase) + formatRow(row, scale, total);
  text += std::string("calls ") + columns;
  for (const ProfileRow &row : profile.sumByKernel())
    text += format("%5lld ", static_cast<long long>(row.calls / scale.runs)) +
            formatRow(row, scale, total);
  return text;
}

static std::string formatRowJson(const ProfileRow &row) {
  return format(
      "{\"kernel\": %s, \"nodes\": %s, \"phase\": %zu, \"threads\": %d, "
      "\"calls\": %lld, \"ms\": %s, \"min_ms\": %s, \"flops\": %s, \"bytes\": "
      "%s}",
      quoteJson(row.kernel).c_str(), quoteJson(row.nodes).c_str(), row.phase,
      row.threads, static_cast<long long>(row.calls),
      formatJson(static_cast<double>(row.nanoseconds) / 1e6).c_str(),
      formatJson(static_cast<double>(row.shortest) / 1e6).c_str(),
      formatJson(row.flops).c_str(), formatJson(row.bytes).c_str());
}

static std::string formatRowsJson(const std::vector<ProfileRow> &rows) {
  std::string text = "[";
  for (const ProfileRow &row : rows)
    text += (&row == rows.data() ? "" : ", ") + formatRowJson(row);
  return text + "]";
}

std::string txc::run::formatProfileJson(const Profile &profile,
                                        const ProfileScale &scale) {
  return "\"peak_gflops\": " + formatJson(scale.peak / 1e9) +
         ", \"l2_gbps\": " + formatJson(scale.cacheRate / 1e9) +
         ", \"memory_gbps\": " + formatJson(scale.memoryRate / 1e9) +
         ", \"kernels\": " + formatRowsJson(profile.sumByKernel()) +
         ", \"phases\": " + formatRowsJson(profile.sumByPhase());
}
