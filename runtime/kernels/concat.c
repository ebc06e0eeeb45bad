//===- concat.c - joining tensors ---------------------------------*- C -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/kernels/calls.h"
#include <string.h>

void txc_concat(char *const *buffers, const int64_t *parameters, int64_t begin,
                int64_t end, txc_fault *fault) {
  (void)fault;
  int64_t count = parameters[0];
  const int64_t *runs = parameters + 1;
  int64_t pitch = 0;
  for (int64_t i = 0; i < count; ++i)
    pitch += runs[i];
  for (int64_t task = begin; task < end; ++task) {
    char *to = buffers[count] + task * pitch;
    for (int64_t i = 0; i < count; ++i) {
      memcpy(to, buffers[i] + task * runs[i], (size_t)runs[i]);
      to += runs[i];
    }
  }
}
