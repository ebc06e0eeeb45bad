//===- AttentionSchedule.h - Blocking of attention --------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The block sizes of attention: a function of the target and the head's size,
/// never of the number of threads.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_X86_ATTENTIONSCHEDULE_H
#define TXC_COMPILER_CODEGEN_X86_ATTENTIONSCHEDULE_H

#include "compiler/codegen/x86/DotType.h"
#include <cstdint>

namespace txc::x86 {

struct AttentionSchedule {
  /// What the tiles multiply: f32, or bf16 where the target has it.
  DotType type;
  /// Queries of one task; a multiple of the vector length.
  int64_t queryBlock;
  /// Keys whose scores are held at a time.
  int64_t keyBlock;
  /// The register tile of scores: keys broadcast, queries in lanes.
  /// scoreKeys divides keyBlock, scoreVectors · lanes divides queryBlock.
  int64_t scoreKeys, scoreVectors;
  /// The register tile of outputs: queries broadcast, at most this many vectors
  /// of the value's elements in lanes. outputRows divides queryBlock.
  int64_t outputRows, outputVectors;

  bool converts() const { return type != DotType::f32; }
  /// Elements between the scores of consecutive keys: an odd number of cache
  /// lines, or a column of scores would fall on a quarter of the cache's sets.
  int64_t scorePitch() const {
    constexpr int64_t line = 16;
    return queryBlock / line % 2 == 1 ? queryBlock : queryBlock + line;
  }
};

/// \p type is what may be multiplied.
AttentionSchedule chooseAttentionSchedule(const VectorTarget &target,
                                          DotType type = DotType::f32);

/// The sizes of a head that decide about scratch.
struct AttentionHead {
  /// Elements of a query and key, and of a value.
  int64_t size, valueSize;
  /// Values have to be copied, since their elements are not adjacent.
  bool packsValues;
  /// There is a mask.
  bool hasMask;
};

/// Scratch of one worker, in bytes; it doesn't depend on run-time dims.
int64_t attentionScratchBytes(const VectorTarget &target,
                              const AttentionSchedule &schedule,
                              const AttentionHead &head);

/// Byte offsets of the parts of a worker's scratch.
struct AttentionScratch {
  /// [size][queryBlock], [keyBlock][scorePitch], [queryBlock][padded
  /// valueSize].
  int64_t queries, scores, outputs;
  /// [queryBlock] each: greatest score, sum of weights, factor of earlier
  /// blocks.
  int64_t maxima, sums, corrections;
  /// A row of biases of keyBlock keys, or a square of vectors.
  int64_t biases;
  /// [keyBlock][padded valueSize].
  int64_t values;
  /// When tiles multiply words of bf16: [words of size][queryBlock], panels
  /// [words of size][scoreKeys] of the keys, [words of keyBlock][padded
  /// valueSize], and a chunk of f32 on its way there.
  int64_t queryWords, keyWords, valueWords, numbers;
  int64_t total;
};
AttentionScratch layOutAttentionScratch(const VectorTarget &target,
                                        const AttentionSchedule &schedule,
                                        const AttentionHead &head);

} // namespace txc::x86

#endif // TXC_COMPILER_CODEGEN_X86_ATTENTIONSCHEDULE_H
