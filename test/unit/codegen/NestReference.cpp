//===- NestReference.cpp - loop nests by their definition ----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/NestReference.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace txc;
using namespace txc::test;
using kernel::GemmOp;
using kernel::NestInterface;
using kernel::ReduceOp;
using Number = BoundedNumber;

/// The unit roundoff of a float type.
static double getUnit(Type type) {
  auto floatType = dyn_cast<FloatType>(type);
  return floatType ? std::ldexp(
                         1.0, -static_cast<int>(floatType.getFPMantissaWidth()))
                   : 0;
}

//===----------------------------------------------------------------------===//
// Scalar ops
//===----------------------------------------------------------------------===//

/// Errors that VectorMath.h states, and slopes of the functions.
static Number applyMath(StringRef name, Number x, double unit) {
  if (name == "math.exp")
    return apply(std::exp, x, std::exp(x.value + x.error), unit, 2);
  if (name == "math.tanh")
    return apply(std::tanh, x, 1, unit, 7);
  if (name == "math.erf")
    return apply(std::erf, x, 1.13, unit, 7);
  if (name == "math.sin")
    return apply(std::sin, x, 1, unit, 1);
  if (name == "math.asinh")
    return apply(std::asinh, x, 1, unit, 4);
  if (name == "math.log")
    return apply(std::log, x, 1 / (x.value - x.error), unit, 1);
  if (name == "math.sqrt")
    return apply(std::sqrt, x, 0.5 / std::sqrt(x.value - x.error), unit, 0.5);
  if (name == "math.absf")
    return apply(std::fabs, x, 1, 0, 0);
  llvm::errs() << "the reference does not know " << name << "\n";
  std::abort();
}

static bool compareIntegers(arith::CmpIPredicate predicate, int64_t x,
                            int64_t y) {
  return arith::applyCmpPredicate(predicate, APInt(64, x, true),
                                  APInt(64, y, true));
}

static int64_t applyInteger(StringRef name, int64_t x, int64_t y) {
  auto unsignedX = static_cast<uint64_t>(x),
       unsignedY = static_cast<uint64_t>(y);
  if (name == "arith.addi")
    return static_cast<int64_t>(unsignedX + unsignedY);
  if (name == "arith.subi")
    return static_cast<int64_t>(unsignedX - unsignedY);
  if (name == "arith.muli")
    return static_cast<int64_t>(unsignedX * unsignedY);
  if (name == "arith.divsi")
    return x / y;
  if (name == "arith.divui")
    return static_cast<int64_t>(unsignedX / unsignedY);
  if (name == "arith.remui")
    return static_cast<int64_t>(unsignedX % unsignedY);
  if (name == "arith.andi")
    return x & y;
  if (name == "arith.xori")
    return x ^ y;
  if (name == "arith.minsi")
    return std::min(x, y);
  if (name == "arith.maxsi")
    return std::max(x, y);
  llvm::errs() << "the reference does not know " << name << "\n";
  std::abort();
}

static Number getConstant(arith::ConstantOp op) {
  if (auto number = dyn_cast<FloatAttr>(op.getValue()))
    return Number::ofFloat(number.getValueAsDouble());
  return Number::ofInteger(
      cast<IntegerAttr>(op.getValue()).getValue().getSExtValue());
}

static Number applyOp(Operation *op, ArrayRef<Number> x) {
  StringRef name = op->getName().getStringRef();
  Type type = op->getResult(0).getType();
  double unit = getUnit(type);
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return getConstant(constant);
  if (auto compare = dyn_cast<arith::CmpIOp>(op))
    return Number::ofInteger(
        compareIntegers(compare.getPredicate(), x[0].integer, x[1].integer));
  if (auto compare = dyn_cast<arith::CmpFOp>(op))
    return Number::ofInteger(arith::applyCmpPredicate(
        compare.getPredicate(), APFloat(x[0].value), APFloat(x[1].value)));
  if (isa<arith::SelectOp>(op))
    return x[0].integer != 0 ? x[1] : x[2];
  if (isa<arith::IndexCastOp, arith::ExtSIOp, arith::ExtUIOp>(op))
    return x[0];
  if (isa<arith::SIToFPOp>(op))
    return Number::rounded(static_cast<double>(x[0].integer), 0, unit);
  if (isa<arith::ExtFOp>(op))
    return x[0];
  if (isa<arith::TruncFOp>(op))
    return Number::rounded(x[0].value, x[0].error, unit);
  if (!isa<FloatType>(type))
    return Number::ofInteger(applyInteger(name, x[0].integer, x[1].integer));
  if (isa<arith::AddFOp>(op))
    return add(x[0], x[1], unit);
  if (isa<arith::SubFOp>(op))
    return subtract(x[0], x[1], unit);
  if (isa<arith::MulFOp>(op))
    return multiply(x[0], x[1], unit);
  if (isa<arith::DivFOp>(op))
    return divide(x[0], x[1], unit);
  if (isa<arith::NegFOp>(op))
    return Number::ofFloat(-x[0].value, x[0].error);
  return applyMath(name, x[0], unit);
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

std::vector<int64_t> test::evaluateExprs(ArrayAttr exprs,
                                         const Symbols &symbols) {
  std::vector<int64_t> values;
  for (auto expr : exprs.getAsRange<tx::SymExprAttr>())
    values.push_back(evaluateExpr(expr, symbols));
  return values;
}

static int64_t getRowMajorElement(ArrayRef<int64_t> dims,
                                  ArrayRef<int64_t> place) {
  int64_t element = 0;
  for (auto [dim, index] : llvm::zip_equal(dims, place)) {
    if (index < 0 || index >= dim)
      ADD_FAILURE() << index << " in " << dim;
    element = element * dim + index;
  }
  return element;
}

static int64_t evaluateAffine(AffineExpr expr, ArrayRef<int64_t> point,
                              ArrayRef<int64_t> symbolValues) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue();
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return point[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbolValues[symbol.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  int64_t x = evaluateAffine(binary.getLHS(), point, symbolValues);
  int64_t y = evaluateAffine(binary.getRHS(), point, symbolValues);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return x + y;
  case AffineExprKind::Mul:
    return x * y;
  case AffineExprKind::Mod:
    return ((x % y) + y) % y;
  case AffineExprKind::FloorDiv:
    return llvm::divideFloorSigned(x, y);
  default:
    return llvm::divideCeilSigned(x, y);
  }
}

int64_t test::getMappedElement(AffineMap map, ArrayRef<int64_t> dims,
                               ArrayRef<int64_t> point,
                               ArrayRef<int64_t> symbolValues) {
  SmallVector<int64_t> place;
  for (AffineExpr expr : map.getResults())
    place.push_back(evaluateAffine(expr, point, symbolValues));
  return getRowMajorElement(dims, place);
}

//===----------------------------------------------------------------------===//
// Points
//===----------------------------------------------------------------------===//

namespace {

/// Evaluates bodies at points of an iteration space.
class Evaluator {
public:
  Evaluator(Operation *phase, ArrayRef<NumberTensor> operands,
            const Symbols &symbols, int &faults)
      : operands(operands), symbols(symbols), faults(faults) {
    for (Type type : phase->getResultTypes()) {
      NumberTensor tensor{evaluateDims(type, symbols), {}};
      tensor.elements.resize(count(tensor.dims));
      results.push_back(std::move(tensor));
    }
  }

  void evaluateNest(NestInterface op);
  void evaluateGemm(GemmOp op);
  /// The lhs at `point` along k, as its precision has it multiplied, and what
  /// the sums are scaled by.
  std::vector<Number> getFactors(GemmOp op, std::vector<int64_t> point,
                                 int64_t length, double &scale) const;

  std::vector<NumberTensor> results;

private:
  static int64_t count(ArrayRef<int64_t> dims) {
    int64_t product = 1;
    for (int64_t dim : dims)
      product *= dim;
    return product;
  }
  std::vector<int64_t> evaluateAll(ArrayAttr exprs) const {
    return evaluateExprs(exprs, symbols);
  }
  /// All points of `sizes`, in row-major order.
  static std::vector<std::vector<int64_t>> getPoints(ArrayRef<int64_t> sizes);
  int64_t getElement(AffineMap map, ArrayRef<int64_t> dims,
                     ArrayRef<int64_t> point, ArrayAttr symbolExprs) const {
    return getMappedElement(map, dims, point, evaluateAll(symbolExprs));
  }
  Number reduce(ReduceOp op, ArrayRef<Number> values) const;
  /// The values at each point of a row. An empty one has results at `first`,
  /// made of reductions only.
  void evaluateRow(NestInterface op, const std::vector<int64_t> &first,
                   ArrayRef<std::vector<int64_t>> points);

  ArrayRef<NumberTensor> operands;
  const Symbols &symbols;
  int &faults;
};

} // namespace

std::vector<std::vector<int64_t>>
Evaluator::getPoints(ArrayRef<int64_t> sizes) {
  std::vector<std::vector<int64_t>> points;
  int64_t total = count(sizes);
  for (int64_t i = 0; i < total; ++i) {
    std::vector<int64_t> point(sizes.size());
    int64_t rest = i;
    for (size_t d = sizes.size(); d-- > 0;) {
      point[d] = rest % sizes[d];
      rest /= sizes[d];
    }
    points.push_back(std::move(point));
  }
  return points;
}

Number Evaluator::reduce(ReduceOp op, ArrayRef<Number> values) const {
  using kernel::Combine;
  Type type = op.getType();
  double unit = std::min(getUnit(type), 0x1p-24);
  bool isFloat = isa<FloatType>(type);
  double infinity = std::numeric_limits<double>::infinity();
  Number result;
  switch (op.getKind()) {
  case Combine::sum: {
    double magnitude = 0;
    for (const Number &x : values) {
      result.value += x.value;
      result.integer += x.integer;
      result.error += x.error;
      magnitude += std::abs(x.value) + x.error;
    }
    // In any order.
    result.error += static_cast<double>(values.size()) * unit * magnitude;
    return result;
  }
  case Combine::prod:
    result = isFloat ? Number::ofFloat(1) : Number::ofInteger(1);
    for (const Number &x : values) {
      int64_t integer = result.integer * x.integer;
      result = multiply(result, x, unit);
      result.integer = integer;
    }
    return result;
  case Combine::max:
  case Combine::min: {
    bool isMax = op.getKind() == Combine::max;
    if (!isFloat) {
      unsigned width = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
      result.integer = isMax ? APInt::getSignedMinValue(width).getSExtValue()
                             : APInt::getSignedMaxValue(width).getSExtValue();
    } else {
      result.value = isMax ? -infinity : infinity;
    }
    for (const Number &x : values) {
      result.error = std::max(result.error, x.error);
      result.integer = isMax ? std::max(result.integer, x.integer)
                             : std::min(result.integer, x.integer);
      if (std::isnan(x.value) || std::isnan(result.value))
        result.value = std::numeric_limits<double>::quiet_NaN();
      else
        result.value = isMax ? std::max(result.value, x.value)
                             : std::min(result.value, x.value);
    }
    return result;
  }
  case Combine::umax:
  case Combine::umin:
    result.integer = op.getKind() == Combine::umin ? 1 : 0;
    for (const Number &x : values)
      result.integer = op.getKind() == Combine::umin
                           ? std::min(result.integer, x.integer)
                           : std::max(result.integer, x.integer);
    return result;
  }
  llvm_unreachable("all kinds are handled");
}

void Evaluator::evaluateRow(NestInterface op, const std::vector<int64_t> &first,
                            ArrayRef<std::vector<int64_t>> points) {
  Block &body = op.getBodyBlock();
  size_t numInputs = op.getInputs().size();
  llvm::DenseMap<Value, std::vector<Number>> values;
  for (size_t i = 0; i < numInputs; ++i)
    for (const auto &point : points)
      values[body.getArgument(i)].push_back(operands[i].elements[getElement(
          op.getInputMap(i), operands[i].dims, point, op.getSymbols())]);
  for (Operation &inner : body.without_terminator()) {
    std::vector<Number> column;
    for (size_t p = 0; p < points.size(); ++p) {
      SmallVector<Number> x;
      for (Value operand : inner.getOperands())
        if (!isa<BlockArgument>(operand) ||
            cast<BlockArgument>(operand).getArgNumber() < numInputs)
          x.push_back(values[operand][p]);
      if (auto index = dyn_cast<kernel::IndexOp>(inner)) {
        column.push_back(Number::ofInteger(points[p][index.getDim()]));
      } else if (auto size = dyn_cast<kernel::SizeOp>(inner)) {
        column.push_back(
            Number::ofInteger(evaluateExpr(size.getExpr(), symbols)));
      } else if (isa<kernel::CheckOp>(inner)) {
        faults += x[0].integer == 0;
      } else if (auto fetch = dyn_cast<kernel::FetchOp>(inner)) {
        const NumberTensor &table =
            operands[cast<BlockArgument>(fetch.getTable()).getArgNumber()];
        SmallVector<int64_t> place;
        for (const Number &index : x)
          place.push_back(index.integer);
        column.push_back(table.elements[getRowMajorElement(table.dims, place)]);
      } else if (!isa<ReduceOp>(inner)) {
        column.push_back(applyOp(&inner, x));
      }
    }
    if (auto op = dyn_cast<ReduceOp>(inner))
      column.assign(std::max<size_t>(points.size(), 1),
                    reduce(op, values[op.getValue()]));
    if (inner.getNumResults() != 0)
      values[inner.getResult(0)] = std::move(column);
  }
  for (auto [i, value] : llvm::enumerate(body.getTerminator()->getOperands()))
    for (size_t p = 0; p < values[value].size(); ++p)
      results[i].elements[getElement(op.getResultMap(i), results[i].dims,
                                     p < points.size() ? points[p] : first,
                                     op.getSymbols())] = values[value][p];
}

void Evaluator::evaluateNest(NestInterface op) {
  std::vector<int64_t> sizes = evaluateAll(op.getSizes());
  size_t numOuter = sizes.size() - op.getNumRowDims();
  auto outer = getPoints(ArrayRef(sizes).take_front(numOuter));
  auto row = getPoints(ArrayRef(sizes).drop_front(numOuter));
  for (const auto &place : outer) {
    std::vector<std::vector<int64_t>> points;
    for (const auto &within : row) {
      points.push_back(place);
      llvm::append_range(points.back(), within);
    }
    std::vector<int64_t> first = place;
    first.resize(sizes.size());
    evaluateRow(op, first, points);
  }
}

std::vector<Number> Evaluator::getFactors(GemmOp op, std::vector<int64_t> point,
                                          int64_t length, double &scale) const {
  std::vector<Number> factors;
  float above = 0, below = 0;
  for (point.back() = 0; point.back() < length; ++point.back()) {
    factors.push_back(operands[0].elements[getElement(
        op.getLhsMap(), operands[0].dims, point, op.getSymbols())]);
    auto x = static_cast<float>(factors.back().value);
    above = std::max(above, x);
    below = std::max(below, -x);
  }
  if (!op.getPrecision())
    return factors;
  float range = above + below;
  float factor = std::min(254 / range, std::numeric_limits<float>::max());
  for (Number &x : factors) {
    if (*op.getPrecision() == kernel::Precision::bf16) {
      // 8 bits, and no number of a test is near the denormals.
      int exponent;
      double mantissa = std::frexp(x.value, &exponent);
      x.value =
          std::ldexp(std::nearbyint(std::ldexp(mantissa, 8)), exponent - 8);
    } else {
      x = Number::ofInteger(static_cast<int64_t>(
          std::nearbyint(static_cast<float>(x.value) * factor)));
    }
  }
  scale = range / 254;
  return factors;
}

static bool hasIntegers(Type type) {
  auto packed = dyn_cast<pack::TensorType>(type);
  return (packed ? packed.getElementType() : getElementTypeOrSelf(type))
      .isInteger();
}

void Evaluator::evaluateGemm(GemmOp op) {
  std::vector<int64_t> sizes = evaluateAll(op.getSizes());
  int64_t length = sizes.back();
  sizes.back() = 1;
  Block &body = op.getBodyBlock();
  double unit = std::min(getUnit(body.getArgument(0).getType()), 0x1p-24);
  bool isWidened = isa<FloatType>(body.getArgument(0).getType()) &&
                   hasIntegers(op.getRhs().getType());
  for (std::vector<int64_t> &point : getPoints(sizes)) {
    llvm::DenseMap<Value, Number> values;
    auto at = [&](AffineMap map, const NumberTensor &tensor) {
      return tensor
          .elements[getElement(map, tensor.dims, point, op.getSymbols())];
    };
    double scale = 1;
    std::vector<Number> factors = getFactors(op, point, length, scale);
    Number sum;
    double magnitude = 0;
    for (int64_t k = 0; k < length; ++k) {
      point.back() = k;
      Number x = factors[k];
      Number y = at(op.getRhsMap(), operands[1]);
      if (isWidened)
        y.value = static_cast<double>(y.integer);
      sum.value += x.value * y.value;
      sum.integer += x.integer * y.integer;
      magnitude += std::abs(x.value * y.value);
    }
    point.back() = 0;
    sum.error = static_cast<double>(length + 1) * unit * magnitude;
    if (op.getPrecision() == kernel::Precision::int8)
      // Exact integers, then two roundings, which float arithmetic repeats.
      sum = Number::ofFloat(static_cast<float>(sum.integer) *
                            static_cast<float>(scale));
    values[body.getArgument(0)] = sum;
    for (unsigned i = 0; i < op.getInputs().size(); ++i)
      values[body.getArgument(i + 1)] = at(op.getInputMap(i), operands[i + 2]);
    for (Operation &inner : body.without_terminator()) {
      SmallVector<Number> x;
      for (Value operand : inner.getOperands())
        x.push_back(values[operand]);
      auto index = dyn_cast<kernel::IndexOp>(inner);
      values[inner.getResult(0)] =
          index ? Number::ofInteger(point[index.getDim()]) : applyOp(&inner, x);
    }
    for (auto [i, value] : llvm::enumerate(body.getTerminator()->getOperands()))
      results[i].elements[getElement(op.getResultMap(i), results[i].dims, point,
                                     op.getSymbols())] = values[value];
  }
}

std::vector<NumberTensor> test::evaluatePhase(Operation *phase,
                                              ArrayRef<NumberTensor> operands,
                                              const Symbols &symbols,
                                              int &faults) {
  if (auto attention = dyn_cast<kernel::AttentionOp>(phase))
    return {evaluateAttention(attention, operands, symbols)};
  Evaluator evaluator(phase, operands, symbols, faults);
  if (auto gemm = dyn_cast<GemmOp>(phase))
    evaluator.evaluateGemm(gemm);
  else
    evaluator.evaluateNest(cast<NestInterface>(phase));
  return std::move(evaluator.results);
}

//===----------------------------------------------------------------------===//
// Bytes
//===----------------------------------------------------------------------===//

std::vector<int64_t> test::evaluateDims(Type type, const Symbols &symbols) {
  if (auto packed = dyn_cast<pack::TensorType>(type))
    return std::vector<int64_t>(packed.getShape());
  std::vector<int64_t> dims;
  for (tx::SymExprAttr dim : tx::getDims(cast<RankedTensorType>(type)))
    dims.push_back(evaluateExpr(dim, symbols));
  return dims;
}

static Type getElementType(Type type) {
  if (auto packed = dyn_cast<pack::TensorType>(type))
    return packed.getElementType();
  return getElementTypeOrSelf(type);
}

std::unique_ptr<Buffer> test::encode(Type type, const NumberTensor &tensor,
                                     Guard guard) {
  Type element = getElementType(type);
  size_t bytes = llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
  std::vector<char> dense(tensor.elements.size() * bytes);
  for (auto [i, number] : llvm::enumerate(tensor.elements)) {
    uint64_t bits = static_cast<uint64_t>(number.integer);
    if (auto floatType = dyn_cast<FloatType>(element)) {
      APFloat value(number.value);
      bool losesInfo = false;
      value.convert(floatType.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                    &losesInfo);
      bits = value.bitcastToAPInt().getZExtValue();
    }
    std::memcpy(dense.data() + i * bytes, &bits, bytes);
  }
  auto packed = dyn_cast<pack::TensorType>(type);
  auto buffer = std::make_unique<Buffer>(
      packed ? packed.getStoredBytes() : static_cast<int64_t>(dense.size()),
      guard);
  if (packed)
    packed.encode(dense, {buffer->data(), static_cast<size_t>(buffer->size())});
  else
    llvm::copy(dense, buffer->begin());
  return buffer;
}

NumberTensor test::decode(RankedTensorType type, const Buffer &buffer,
                          const Symbols &symbols) {
  Type element = type.getElementType();
  unsigned width = element.getIntOrFloatBitWidth();
  int64_t bytes = llvm::divideCeil(width, 8);
  NumberTensor tensor{evaluateDims(type, symbols), {}};
  for (int64_t i = 0; i < buffer.size(); i += bytes) {
    uint64_t bits = 0;
    std::memcpy(&bits, &buffer[i], bytes);
    APInt raw(width, bits, /*isSigned=*/false, /*implicitTrunc=*/true);
    if (auto floatType = dyn_cast<FloatType>(element)) {
      APFloat value(floatType.getFloatSemantics(), raw);
      tensor.elements.push_back(Number::ofFloat(value.convertToDouble()));
    } else {
      bool isUnsigned = width == 1 || element.isUnsignedInteger();
      tensor.elements.push_back(Number::ofInteger(
          isUnsigned ? static_cast<int64_t>(raw.getZExtValue())
                     : raw.getSExtValue()));
    }
  }
  return tensor;
}
