//===- Weights.h - The weights of a compiled model --------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The read-only bytes that a compiled model maps: which tensors they hold, at
/// which offsets, and how to produce them. Offsets are known before any byte is
/// made, so that code can be generated first; the bytes are made one tensor
/// after the other while they are written, so that a model larger than memory
/// can be compiled.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_EMIT_WEIGHTS_H
#define TXC_COMPILER_EMIT_WEIGHTS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/FunctionExtras.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <vector>

namespace txc {

/// A plan of the weights' bytes. Entries keep the order in which they were
/// added; gaps between them are zero.
class WeightsImage {
public:
  /// Fills a buffer of the entry's size, zeroed before. Called once at most.
  using Producer =
      llvm::unique_function<llvm::Error(llvm::MutableArrayRef<char>)>;
  /// Takes the next bytes of the image, a multiple of `alignment` of them.
  using Sink = llvm::function_ref<llvm::Error(llvm::ArrayRef<char>)>;

  /// Every entry begins at a multiple of this many bytes: a cache line, and the
  /// widest vector.
  static constexpr uint64_t alignment = 64;
  /// Entries of at least this size begin at a page, so that a page belongs to
  /// one of them and is read from disk for one of them only.
  static constexpr uint64_t largeEntrySize = uint64_t(1) << 16;
  static constexpr uint64_t pageSize = 4096;

  /// Adds \p size bytes made by \p produce and returns their offset in the
  /// image. \p key names the content: an entry with the key of an earlier one
  /// must have its size and content and shares its bytes. An empty key is never
  /// shared.
  uint64_t add(uint64_t size, llvm::StringRef key, Producer produce);

  /// Bytes of the image, a multiple of `alignment`.
  uint64_t getSize() const { return size; }
  size_t getNumEntries() const { return entries.size(); }
  bool empty() const { return size == 0; }

  /// Produces every entry and hands the image to \p sink from its first byte to
  /// its last. Holds one entry in memory at a time and drops each producer
  /// after its use, so it can be called once. Stops at the first error.
  llvm::Error write(Sink sink);

private:
  struct Entry {
    uint64_t offset;
    uint64_t size;
    Producer produce;
  };

  std::vector<Entry> entries;
  llvm::StringMap<size_t> entryOfKey;
  uint64_t size = 0;
};

} // namespace txc

#endif // TXC_COMPILER_EMIT_WEIGHTS_H
