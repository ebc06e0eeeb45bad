//===- calls.h - routines that phases call ------------------------*- C -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// What kernel.call names: C routines for what is no loop nest over tiles. They
/// are compiled to bitcode when txc is built; the compiler links those that a
/// model calls. No routine allocates, blocks or keeps state; any number of
/// threads may run ranges of tasks of one phase at a time.
///
/// `buffers`: the operands, then the results, row-major. `parameters`: listed
/// with each routine. Tasks [begin, end) of the phase are run. `fault` is as in
/// runtime/abi.h.
///
/// Names end in the element type: f16, bf16, f32, f64, i8 … i64, u8 … u64;
/// booleans are u8.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_RUNTIME_KERNELS_CALLS_H
#define TXC_RUNTIME_KERNELS_CALLS_H

#include "runtime/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void txc_call_fn(char *const *buffers, const int64_t *parameters,
                         int64_t begin, int64_t end, txc_fault *fault);

/// Buffers: any number of operands, the result. Parameters: the number of
/// operands, then for each the bytes it has at one index of the dims before the
/// axis. A task is such an index.
txc_call_fn txc_concat;

/// Lines along an axis. Parameters of both: the number of elements before the
/// axis, along it and behind it; a task is an index of those before.
///
/// txc_cumsum_*: x, the result; parameters: exclusive, reverse. Half floats
/// are summed in f32.
///
/// txc_topk_*: x, the values, the places (i64); parameters: k (at most the
/// elements along the axis), smallest. Sorted; of equal elements the first one
/// comes first. A NaN is larger than all numbers.
#define TXC_ELEMENT(suffix, type, wide, load, store)                           \
  txc_call_fn txc_cumsum_##suffix;                                             \
  txc_call_fn txc_topk_##suffix;
#include "runtime/kernels/elements.def"

/// One task. Operands: x, indices (i32 or i64), updates. Updates happen in
/// row-major order. An index outside [-dim, dim) is a fault and is left out.
///
/// txc_scatter_elements_*: kind (txc_scatter_kind), bytes of an index, axis,
/// rank, the dims of x, the dims of the indices.
///
/// txc_scatter_nd_*: kind, bytes of an index, the number of index tuples, their
/// length, the elements of an updated slice, the elements of x, the dims of x
/// that the tuples index.
#define TXC_ELEMENT(suffix, type, wide, load, store)                           \
  txc_call_fn txc_scatter_elements_##suffix;                                   \
  txc_call_fn txc_scatter_nd_##suffix;
#include "runtime/kernels/elements.def"

/// One task. Operands: x, booleans; the result, i64 [rank, count]. Parameters:
/// count, which is the number of true elements, rank, the dims of x.
txc_call_fn txc_nonzero;

typedef enum txc_scatter_kind {
  TXC_SCATTER_REPLACE = 0,
  TXC_SCATTER_ADD = 1,
  TXC_SCATTER_MUL = 2,
  TXC_SCATTER_MAX = 3, ///< NaN if one is.
  TXC_SCATTER_MIN = 4
} txc_scatter_kind;

/// The largest rank of txc_scatter_elements_*.
#define TXC_SCATTER_MAX_RANK 32

#ifdef __cplusplus
}
#endif

#endif // TXC_RUNTIME_KERNELS_CALLS_H
