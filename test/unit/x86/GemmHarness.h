//===- GemmHarness.h - Compiles and feeds matrix products -------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Turns the description of a product C = A · B + bias into a compiled kernel
/// and its operands, for tests and benchmarks.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TEST_UNIT_X86_GEMMHARNESS_H
#define TXC_TEST_UNIT_X86_GEMMHARNESS_H

#include "compiler/codegen/x86/GemmSchedule.h"
#include "test/unit/x86/GuardedBuffer.h"
#include "test/unit/x86/KernelJit.h"
#include <random>

namespace txc::test {

enum class Order { RowMajor, ColumnMajor, Gapped };
enum class Weights { Packed, RowMajor, Transposed, Gapped };

struct GemmCase {
  int64_t batch, m, n, k;
  Order a = Order::RowMajor;
  Weights b = Weights::Packed;
  /// Dims and strides are constants of the generated code, not arguments.
  bool fixed = false;
  Guard guard = Guard::Back;
  /// What is multiplied; for types other than f32 B is packed.
  x86::DotType type = x86::DotType::f32;
};

/// Strides over (batch, row, column).
struct Strides {
  int64_t batch, row, column;
};

/// Random A, B (in [-1, 1], or any i8 but -128) and bias, and C filled with
/// NaN.
struct GemmOperands {
  GemmOperands(const GemmCase &test, std::mt19937 &random);
  /// Every byte of A and B is \p filling: for products too large to fill number
  /// by number.
  GemmOperands(const GemmCase &test, char filling);
  float &aAt(int64_t batch, int64_t row, int64_t column);
  float getB(int64_t batch, int64_t row, int64_t column);

  GemmCase test;
  bool packed;
  Strides aStrides, bStrides;
  /// \p b has words of 32 bits, whatever they hold.
  GuardedBuffer<float> a, b, bias, c;

private:
  /// Zeros.
  explicit GemmOperands(const GemmCase &test);
  void setB(int64_t batch, int64_t row, int64_t column, float value);
  /// Where that element is.
  char *findB(int64_t batch, int64_t row, int64_t column);
  void addShiftedSums();
};

/// \p value rounded to bf16, to nearest even.
float roundToBf16(float value);

/// A compiled product.
class GemmKernel {
public:
  /// Compiles the kernel of \p test. If its dims aren't fixed, they should be
  /// above 1, so that just the strides that always are 1 become constants.
  static llvm::Expected<GemmKernel> create(const GemmCase &test,
                                           const TestCpu &cpu);

  int64_t taskCount(const GemmCase &test) const;
  /// Runs tasks \p begin to \p end on \p operands.
  void run(GemmOperands &operands, int64_t begin, int64_t end) const;

private:
  using Function = void(MemRef *a, MemRef *b, MemRef *bias, MemRef *c,
                        MemRef *scratch, int64_t, int64_t, int64_t, int64_t,
                        int64_t, int64_t, int64_t, int64_t, int64_t, int64_t,
                        int64_t begin, int64_t end);

  x86::GemmSchedule schedule;
  std::unique_ptr<KernelJit> jit;
  Function *function = nullptr;
  std::unique_ptr<GuardedBuffer<char>> scratch;
};

} // namespace txc::test

#endif // TXC_TEST_UNIT_X86_GEMMHARNESS_H
