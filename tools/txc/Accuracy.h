//===- Accuracy.h - how much two results may differ ------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// The yardstick of `txc verify`. Two correct evaluations of a model differ by
/// rounding, and how much rounding a model amplifies depends on the model. So
/// the reference is evaluated twice: as the model is, and with every float of
/// its inputs and weights moved by at most one unit in the last place (Monte
/// Carlo arithmetic: Parker, 1997). How far that moves a result says what
/// rounding does to it. A dot product of K terms, summed one after the other,
/// errs by about sqrt(K) / 4 times what such a move of its terms does, so 32
/// times the move covers K up to 4096 twice over.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_TXC_ACCURACY_H
#define TXC_TOOLS_TXC_ACCURACY_H

#include "compiler/reference/HostTensor.h"
#include "dialects/kernel/Kernel.h"
#include "tools/txc-run/Array.h"

namespace txc::tool {

/// The tensor with each float moved by -1, 0 or 1 units in the last place, at
/// random but the same for the same seed. Other types stay as they are. An
/// error if there is no memory for the copy.
llvm::Expected<HostTensor> perturb(const HostTensor &tensor, uint64_t seed);

/// One result of the model beside the reference's.
struct Difference {
  /// The largest absolute error; infinite where one side alone is NaN or the
  /// signs of infinities differ, or where shapes or types do.
  double largest = 0;
  /// Root of the mean square of the reference's finite elements.
  double rms = 0;
  double tolerance = 0;
  /// Of the angle between the two as vectors; 1 for two of zeros. NaN where a
  /// number is not finite.
  double cosine = 1;

  /// Whether rounding explains the error.
  bool isTolerable() const { return largest <= tolerance; }
  /// Whether the error fits factors of \p precision, which change results by
  /// far more than rounding: the cosine is at least 0.999 for bf16 and 0.98 for
  /// int8.
  bool isTolerable(kernel::Precision precision) const;
};

/// Compares \p found with \p expected; \p moved is what the perturbed reference
/// gave. Integers and booleans must be equal.
Difference compare(const run::Array &found, const run::Array &expected,
                   const run::Array &moved);

} // namespace txc::tool

#endif // TXC_TOOLS_TXC_ACCURACY_H
