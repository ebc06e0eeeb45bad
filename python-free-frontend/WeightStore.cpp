//===- WeightStore.cpp - where a module's weights lie ---------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "python-free-frontend/WeightStore.h"

using namespace mlir;
using namespace txc;

void WeightStore::add(StringRef key, RankedTensorType type,
                      std::shared_ptr<const onnx::OnnxFile> file,
                      const onnx::TensorRef &tensor) {
  entries[key.str()] = Entry{type, std::move(file), &tensor, {}};
}

void WeightStore::add(StringRef key, RankedTensorType type,
                      std::vector<uint8_t> bytes) {
  entries[key.str()] = Entry{type, nullptr, nullptr, std::move(bytes)};
}

RankedTensorType WeightStore::getType(StringRef key) const {
  const auto *it = entries.find(key.str());
  return it == entries.end() ? RankedTensorType() : it->second.type;
}

llvm::Expected<onnx::TensorData> WeightStore::read(StringRef key) const {
  const auto *it = entries.find(key.str());
  if (it == entries.end())
    return llvm::createStringError("there is no weight \"%s\"",
                                   key.str().c_str());
  const Entry &entry = it->second;
  if (entry.file)
    return entry.file->read(*entry.tensor);
  return onnx::TensorData(llvm::ArrayRef<uint8_t>(entry.bytes));
}

SmallVector<StringRef> WeightStore::getKeys() const {
  return llvm::map_to_vector(
      entries, [](const auto &entry) { return StringRef(entry.first); });
}
