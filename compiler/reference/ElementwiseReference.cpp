//===- ElementwiseReference.cpp - element-wise ops ------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// An op is a function of one element of each operand, on f64 or on i64; the
/// loop over rows of the broadcast index space is common. Integers narrower
/// than 64 bits wrap when they are stored.
//
//===----------------------------------------------------------------------===//

#include "compiler/reference/Evaluation.h"
#include "compiler/reference/ScalarMath.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>
#include <functional>

using namespace mlir;
using namespace txc;
using namespace txc::reference;

namespace {
/// Elements of each operand, as many of each.
using FloatRows = ArrayRef<std::vector<double>>;
/// The op on as many elements as `values` has room for: a call for each would
/// cost more than most of the arithmetic.
using FloatFunction =
    std::function<void(FloatRows rows, MutableArrayRef<double> values)>;
/// Nothing is a fault of the run.
using IntFunction =
    std::function<std::optional<int64_t>(const int64_t *values)>;

/// How integers are compared and divided, and how wide they are.
struct IntKind {
  bool isUnsigned;
  unsigned width;
};
} // namespace

//===----------------------------------------------------------------------===//
// Floats
//===----------------------------------------------------------------------===//

static double sign(double x) {
  return x > 0 ? 1 : x < 0 ? -1 : x + 0.0; // of zeros 0, and NaN
}

static double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

static double gelu(tx::GeluKind kind, double x) {
  // Hendrycks and Gimpel, arXiv:1606.08415.
  constexpr double sqrtHalf = 0.70710678118654752440;
  constexpr double sqrtTwoOverPi = 0.79788456080286535588;
  switch (kind) {
  case tx::GeluKind::erf:
    // erfc keeps the relative accuracy of the left tail.
    return 0.5 * x * std::erfc(-x * sqrtHalf);
  case tx::GeluKind::tanh:
    return 0.5 * x *
           (1 + std::tanh(sqrtTwoOverPi * (x + 0.044715 * x * x * x)));
  case tx::GeluKind::sigmoid:
    return x * sigmoid(1.702 * x);
  }
  llvm_unreachable("all kinds are handled");
}

/// The sign of y, as in Python.
static double floorModulo(double x, double y) {
  double remainder = std::fmod(x, y);
  if (remainder == 0)
    return std::copysign(0.0, y);
  return std::signbit(remainder) != std::signbit(y) ? remainder + y : remainder;
}

template <typename T> static bool compare(tx::Predicate predicate, T x, T y) {
  switch (predicate) {
  case tx::Predicate::eq:
    return x == y;
  case tx::Predicate::ne:
    return x != y;
  case tx::Predicate::lt:
    return x < y;
  case tx::Predicate::le:
    return x <= y;
  case tx::Predicate::gt:
    return x > y;
  case tx::Predicate::ge:
    return x >= y;
  }
  llvm_unreachable("all predicates are handled");
}

/// `function` is what the op does to an element.
template <typename Function> static FloatFunction unary(Function function) {
  return [=](FloatRows rows, MutableArrayRef<double> values) {
    const double *x = rows[0].data();
    for (auto [i, value] : llvm::enumerate(values))
      value = function(x[i]);
  };
}

template <typename Function> static FloatFunction binary(Function function) {
  return [=](FloatRows rows, MutableArrayRef<double> values) {
    const double *x = rows[0].data(), *y = rows[1].data();
    for (auto [i, value] : llvm::enumerate(values))
      value = function(x[i], y[i]);
  };
}

/// The op on floats; null if it has no such form.
static FloatFunction getFloatFunction(Operation *op) {
  using F = double;
  return llvm::TypeSwitch<Operation *, FloatFunction>(op)
      .Case([](tx::NegOp) { return unary(std::negate<F>()); })
      .Case([](tx::AbsOp) { return unary([](F x) { return std::fabs(x); }); })
      .Case([](tx::SignOp) { return unary(sign); })
      .Case([](tx::ExpOp) { return unary([](F x) { return std::exp(x); }); })
      .Case([](tx::LogOp) { return unary([](F x) { return std::log(x); }); })
      .Case([](tx::SqrtOp) { return unary([](F x) { return std::sqrt(x); }); })
      .Case([](tx::ReciprocalOp) { return unary([](F x) { return 1 / x; }); })
      .Case([](tx::SinOp) { return unary([](F x) { return std::sin(x); }); })
      .Case([](tx::CosOp) { return unary([](F x) { return std::cos(x); }); })
      .Case([](tx::TanOp) { return unary([](F x) { return std::tan(x); }); })
      .Case([](tx::AsinOp) { return unary([](F x) { return std::asin(x); }); })
      .Case([](tx::AcosOp) { return unary([](F x) { return std::acos(x); }); })
      .Case([](tx::AtanOp) { return unary([](F x) { return std::atan(x); }); })
      .Case([](tx::SinhOp) { return unary([](F x) { return std::sinh(x); }); })
      .Case([](tx::CoshOp) { return unary([](F x) { return std::cosh(x); }); })
      .Case([](tx::TanhOp) { return unary([](F x) { return std::tanh(x); }); })
      .Case(
          [](tx::AsinhOp) { return unary([](F x) { return std::asinh(x); }); })
      .Case(
          [](tx::AcoshOp) { return unary([](F x) { return std::acosh(x); }); })
      .Case(
          [](tx::AtanhOp) { return unary([](F x) { return std::atanh(x); }); })
      .Case([](tx::ErfOp) { return unary([](F x) { return std::erf(x); }); })
      .Case(
          [](tx::FloorOp) { return unary([](F x) { return std::floor(x); }); })
      .Case([](tx::CeilOp) { return unary([](F x) { return std::ceil(x); }); })
      .Case([](tx::RoundOp) {
        return unary([](F x) { return std::nearbyint(x); });
      })
      .Case([](tx::SigmoidOp) { return unary(sigmoid); })
      .Case(
          [](tx::SiluOp) { return unary([](F x) { return x * sigmoid(x); }); })
      .Case([](tx::GeluOp gelu) {
        return unary([kind = gelu.getKind()](F x) { return ::gelu(kind, x); });
      })
      .Case(
          [](tx::IsNanOp) { return unary([](F x) { return std::isnan(x); }); })
      .Case(
          [](tx::IsInfOp) { return unary([](F x) { return std::isinf(x); }); })
      .Case([](tx::AddOp) { return binary(std::plus<F>()); })
      .Case([](tx::SubOp) { return binary(std::minus<F>()); })
      .Case([](tx::MulOp) { return binary(std::multiplies<F>()); })
      .Case([](tx::DivOp) { return binary(std::divides<F>()); })
      .Case([](tx::RemOp) {
        return binary([](F x, F y) { return std::fmod(x, y); });
      })
      .Case([](tx::ModOp) { return binary(floorModulo); })
      .Case([](tx::PowOp) {
        return binary([](F x, F y) { return std::pow(x, y); });
      })
      .Case([](tx::MaximumOp) {
        return binary([](F x, F y) { return maximum(x, y); });
      })
      .Case([](tx::MinimumOp) {
        return binary([](F x, F y) { return minimum(x, y); });
      })
      .Case([](tx::CompareOp compare) {
        return binary([predicate = compare.getPredicate()](F x, F y) {
          return ::compare(predicate, x, y);
        });
      })
      .Default(FloatFunction());
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

/// Arithmetic in uint64_t wraps, and its low bits are those of the result at
/// any width.
static uint64_t bits(int64_t x) { return static_cast<uint64_t>(x); }

static std::optional<int64_t> divideInt(IntKind kind, int64_t x, int64_t y) {
  if (y == 0)
    return std::nullopt;
  if (kind.isUnsigned)
    return static_cast<int64_t>(bits(x) / bits(y));
  // The one quotient that does not fit wraps.
  return y == -1 ? static_cast<int64_t>(0 - bits(x)) : x / y;
}

static std::optional<int64_t> remainderInt(IntKind kind, int64_t x, int64_t y) {
  if (y == 0)
    return std::nullopt;
  if (kind.isUnsigned)
    return static_cast<int64_t>(bits(x) % bits(y));
  return y == -1 ? 0 : x % y;
}

static std::optional<int64_t> moduloInt(IntKind kind, int64_t x, int64_t y) {
  std::optional<int64_t> result = remainderInt(kind, x, y);
  if (result && !kind.isUnsigned && *result != 0 && (*result < 0) != (y < 0))
    *result += y;
  return result;
}

/// A negative exponent gives the truncated quotient 1 / x ^ -y.
static std::optional<int64_t> powerInt(IntKind kind, int64_t x, int64_t y) {
  if (!kind.isUnsigned && y < 0) {
    if (x == 0)
      return std::nullopt;
    if (x == 1 || x == -1)
      return y % 2 == 0 ? 1 : x;
    return 0;
  }
  uint64_t result = 1, factor = bits(x);
  for (uint64_t exponent = bits(y); exponent != 0; exponent >>= 1) {
    if (exponent & 1)
      result *= factor;
    factor *= factor;
  }
  return static_cast<int64_t>(result);
}

static int64_t shift(IntKind kind, int64_t x, int64_t amount, bool isLeft) {
  uint64_t mask = llvm::maskTrailingOnes<uint64_t>(kind.width);
  if (bits(amount) >= kind.width)
    return 0;
  return static_cast<int64_t>(isLeft ? bits(x) << amount
                                     : (bits(x) & mask) >> amount);
}

/// The op on integers and booleans; null if it has no such form.
static IntFunction getIntFunction(Operation *op, IntKind kind) {
  using X = const int64_t *;
  auto wrapping = [](auto function) {
    return [=](X x) {
      return static_cast<int64_t>(function(bits(x[0]), bits(x[1])));
    };
  };
  auto same = [](X x) { return x[0]; };
  auto bind = [=](auto function) {
    return [=](X x) { return function(kind, x[0], x[1]); };
  };
  return llvm::TypeSwitch<Operation *, IntFunction>(op)
      .Case([](tx::NegOp) {
        return [](X x) { return static_cast<int64_t>(0 - bits(x[0])); };
      })
      .Case([=](tx::AbsOp) {
        return [=](X x) {
          return !kind.isUnsigned && x[0] < 0
                     ? static_cast<int64_t>(0 - bits(x[0]))
                     : x[0];
        };
      })
      .Case([=](tx::SignOp) {
        return [=](X x) -> int64_t {
          return x[0] == 0 ? 0 : isLess(kind.isUnsigned, x[0], 0) ? -1 : 1;
        };
      })
      .Case<tx::FloorOp, tx::CeilOp, tx::RoundOp>([=](auto) { return same; })
      .Case([](tx::NotOp) { return [](X x) { return ~x[0]; }; })
      .Case([=](tx::AddOp) { return wrapping(std::plus<>()); })
      .Case([=](tx::SubOp) { return wrapping(std::minus<>()); })
      .Case([=](tx::MulOp) { return wrapping(std::multiplies<>()); })
      .Case([=](tx::AndOp) { return wrapping(std::bit_and<>()); })
      .Case([=](tx::OrOp) { return wrapping(std::bit_or<>()); })
      .Case([=](tx::XorOp) { return wrapping(std::bit_xor<>()); })
      .Case([=](tx::DivOp) { return bind(divideInt); })
      .Case([=](tx::RemOp) { return bind(remainderInt); })
      .Case([=](tx::ModOp) { return bind(moduloInt); })
      .Case([=](tx::PowOp) { return bind(powerInt); })
      .Case([=](tx::MaximumOp) {
        return [=](X x) {
          return isLess(kind.isUnsigned, x[0], x[1]) ? x[1] : x[0];
        };
      })
      .Case([=](tx::MinimumOp) {
        return [=](X x) {
          return isLess(kind.isUnsigned, x[1], x[0]) ? x[1] : x[0];
        };
      })
      .Case<tx::ShiftLeftOp, tx::ShiftRightOp>([=](auto op) {
        bool isLeft = isa<tx::ShiftLeftOp>(op);
        return [=](X x) { return shift(kind, x[0], x[1], isLeft); };
      })
      .Case([=](tx::CompareOp compare) {
        tx::Predicate predicate = compare.getPredicate();
        return [=](X x) -> int64_t {
          return kind.isUnsigned ? ::compare(predicate, bits(x[0]), bits(x[1]))
                                 : ::compare(predicate, x[0], x[1]);
        };
      })
      .Default(IntFunction());
}

//===----------------------------------------------------------------------===//
// The loop
//===----------------------------------------------------------------------===//

/// Calls `visitRow(place, count, rows)` for pieces of rows, `rows[k]` being
/// `count` elements of operand k as `T`; stops at the first failure.
template <typename T>
static LogicalResult
forEachPiece(const Evaluation &evaluation, ArrayRef<int64_t> resultDims,
             function_ref<LogicalResult(int64_t place, int64_t count,
                                        ArrayRef<std::vector<T>> rows)>
                 visitPiece) {
  constexpr int64_t pieceSize = 1024;
  SmallVector<Strides> strides;
  for (unsigned i = 0; i < evaluation.getNumOperands(); ++i)
    strides.push_back(
        getBroadcastStrides(evaluation.operand(i).getDims(), resultDims));
  StridedLoop loop(resultDims, strides);
  int64_t length = loop.getRowLength();
  SmallVector<std::vector<T>> rows(strides.size(),
                                   std::vector<T>(std::min(pieceSize, length)));
  int64_t place = 0;
  LogicalResult status = success();
  loop.forEachRow([&](ArrayRef<int64_t> places) {
    for (int64_t begin = 0; begin < length && succeeded(status);
         begin += pieceSize) {
      int64_t count = std::min(pieceSize, length - begin);
      for (auto [i, row] : llvm::enumerate(rows)) {
        int64_t step = loop.getRowStep(i);
        evaluation.operand(i).read(places[i] + begin * step, step,
                                   MutableArrayRef<T>(row).take_front(count));
      }
      status = visitPiece(place, count, rows);
      place += count;
    }
  });
  return status;
}

static Results evaluateFloat(const Evaluation &evaluation, HostTensor result,
                             const FloatFunction &function) {
  std::vector<double> values;
  (void)forEachPiece<double>(evaluation, result.getDims(),
                             [&](int64_t place, int64_t count, FloatRows rows) {
                               values.resize(count);
                               function(rows, values);
                               result.write<double>(place, 1, values);
                               return success();
                             });
  return single(std::move(result));
}

static Results evaluateInt(const Evaluation &evaluation, HostTensor result,
                           const IntFunction &function) {
  std::vector<int64_t> values;
  SmallVector<int64_t, 3> element(evaluation.getNumOperands());
  LogicalResult status = forEachPiece<int64_t>(
      evaluation, result.getDims(),
      [&](int64_t place, int64_t count, ArrayRef<std::vector<int64_t>> rows) {
        values.resize(count);
        for (int64_t i = 0; i < count; ++i) {
          for (auto [value, row] : llvm::zip(element, rows))
            value = row[i];
          std::optional<int64_t> value = function(element.data());
          if (!value)
            return LogicalResult(evaluation.fault()
                                 << "integer division by zero at element "
                                 << place + i);
          values[i] = *value;
        }
        result.write<int64_t>(place, 1, values);
        return success();
      });
  if (failed(status))
    return failure();
  return single(std::move(result));
}

/// No arithmetic: the chosen element's bits.
static Results evaluateSelect(const Evaluation &evaluation, HostTensor result) {
  SmallVector<Strides> strides;
  for (unsigned i = 0; i < 3; ++i)
    strides.push_back(
        getBroadcastStrides(evaluation.operand(i).getDims(), result.getDims()));
  StridedLoop loop(result.getDims(), strides);
  int64_t size = result.getElementSize();
  char *target = result.getMutableBytes().data();
  const char *condition = evaluation.operand(0).getBytes().data();
  const char *chosen[] = {evaluation.operand(2).getBytes().data(),
                          evaluation.operand(1).getBytes().data()};
  loop.forEachRow([&](ArrayRef<int64_t> places) {
    for (int64_t i = 0; i < loop.getRowLength(); ++i) {
      bool first = condition[places[0] + i * loop.getRowStep(0)] != 0;
      unsigned number = first ? 1 : 2;
      std::memcpy(target,
                  chosen[first] +
                      (places[number] + i * loop.getRowStep(number)) * size,
                  size);
      target += size;
    }
  });
  return single(std::move(result));
}

Results txc::reference::evaluateElementwise(Operation *op,
                                            const Evaluation &evaluation) {
  FailureOr<HostTensor> result = evaluation.allocateResult();
  if (failed(result))
    return failure();
  if (auto cast = dyn_cast<tx::CastOp>(op))
    return evaluateCast(cast, evaluation, std::move(*result));
  if (isa<tx::SelectOp>(op))
    return evaluateSelect(evaluation, std::move(*result));

  const HostTensor &x = evaluation.operand(0);
  if (x.isFloat()) {
    if (FloatFunction function = getFloatFunction(op))
      return evaluateFloat(evaluation, std::move(*result), function);
  } else if (IntFunction function =
                 getIntFunction(op, {x.getFormat().isUnsigned(),
                                     x.getFormat().getBitWidth()})) {
    return evaluateInt(evaluation, std::move(*result), function);
  }
  return evaluation.fault() << "not defined on " << x.getElementType();
}
