//===- CompiledModel.cpp - a shared object in this process ---------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/common/CompiledModel.h"
#include "llvm/Support/FileSystem.h"
#include <vector>

using namespace llvm;
using namespace txc;
using namespace txc::tool;

Expected<std::unique_ptr<CompiledModel>> CompiledModel::open(StringRef path,
                                                             int32_t threads) {
  // A name without a slash would be looked for in the library path.
  SmallString<128> absolute(path);
  if (std::error_code error = sys::fs::make_absolute(absolute))
    return createFileError(path, error);
  std::unique_ptr<CompiledModel> result(new CompiledModel);
  txc_message message;
  if (txc_open(absolute.c_str(), nullptr, &result->model, &message) != TXC_OK)
    return createStringError(message.text);
  txc_session_options options = txc_session_options_default();
  options.threads = threads;
  if (txc_session_create(result->model, &options, &result->session, &message) !=
      TXC_OK)
    return createStringError(message.text);
  return result;
}

CompiledModel::~CompiledModel() {
  txc_session_destroy(session);
  txc_close(model, nullptr);
}

template <typename Describe>
static std::vector<std::string> getNames(txc_model *model, Describe describe) {
  std::vector<std::string> names;
  txc_tensor_info info = {};
  info.size = sizeof info;
  for (size_t i = 0; describe(model, i, &info) == TXC_OK; ++i)
    names.emplace_back(info.name);
  return names;
}

std::vector<std::string> CompiledModel::getInputNames() const {
  return getNames(model, txc_model_input);
}

std::vector<std::string> CompiledModel::getOutputNames() const {
  return getNames(model, txc_model_output);
}

Expected<std::vector<run::Array>>
CompiledModel::run(ArrayRef<run::Array> inputs) {
  std::vector<txc_tensor> given;
  for (const run::Array &input : inputs) {
    given.push_back(txc_tensor_make(
        nullptr, static_cast<txc_type>(input.type), input.data.data(),
        static_cast<int32_t>(input.dims.size()), input.dims.data()));
    given.back().capacity = input.data.size();
  }
  std::vector<txc_tensor> results(getOutputNames().size(),
                                  txc_tensor_borrow(nullptr));
  if (txc_run(session, given.data(), given.size(), results.data(),
              results.size()) != TXC_OK)
    return createStringError(txc_error(session));
  std::vector<run::Array> outputs;
  for (const txc_tensor &result : results) {
    run::Array &output = outputs.emplace_back();
    output.type = result.type;
    output.dims.assign(result.dims, result.dims + result.rank);
    const char *data = static_cast<const char *>(result.data);
    output.data.assign(data, data + result.bytes);
  }
  return outputs;
}
