//===- nonzero.c - places of true elements -----------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/kernels/calls.h"

void txc_nonzero(char *const *buffers, const int64_t *parameters, int64_t begin,
                 int64_t end, txc_fault *fault) {
  (void)begin;
  (void)end;
  (void)fault;
  const uint8_t *x = (const uint8_t *)buffers[0];
  int64_t *result = (int64_t *)buffers[1];
  int64_t count = parameters[0], rank = parameters[1];
  const int64_t *dims = parameters + 2;
  int64_t elements = 1;
  for (int64_t d = 0; d < rank; ++d)
    elements *= dims[d];
  int64_t found = 0;
  for (int64_t i = 0; i < elements && found < count; ++i) {
    if (!x[i])
      continue;
    int64_t rest = i;
    for (int64_t d = rank - 1; d >= 0; --d) {
      result[d * count + found] = rest % dims[d];
      rest /= dims[d];
    }
    ++found;
  }
}
