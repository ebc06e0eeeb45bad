//===- support.c - Sentences, memory, element types -----------------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See support.h.
///
//===----------------------------------------------------------------------===//

#include "runtime/support.h"

#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

txc_status txc_fail(txc_message *message, txc_status status, const char *format,
                    ...) {
  if (message) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message->text, sizeof message->text, format, arguments);
    va_end(arguments);
  }
  return status;
}

void txc_log(const txc_logger *logger, txc_log_level level, const char *format,
             ...) {
  if (!logger->log)
    return;
  txc_message message;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message.text, sizeof message.text, format, arguments);
  va_end(arguments);
  logger->log(logger->user, level, message.text);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

enum { HugePage = 2 << 20 };

static void *allocate_default(void *user, size_t bytes, size_t alignment) {
  (void)user;
  if (bytes >= HugePage && alignment < HugePage)
    alignment = HugePage;
  void *memory = NULL;
  if (posix_memalign(&memory, alignment, bytes) != 0)
    return NULL;
  // Arenas are walked with large strides: TLB misses would show. A kernel
  // without huge pages refuses, which is no loss.
  if (bytes >= HugePage)
    (void)madvise(memory, bytes & ~(size_t)(HugePage - 1), MADV_HUGEPAGE);
  return memory;
}

static void release_default(void *user, void *memory, size_t bytes) {
  (void)user;
  (void)bytes;
  free(memory);
}

txc_allocator txc_choose_allocator(const txc_allocator *given) {
  if (given)
    return *given;
  txc_allocator standard = {NULL, allocate_default, release_default};
  return standard;
}

void *txc_allocate(const txc_allocator *allocator, size_t bytes,
                   size_t alignment) {
  if (bytes > PTRDIFF_MAX)
    return NULL;
  return allocator->allocate(allocator->user, bytes ? bytes : 1, alignment);
}

void *txc_allocate_zero(const txc_allocator *allocator, size_t bytes,
                        size_t alignment) {
  void *memory = txc_allocate(allocator, bytes, alignment);
  if (memory)
    memset(memory, 0, bytes);
  return memory;
}

void txc_release(const txc_allocator *allocator, void *memory, size_t bytes) {
  if (memory)
    allocator->release(allocator->user, memory, bytes ? bytes : 1);
}

//===----------------------------------------------------------------------===//
// Element types
//===----------------------------------------------------------------------===//

static const struct {
  const char *name;
  int32_t bits;
} types[] = {
    [TXC_FLOAT32] = {"float32", 32},
    [TXC_UINT8] = {"uint8", 8},
    [TXC_INT8] = {"int8", 8},
    [TXC_UINT16] = {"uint16", 16},
    [TXC_INT16] = {"int16", 16},
    [TXC_INT32] = {"int32", 32},
    [TXC_INT64] = {"int64", 64},
    [TXC_STRING] = {"string", 0},
    [TXC_BOOL] = {"bool", 8},
    [TXC_FLOAT16] = {"float16", 16},
    [TXC_FLOAT64] = {"float64", 64},
    [TXC_UINT32] = {"uint32", 32},
    [TXC_UINT64] = {"uint64", 64},
    [TXC_COMPLEX64] = {"complex64", 64},
    [TXC_COMPLEX128] = {"complex128", 128},
    [TXC_BFLOAT16] = {"bfloat16", 16},
    [TXC_FLOAT8E4M3FN] = {"float8e4m3fn", 8},
    [TXC_FLOAT8E4M3FNUZ] = {"float8e4m3fnuz", 8},
    [TXC_FLOAT8E5M2] = {"float8e5m2", 8},
    [TXC_FLOAT8E5M2FNUZ] = {"float8e5m2fnuz", 8},
    [TXC_UINT4] = {"uint4", 4},
    [TXC_INT4] = {"int4", 4},
    [TXC_FLOAT4E2M1] = {"float4e2m1", 4},
    [TXC_FLOAT8E8M0] = {"float8e8m0", 8},
    [TXC_UINT2] = {"uint2", 2},
    [TXC_INT2] = {"int2", 2},
};

static bool is_type(int32_t type) {
  return type > 0 && type < (int32_t)(sizeof types / sizeof *types);
}

const char *txc_type_name(int32_t type) {
  return is_type(type) ? types[type].name : "an unknown type";
}

int32_t txc_type_bits(int32_t type) {
  return is_type(type) ? types[type].bits : 0;
}

bool txc_tensor_bytes(int32_t type, int32_t rank, const int64_t *dims,
                      uint64_t *bytes) {
  uint64_t bits = (uint64_t)txc_type_bits(type);
  bool empty = false;
  for (int32_t i = 0; i < rank; ++i) {
    if (dims[i] < 0)
      return false;
    if (dims[i] == 0)
      empty = true;
    else if (__builtin_mul_overflow(bits, (uint64_t)dims[i], &bits))
      return false;
  }
  *bytes = empty ? 0 : bits / 8 + (bits % 8 != 0);
  return true;
}

//===----------------------------------------------------------------------===//
// Time and structs with a size
//===----------------------------------------------------------------------===//

uint64_t txc_now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

txc_status txc_copy_options(void *to, size_t to_size, const void *from,
                            txc_message *message) {
  size_t from_size;
  if (!from)
    return TXC_OK;
  memcpy(&from_size, from, sizeof from_size);
  if (from_size < sizeof from_size)
    return txc_fail(message, TXC_INVALID_ARGUMENT,
                    "the options' size is %zu; make them with "
                    "txc_open_options_default() or its like",
                    from_size);
  memcpy(to, from, from_size < to_size ? from_size : to_size);
  return TXC_OK;
}

txc_status txc_fill_info(void *to, const void *from, size_t from_size) {
  size_t to_size;
  if (!to)
    return TXC_INVALID_ARGUMENT;
  memcpy(&to_size, to, sizeof to_size);
  if (to_size < sizeof to_size)
    return TXC_INVALID_ARGUMENT;
  size_t known = to_size < from_size ? to_size : from_size;
  memcpy((char *)to + sizeof to_size, (const char *)from + sizeof to_size,
         known - sizeof to_size);
  // What a newer caller knows and this runtime doesn't.
  memset((char *)to + known, 0, to_size - known);
  return TXC_OK;
}
