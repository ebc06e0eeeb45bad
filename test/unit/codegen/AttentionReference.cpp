//===- AttentionReference.cpp - attention by its definition --------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/NestReference.h"

using namespace mlir;
using namespace txc;
using namespace txc::test;
using kernel::AttentionOp;

namespace {

enum Dim { B, H, S, T, D, E };

/// One row of scores, its weights, and what is added up of them.
class RowReference {
public:
  RowReference(AttentionOp op, ArrayRef<NumberTensor> operands,
               const Symbols &symbols)
      : op(op), operands(operands),
        sizes(evaluateExprs(op.getSizes(), symbols)),
        symbolValues(evaluateExprs(op.getSymbols(), symbols)) {
    if (op.getCausal())
      causal = evaluateExpr(*op.getCausal(), symbols);
    auto type = cast<FloatType>(op.getResult().getType().getElementType());
    sumUnit = type.isF64() ? 0x1p-53 : 0x1p-24;
    unit = std::ldexp(1.0, -static_cast<int>(type.getFPMantissaWidth()));
    auto valueType = cast<FloatType>(op.getV().getType().getElementType());
    if (valueType.getWidth() < 32)
      weightUnit =
          std::ldexp(1.0, -static_cast<int>(valueType.getFPMantissaWidth()));
    if (op.getPrecision() == kernel::Precision::bf16)
      weightUnit = factorUnit = 0x1p-8;
  }

  NumberTensor evaluate(ArrayRef<int64_t> dims);

private:
  double at(unsigned operand, AffineMap map, ArrayRef<int64_t> point) const {
    return getElement(operand, map, point).value;
  }
  const BoundedNumber &getElement(unsigned operand, AffineMap map,
                                  ArrayRef<int64_t> point) const {
    const NumberTensor &tensor = operands[operand];
    return tensor.elements[getMappedElement(map, tensor.dims, getPlace(point),
                                            symbolValues)];
  }
  /// Where the maps are taken.
  std::vector<int64_t> getPlace(ArrayRef<int64_t> point) const {
    std::vector<int64_t> place = point.vec();
    place[S] += firstRow;
    place[T] += firstRow;
    return place;
  }
  bool counts(ArrayRef<int64_t> point);
  double getScore(std::vector<int64_t> point);
  void evaluateRow(std::vector<int64_t> point, NumberTensor &result);

  AttentionOp op;
  ArrayRef<NumberTensor> operands;
  std::vector<int64_t> sizes, symbolValues;
  int64_t causal = 0;
  double sumUnit, unit;
  /// Roundings of the weights before they are multiplied by v, and of the other
  /// factors; 0 if there are none.
  double weightUnit = 0, factorUnit = 0;
  /// Of the sequence.
  int64_t firstRow = 0;
  /// How far the row's scores may be off.
  double scoreError = 0;
};

} // namespace

bool RowReference::counts(ArrayRef<int64_t> point) {
  int64_t s = point[S], t = point[T];
  if (op.getMask() && op.getMask().getType().getElementType().isInteger(1)) {
    if (getElement(3, op.getMaskMap(), point).integer == 0)
      return false;
  }
  if (op.getCausal() && t > s + causal)
    return false;
  if (op.getWindow() && t <= s + causal - static_cast<int64_t>(*op.getWindow()))
    return false;
  return !op.getLengths() || t < operands.back().elements[point[B]].integer;
}

double RowReference::getScore(std::vector<int64_t> point) {
  double sum = 0, magnitude = 0;
  for (point[D] = 0; point[D] < sizes[D]; ++point[D]) {
    double product = at(0, op.getQMap(), point) * at(1, op.getKMap(), point);
    sum += product;
    magnitude += std::abs(product);
  }
  double scale = op.getScale().convertToDouble();
  double score = sum * scale;
  double error = static_cast<double>(sizes[D] + 2) * magnitude * scale;
  double factors = (2 + factorUnit) * factorUnit * magnitude * scale;
  if (op.getSoftcap()) {
    double cap = op.getSoftcap()->convertToDouble();
    score = cap * std::tanh(score / cap);
    error += 14 * std::abs(score);
  }
  if (op.getMask() && !op.getMask().getType().getElementType().isInteger(1))
    score += at(3, op.getMaskMap(), point);
  scoreError =
      std::max(scoreError, (error + 2 * std::abs(score)) * sumUnit + factors);
  return counts(point) ? score : -std::numeric_limits<double>::infinity();
}

void RowReference::evaluateRow(std::vector<int64_t> point,
                               NumberTensor &result) {
  std::vector<double> weights;
  double largest = -std::numeric_limits<double>::infinity();
  scoreError = 0;
  for (point[T] = 0; point[T] < sizes[T]; ++point[T]) {
    weights.push_back(getScore(point));
    largest = std::max(largest, weights.back());
  }
  double sum = 0;
  bool isMasked = std::isinf(largest);
  for (double &weight : weights) {
    weight = isMasked ? 1 : std::exp(weight - largest);
    sum += weight;
  }
  for (point[E] = 0; point[E] < sizes[E]; ++point[E]) {
    double value = 0, magnitude = 0;
    for (point[T] = 0; point[T] < sizes[T]; ++point[T]) {
      double v = at(2, op.getVMap(), point);
      value += weights[point[T]] / sum * v;
      magnitude += weights[point[T]] / sum * std::abs(v);
    }
    if (isMasked && op.getMaskedRow() == tx::MaskedRow::nan)
      value = std::numeric_limits<double>::quiet_NaN();
    if (sizes[T] == 0 || (isMasked && op.getMaskedRow() == tx::MaskedRow::zero))
      value = 0;
    // A weight is off by its score's error and the exponential's; it appears
    // in the sum and in the divisor.
    double error = (2 * scoreError * (1 + 2 * scoreError) +
                    static_cast<double>(sizes[T] + 20) * 2 * sumUnit +
                    weightUnit + (1 + weightUnit) * factorUnit) *
                   magnitude;
    result.elements[getMappedElement(op.getResultMap(), result.dims,
                                     getPlace(point), symbolValues)] =
        BoundedNumber::rounded(value, error, unit);
  }
}

NumberTensor RowReference::evaluate(ArrayRef<int64_t> dims) {
  NumberTensor result{dims, {}};
  int64_t count = 1;
  for (int64_t dim : dims)
    count *= dim;
  result.elements.resize(count);
  std::vector<int64_t> point(6);
  for (point[B] = 0; point[B] < sizes[B]; ++point[B]) {
    if (op.getStarts()) {
      ArrayRef<BoundedNumber> starts = operands.back().elements;
      firstRow = starts[point[B]].integer;
      sizes[S] = sizes[T] = starts[point[B] + 1].integer - firstRow;
    }
    for (point[H] = 0; point[H] < sizes[H]; ++point[H])
      for (point[S] = 0; point[S] < sizes[S]; ++point[S])
        evaluateRow(point, result);
  }
  return result;
}

NumberTensor test::evaluateAttention(AttentionOp op,
                                     ArrayRef<NumberTensor> operands,
                                     const Symbols &symbols) {
  return RowReference(op, operands, symbols)
      .evaluate(evaluateDims(op.getResult().getType(), symbols));
}
