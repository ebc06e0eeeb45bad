//===- Weights.cpp - The weights of a compiled model ------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Planning and streaming of a weights image.
///
//===----------------------------------------------------------------------===//

#include "compiler/emit/Weights.h"

#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MathExtras.h"

#include <cassert>
#include <memory>
#include <new>

using namespace llvm;
using namespace txc;

uint64_t WeightsImage::add(uint64_t entrySize, StringRef key,
                           Producer produce) {
  if (!key.empty()) {
    auto [found, inserted] = entryOfKey.try_emplace(key, entries.size());
    if (!inserted) {
      const Entry &shared = entries[found->second];
      assert(shared.size == entrySize && "equal keys, different sizes");
      return shared.offset;
    }
  }
  uint64_t offset =
      alignTo(size, entrySize >= largeEntrySize ? pageSize : alignment);
  entries.push_back({offset, entrySize, std::move(produce)});
  size = alignTo(offset + entrySize, alignment);
  return offset;
}

Error WeightsImage::write(Sink sink) {
  static constexpr char zeros[pageSize] = {};
  uint64_t position = 0;
  for (Entry &entry : entries) {
    if (Error error = sink(ArrayRef(zeros).take_front(entry.offset - position)))
      return error;
    // A tensor that does not fit must not end the process.
    uint64_t paddedSize = alignTo(entry.size, alignment);
    std::unique_ptr<char[]> bytes(new (std::nothrow) char[paddedSize]());
    if (!bytes)
      return createStringError("out of memory for a weight of " +
                               Twine(entry.size) + " bytes");
    if (Error error = entry.produce(MutableArrayRef(bytes.get(), entry.size)))
      return error;
    entry.produce = {};
    if (Error error = sink(ArrayRef(bytes.get(), paddedSize)))
      return error;
    position = entry.offset + paddedSize;
  }
  return Error::success();
}
