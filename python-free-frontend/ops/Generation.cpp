//===- Generation.cpp - ONNX operators that make tensors from shapes ------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mlir/IR/Matchers.h"
#include "python-free-frontend/TensorConstants.h"
#include "python-free-frontend/ops/OpTable.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::Predicate;
using tx::SymExprAttr;

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

static NodeResults buildConstant(NodeContext &context) {
  Builder &builder = context.getBuilder();
  auto vectorType = [](size_t size, Type elementType) {
    return RankedTensorType::get({static_cast<int64_t>(size)}, elementType);
  };
  if (const onnx::TensorRef *tensor = context.getTensor("value"))
    return context.importTensor(*tensor);
  if (std::optional<int64_t> value = context.getInt("value_int"))
    return context.getExprTensor(
        RankedTensorType::get({}, builder.getI64Type()),
        context.getExpr(*value));
  if (context.hasAttribute("value_float"))
    return context.getScalar(builder.getF32Type(),
                             context.getFloat("value_float", 0));
  if (std::optional<ArrayRef<int64_t>> values = context.getInts("value_ints"))
    return context.getConstant(DenseElementsAttr::get(
        vectorType(values->size(), builder.getI64Type()), *values));
  if (std::optional<ArrayRef<float>> values = context.getFloats("value_floats"))
    return context.getConstant(DenseElementsAttr::get(
        vectorType(values->size(), builder.getF32Type()), *values));
  return context.unsupported("its value is no dense tensor of numbers");
}

static NodeResults buildConstantOfShape(NodeContext &context) {
  FailureOr<Exprs> dims =
      context.getSizes(context.getOperand(0), "the shape of a ConstantOfShape");
  if (failed(dims))
    return {};
  Value element;
  if (const onnx::TensorRef *tensor = context.getTensor("value"))
    element = context.reshape(context.importTensor(*tensor), {});
  else
    element = context.getScalar(context.getBuilder().getF32Type(), 0);
  return context.broadcastTo(element, *dims);
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

static NodeResults buildShape(NodeContext &context) {
  Exprs dims = tx::getDims(context.getType(0));
  auto rank = static_cast<int64_t>(dims.size());
  auto clamp = [&](int64_t place) {
    return std::clamp<int64_t>(place < 0 ? place + rank : place, 0, rank);
  };
  int64_t start = clamp(context.getInt("start", 0));
  int64_t end = clamp(context.getInt("end", rank));
  return context.getExprTensor(
      ArrayRef(dims).slice(start, std::max<int64_t>(end - start, 0)));
}

static NodeResults buildSize(NodeContext &context) {
  auto type = RankedTensorType::get({}, context.getBuilder().getI64Type());
  return context.getExprTensor(type, tx::getElementCount(context.getType(0)));
}

//===----------------------------------------------------------------------===//
// Sequences
//===----------------------------------------------------------------------===//

/// A scalar as a float, if it is a constant.
static std::optional<double> matchFloat(Value value) {
  DenseFPElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)) ||
      elements.getNumElements() != 1)
    return std::nullopt;
  return (*elements.getValues<APFloat>().begin()).convertToDouble();
}

/// The integer that a float scalar is, if it was cast from one.
static SymExprAttr matchIntegralFloat(Value value) {
  if (auto cast = value.getDefiningOp<tx::CastOp>()) {
    std::optional<Exprs> exprs = tx::matchExprs(cast.getX());
    return exprs && exprs->size() == 1 ? exprs->front() : nullptr;
  }
  std::optional<double> number = matchFloat(value);
  if (!number || *number != std::floor(*number) || std::abs(*number) > 1e15)
    return nullptr;
  return tx::getConstantExpr(value.getContext(), static_cast<int64_t>(*number));
}

/// max(0, ceil((limit - start) / delta)) of a Range whose ends depend on data.
static Value computeRangeSize(NodeContext &context) {
  Type i64 = context.getBuilder().getI64Type();
  Type type = isa<FloatType>(context.getElementType(0))
                  ? Type(context.getBuilder().getF64Type())
                  : i64;
  SmallVector<Value, 3> ends;
  for (Value operand : context.getOperands())
    ends.push_back(context.reshape(context.cast(operand, type), {}));
  Value delta = ends[2];
  Value distance = context.create<tx::SubOp>(ends[1], ends[0]);
  if (type == i64) {
    // Division truncates, so what is short of a step is filled up.
    Value sign = context.create<tx::SignOp>(delta);
    Value filled = context.create<tx::AddOp>(
        distance, context.create<tx::SubOp>(delta, sign));
    distance = context.create<tx::DivOp>(filled, delta);
  } else {
    distance =
        context.create<tx::CeilOp>(context.create<tx::DivOp>(distance, delta));
  }
  return context.create<tx::MaximumOp>(
      context.cast(distance, i64), context.getExprScalar(context.getExpr(0)));
}

/// ceil((limit - start) / delta), at least 0.
static FailureOr<SymExprAttr> getRangeSize(NodeContext &context) {
  SmallVector<SymExprAttr, 3> ends;
  SmallVector<double, 3> numbers;
  for (Value operand : context.getOperands()) {
    bool isFloat = isa<FloatType>(getElementTypeOrSelf(operand.getType()));
    if (std::optional<double> number =
            isFloat ? matchFloat(operand) : std::nullopt)
      numbers.push_back(*number);
    if (SymExprAttr expr = isFloat ? matchIntegralFloat(operand) : nullptr) {
      ends.push_back(expr);
      continue;
    }
    std::optional<Exprs> exprs = tx::matchExprs(operand);
    if (!isFloat && exprs)
      ends.push_back(exprs->front());
  }
  if (numbers.size() == 3 && numbers[2] != 0)
    return context.getExpr(
        std::max<int64_t>(0, static_cast<int64_t>(std::ceil(
                                 (numbers[1] - numbers[0]) / numbers[2]))));
  if (ends.size() != 3 || !ends[2].getConstant())
    return context.getSize(computeRangeSize(context), "length");
  std::optional<int64_t> delta = ends[2].getConstant();
  if (*delta == 0)
    return context.unsupported("the step of a Range must not be 0");
  SymExprAttr distance =
      *delta > 0 ? tx::sub(ends[1], ends[0]) : tx::sub(ends[0], ends[1]);
  return tx::ceilDiv(context.getMax(distance, context.getExpr(0)),
                     std::abs(*delta));
}

/// start + i * delta.
static NodeResults buildRange(NodeContext &context) {
  for (Value operand : context.getOperands())
    if (!tx::getElementCount(cast<RankedTensorType>(operand.getType()))
             .isConstant(1))
      return context.unsupported("the ends and step must be scalars");
  FailureOr<SymExprAttr> size = getRangeSize(context);
  if (failed(size))
    return {};
  auto isScalar = [](Value value, double expected) {
    std::optional<Exprs> exprs = tx::matchExprs(value);
    return exprs ? exprs->front().isConstant(static_cast<int64_t>(expected))
                 : matchFloat(value) == expected;
  };
  // 16-bit floats can't count far; `stash_type` says how to count.
  Type type = context.getElementType(0), wide = type;
  (void)context.getInt("stash_type", 1);
  if (isa<FloatType>(type) && type.getIntOrFloatBitWidth() < 32)
    wide = context.getBuilder().getF32Type();
  Value start = context.cast(context.getOperand(0), wide);
  Value delta = context.cast(context.getOperand(2), wide);
  Value result = context.getIota(*size, wide);
  if (!isScalar(delta, 1))
    result = context.create<tx::MulOp>(result, context.reshape(delta, {}));
  if (!isScalar(start, 0))
    result = context.create<tx::AddOp>(result, context.reshape(start, {}));
  return context.cast(result, type);
}

//===----------------------------------------------------------------------===//
// Diagonals
//===----------------------------------------------------------------------===//

/// column - row over the last two dims: [R, C] of i64.
static Value getDiagonal(NodeContext &context, SymExprAttr rows,
                         SymExprAttr columns) {
  Type i64 = context.getBuilder().getI64Type();
  Value row = context.unsqueeze(context.getIota(rows, i64), {1});
  Value column = context.unsqueeze(context.getIota(columns, i64), {0});
  return context.create<tx::SubOp>(column, row);
}

static NodeResults buildTrilu(NodeContext &context) {
  int64_t rank = context.getRank(0);
  if (rank < 2)
    return context.unsupported("its input has less than two dims");
  bool upper = context.getInt("upper", 1) != 0;
  Type i64 = context.getBuilder().getI64Type();
  Value k = context.getOperand(1);
  k = k ? context.reshape(k, {}) : context.getScalar(i64, 0);
  Exprs dims = tx::getDims(context.getType(0));
  Value diagonal = getDiagonal(context, dims[rank - 2], dims[rank - 1]);
  Value keep = context.create<tx::CompareOp>(
      upper ? Predicate::ge : Predicate::le, diagonal, k);
  return context.create<tx::SelectOp>(
      keep, context.getOperand(0),
      context.getScalar(context.getElementType(0), 0));
}

static NodeResults buildEyeLike(NodeContext &context) {
  if (context.getRank(0) != 2)
    return context.unsupported("its input is no matrix");
  Type type = context.getTypeAttribute("dtype", context.getElementType(0));
  int64_t k = context.getInt("k", 0);
  Exprs dims = tx::getDims(context.getType(0));
  Value diagonal = getDiagonal(context, dims[0], dims[1]);
  Value place = context.getScalar(context.getBuilder().getI64Type(),
                                  static_cast<double>(k));
  return context.cast(
      context.create<tx::CompareOp>(Predicate::eq, diagonal, place), type);
}

static NodeResults buildOneHot(NodeContext &context) {
  if (context.getElementType(0).isInteger(1))
    return context.unsupported("its indices are bool", "a Cast of them");
  Value indices = context.getOperand(0), depthOperand = context.getOperand(1);
  bool isFloat = isa<FloatType>(context.getElementType(1));
  SymExprAttr depth;
  if (isFloat) {
    depth = matchIntegralFloat(depthOperand);
  } else if (std::optional<Exprs> exprs = tx::matchExprs(depthOperand)) {
    depth = exprs->front();
  }
  if (!depth)
    return context.unsupported("its depth depends on data of the run");
  int64_t rank = context.getRank(0) + 1;
  FailureOr<int64_t> axis =
      context.normalizeAxis(context.getInt("axis", -1), rank);
  if (failed(axis))
    return {};
  Type i64 = context.getBuilder().getI64Type();
  indices = context.cast(indices, i64);
  // A negative index counts from the end.
  auto scalar = RankedTensorType::get({}, i64);
  Value wrapped =
      context.create<tx::AddOp>(indices, context.getExprTensor(scalar, depth));
  Value isNegative = context.create<tx::CompareOp>(Predicate::lt, indices,
                                                   context.getScalar(i64, 0));
  indices = context.create<tx::SelectOp>(isNegative, wrapped, indices);
  Exprs iotaDims(rank - *axis, context.getExpr(1));
  iotaDims.front() = depth;
  Value places = context.reshape(context.getIota(depth, i64), iotaDims);
  Value isHot = context.create<tx::CompareOp>(
      Predicate::eq, context.unsqueeze(indices, *axis), places);
  Value values = context.getOperand(2);
  auto pick = [&](int64_t place) {
    return context.reshape(
        context.slice(values, 0, context.getExpr(place), context.getExpr(1)),
        {});
  };
  if (context.getType(2).getRank() != 1)
    return context.unsupported("its values must be [off, on]");
  return context.create<tx::SelectOp>(isHot, pick(1), pick(0));
}

OpTable frontend::getGenerationOps() {
  static constexpr OpEntry table[] = {
      {"Constant", 1, 0, 0, buildConstant},
      {"ConstantOfShape", 9, 1, 1, buildConstantOfShape},
      {"EyeLike", 9, 1, 1, buildEyeLike},
      {"OneHot", 9, 3, 3, buildOneHot},
      {"Range", 11, 3, 3, buildRange},
      {"Shape", 1, 1, 1, buildShape},
      {"Size", 1, 1, 1, buildSize},
      {"Trilu", 14, 1, 2, buildTrilu},
      {"Trilu", 1, 1, 2, buildTrilu, "com.microsoft"},
  };
  return table;
}
