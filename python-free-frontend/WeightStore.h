//===- WeightStore.h - where a module's weights lie -------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// What the key of a `tx.weight` means: a tensor of a mapped ONNX file, or
/// bytes that the compiler made. Weights never pass through the IR.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PYTHON_FREE_FRONTEND_WEIGHTSTORE_H
#define TXC_PYTHON_FREE_FRONTEND_WEIGHTSTORE_H

#include "mlir/IR/BuiltinTypes.h"
#include "python-free-frontend/onnx-file/OnnxFile.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"

namespace txc {

/// Keys in the order they were added. Tensors of files are shared with their
/// OnnxFile, which the store keeps open; they are read only when asked for.
///
/// Thread-safety: any number of threads may call const members.
class WeightStore {
public:
  /// A tensor of \p file; a key that is taken is replaced.
  void add(llvm::StringRef key, mlir::RankedTensorType type,
           std::shared_ptr<const onnx::OnnxFile> file,
           const onnx::TensorRef &tensor);
  /// Bytes in the form of onnx::TensorData: dense, row-major, little-endian.
  void add(llvm::StringRef key, mlir::RankedTensorType type,
           std::vector<uint8_t> bytes);

  bool contains(llvm::StringRef key) const { return entries.count(key.str()); }
  /// Null if there is no such key.
  mlir::RankedTensorType getType(llvm::StringRef key) const;
  /// The elements; mapped ones are not copied and live as long as the store.
  /// An error if there is no such key or the file's data can't be decoded.
  llvm::Expected<onnx::TensorData> read(llvm::StringRef key) const;

  llvm::SmallVector<llvm::StringRef> getKeys() const;
  size_t size() const { return entries.size(); }

private:
  struct Entry {
    mlir::RankedTensorType type;
    /// Null for owned bytes.
    std::shared_ptr<const onnx::OnnxFile> file;
    const onnx::TensorRef *tensor = nullptr;
    std::vector<uint8_t> bytes;
  };
  llvm::MapVector<std::string, Entry, llvm::StringMap<unsigned>> entries;
};

} // namespace txc

#endif // TXC_PYTHON_FREE_FRONTEND_WEIGHTSTORE_H
