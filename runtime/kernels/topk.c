//===- topk.c - the largest elements ------------------------------*- C -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Each line keeps its k best elements as a heap with the worst one on top, in
/// the results themselves, and sorts that heap in the end: n log k steps and no
/// memory.
//
//===----------------------------------------------------------------------===//

#include "runtime/kernels/calls.h"
#include "runtime/kernels/half.h"

#define TXC_ELEMENT(suffix, type, wide, load, store)                           \
  /* A heap in two arrays whose elements are `stride` apart. */                \
  typedef struct heap_##suffix {                                               \
    type *values;                                                              \
    int64_t *places;                                                           \
    int64_t stride;                                                            \
    int smallest;                                                              \
  } heap_##suffix;                                                             \
                                                                               \
  /* Whether (x, i) comes before (y, j) in the results. */                     \
  static int precedes_##suffix(const heap_##suffix *heap, type x, int64_t i,   \
                               type y, int64_t j) {                            \
    wide a = load(x), b = load(y);                                             \
    int xIsNan = a != a, yIsNan = b != b;                                      \
    if (xIsNan || yIsNan) {                                                    \
      if (xIsNan != yIsNan)                                                    \
        return xIsNan != heap->smallest;                                       \
      return i < j;                                                            \
    }                                                                          \
    if (a != b)                                                                \
      return heap->smallest ? a < b : a > b;                                   \
    return i < j;                                                              \
  }                                                                            \
                                                                               \
  /* Puts an element at `hole` or, while a child follows it, further down. */  \
  static void sink_##suffix(const heap_##suffix *heap, int64_t count,          \
                            int64_t hole, type value, int64_t place) {         \
    type *values = heap->values;                                               \
    int64_t *places = heap->places, stride = heap->stride;                     \
    for (int64_t child = 2 * hole + 1; child < count; child = 2 * hole + 1) {  \
      int64_t other = child + 1;                                               \
      if (other < count &&                                                     \
          precedes_##suffix(heap, values[child * stride],                      \
                            places[child * stride], values[other * stride],    \
                            places[other * stride]))                           \
        child = other;                                                         \
      if (!precedes_##suffix(heap, value, place, values[child * stride],       \
                             places[child * stride]))                          \
        break;                                                                 \
      values[hole * stride] = values[child * stride];                          \
      places[hole * stride] = places[child * stride];                          \
      hole = child;                                                            \
    }                                                                          \
    values[hole * stride] = value;                                             \
    places[hole * stride] = place;                                             \
  }                                                                            \
                                                                               \
  static void select_##suffix(const heap_##suffix *heap, const type *x,        \
                              int64_t length, int64_t k) {                     \
    type *values = heap->values;                                               \
    int64_t *places = heap->places, stride = heap->stride;                     \
    for (int64_t i = 0; i < k; ++i) {                                          \
      values[i * stride] = x[i * stride];                                      \
      places[i * stride] = i;                                                  \
    }                                                                          \
    for (int64_t i = k / 2; i-- > 0;)                                          \
      sink_##suffix(heap, k, i, values[i * stride], places[i * stride]);       \
    for (int64_t i = k; i < length; ++i)                                       \
      if (precedes_##suffix(heap, x[i * stride], i, values[0], places[0]))     \
        sink_##suffix(heap, k, 0, x[i * stride], i);                           \
    for (int64_t last = k - 1; last > 0; --last) {                             \
      type value = values[last * stride];                                      \
      int64_t place = places[last * stride];                                   \
      values[last * stride] = values[0];                                       \
      places[last * stride] = places[0];                                       \
      sink_##suffix(heap, last, 0, value, place);                              \
    }                                                                          \
  }                                                                            \
                                                                               \
  void txc_topk_##suffix(char *const *buffers, const int64_t *parameters,      \
                         int64_t begin, int64_t end, txc_fault *fault) {       \
    (void)fault;                                                               \
    int64_t length = parameters[1], inner = parameters[2], k = parameters[3];  \
    if (k == 0)                                                                \
      return;                                                                  \
    for (int64_t line = begin * inner; line < end * inner; ++line) {           \
      int64_t outer = line / inner, within = line % inner;                     \
      int64_t first = outer * k * inner + within;                              \
      heap_##suffix heap = {(type *)buffers[1] + first,                        \
                            (int64_t *)buffers[2] + first, inner,              \
                            parameters[4] != 0};                               \
      select_##suffix(                                                         \
          &heap, (const type *)buffers[0] + outer * length * inner + within,   \
          length, k);                                                          \
    }                                                                          \
  }
#include "runtime/kernels/elements.def"
