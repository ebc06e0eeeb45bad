//===- cumsum.c - running sums ------------------------------------*- C -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/kernels/calls.h"
#include "runtime/kernels/half.h"

/// Integers wrap, so they are added as unsigned ones.
#define TXC_ADD(wide, x, y)                                                    \
  _Generic((wide)0,                                                            \
      float: (x) + (y),                                                        \
      double: (x) + (y),                                                       \
      default: (wide)((uint64_t)(x) + (uint64_t)(y)))

#define TXC_ELEMENT(suffix, type, wide, load, store)                           \
  void txc_cumsum_##suffix(char *const *buffers, const int64_t *parameters,    \
                           int64_t begin, int64_t end, txc_fault *fault) {     \
    (void)fault;                                                               \
    int64_t length = parameters[1], inner = parameters[2];                     \
    int exclusive = parameters[3] != 0, reverse = parameters[4] != 0;          \
    for (int64_t line = begin * inner; line < end * inner; ++line) {           \
      int64_t first = line / inner * length * inner + line % inner;            \
      const type *x = (const type *)buffers[0] + first;                        \
      type *result = (type *)buffers[1] + first;                               \
      wide sum = 0;                                                            \
      for (int64_t i = 0; i < length; ++i) {                                   \
        int64_t at = (reverse ? length - 1 - i : i) * inner;                   \
        if (exclusive)                                                         \
          result[at] = store(sum);                                             \
        sum = TXC_ADD(wide, sum, load(x[at]));                                 \
        if (!exclusive)                                                        \
          result[at] = store(sum);                                             \
      }                                                                        \
    }                                                                          \
  }
#include "runtime/kernels/elements.def"
