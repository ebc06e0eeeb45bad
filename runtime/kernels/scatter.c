//===- scatter.c - updates at computed places ---------------------*- C -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/kernels/calls.h"
#include "runtime/kernels/half.h"
#include <string.h>

/// Index number `i` as one in [0, dim); -1 and a fault if it is none.
static int64_t read_index(const char *indices, int64_t bytes, int64_t i,
                          int64_t dim, txc_fault *fault) {
  int64_t index = bytes == 4 ? ((const int32_t *)indices)[i]
                             : ((const int64_t *)indices)[i];
  int64_t wrapped = index < 0 ? index + dim : index;
  if (wrapped >= 0 && wrapped < dim)
    return wrapped;
  fault->found = index;
  fault->limit = dim;
  fault->code = TXC_FAULT_INDEX_OUT_OF_RANGE;
  return -1;
}

/// Where an update of txc_scatter_elements goes: the element of x, or -1.
/// `place` holds the update's index of each dim.
static int64_t get_target(const int64_t *place, int64_t rank,
                          const int64_t *dims, int64_t axis, int64_t index) {
  int64_t element = 0;
  for (int64_t d = 0; d < rank; ++d)
    element = element * dims[d] + (d == axis ? index : place[d]);
  return element;
}

/// The next index in row-major order.
static void advance(int64_t *place, int64_t rank, const int64_t *dims) {
  for (int64_t d = rank; d-- > 0;) {
    if (++place[d] < dims[d])
      return;
    place[d] = 0;
  }
}

static int64_t count_elements(const int64_t *dims, int64_t rank) {
  int64_t count = 1;
  for (int64_t d = 0; d < rank; ++d)
    count *= dims[d];
  return count;
}

/// The slice number that an index tuple names, or -1.
static int64_t read_tuple(const char *indices, int64_t bytes, int64_t first,
                          const int64_t *dims, int64_t length,
                          txc_fault *fault) {
  int64_t slice = 0;
  for (int64_t d = 0; d < length; ++d) {
    int64_t index = read_index(indices, bytes, first + d, dims[d], fault);
    if (index < 0)
      return -1;
    slice = slice * dims[d] + index;
  }
  return slice;
}

/// Integers wrap, so they are combined as unsigned ones.
#define TXC_WRAP(wide, x, op, y)                                               \
  _Generic((wide)0,                                                            \
      float: (x)op(y),                                                         \
      double: (x)op(y),                                                        \
      default: (wide)((uint64_t)(x)op(uint64_t)(y)))

#define TXC_ELEMENT(suffix, type, wide, load, store)                           \
  static type combine_##suffix(int64_t kind, type old, type update) {          \
    wide x = load(old), y = load(update);                                      \
    switch (kind) {                                                            \
    case TXC_SCATTER_ADD:                                                      \
      return store(TXC_WRAP(wide, x, +, y));                                   \
    case TXC_SCATTER_MUL:                                                      \
      return store(TXC_WRAP(wide, x, *, y));                                   \
    case TXC_SCATTER_MAX:                                                      \
      return x != x || x > y ? old : update;                                   \
    case TXC_SCATTER_MIN:                                                      \
      return x != x || x < y ? old : update;                                   \
    default:                                                                   \
      return update;                                                           \
    }                                                                          \
  }                                                                            \
                                                                               \
  void txc_scatter_elements_##suffix(char *const *buffers,                     \
                                     const int64_t *parameters, int64_t begin, \
                                     int64_t end, txc_fault *fault) {          \
    int64_t kind = parameters[0], bytes = parameters[1];                       \
    int64_t axis = parameters[2], rank = parameters[3];                        \
    const int64_t *dims = parameters + 4, *counts = dims + rank;               \
    const type *updates = (const type *)buffers[2];                            \
    type *result = (type *)buffers[3];                                         \
    int64_t place[TXC_SCATTER_MAX_RANK] = {0};                                 \
    if (begin == end)                                                          \
      return;                                                                  \
    memcpy(result, buffers[0],                                                 \
           sizeof(type) * (size_t)count_elements(dims, rank));                 \
    int64_t count = count_elements(counts, rank);                              \
    for (int64_t i = 0; i < count; ++i, advance(place, rank, counts)) {        \
      int64_t index = read_index(buffers[1], bytes, i, dims[axis], fault);     \
      if (index < 0)                                                           \
        continue;                                                              \
      int64_t at = get_target(place, rank, dims, axis, index);                 \
      result[at] = combine_##suffix(kind, result[at], updates[i]);             \
    }                                                                          \
  }                                                                            \
                                                                               \
  void txc_scatter_nd_##suffix(char *const *buffers,                           \
                               const int64_t *parameters, int64_t begin,       \
                               int64_t end, txc_fault *fault) {                \
    int64_t kind = parameters[0], bytes = parameters[1];                       \
    int64_t tuples = parameters[2], length = parameters[3];                    \
    int64_t slice = parameters[4], elements = parameters[5];                   \
    const type *updates = (const type *)buffers[2];                            \
    type *result = (type *)buffers[3];                                         \
    if (begin == end)                                                          \
      return;                                                                  \
    memcpy(result, buffers[0], sizeof(type) * (size_t)elements);               \
    for (int64_t i = 0; i < tuples; ++i, updates += slice) {                   \
      int64_t number = read_tuple(buffers[1], bytes, i * length,               \
                                  parameters + 6, length, fault);              \
      if (number < 0)                                                          \
        continue;                                                              \
      type *to = result + number * slice;                                      \
      for (int64_t j = 0; j < slice; ++j)                                      \
        to[j] = combine_##suffix(kind, to[j], updates[j]);                     \
    }                                                                          \
  }
#include "runtime/kernels/elements.def"
