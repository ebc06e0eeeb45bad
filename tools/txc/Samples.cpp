//===- Samples.cpp - inputs of a model in a folder -----------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/txc/Samples.h"
#include "tools/txc-run/Files.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <cmath>

using namespace llvm;
using namespace txc;
using namespace txc::tool;

namespace {
/// What a folder holds, sorted.
struct Folder {
  std::vector<std::string> tensors, folders;
};
} // namespace

static Expected<Folder> listFolder(StringRef path) {
  Folder result;
  std::error_code error;
  for (sys::fs::directory_iterator it(path, error), end; !error && it != end;
       it.increment(error)) {
    if (sys::fs::is_directory(it->path()))
      result.folders.push_back(it->path());
    else if (is_contained({".npy", ".pb"}, sys::path::extension(it->path())))
      result.tensors.push_back(it->path());
  }
  if (error)
    return createFileError(path, error);
  sort(result.tensors);
  sort(result.folders);
  return result;
}

Expected<std::vector<std::string>> tool::listSamples(StringRef directory) {
  Expected<Folder> folder = listFolder(directory);
  if (!folder)
    return folder.takeError();
  if (!folder->tensors.empty())
    return std::vector<std::string>{directory.str()};
  if (folder->folders.empty())
    return createStringError(directory + ": there is no sample: no .npy or .pb "
                                         "file, and no folder with some");
  return std::move(folder->folders);
}

/// Which input a file is for; nothing for an output's.
static Expected<std::optional<size_t>>
findInput(StringRef stem, ArrayRef<std::string> inputs,
          ArrayRef<std::string> outputs) {
  if (const auto *it = find(inputs, stem); it != inputs.end())
    return it - inputs.begin();
  size_t number = 0;
  StringRef digits = stem;
  if (digits.consume_front("input_") && !digits.getAsInteger(10, number)) {
    if (number < inputs.size())
      return number;
    return createStringError("the model has no input " + Twine(number) +
                             "; from 0 on they are " + join(inputs, ", "));
  }
  if (is_contained(outputs, stem) || stem.starts_with("output_"))
    return std::nullopt;
  return createStringError("the model has no input \"" + stem + "\"; it has " +
                           join(inputs, ", "));
}

static bool hasNan(const run::Array &array) {
  if (!run::isFloat(array.type))
    return false;
  int64_t count = run::countElements(array.dims);
  for (int64_t i = 0; i < count; ++i)
    if (std::isnan(run::getElement(array.type, array.data.data(), i)))
      return true;
  return false;
}

Expected<std::vector<run::Array>>
tool::readSample(StringRef directory, ArrayRef<std::string> inputs,
                 ArrayRef<std::string> outputs) {
  Expected<Folder> folder = listFolder(directory);
  if (!folder)
    return folder.takeError();
  std::vector<run::Array> arrays(inputs.size());
  std::vector<std::string> sources(inputs.size());
  for (const std::string &path : folder->tensors) {
    Expected<std::optional<size_t>> input =
        findInput(sys::path::stem(path), inputs, outputs);
    if (!input)
      return createStringError(path + ": " + toString(input.takeError()));
    if (!*input)
      continue;
    if (!sources[**input].empty())
      return createStringError(path + " and " + sources[**input] +
                               " are both for the input \"" + inputs[**input] +
                               "\"");
    std::string error;
    if (!run::readTensor(path, arrays[**input], error))
      return createStringError(error);
    if (hasNan(arrays[**input]))
      return createStringError(path + ": has a NaN");
    sources[**input] = path;
  }
  if (auto it = find(sources, ""); it != sources.end())
    return createStringError(directory +
                             ": there is no .npy or .pb file for the input \"" +
                             inputs[it - sources.begin()] + "\"");
  return arrays;
}
