//===- RandomPhase.h - phases drawn at random ------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Texts of kernel ops: types, views and bodies drawn from a seed, with symbols
/// for some of the sizes.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_TEST_UNIT_CODEGEN_RANDOMPHASE_H
#define TXC_TEST_UNIT_CODEGEN_RANDOMPHASE_H

#include "test/unit/codegen/PhaseHarness.h"
#include <random>

namespace txc::test {

/// Draws. The distributions of <random> differ between libraries; these don't.
class Draw {
public:
  explicit Draw(uint64_t seed) : random(seed) {}

  /// In [low, high].
  int64_t number(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(random() % (high - low + 1));
  }
  bool chance(int percent) { return number(1, 100) <= percent; }
  template <typename T> T pick(std::initializer_list<T> choices) {
    return choices.begin()[number(0, static_cast<int64_t>(choices.size()) - 1)];
  }
  template <typename T> void shuffle(std::vector<T> &values) {
    for (int64_t i = static_cast<int64_t>(values.size()) - 1; i > 0; --i)
      std::swap(values[i], values[number(0, i)]);
  }

private:
  std::mt19937_64 random;
};

/// A dim of an iteration space: its variable, and its size, a number or a
/// symbol.
struct Axis {
  std::string variable, size;
  bool isFixed() const { return llvm::isDigit(size.front()); }
};

/// A tensor that is read or written at a map of axes.
struct View {
  /// "tensor<?x4xf32, #tx.dims<[M, 4]>>"
  std::string type;
  /// "(m, n + 1)"
  std::string map;
};

/// What a view may do besides permuting its axes.
enum class ViewKind {
  /// Leave axes out, slice, step, split: for what is read.
  Input,
  /// The same but for splits: strides address it.
  StridedInput,
  /// Split where it comes out even: each element is written once.
  Result
};

View drawView(Draw &draw, std::vector<Axis> axes, const std::string &element,
              ViewKind kind);

/// An axis of a fixed or a symbolic size.
Axis drawAxis(Draw &draw, const std::string &variable,
              const std::string &symbol, int64_t largest, int percentFixed);

/// A phase, and the sizes to run it at.
struct RandomPhase {
  std::string text;
  std::vector<std::string> symbols;
  /// The first operand may have all of f32's digits.
  bool hasWideOperand = false;
};

RandomPhase drawGemm(Draw &draw);
RandomPhase drawAttention(Draw &draw);
RandomPhase drawMap(Draw &draw);
RandomPhase drawRows(Draw &draw);

} // namespace txc::test

#endif // TXC_TEST_UNIT_CODEGEN_RANDOMPHASE_H
