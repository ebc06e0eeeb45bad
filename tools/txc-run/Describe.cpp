//===- Describe.cpp - What a model says of itself ---------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// --list, as text and as JSON.
///
//===----------------------------------------------------------------------===//

#include "tools/txc-run/Report.h"

#include "tools/txc-run/Array.h"
#include "tools/txc-run/Format.h"

using namespace txc::run;

namespace {

std::string formatAxes(const txc_dim *dims, int32_t rank, bool quote) {
  std::string text = "[";
  for (int32_t i = 0; i < rank; ++i)
    text += (i ? ", " : "") +
            (quote ? quoteJson(dims[i].text) : std::string(dims[i].text));
  return text + "]";
}

/// Calls visit(info) for each thing that the query describes.
template <typename Info, typename Query, typename Visit>
void forEach(txc_model *model, Query query, Visit visit) {
  Info info = {};
  info.size = sizeof info;
  for (size_t i = 0; query(model, i, &info) == TXC_OK; ++i)
    visit(info);
}

const char *getSource(int32_t source) {
  switch (source) {
  case TXC_SYMBOL_STATE_LENGTH:
    return "length of state";
  case TXC_SYMBOL_STATE_CAPACITY:
    return "capacity of state";
  case TXC_SYMBOL_RUN_TIME:
    return "known only while running";
  default:
    return "of the inputs";
  }
}

std::string formatTensor(const char *what, const txc_tensor_info &info) {
  std::string range =
      info.low == info.high
          ? ""
          : format(" in [%lld, %lld)", static_cast<long long>(info.low),
                   static_cast<long long>(info.high));
  return format("%s  %s: %s %s%s\n", what, info.name,
                getTypeName(info.type).c_str(),
                formatAxes(info.dims, info.rank, false).c_str(), range.c_str());
}

std::string formatSymbol(const txc_symbol_info &info) {
  std::string upper =
      info.upper == INT64_MAX
          ? " or more"
          : format("..%lld", static_cast<long long>(info.upper));
  return format("dim     %s: %lld%s, %s\n", info.name,
                static_cast<long long>(info.lower), upper.c_str(),
                getSource(info.source));
}

std::string formatTensorJson(const txc_tensor_info &info) {
  return format("{\"name\": %s, \"type\": %s, \"dims\": %s}",
                quoteJson(info.name).c_str(),
                quoteJson(getTypeName(info.type)).c_str(),
                formatAxes(info.dims, info.rank, true).c_str());
}

std::string formatStateJson(const txc_state_info &info) {
  return format("{\"name\": %s, \"type\": %s, \"dims\": %s}",
                quoteJson(info.name).c_str(),
                quoteJson(getTypeName(info.type)).c_str(),
                formatAxes(info.dims, info.rank, true).c_str());
}

std::string formatSymbolJson(const txc_symbol_info &info) {
  return format(
      "{\"name\": %s, \"lower\": %lld, \"upper\": %s, \"source\": "
      "%s}",
      quoteJson(info.name).c_str(), static_cast<long long>(info.lower),
      info.upper == INT64_MAX ? "null" : std::to_string(info.upper).c_str(),
      quoteJson(getSource(info.source)).c_str());
}

/// A JSON list of all things of a kind.
template <typename Info, typename Query, typename Format>
std::string formatList(txc_model *model, const char *key, Query query,
                       Format formatOne) {
  std::string text;
  forEach<Info>(model, query, [&](const Info &info) {
    text += (text.empty() ? "" : ", ") + formatOne(info);
  });
  return format(", \"%s\": [", key) + text + "]";
}

txc_model_info getInfo(txc_model *model) {
  txc_model_info info = {};
  info.size = sizeof info;
  txc_model_describe(model, &info);
  return info;
}

} // namespace

std::string txc::run::formatModel(txc_model *model) {
  txc_model_info info = getInfo(model);
  std::string text =
      format("model   %s, for %s, by txc %s\n"
             "weights %lld tensors, %.1f MB; %zu phases\n",
             info.name, info.target, info.version,
             static_cast<long long>(info.weight_tensors),
             static_cast<double>(info.weight_bytes) / 1e6, info.phases);
  forEach<txc_tensor_info>(model, txc_model_input, [&](const auto &input) {
    text += formatTensor("input ", input);
  });
  forEach<txc_tensor_info>(model, txc_model_output, [&](const auto &output) {
    text += formatTensor("output", output);
  });
  forEach<txc_symbol_info>(model, txc_model_symbol, [&](const auto &symbol) {
    text += formatSymbol(symbol);
  });
  forEach<txc_state_info>(model, txc_model_state, [&](const auto &state) {
    text += format("state   %s: %s %s\n", state.name,
                   getTypeName(state.type).c_str(),
                   formatAxes(state.dims, state.rank, false).c_str());
  });
  return text;
}

std::string txc::run::formatModelJson(txc_model *model) {
  txc_model_info info = getInfo(model);
  return format("{\"name\": %s, \"target\": %s, \"cpu_features\": %s, "
                "\"version\": %s, \"weight_bytes\": %llu, "
                "\"weight_tensors\": %lld, \"phases\": %zu",
                quoteJson(info.name).c_str(), quoteJson(info.target).c_str(),
                quoteJson(info.cpu_features).c_str(),
                quoteJson(info.version).c_str(),
                static_cast<unsigned long long>(info.weight_bytes),
                static_cast<long long>(info.weight_tensors), info.phases) +
         formatList<txc_tensor_info>(model, "inputs", txc_model_input,
                                     formatTensorJson) +
         formatList<txc_tensor_info>(model, "outputs", txc_model_output,
                                     formatTensorJson) +
         formatList<txc_symbol_info>(model, "dims", txc_model_symbol,
                                     formatSymbolJson) +
         formatList<txc_state_info>(model, "state", txc_model_state,
                                    formatStateJson) +
         "}\n";
}
