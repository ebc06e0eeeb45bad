//===- OnnxFile.h - Open an ONNX file without reading weights ---*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The file layer of the front end: maps an ONNX file, scans protobuf's wire
/// format, checks everything that needs no knowledge of operators, and hands
/// out a tree of structs (OnnxModel.h) in which weights are handles.
///
/// Why not protobuf's generated classes: they copy every payload, stop at
/// 2 GiB, and drop to "unknown fields" what is newer than their schema
/// (Debian's knows opset 17: no overloads, no function attribute defaults, no
/// metadata). The wire format itself is small (protobuf.dev/programming-guides/
/// encoding), and a scanner of ours bounds its memory and says where a file is
/// broken. Unit tests compare it with Debian's classes on the same bytes.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_ONNXFILE_H
#define TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_ONNXFILE_H

#include "python-free-frontend/onnx-file/OnnxModel.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>
#include <vector>

namespace txc::onnx {

/// The elements of one tensor: row-major, dense, little-endian, types below a
/// byte packed from the lowest bits up. Either a view of a mapped file, with no
/// alignment beyond a byte, valid as long as the OnnxFile; or a decoded buffer
/// of its own. Movable.
class TensorData {
public:
  explicit TensorData(llvm::ArrayRef<uint8_t> view) : view(view) {}
  explicit TensorData(std::vector<uint8_t> &&buffer)
      : buffer(std::move(buffer)), view(this->buffer) {}
  TensorData(TensorData &&) = default;
  TensorData &operator=(TensorData &&) = default;
  TensorData(const TensorData &) = delete;
  TensorData &operator=(const TensorData &) = delete;

  llvm::ArrayRef<uint8_t> bytes() const { return view; }
  /// Whether bytes() points into a mapped file.
  bool isMapped() const { return buffer.empty(); }

private:
  std::vector<uint8_t> buffer;
  llvm::ArrayRef<uint8_t> view;
};

/// An open ONNX file with the external data it refers to.
///
/// Opening reads only the pages that hold structure. It fails, with one
/// sentence that says where and what was found, on: a file that is not ONNX;
/// truncated or damaged wire data; a tensor whose dims overflow or do not match
/// its bytes; external data that is missing, too short or outside the model's
/// directory; names without a producer or with two; cycles; missing opset
/// imports; functions that call themselves; graphs, types or calls nested
/// deeper than `maxNesting`; and structure that needs more than `maxTreeBytes`
/// of memory or expands to more than `maxInlinedNodes`.
///
/// External data: `location` is relative to the directory of the path given to
/// open(). Absolute paths, `..` components and symbolic links whose target is
/// outside that directory are refused, so that a downloaded model can't pull
/// other files into a compiled one. `checksum` is ignored: to check it would
/// read every byte of files that are mapped so as not to be read.
///
/// Thread-safety: immutable once open; any number of threads may read().
/// The files must not shrink while open, as with any mapping.
class OnnxFile {
public:
  /// Graphs in attributes of nodes of graphs …, types of types, and functions
  /// that call functions.
  static constexpr unsigned maxNesting = 64;
  /// A file may not cost more memory than this, payloads left out.
  static constexpr uint64_t maxTreeBytes = uint64_t(512) << 20;
  /// Nodes of the main graph with every call of the model's functions inlined.
  static constexpr uint64_t maxInlinedNodes = uint64_t(1) << 22;
  /// The newest IR version of ONNX that is understood.
  static constexpr int64_t newestIrVersion = 14;

  /// Maps and scans the file at \p path. One that can't be read is an
  /// llvm::FileError; all other errors are about its contents.
  static llvm::Expected<std::unique_ptr<OnnxFile>> open(llvm::StringRef path);

  /// Scans \p bytes, a model in memory that may not refer to external data.
  /// Its identifier names it in messages. The bytes stay the caller's and must
  /// outlive the result.
  static llvm::Expected<std::unique_ptr<OnnxFile>>
  parse(llvm::MemoryBufferRef bytes);

  ~OnnxFile();
  OnnxFile(const OnnxFile &) = delete;
  OnnxFile &operator=(const OnnxFile &) = delete;

  const Model &model() const;

  /// The elements of \p tensor, which must come from this file's model. Can
  /// fail only for string tensors and for typed fields with a value that its
  /// element type can't hold; copies only what Encoding::Typed must decode.
  llvm::Expected<TensorData> read(const TensorRef &tensor) const;

  /// Files that TensorRef::file counts: the model, then external data, each
  /// once however many tensors refer to it.
  uint32_t numFiles() const;
  llvm::StringRef filePath(uint32_t file) const;

private:
  struct Impl;
  explicit OnnxFile(std::unique_ptr<Impl> impl);
  static llvm::Expected<std::unique_ptr<OnnxFile>>
  scan(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl;
};

} // namespace txc::onnx

#endif // TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_ONNXFILE_H
