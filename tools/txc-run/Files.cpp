//===- Files.cpp - Tensors in files -----------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See Files.h.
///
//===----------------------------------------------------------------------===//

#include "tools/txc-run/Files.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include <unistd.h>

using namespace txc::run;

namespace {

struct CloseFile {
  void operator()(FILE *file) const { fclose(file); }
};
using File = std::unique_ptr<FILE, CloseFile>;

bool endsWith(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() &&
         text.substr(text.size() - suffix.size()) == suffix;
}

bool fail(std::string &error, const std::string &path) {
  error = path + ": " + std::strerror(errno);
  return false;
}

} // namespace

bool txc::run::readFile(const std::string &path, std::string &bytes,
                        std::string &error) {
  File file(fopen(path.c_str(), "rb"));
  if (!file)
    return fail(error, path);
  char buffer[1 << 16];
  size_t got;
  bytes.clear();
  while ((got = fread(buffer, 1, sizeof buffer, file.get())) > 0)
    bytes.append(buffer, got);
  return !ferror(file.get()) || fail(error, path);
}

bool txc::run::writeFile(const std::string &path, std::string_view bytes,
                         std::string &error) {
  std::string beside = path + "." + std::to_string(getpid()) + ".tmp";
  File file(fopen(beside.c_str(), "wb"));
  if (!file)
    return fail(error, beside);
  bool written =
      fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size();
  // Closing writes what is buffered, so it may be what fails.
  written &= fclose(file.release()) == 0;
  if (written && rename(beside.c_str(), path.c_str()) == 0)
    return true;
  fail(error, path);
  remove(beside.c_str());
  return false;
}

bool txc::run::readTensor(const std::string &path, Array &array,
                          std::string &error) {
  bool npy = endsWith(path, ".npy");
  if (!npy && !endsWith(path, ".pb")) {
    error = path + ": expected a .npy or .pb file";
    return false;
  }
  std::string bytes;
  if (!readFile(path, bytes, error))
    return false;
  if (npy ? parseNpy(bytes, array, error)
          : parseTensorProto(bytes, array, error))
    return true;
  error = path + ": " + error;
  return false;
}

bool txc::run::writeTensor(const std::string &stem, std::string_view name,
                           const Array &array, std::string &error) {
  if (hasNpyType(array.type))
    return writeFile(stem + ".npy", formatNpy(array), error);
  return writeFile(stem + ".pb", formatTensorProto(array, name), error);
}
