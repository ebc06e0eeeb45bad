//===- Options.cpp - The command line ---------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See Options.h.
///
//===----------------------------------------------------------------------===//

#include "tools/txc-run/Options.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <optional>

using namespace txc::run;

namespace {

/// An option and what its value does; false when the value is not understood.
struct Option {
  const char *name;
  /// For the message; null: a flag, whose value is empty.
  const char *expects;
  std::function<bool(const std::string &)> accept;
  /// The value may be left out (--profile).
  bool isOptional = false;
};

bool parseNumber(const std::string &text, int64_t lowest, int64_t highest,
                 int64_t &number) {
  char *end;
  errno = 0;
  number = strtoll(text.c_str(), &end, 10);
  return !text.empty() && *end == '\0' && errno == 0 && number >= lowest &&
         number <= highest;
}

/// "NAME=VALUE"
bool split(const std::string &text, std::string &name, std::string &value) {
  size_t at = text.find('=');
  if (at == std::string::npos || at == 0)
    return false;
  name = text.substr(0, at);
  value = text.substr(at + 1);
  return !value.empty();
}

bool addDim(Options &options, const std::string &text) {
  std::string name, value;
  int64_t extent;
  if (!split(text, name, value) || !parseNumber(value, 0, INT64_MAX, extent))
    return false;
  options.dims.emplace_back(name, extent);
  return true;
}

bool addInput(Options &options, const std::string &text) {
  std::string name, value;
  if (!split(text, name, value))
    return false;
  options.inputs.emplace_back(name, value);
  return true;
}

std::vector<Option> makeTable(Options &options) {
  auto flag = [](bool &target) {
    return [&target](const std::string &) { return target = true; };
  };
  auto text = [](std::string &target) {
    return [&target](const std::string &value) {
      target = value;
      return !value.empty();
    };
  };
  auto count = [](auto &target, int64_t lowest, int64_t highest) {
    return [&target, lowest, highest](const std::string &value) {
      int64_t number;
      if (!parseNumber(value, lowest, highest, number))
        return false;
      target = static_cast<std::decay_t<decltype(target)>>(number);
      return true;
    };
  };
  return {
      {"input", "NAME=FILE.npy, NAME=FILE.pb or NAME=random[:SEED]",
       [&](const std::string &value) { return addInput(options, value); }},
      {"dim", "NAME=N",
       [&](const std::string &value) { return addDim(options, value); }},
      {"output-dir", "a folder", text(options.outputDir)},
      {"device", "cpu, cuda:N or auto", text(options.device)},
      {"threads", "a number from 1 to 1024", count(options.threads, 1, 1024)},
      {"repeat", "a number from 1", count(options.repeat, 1, INT32_MAX)},
      {"profile", "a file",
       [&](const std::string &value) {
         options.traceFile = value;
         return options.profile = true;
       },
       /*isOptional=*/true},
      {"json", nullptr, flag(options.json)},
      {"list", nullptr, flag(options.list)},
      {"weights", "a file", text(options.weights)},
      {"verify-weights", nullptr, flag(options.verifyWeights)},
      {"state-capacity", "a number from 1",
       count(options.stateCapacity, 1, INT64_MAX)},
      {"help", nullptr, flag(options.help)},
  };
}

/// Levenshtein's distance.
size_t countEdits(const std::string &a, const std::string &b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t above = row[j];
      row[j] = std::min(
          {row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row[b.size()];
}

} // namespace

std::string txc::run::findNearest(const std::string &name,
                                  const std::vector<std::string> &candidates) {
  std::string best;
  // More edits than half the letters are no misspelling.
  size_t fewest = name.size() / 2 + 1;
  for (const std::string &candidate : candidates) {
    size_t edits = countEdits(name, candidate);
    if (edits >= fewest)
      continue;
    fewest = edits;
    best = candidate;
  }
  return best;
}

bool txc::run::parseOptions(int argc, char **argv, Options &options,
                            std::string &error) {
  std::vector<Option> table = makeTable(options);
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    if (argument[0] != '-' || argument.size() < 2) {
      if (!options.model.empty()) {
        error = "two models: " + options.model + " and " + argument;
        return false;
      }
      options.model = argument;
      continue;
    }
    size_t begin = argument.find_first_not_of('-');
    size_t equals = argument.find('=');
    std::string name = begin > 2 ? "" : argument.substr(begin, equals - begin);
    std::optional<std::string> value;
    if (equals != std::string::npos)
      value = argument.substr(equals + 1);
    auto option =
        std::find_if(table.begin(), table.end(),
                     [&](const Option &known) { return name == known.name; });
    if (option == table.end()) {
      std::vector<std::string> names;
      names.reserve(table.size());
      for (const Option &known : table)
        names.emplace_back(known.name);
      std::string nearest = findNearest(name, names);
      error = "unknown option " + argument +
              (nearest.empty() ? "; see --help"
                               : "; did you mean --" + nearest + "?");
      return false;
    }
    bool takesNext = option->expects && !option->isOptional && !value;
    if (takesNext && i + 1 < argc)
      value = argv[++i];
    bool isMissing = takesNext && !value;
    bool isSurplus = !option->expects && value;
    if (isMissing || isSurplus || !option->accept(value.value_or(""))) {
      error = "--" + name +
              (option->expects ? std::string(" expects ") + option->expects
                               : std::string(" takes no value")) +
              (value ? ", got \"" + *value + "\"" : "");
      return false;
    }
  }
  if (options.model.empty() && !options.help) {
    error = "no model given; see --help";
    return false;
  }
  return true;
}

const char *txc::run::getHelp() {
  return R"(Runs, times and profiles a model compiled by txc.

usage: txc-run MODEL.so [options]

  --input NAME=FILE.npy     elements of an input; also FILE.pb (TensorProto)
  --input NAME=random[:SEED]  at random, which is the default: N(0, 1), ids
                            within the vocabulary, masks of ones
  --dim NAME=N              a dim that no file gives. Default: 1 for the first
                            axis of the inputs, 8 for the others, within what
                            the model was compiled for
  --output-dir DIR          write NAME.npy for each output (NAME.pb where NumPy
                            lacks the type; a / in NAME becomes _) instead of
                            printing it
  --device cpu|cuda:N|auto  default: cpu, or cuda:0 without code for CPUs
  --threads N               default: one for each physical core
  --repeat K                print minimum, median and p99 of K runs, after one
                            that is not timed; state is reset before each
  --profile[=TRACE.json]    tables of time by phase and by kernel, beside the
                            machine's peak; a trace for Perfetto
  --json                    one object on standard output
  --list                    describe the model, don't run it
  --state-capacity N        positions of state
  --weights FILE            weights that are not beside the model
  --verify-weights          compare their checksum

Exit codes: 0, 1 the model can't be run, 2 wrong usage, 3 an I/O failure.
)";
}
