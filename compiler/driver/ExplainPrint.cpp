//===- ExplainPrint.cpp - explanations as text, JSON and HTML ------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/driver/Explain.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace txc;

//===----------------------------------------------------------------------===//
// Shared
//===----------------------------------------------------------------------===//

/// A number with a decimal prefix: "2.9 G".
static std::string formatNumber(std::optional<int64_t> number) {
  if (!number)
    return "?";
  double value = static_cast<double>(*number);
  static constexpr StringLiteral prefixes[] = {"", "k", "M", "G", "T", "P"};
  size_t step = 0;
  while (std::abs(value) >= 1000 && step + 1 < std::size(prefixes)) {
    value /= 1000;
    ++step;
  }
  return formatv(step ? "{0:f1} {1}" : "{0:f0} {1}", value, prefixes[step]);
}

static std::string formatBytes(std::optional<int64_t> bytes) {
  return formatNumber(bytes) + "B";
}

/// "1.2 Mcycles (compute)"
static std::string formatRoofline(const std::optional<Roofline> &roofline) {
  if (!roofline)
    return "?";
  return formatv("{0}cycles ({1})",
                 formatNumber(static_cast<int64_t>(roofline->cycles)),
                 getName(roofline->bound));
}

/// "0.123 ms, 1.31 of the possible (compute)"
static std::string formatTime(const ExplainedTime &time) {
  return formatv("{0:f4} ms, {1:f2} of the possible ({2})", time.milliseconds,
                 time.milliseconds / std::max(time.possible, 1e-9),
                 getName(time.bound));
}

namespace {
/// The phases of one kernel.
struct KernelTime {
  StringRef kernel;
  size_t numPhases = 0;
  double milliseconds = 0, possible = 0;
  Bound bound = Bound::Compute;
};
} // namespace

/// Those first that lose most against what is possible.
static std::vector<KernelTime> getKernelTimes(const Explanation &explanation) {
  MapVector<StringRef, KernelTime> times;
  for (const ExplainedPhase &phase : explanation.phases) {
    if (!phase.measured)
      continue;
    KernelTime &time = times[phase.kernel];
    time.kernel = phase.kernel;
    ++time.numPhases;
    time.milliseconds += phase.measured->milliseconds;
    time.possible += phase.measured->possible;
    time.bound = phase.measured->bound;
  }
  std::vector<KernelTime> sorted;
  for (const auto &entry : times)
    sorted.push_back(entry.second);
  llvm::sort(sorted, [](const KernelTime &a, const KernelTime &b) {
    return a.milliseconds - a.possible > b.milliseconds - b.possible;
  });
  return sorted;
}

/// "measured on 2 threads: 3.2 ms a run, 1.2 of the possible", or nothing.
static std::string formatMeasured(const Explanation &explanation) {
  if (!explanation.measuredThreads)
    return "";
  double milliseconds = 0, possible = 0;
  for (const KernelTime &time : getKernelTimes(explanation)) {
    milliseconds += time.milliseconds;
    possible += time.possible;
  }
  return formatv(
      "measured on {0} threads: {1:f3} ms in the phases' shortest runs, {2:f2} "
      "of the {3:f3} ms possible at the rates of the machine that "
      "were probed",
      explanation.measuredThreads, milliseconds,
      milliseconds / std::max(possible, 1e-9), possible);
}

static std::string formatDims(const Explanation &explanation) {
  std::vector<std::string> dims;
  dims.reserve(explanation.dims.size());
  for (const auto &[name, value] : explanation.dims)
    dims.push_back(name + " = " + std::to_string(value));
  return dims.empty() ? "fixed dims" : join(dims, ", ");
}

/// "/layer.0/Add (Add)", of many nodes the first and how many more there are.
static std::string formatNodes(ArrayRef<ExplainedNode> nodes, size_t limit) {
  std::vector<std::string> texts;
  for (const ExplainedNode &node : nodes.take_front(limit))
    texts.push_back(node.op.empty() ? node.name
                                    : node.name + " (" + node.op + ")");
  if (nodes.size() > limit)
    texts.push_back(std::to_string(nodes.size() - limit) + " more");
  return join(texts, ", ");
}

/// "as it is", or what makes the tensor.
static std::string formatRecipe(const ExplainedWeight &weight) {
  return weight.recipe.empty() ? "as it is" : join(weight.recipe, ", ");
}

/// What there is to say before the tables.
static std::string formatSummary(const Explanation &explanation) {
  return formatv("{0} phases of {1} kernels for {2}; {3} of weights in {4} "
                 "tensors",
                 explanation.phases.size(), explanation.numKernels,
                 explanation.target,
                 formatBytes(static_cast<int64_t>(explanation.weightBytes)),
                 explanation.weights.size());
}

static std::string formatCosts(const Explanation &explanation) {
  // There is no such bound for GPUs.
  std::string bound;
  if (explanation.cycles > 0)
    bound = formatv(", at least {0}cycles of one core by the roofline",
                    formatNumber(static_cast<int64_t>(explanation.cycles)));
  return formatv("at {0}: {1}FLOP a run{2}, {3} of memory a run and {4} more a "
                 "thread",
                 formatDims(explanation), formatNumber(explanation.flops.value),
                 bound, formatBytes(explanation.arenaBytes.value),
                 formatBytes(explanation.scratchBytes.value));
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

static std::string formatPadding(const Explanation &explanation) {
  if (explanation.padding.empty())
    return "";
  return "padding is not computed: " + explanation.padding + "\n";
}

static void printPhase(size_t index, const ExplainedPhase &phase,
                       raw_ostream &os) {
  os << formatv("{0,5}  {1,-14} {2,9}FLOP {3,10}  {4,-24} [{5}]\n", index,
                phase.kernel, formatNumber(phase.flops.value),
                formatBytes(phase.bytes.value), formatRoofline(phase.roofline),
                join(phase.sizes, ", "));
  if (!phase.hostReason.empty())
    os << "       on the CPU: " << phase.hostReason << '\n';
  if (phase.measured)
    os << "       took   " << formatTime(*phase.measured) << '\n';
  os << "       reads  " << join(phase.reads, ", ") << '\n'
     << "       writes " << join(phase.writes, ", ") << '\n'
     << "       nodes  " << formatNodes(phase.nodes, /*limit=*/8) << '\n';
}

void txc::printText(const Explanation &explanation, raw_ostream &os) {
  os << explanation.model << ": " << formatSummary(explanation) << '\n'
     << formatCosts(explanation) << "\n"
     << formatPadding(explanation)
     << "memory a run: " << explanation.arenaBytes.expr << " bytes, for up to "
     << formatBytes(explanation.liveBytes) << " needed at the same time\n";
  if (explanation.measuredThreads) {
    os << formatMeasured(explanation) << "\n\nwhere it is lost:\n"
       << "  ms lost  measured  possible  ratio  bound    phases of kernel\n";
    for (const KernelTime &time : getKernelTimes(explanation))
      os << llvm::format("%9.4f %9.4f %9.4f %6.2f  ",
                         time.milliseconds - time.possible, time.milliseconds,
                         time.possible,
                         time.milliseconds / std::max(time.possible, 1e-9))
         << formatv("{0,-8} {1} of {2}\n", getName(time.bound), time.numPhases,
                    time.kernel);
  }
  os << "\nphases:\n";
  for (auto [index, phase] : enumerate(explanation.phases))
    printPhase(index, phase, os);
  os << "\nstored tensors (readers, type, made of, how):\n";
  for (const ExplainedWeight &weight : explanation.weights)
    os << formatv("{0,5}  {1}  {2}: {3}\n", weight.numReaders, weight.type,
                  join(weight.sources, ", "), formatRecipe(weight));
  if (!explanation.misses.empty())
    os << "\nnot recognized or merged, and why:\n";
  for (const ExplainedMiss &miss : explanation.misses)
    os << "  " << miss.what << ": " << formatNodes(miss.nodes, /*limit=*/3)
       << ": " << miss.reason << '\n';
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

static void printAmount(json::OStream &json, StringRef key,
                        const ExplainedAmount &amount) {
  json.attributeObject(key, [&] {
    json.attribute("expr", amount.expr);
    if (amount.value)
      json.attribute("value", *amount.value);
  });
}

static void printTexts(json::OStream &json, StringRef key,
                       ArrayRef<std::string> texts) {
  json.attributeArray(key, [&] {
    for (const std::string &text : texts)
      json.value(json::fixUTF8(text));
  });
}

static void printNodes(json::OStream &json, ArrayRef<ExplainedNode> nodes) {
  json.attributeArray("nodes", [&] {
    for (const ExplainedNode &node : nodes)
      json.object([&] {
        json.attribute("name", json::fixUTF8(node.name));
        json.attribute("op", json::fixUTF8(node.op));
      });
  });
}

static void printPhase(json::OStream &json, const ExplainedPhase &phase) {
  json.object([&] {
    json.attribute("kernel", phase.kernel);
    printNodes(json, phase.nodes);
    printTexts(json, "sizes", phase.sizes);
    printTexts(json, "reads", phase.reads);
    printTexts(json, "writes", phase.writes);
    printAmount(json, "flops", phase.flops);
    printAmount(json, "bytes", phase.bytes);
    if (phase.roofline)
      json.attributeObject("roofline", [&] {
        json.attribute("cycles", phase.roofline->cycles);
        json.attribute("bound", getName(phase.roofline->bound));
      });
    if (!phase.hostReason.empty())
      json.attribute("on_cpu", phase.hostReason);
    if (phase.measured)
      json.attributeObject("measured", [&] {
        json.attribute("ms", phase.measured->milliseconds);
        json.attribute("possible_ms", phase.measured->possible);
        json.attribute("bound", getName(phase.measured->bound));
      });
  });
}

void txc::printJson(const Explanation &explanation, raw_ostream &os) {
  json::OStream json(os, /*IndentSize=*/1);
  json.object([&] {
    json.attribute("model", json::fixUTF8(explanation.model));
    json.attribute("target", explanation.target);
    json.attributeObject("dims", [&] {
      for (const auto &[name, value] : explanation.dims)
        json.attribute(json::fixUTF8(name), value);
    });
    json.attribute("padding", explanation.padding);
    json.attribute("kernels", static_cast<int64_t>(explanation.numKernels));
    json.attribute("weight_bytes",
                   static_cast<int64_t>(explanation.weightBytes));
    printAmount(json, "flops", explanation.flops);
    json.attribute("cycles", explanation.cycles);
    printAmount(json, "arena_bytes", explanation.arenaBytes);
    printAmount(json, "scratch_bytes", explanation.scratchBytes);
    if (explanation.liveBytes)
      json.attribute("live_bytes", *explanation.liveBytes);
    if (explanation.measuredThreads)
      json.attribute("measured_threads", explanation.measuredThreads);
    json.attributeArray("phases", [&] {
      for (const ExplainedPhase &phase : explanation.phases)
        printPhase(json, phase);
    });
    json.attributeArray("weights", [&] {
      for (const ExplainedWeight &weight : explanation.weights)
        json.object([&] {
          json.attribute("type", weight.type);
          printTexts(json, "sources", weight.sources);
          printTexts(json, "recipe", weight.recipe);
          json.attribute("readers", static_cast<int64_t>(weight.numReaders));
        });
    });
    json.attributeArray("misses", [&] {
      for (const ExplainedMiss &miss : explanation.misses)
        json.object([&] {
          json.attribute("what", miss.what);
          printNodes(json, miss.nodes);
          json.attribute("reason", json::fixUTF8(miss.reason));
        });
    });
  });
  os << '\n';
}

//===----------------------------------------------------------------------===//
// HTML
//===----------------------------------------------------------------------===//

static constexpr StringLiteral style =
    "body{font:14px/1.4 sans-serif;margin:2em}"
    "table{border-collapse:collapse;margin:1em 0}"
    "td,th{border-top:1px solid #ddd;padding:.2em .6em;text-align:left;"
    "vertical-align:top}"
    "td.n{text-align:right;white-space:nowrap}"
    "td.bar{min-width:8em}td.bar div{background:#48a;height:.8em}";

namespace {
/// Writes the rows of one table.
class HtmlTable {
public:
  HtmlTable(raw_ostream &os, StringRef title, ArrayRef<StringRef> columns)
      : os(os) {
    os << "<h2>" << title << "</h2>\n<table>\n<tr>";
    for (StringRef column : columns)
      os << "<th>" << column << "</th>";
    os << "</tr>\n";
  }
  ~HtmlTable() { os << "</table>\n"; }

  void beginRow() { os << "<tr>"; }
  void endRow() { os << "</tr>\n"; }
  void addText(StringRef text) {
    os << "<td>";
    printHTMLEscaped(text, os);
    os << "</td>";
  }
  void addNumber(StringRef text) { os << "<td class=n>" << text << "</td>"; }
  /// A share of 0 to 1 as a bar.
  void addShare(double share) {
    os << formatv("<td class=bar><div style='width:{0:f1}%'></div></td>",
                  100 * share);
  }

private:
  raw_ostream &os;
};
} // namespace

/// Of the whole's cycles.
static double getShare(const ExplainedPhase &phase,
                       const Explanation &explanation) {
  if (!phase.roofline || explanation.cycles <= 0)
    return 0;
  return phase.roofline->cycles / explanation.cycles;
}

static void printPhasesHtml(const Explanation &explanation, raw_ostream &os) {
  HtmlTable table(os, "Phases",
                  {"", "kernel", "space", "FLOP", "bytes", "at least", "share",
                   "measured", "reads", "writes", "ONNX nodes"});
  for (auto [index, phase] : enumerate(explanation.phases)) {
    table.beginRow();
    table.addNumber(std::to_string(index));
    table.addText(phase.kernel);
    table.addText(join(phase.sizes, ", "));
    table.addNumber(formatNumber(phase.flops.value));
    table.addNumber(formatBytes(phase.bytes.value));
    table.addNumber(formatRoofline(phase.roofline));
    table.addShare(getShare(phase, explanation));
    table.addNumber(phase.measured ? formatTime(*phase.measured) : "");
    table.addText(join(phase.reads, "; "));
    table.addText(join(phase.writes, "; "));
    table.addText(formatNodes(phase.nodes, phase.nodes.size()));
    table.endRow();
  }
}

static void printWeightsHtml(const Explanation &explanation, raw_ostream &os) {
  HtmlTable table(os, "Stored tensors", {"type", "made of", "how", "readers"});
  for (const ExplainedWeight &weight : explanation.weights) {
    table.beginRow();
    table.addText(weight.type);
    table.addText(join(weight.sources, ", "));
    table.addText(formatRecipe(weight));
    table.addNumber(std::to_string(weight.numReaders));
    table.endRow();
  }
}

static void printMissesHtml(const Explanation &explanation, raw_ostream &os) {
  HtmlTable table(os, "Not recognized or merged", {"what", "nodes", "why"});
  for (const ExplainedMiss &miss : explanation.misses) {
    table.beginRow();
    table.addText(miss.what);
    table.addText(formatNodes(miss.nodes, miss.nodes.size()));
    table.addText(miss.reason);
    table.endRow();
  }
}

void txc::printHtml(const Explanation &explanation, raw_ostream &os) {
  os << "<!DOCTYPE html>\n<html><head><meta charset=utf-8><title>";
  printHTMLEscaped(explanation.model, os);
  os << "</title><style>" << style << "</style></head>\n<body>\n<h1>";
  printHTMLEscaped(explanation.model, os);
  os << "</h1>\n<p>";
  printHTMLEscaped(formatSummary(explanation), os);
  os << "<br>";
  printHTMLEscaped(formatCosts(explanation), os);
  os << "<br>";
  printHTMLEscaped(formatPadding(explanation), os);
  printHTMLEscaped(formatMeasured(explanation), os);
  os << "</p>\n";
  printPhasesHtml(explanation, os);
  printWeightsHtml(explanation, os);
  printMissesHtml(explanation, os);
  os << "</body></html>\n";
}
