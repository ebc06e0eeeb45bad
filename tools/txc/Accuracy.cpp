//===- Accuracy.cpp - how much two results may differ --------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/txc/Accuracy.h"
#include "runtime/txc.h"
#include <cmath>
#include <random>

using namespace txc;
using namespace txc::tool;

/// How far rounding moves a result at most, in moves of the perturbed
/// reference; see the header.
static constexpr double kMoves = 32;
/// A result that perturbation does not move at all (exp of a small number) is
/// still rounded, and polynomials of elementary functions err by a few units.
static constexpr double kUnits = 8;

/// The distance of 1 and the next larger number of a float type.
static double getUnit(int32_t type) {
  switch (type) {
  case TXC_FLOAT64:
    return 0x1p-52;
  case TXC_FLOAT32:
    return 0x1p-23;
  case TXC_FLOAT16:
    return 0x1p-10;
  case TXC_BFLOAT16:
    return 0x1p-7;
  default:
    // Floats of 8 bits and less, of which the coarsest has 1 mantissa bit.
    return 0x1p-1;
  }
}

llvm::Expected<HostTensor> tool::perturb(const HostTensor &tensor,
                                         uint64_t seed) {
  if (!tensor.isFloat())
    return tensor;
  llvm::Expected<HostTensor> moved = tensor.copy();
  if (!moved)
    return moved;
  auto type = llvm::cast<mlir::FloatType>(tensor.getElementType());
  double unit =
      std::ldexp(1.0, 1 - static_cast<int>(type.getFPMantissaWidth()));
  std::minstd_rand random(static_cast<unsigned>(seed * 2 + 1));
  for (int64_t i = 0; i < tensor.getNumElements(); ++i) {
    double sign = static_cast<double>(random() % 3) - 1;
    double value = tensor.getDouble(i);
    // From 0.75 to 1.5 units of this number, which rounds to the neighbour.
    if (std::isfinite(value))
      moved->setDouble(i, value + value * (sign * 0.75 * unit));
  }
  return moved;
}

/// |a - b| where equal specials are no error.
static double getError(double found, double expected) {
  if (found == expected || (std::isnan(found) && std::isnan(expected)))
    return 0;
  double error = std::abs(found - expected);
  return std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
}

static double getLargestError(const run::Array &found,
                              const run::Array &expected) {
  if (found.type != expected.type || found.dims != expected.dims)
    return std::numeric_limits<double>::infinity();
  double largest = 0;
  int64_t count = run::countElements(expected.dims);
  for (int64_t i = 0; i < count; ++i)
    largest = std::max(
        largest,
        getError(run::getElement(found.type, found.data.data(), i),
                 run::getElement(expected.type, expected.data.data(), i)));
  return largest;
}

static double getCosine(const run::Array &found, const run::Array &expected) {
  if (found.type != expected.type || found.dims != expected.dims)
    return std::numeric_limits<double>::quiet_NaN();
  double product = 0, foundSquares = 0, expectedSquares = 0;
  int64_t count = run::countElements(expected.dims);
  for (int64_t i = 0; i < count; ++i) {
    double x = run::getElement(found.type, found.data.data(), i);
    double y = run::getElement(expected.type, expected.data.data(), i);
    product += x * y;
    foundSquares += x * x;
    expectedSquares += y * y;
  }
  if (foundSquares == 0 && expectedSquares == 0)
    return 1;
  return product / std::sqrt(foundSquares * expectedSquares);
}

bool Difference::isTolerable(kernel::Precision precision) const {
  return cosine >= (precision == kernel::Precision::bf16 ? 0.999 : 0.98);
}

Difference tool::compare(const run::Array &found, const run::Array &expected,
                         const run::Array &moved) {
  Difference difference;
  difference.largest = getLargestError(found, expected);
  difference.cosine = getCosine(found, expected);
  double squares = 0;
  double largestValue = 0;
  int64_t numFinite = 0;
  int64_t count = run::countElements(expected.dims);
  for (int64_t i = 0; i < count; ++i) {
    double value = run::getElement(expected.type, expected.data.data(), i);
    if (!std::isfinite(value))
      continue;
    ++numFinite;
    squares += value * value;
    largestValue = std::max(largestValue, std::abs(value));
  }
  if (numFinite)
    difference.rms = std::sqrt(squares / static_cast<double>(numFinite));
  if (!run::isFloat(expected.type))
    return difference;
  double move = getLargestError(moved, expected);
  difference.tolerance = kUnits * getUnit(expected.type) * largestValue;
  // A perturbation that turns a number into NaN says nothing.
  if (std::isfinite(move))
    difference.tolerance += kMoves * move;
  return difference;
}
