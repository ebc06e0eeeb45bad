//===- AttentionHarness.h - Compiles and feeds attention --------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Turns the description of an attention into a compiled kernel and its
/// operands, for tests and benchmarks.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TEST_UNIT_X86_ATTENTIONHARNESS_H
#define TXC_TEST_UNIT_X86_ATTENTIONHARNESS_H

#include "compiler/codegen/x86/Attention.h"
#include "test/unit/x86/GuardedBuffer.h"
#include "test/unit/x86/KernelJit.h"
#include <array>
#include <random>

namespace txc::test {

/// How heads lie in memory.
enum class HeadLayout {
  /// [b][h][s][element].
  HeadMajor,
  /// [b][s][h][element], as projections leave them.
  SequenceMajor,
  /// [b][h][element][s].
  ElementMajor
};

enum class MaskKind {
  None,
  /// f32 [b][h][s][t].
  Additive,
  /// f32 [b][t].
  AdditivePerKey,
  /// i1, from a number [b][h][s][t] that is not zero.
  Boolean
};

struct AttentionCase {
  int64_t batch, heads, group, queries, keys, size, valueSize;
  HeadLayout layout = HeadLayout::HeadMajor;
  MaskKind mask = MaskKind::None;
  std::optional<int64_t> causalOffset = std::nullopt;
  bool hasValidKeys = false;
  std::optional<double> softcap = std::nullopt;
  bool softcapAfterMask = false;
  x86::FullyMasked fullyMasked = x86::FullyMasked::NaN;
  double scale = 0.125;
  x86::DotType type = x86::DotType::f32;
};

/// Strides over (b, h, s or t, element).
using HeadStrides = std::array<int64_t, 4>;

/// Random Q, K, V in [-1, 1], no mask and all keys valid, and O filled with
/// NaN.
struct AttentionOperands {
  AttentionOperands(const AttentionCase &test, std::mt19937 &random);

  int64_t keyHeads() const { return test.heads / test.group; }
  /// The mask of query (b, h, s) and key t.
  float &maskAt(int64_t b, int64_t h, int64_t s, int64_t t);
  template <typename Buffer>
  static auto &at(Buffer &buffer, const HeadStrides &strides, int64_t b,
                  int64_t h, int64_t s, int64_t element) {
    return buffer[b * strides[0] + h * strides[1] + s * strides[2] +
                  element * strides[3]];
  }

  AttentionCase test;
  HeadStrides qStrides, kStrides, vStrides, oStrides;
  GuardedBuffer<float> q, k, v, o, mask;
  GuardedBuffer<int64_t> validKeys;
};

/// A compiled attention. All dims but the sizes of a head are arguments.
class AttentionKernel {
public:
  static llvm::Expected<AttentionKernel> create(const AttentionCase &test,
                                                const TestCpu &cpu);

  int64_t taskCount(const AttentionCase &test) const;
  /// Runs tasks \p begin to \p end on \p operands.
  void run(AttentionOperands &operands, int64_t begin, int64_t end) const;

private:
  using Function = void(MemRef *q, MemRef *k, MemRef *v, MemRef *o,
                        MemRef *mask, MemRef *validKeys, MemRef *scratch,
                        MemRef *scalars);

  x86::AttentionSchedule schedule;
  std::unique_ptr<KernelJit> jit;
  Function *function = nullptr;
  std::unique_ptr<GuardedBuffer<char>> scratch;
};

} // namespace txc::test

#endif // TXC_TEST_UNIT_X86_ATTENTIONHARNESS_H
