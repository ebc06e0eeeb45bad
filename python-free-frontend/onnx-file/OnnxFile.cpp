//===- OnnxFile.cpp - Open an ONNX file without reading weights -*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Ties mapping, parsing and reading together.
///
//===----------------------------------------------------------------------===//

#include "python-free-frontend/onnx-file/OnnxFile.h"
#include "python-free-frontend/onnx-file/ParseContext.h"
#include "python-free-frontend/onnx-file/TypedData.h"

using namespace llvm;
using namespace txc::onnx;

struct OnnxFile::Impl {
  FileTable files;
  BumpPtrAllocator arena;
  Model model;
};

OnnxFile::OnnxFile(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
OnnxFile::~OnnxFile() = default;

Expected<std::unique_ptr<OnnxFile>> OnnxFile::open(StringRef path) {
  auto impl = std::make_unique<Impl>();
  if (Error error = impl->files.openModel(path))
    return createFileError(path, std::move(error));
  return scan(std::move(impl));
}

Expected<std::unique_ptr<OnnxFile>> OnnxFile::parse(MemoryBufferRef bytes) {
  auto impl = std::make_unique<Impl>();
  impl->files.setModel(bytes);
  return scan(std::move(impl));
}

Expected<std::unique_ptr<OnnxFile>> OnnxFile::scan(std::unique_ptr<Impl> impl) {
  StringRef path = impl->files.path(0);
  ArrayRef<uint8_t> bytes = impl->files.bytes(0);
  // None of these formats can be an ONNX model by accident: their first bytes
  // make no valid field of one.
  StringRef foreign = guessForeignFormat(bytes);
  if (!foreign.empty())
    return makeError(path + ": is no ONNX model but " + foreign);
  ParseContext context(impl->files, impl->arena);
  if (Error error = parseModel(context, bytes, impl->model))
    return addContext(path, std::move(error));
  return std::unique_ptr<OnnxFile>(new OnnxFile(std::move(impl)));
}

const Model &OnnxFile::model() const { return impl->model; }

uint32_t OnnxFile::numFiles() const { return impl->files.size(); }

StringRef OnnxFile::filePath(uint32_t file) const {
  return impl->files.path(file);
}

Expected<TensorData> OnnxFile::read(const TensorRef &tensor) const {
  auto where = [&] {
    return (filePath(0) + ": tensor " + quote(tensor.name)).str();
  };
  if (tensor.elementType == ElementType::String)
    return makeError(where() + ": holds strings, which are not supported");
  ArrayRef<uint8_t> stored =
      impl->files.bytes(tensor.file).slice(tensor.offset, tensor.length);
  if (tensor.encoding == TensorRef::Encoding::Dense)
    return TensorData(stored);
  Expected<std::vector<uint8_t>> dense =
      decodeTyped(tensor, stored, impl->files.bytes(0));
  if (!dense)
    return addContext(where(), dense.takeError());
  return TensorData(std::move(*dense));
}
