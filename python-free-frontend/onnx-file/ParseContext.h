//===- ParseContext.h - State shared by the message parsers -----*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// What the parsers of ONNX's messages share: the file's bytes, the arena the
/// tree is built in with its limit, and how deep messages are nested; and the
/// parsers themselves, one function a message.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_PARSECONTEXT_H
#define TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_PARSECONTEXT_H

#include "python-free-frontend/onnx-file/FileTable.h"
#include "python-free-frontend/onnx-file/OnnxModel.h"
#include "python-free-frontend/onnx-file/WireReader.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Allocator.h"

namespace txc::onnx {

class ParseContext {
public:
  ParseContext(FileTable &files, llvm::BumpPtrAllocator &arena)
      : files(files), arena(arena) {}

  FileTable &files;

  WireReader reader(llvm::ArrayRef<uint8_t> message) const {
    return {message, files.bytes(0)};
  }
  /// Where \p bytes, a part of the model, start in its file.
  uint64_t offsetOf(llvm::ArrayRef<uint8_t> bytes) const {
    return bytes.data() - files.bytes(0).data();
  }

  /// Counts \p bytes of memory before they are taken, so that a small file of
  /// many tiny messages can't ask for much. False, with the problem noted in
  /// \p reader, when the tree would outgrow OnnxFile::maxTreeBytes.
  bool charge(uint64_t bytes, WireReader &reader);
  template <typename T>
  void append(llvm::SmallVectorImpl<T> &list, const T &item,
              WireReader &reader) {
    if (charge(sizeof(T), reader))
      list.push_back(item);
  }

  /// Moves a finished list or struct to where it lives as long as the tree.
  template <typename T> llvm::ArrayRef<T> keep(llvm::ArrayRef<T> list) {
    return list.copy(arena);
  }
  template <typename T> const T *keep(const T &item) {
    return new (arena.Allocate<T>()) T(item);
  }

  /// One level of nesting, for as long as it lives.
  class Nesting {
  public:
    explicit Nesting(ParseContext &context) : depth(context.depth) { ++depth; }
    ~Nesting() { --depth; }
    Nesting(const Nesting &) = delete;
    Nesting &operator=(const Nesting &) = delete;
    /// An error when this level is deeper than OnnxFile::maxNesting.
    llvm::Error check() const;

  private:
    unsigned &depth;
  };

  /// Whether a node of the default domain was read: its opset import must be
  /// there. The parser of a model and of a function reset and ask it.
  bool usesDefaultDomain = false;

private:
  llvm::BumpPtrAllocator &arena;
  uint64_t charged = 0;
  unsigned depth = 0;
};

using Bytes = llvm::ArrayRef<uint8_t>;

// Each fills its second argument from a whole message.
llvm::Error parseModel(ParseContext &context, Bytes message, Model &model);
llvm::Error parseFunction(ParseContext &context, Bytes message,
                          Function &function);
llvm::Error parseGraph(ParseContext &context, Bytes message, Graph &graph);
llvm::Error parseNode(ParseContext &context, Bytes message, Node &node);
llvm::Error parseAttribute(ParseContext &context, Bytes message,
                           Attribute &attribute);
llvm::Error parseValueInfo(ParseContext &context, Bytes message,
                           ValueInfo &value);
llvm::Error parseType(ParseContext &context, Bytes message, Type &type);
llvm::Error parseTensor(ParseContext &context, Bytes message,
                        TensorRef &tensor);
llvm::Error parseSparseTensor(ParseContext &context, Bytes message,
                              SparseTensor &tensor);
llvm::Error parseStringPair(ParseContext &context, Bytes message,
                            StringPair &pair);

/// Reads the node in \p field, which is the next of \p nodes.
llvm::Error appendNode(ParseContext &context, WireReader &reader,
                       const WireField &field,
                       llvm::SmallVectorImpl<Node> &nodes);
/// Gives \p body the nodes, ordered and kept, and the names they capture. What
/// else defines names in \p body must be there already.
llvm::Error keepOrdered(ParseContext &context, WireReader &reader,
                        llvm::SmallVectorImpl<Node> &nodes, Graph &body);

/// The element type of that number, or an error that calls it unknown.
llvm::Expected<ElementType> parseElementType(int64_t number);
/// "ai.onnx" as "".
llvm::StringRef normalizeDomain(llvm::StringRef domain);

/// Parses the message in \p field.
template <typename T>
llvm::Error parseField(ParseContext &context, WireReader &reader,
                       const WireField &field, T &item,
                       llvm::Error (*parse)(ParseContext &, Bytes, T &)) {
  Bytes message = reader.message(field);
  if (llvm::Error error = reader.takeError())
    return error;
  return parse(context, message, item);
}

/// Appends what \p parse makes of the message in \p field to \p list.
template <typename T>
llvm::Error appendParsed(ParseContext &context, WireReader &reader,
                         const WireField &field, llvm::SmallVectorImpl<T> &list,
                         llvm::Error (*parse)(ParseContext &, Bytes, T &)) {
  T item;
  if (llvm::Error error = parseField(context, reader, field, item, parse))
    return error;
  context.append(list, item, reader);
  return llvm::Error::success();
}

} // namespace txc::onnx

#endif // TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_PARSECONTEXT_H
