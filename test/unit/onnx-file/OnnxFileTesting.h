//===- OnnxFileTesting.h - shared by the file layer's tests -----*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Opens models in memory or in a temporary directory, and tells their errors.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TEST_UNIT_ONNX_FILE_ONNXFILETESTING_H
#define TXC_TEST_UNIT_ONNX_FILE_ONNXFILETESTING_H

#include "python-free-frontend/onnx-file/OnnxFile.h"
#include "test/unit/onnx-file/WireBuilder.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace txc::onnx {

/// A model in memory with the bytes that it views.
struct ParsedModel {
  explicit ParsedModel(std::string contents) : contents(std::move(contents)) {
    llvm::Expected<std::unique_ptr<OnnxFile>> parsed =
        OnnxFile::parse({this->contents, "m.onnx"});
    if (parsed)
      file = std::move(*parsed);
    else
      error = llvm::toString(parsed.takeError());
  }
  explicit ParsedModel(const Wire &wire) : ParsedModel(wire.bytes()) {}

  const Graph &graph() const { return file->model().graph; }

  std::string contents;
  std::unique_ptr<OnnxFile> file;
  /// Empty when it was opened.
  std::string error;
};

/// The elements of \p tensor as a string, or the error.
inline std::string readElements(const OnnxFile &file, const TensorRef &tensor) {
  llvm::Expected<TensorData> data = file.read(tensor);
  if (!data)
    return llvm::toString(data.takeError());
  return llvm::toStringRef(data->bytes()).str();
}

/// The bytes of \p values in memory, as a string.
template <typename T> std::string bytesOf(std::initializer_list<T> values) {
  return std::string(reinterpret_cast<const char *>(values.begin()),
                     values.size() * sizeof(T));
}

/// A directory that is removed with all that is in it.
class TemporaryDirectory {
public:
  TemporaryDirectory() {
    EXPECT_FALSE(llvm::sys::fs::createUniqueDirectory("txc-onnx-file", path));
  }
  ~TemporaryDirectory() { llvm::sys::fs::remove_directories(path); }
  TemporaryDirectory(const TemporaryDirectory &) = delete;
  TemporaryDirectory &operator=(const TemporaryDirectory &) = delete;

  std::string operator/(const llvm::Twine &name) const {
    llvm::SmallString<128> joined(path);
    llvm::sys::path::append(joined, name);
    return joined.str().str();
  }
  std::string write(const llvm::Twine &name, llvm::StringRef contents) const {
    std::string file = *this / name;
    std::error_code ec;
    llvm::raw_fd_ostream(file, ec) << contents;
    EXPECT_FALSE(ec);
    return file;
  }

  llvm::SmallString<128> path;
};

} // namespace txc::onnx

#endif // TXC_TEST_UNIT_ONNX_FILE_ONNXFILETESTING_H
