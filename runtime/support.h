//===- support.h - What all parts of the runtime share ------------*- C -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Sentences, memory, element types and time.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_RUNTIME_SUPPORT_H
#define TXC_RUNTIME_SUPPORT_H

#include "runtime/abi.h"

#include <stdbool.h>
#include <stdint.h>

/// Writes the sentence into message, which may be NULL, and returns status, so
/// that a check is one statement. Sentences that are too long are cut.
txc_status txc_fail(txc_message *message, txc_status status, const char *format,
                    ...) __attribute__((format(printf, 3, 4)));

/// Where remarks go.
typedef struct txc_logger {
  txc_log_fn log; ///< NULL: nowhere.
  void *user;
} txc_logger;

void txc_log(const txc_logger *logger, txc_log_level level, const char *format,
             ...) __attribute__((format(printf, 3, 4)));

/// The allocator that options name, or one over malloc.
txc_allocator txc_choose_allocator(const txc_allocator *given);
/// NULL when there is no memory; a size of 0 is one byte.
void *txc_allocate(const txc_allocator *allocator, size_t bytes,
                   size_t alignment);
/// The same, filled with zeros.
void *txc_allocate_zero(const txc_allocator *allocator, size_t bytes,
                        size_t alignment);
/// memory may be NULL; bytes as at the allocation.
void txc_release(const txc_allocator *allocator, void *memory, size_t bytes);

/// "int64"; "type 77" for a number that is none.
const char *txc_type_name(int32_t type);
/// Bits of one element; 0 for types without a fixed size.
int32_t txc_type_bits(int32_t type);
/// Bytes of a dense tensor; false when a dim is negative or the product does
/// not fit.
bool txc_tensor_bytes(int32_t type, int32_t rank, const int64_t *dims,
                      uint64_t *bytes);

/// Nanoseconds of the monotonic clock.
uint64_t txc_now_ns(void);

/// Copies the options a caller has into those this runtime knows, which keep
/// their defaults where an older caller has none. INVALID_ARGUMENT for options
/// without a size. from may be NULL.
txc_status txc_copy_options(void *to, size_t to_size, const void *from,
                            txc_message *message);

/// Writes what is known of an info struct: the caller's size (its first
/// member) limits it and is kept.
txc_status txc_fill_info(void *to, const void *from, size_t from_size);

#endif // TXC_RUNTIME_SUPPORT_H
