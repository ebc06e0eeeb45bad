//===- Main.cpp - Runs a compiled model -------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Opens a model, makes inputs, runs, and reports. Linked with nothing but the
/// dynamic loader: what a user's own program needs, too.
///
//===----------------------------------------------------------------------===//

#include "tools/txc-run/Files.h"
#include "tools/txc-run/Format.h"
#include "tools/txc-run/Inputs.h"
#include "tools/txc-run/MachinePeak.h"
#include "tools/txc-run/Report.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <set>

#include <sys/resource.h>

using namespace txc::run;

namespace {

uint64_t now() {
  auto time = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time).count());
}

/// Peak resident memory.
double getRssMb() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

/// Handles that close themselves, the session before the model.
struct Handles {
  ~Handles() {
    txc_session_destroy(session);
    txc_close(model, nullptr);
  }
  txc_model *model = nullptr;
  txc_session *session = nullptr;
};

Failure open(const Options &options, txc_model *&model) {
  txc_open_options open = txc_open_options_default();
  open.weights_path =
      options.weights.empty() ? nullptr : options.weights.c_str();
  open.verify_weights = options.verifyWeights;
  open.device = options.device.empty() ? nullptr : options.device.c_str();
  // A name without a slash would be looked for in the library path.
  std::string path = options.model.find('/') == std::string::npos
                         ? "./" + options.model
                         : options.model;
  txc_message message;
  txc_status status = txc_open(path.c_str(), &open, &model, &message);
  if (status == TXC_OK)
    return {};
  return {status == TXC_IO ? Failure::Io : Failure::Model, message.text};
}

Failure createSession(const Options &options, Profile &profile,
                      Handles &handles) {
  txc_session_options session = txc_session_options_default();
  session.threads = options.threads;
  session.state_capacity = options.stateCapacity;
  if (options.profile) {
    session.profile = Profile::record;
    session.profile_user = &profile;
  }
  txc_message message;
  if (txc_session_create(handles.model, &session, &handles.session, &message) ==
      TXC_OK)
    return {};
  return {Failure::Model, message.text};
}

std::vector<txc_tensor> makeTensors(txc_model *model,
                                    const std::vector<Array> &inputs) {
  std::vector<txc_tensor> tensors;
  for (size_t i = 0; i < inputs.size(); ++i) {
    txc_tensor_info info = {};
    info.size = sizeof info;
    txc_model_input(model, i, &info);
    txc_tensor tensor = txc_tensor_make(
        info.name, static_cast<txc_type>(inputs[i].type), inputs[i].data.data(),
        static_cast<int32_t>(inputs[i].dims.size()), inputs[i].dims.data());
    tensor.capacity = inputs[i].data.size();
    tensors.push_back(tensor);
  }
  return tensors;
}

std::vector<txc_tensor> borrowOutputs(txc_model *model) {
  std::vector<txc_tensor> outputs;
  txc_tensor_info info = {};
  info.size = sizeof info;
  for (size_t i = 0; txc_model_output(model, i, &info) == TXC_OK; ++i)
    outputs.push_back(txc_tensor_borrow(info.name));
  return outputs;
}

/// The dims of inputs that are a symbol, by its name.
std::vector<std::pair<std::string, int64_t>>
collectDims(txc_model *model, const std::vector<txc_tensor> &inputs) {
  std::map<std::string, int64_t> dims;
  for (size_t i = 0; i < inputs.size(); ++i) {
    txc_tensor_info info = {};
    info.size = sizeof info;
    txc_model_input(model, i, &info);
    for (int32_t d = 0; d < info.rank; ++d)
      if (info.dims[d].kind == TXC_DIM_SYMBOL)
        dims[info.dims[d].text] = inputs[i].dims[d];
  }
  return {dims.begin(), dims.end()};
}

/// What a profile is compared with: the best of a few short probes, as other
/// programs only ever take away.
void probeMachine(int threads, ProfileScale &scale) {
  constexpr std::chrono::milliseconds duration(10);
  // Beyond first caches and within second ones; beyond third ones.
  constexpr size_t inCache = 192 << 10, least = 16 << 20, together = 192 << 20;
  for (int round = 0; round < 3; ++round) {
    scale.peak = std::max(scale.peak, measurePeak(threads, duration));
    scale.cacheRate =
        std::max(scale.cacheRate, measureReads(threads, inCache, duration));
    scale.memoryRate = std::max(
        scale.memoryRate,
        measureReads(threads, std::max(least, together / threads), duration));
  }
}

Failure runOnce(txc_session *session, const std::vector<txc_tensor> &inputs,
                Result &result) {
  if (txc_state_reset(session, TXC_ALL_ROWS) == TXC_OK &&
      txc_run(session, inputs.data(), inputs.size(), result.outputs.data(),
              result.outputs.size()) == TXC_OK)
    return {};
  return {Failure::Model, txc_error(session)};
}

/// Runs once, or once and then as often as asked for, with times.
Failure runModel(const Options &options, txc_session *session,
                 const std::vector<txc_tensor> &inputs, Profile &profile,
                 Result &result) {
  if (Failure failure = runOnce(session, inputs, result))
    return failure;
  if (options.repeat)
    profile.clear();
  for (int32_t i = 0; i < options.repeat; ++i) {
    uint64_t begin = now();
    if (Failure failure = runOnce(session, inputs, result))
      return failure;
    result.nanoseconds.push_back(now() - begin);
  }
  return {};
}

Failure writeOutputs(const Options &options,
                     const std::vector<txc_tensor> &outputs) {
  std::set<std::string> stems;
  for (const txc_tensor &output : outputs) {
    std::string stem = output.name;
    for (char &c : stem)
      if (c == '/')
        c = '_';
    if (!stems.insert(stem).second)
      return {Failure::Io, "two outputs would be written to " + stem};
    auto *data = static_cast<const char *>(output.data);
    Array array;
    array.type = output.type;
    array.dims.assign(output.dims, output.dims + output.rank);
    array.data.assign(data, data + output.bytes);
    std::string error;
    if (!writeTensor(options.outputDir + "/" + stem, output.name, array, error))
      return {Failure::Io, error};
  }
  return {};
}

Failure report(const Options &options, const Profile &profile, Result &result) {
  if (!options.outputDir.empty())
    if (Failure failure = writeOutputs(options, result.outputs))
      return failure;
  if (options.profile) {
    result.profile = &profile;
    result.scale.runs = std::max<int32_t>(options.repeat, 1);
    probeMachine(result.session.threads, result.scale);
  }
  std::string error;
  if (!options.traceFile.empty() &&
      !writeFile(options.traceFile, profile.formatTrace(options.model), error))
    return {Failure::Io, error};
  std::string text;
  if (options.json) {
    text = formatJson(result);
  } else {
    if (options.outputDir.empty())
      text += formatOutputs(result.outputs);
    if (options.repeat)
      text += formatTiming(result) + formatMemory(result);
    if (options.profile)
      text += formatProfile(profile, result.scale);
  }
  fputs(text.c_str(), stdout);
  return {};
}

Failure runTool(const Options &options) {
  Handles handles;
  Profile profile;
  Result result;
  uint64_t begin = now();
  if (Failure failure = open(options, handles.model))
    return failure;
  if (options.list) {
    fputs((options.json ? formatModelJson(handles.model)
                        : formatModel(handles.model))
              .c_str(),
          stdout);
    return {};
  }
  if (Failure failure = createSession(options, profile, handles))
    return failure;
  result.loadMs = static_cast<double>(now() - begin) / 1e6;

  std::vector<Array> inputs;
  if (Failure failure =
          makeInputs(handles.model, handles.session, options, inputs))
    return failure;
  result.outputs = borrowOutputs(handles.model);
  std::vector<txc_tensor> tensors = makeTensors(handles.model, inputs);
  result.dims = collectDims(handles.model, tensors);
  if (Failure failure =
          runModel(options, handles.session, tensors, profile, result))
    return failure;

  result.session.size = sizeof result.session;
  txc_session_describe(handles.session, &result.session);
  txc_model_info model = {};
  model.size = sizeof model;
  txc_model_describe(handles.model, &model);
  result.target = model.target;
  result.rssMb = getRssMb();
  return report(options, profile, result);
}

} // namespace

int main(int argc, char **argv) {
  Options options;
  std::string error;
  if (!parseOptions(argc, argv, options, error)) {
    fprintf(stderr, "txc-run: error: %s\n", error.c_str());
    return Failure::Usage;
  }
  if (options.help) {
    fputs(getHelp(), stdout);
    return 0;
  }
  Failure failure = runTool(options);
  if (!failure && fflush(stdout) != 0)
    failure = {Failure::Io, "can't write to standard output"};
  if (failure)
    fprintf(stderr, "txc-run: error: %s: %s\n", options.model.c_str(),
            failure.text.c_str());
  return failure.kind;
}
