//===- allocations.c - Counts what is allocated --------------------*- C
//-*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Functions of the same names come before libc's, for a model that is loaded
/// later too.
///
//===----------------------------------------------------------------------===//

#include "test/process/allocations.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_long allocations;

long count_allocations(void) { return atomic_load(&allocations); }

// glibc's own, which an application may wrap.
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

void *malloc(size_t bytes) {
  atomic_fetch_add(&allocations, 1);
  return __libc_malloc(bytes);
}
void *calloc(size_t count, size_t bytes) {
  atomic_fetch_add(&allocations, 1);
  return __libc_calloc(count, bytes);
}
void *realloc(void *memory, size_t bytes) {
  atomic_fetch_add(&allocations, 1);
  return __libc_realloc(memory, bytes);
}
void *aligned_alloc(size_t alignment, size_t bytes) {
  atomic_fetch_add(&allocations, 1);
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void **memory, size_t alignment, size_t bytes) {
  atomic_fetch_add(&allocations, 1);
  *memory = __libc_memalign(alignment, bytes);
  return *memory ? 0 : 12 /* ENOMEM */;
}
void *mmap(void *address, size_t bytes, int protection, int flags, int file,
           off_t offset) {
  atomic_fetch_add(&allocations, 1);
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the call returns an address.
  return (void *)syscall(SYS_mmap, address, bytes, protection, flags, file,
                         offset);
}
