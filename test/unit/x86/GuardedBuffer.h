//===- GuardedBuffer.h - Memory that faults when overrun --------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Arrays between inaccessible pages, so that a kernel that reads or writes out
/// of bounds crashes the test.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TEST_UNIT_X86_GUARDEDBUFFER_H
#define TXC_TEST_UNIT_X86_GUARDEDBUFFER_H

#include "test/unit/x86/KernelJit.h"
#include "llvm/Support/MathExtras.h"
#include <cstdlib>
#include <sys/mman.h>
#include <unistd.h>

namespace txc::test {

/// Which end of the array touches an inaccessible page.
enum class Guard { Front, Back };

/// An array of \p size elements, zero at first; owned.
template <typename T> class GuardedBuffer {
public:
  explicit GuardedBuffer(int64_t size, Guard guard = Guard::Back)
      : count(size) {
    int64_t page = sysconf(_SC_PAGESIZE);
    int64_t bytes = size * static_cast<int64_t>(sizeof(T));
    int64_t inner = llvm::alignTo(bytes, page);
    mappedBytes = inner + 2 * page;
    void *map = mmap(nullptr, mappedBytes, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
      std::abort();
    mapped = static_cast<char *>(map);
    if (inner != 0 &&
        mprotect(mapped + page, inner, PROT_READ | PROT_WRITE) != 0)
      std::abort();
    char *first = mapped + page + (guard == Guard::Back ? inner - bytes : 0);
    elements = reinterpret_cast<T *>(first);
  }
  ~GuardedBuffer() { munmap(mapped, mappedBytes); }
  GuardedBuffer(const GuardedBuffer &) = delete;
  GuardedBuffer &operator=(const GuardedBuffer &) = delete;

  T *data() { return elements; }
  int64_t size() const { return count; }
  T &operator[](int64_t i) { return elements[i]; }
  const T &operator[](int64_t i) const { return elements[i]; }
  T *begin() { return elements; }
  T *end() { return elements + count; }
  MemRef memref() { return MemRef(elements, count); }

private:
  char *mapped;
  T *elements;
  int64_t count, mappedBytes;
};

} // namespace txc::test

#endif // TXC_TEST_UNIT_X86_GUARDEDBUFFER_H
