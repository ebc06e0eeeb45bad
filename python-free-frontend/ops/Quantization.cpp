//===- Quantization.cpp - ONNX quantization operators ---------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "python-free-frontend/ops/ConvolutionBuilder.h"
#include "python-free-frontend/ops/MatmulBuilder.h"
#include "python-free-frontend/ops/OpTable.h"
#include "python-free-frontend/ops/Quantizer.h"
#include "llvm/ADT/Sequence.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::ReduceKind;
using tx::SymExprAttr;

//===----------------------------------------------------------------------===//
// Quantizer.h
//===----------------------------------------------------------------------===//

/// The least and greatest number of an integer type.
static std::pair<double, double> getLimits(Type type) {
  unsigned width = type.getIntOrFloatBitWidth();
  if (type.isUnsignedInteger())
    return {0, std::ldexp(1.0, width) - 1};
  return {-std::ldexp(1.0, width - 1), std::ldexp(1.0, width - 1) - 1};
}

Value frontend::quantize(NodeContext &context, Value x, Value scale,
                         Value zeroPoint, Type type, bool saturate) {
  if (!x || !scale)
    return {};
  Type floatType = typeOf(scale).getElementType();
  Value real =
      context.createElementwise<tx::DivOp>(context.cast(x, floatType), scale);
  if (!real)
    return {};
  if (isa<FloatType>(type))
    return context.create<tx::CastOp>(
        tx::getTensorType(tx::getDims(typeOf(real)), type), real, saturate);
  // 16-bit floats can't hold all sums: 255 + 127 in bf16.
  Type wide = context.getBuilder().getF32Type();
  if (floatType.getIntOrFloatBitWidth() > 32)
    wide = floatType;
  Value places = context.cast(context.create<tx::RoundOp>(real), wide);
  if (zeroPoint)
    places = context.createElementwise<tx::AddOp>(
        places, context.cast(zeroPoint, wide));
  auto [least, most] = getLimits(type);
  places =
      context.create<tx::MaximumOp>(places, context.getScalar(wide, least));
  places = context.create<tx::MinimumOp>(places, context.getScalar(wide, most));
  return context.cast(places, type);
}

Value frontend::subtractZeroPoint(NodeContext &context, Value x,
                                  Value zeroPoint) {
  Type i32 = context.getBuilder().getI32Type();
  x = context.cast(x, i32);
  if (!zeroPoint)
    return x;
  return context.createElementwise<tx::SubOp>(x, context.cast(zeroPoint, i32));
}

Value frontend::dequantize(NodeContext &context, Value x, Value scale,
                           Value zeroPoint) {
  if (!x || !scale)
    return {};
  bool isFloat = isa<FloatType>(typeOf(x).getElementType());
  Value places = x;
  if (!isFloat && zeroPoint)
    places = subtractZeroPoint(context, x, zeroPoint);
  return context.createElementwise<tx::MulOp>(
      context.cast(places, typeOf(scale).getElementType()), scale);
}

Value frontend::alignToAxis(NodeContext &context, Value parameter, int64_t axis,
                            int64_t rank) {
  if (!parameter || typeOf(parameter).getRank() != 1)
    return parameter;
  if (tx::getDim(typeOf(parameter), 0).isConstant(1))
    return context.reshape(parameter, {});
  return context.unsqueeze(parameter,
                           llvm::to_vector(llvm::seq<int64_t>(1, rank - axis)));
}

//===----------------------------------------------------------------------===//
// QuantizeLinear and DequantizeLinear
//===----------------------------------------------------------------------===//

/// Each element of `parameter` repeated `block` times along `axis`, then cut to
/// the dims of x.
static Value repeatBlocks(NodeContext &context, Value parameter, int64_t axis,
                          int64_t block) {
  if (!parameter)
    return {};
  Exprs dims = tx::getDims(typeOf(parameter));
  if (static_cast<int64_t>(dims.size()) != context.getRank(0))
    return context.unsupported("blocks need scales of the input's rank");
  Exprs repeated = dims;
  repeated.insert(repeated.begin() + axis + 1, context.getExpr(block));
  dims[axis] = tx::mul(dims[axis], block);
  Value blocks =
      context.broadcastTo(context.unsqueeze(parameter, axis + 1), repeated);
  blocks = context.reshape(blocks, dims);
  SymExprAttr size = tx::getDim(context.getType(0), axis);
  return dims[axis] == size
             ? blocks
             : context.slice(blocks, axis, context.getExpr(0), size);
}

namespace {
struct Parameters {
  Value scale, zeroPoint;
};
} // namespace

/// Scale and zero point (operands 1 and 2) for one tensor, axis or block.
static FailureOr<Parameters> getParameters(NodeContext &context) {
  int64_t rank = context.getRank(0);
  int64_t block = context.getInt("block_size", 0);
  int64_t given = context.getInt("axis", 1);
  Parameters p{context.getOperand(1), context.getOperand(2)};
  if (context.getRank(1) == 0)
    return p;
  // A scale of one number does not look at the axis, which may be any.
  bool isSingle = context.getRank(1) == 1 &&
                  tx::getDim(context.getType(1), 0).isConstant(1);
  FailureOr<int64_t> axis =
      isSingle ? FailureOr<int64_t>(0) : context.normalizeAxis(given, rank);
  if (failed(axis))
    return failure();
  if (block > 0) {
    p.scale = repeatBlocks(context, p.scale, *axis, block);
    p.zeroPoint = repeatBlocks(context, p.zeroPoint, *axis, block);
  } else if (context.getRank(1) == 1) {
    p.scale = alignToAxis(context, p.scale, *axis, rank);
    p.zeroPoint = alignToAxis(context, p.zeroPoint, *axis, rank);
  } else {
    return context.unsupported("its scale must be a scalar or a vector");
  }
  return p;
}

static NodeResults buildQuantizeLinear(NodeContext &context) {
  bool saturate = context.getInt("saturate", 1) != 0;
  Type u8 = IntegerType::get(context.getContext(), 8, IntegerType::Unsigned);
  Type type = context.getTypeAttribute("output_dtype", u8);
  if (context.getOperand(2))
    type = context.getElementType(2);
  Type precision =
      context.getTypeAttribute("precision", context.getElementType(1));
  FailureOr<Parameters> p = getParameters(context);
  if (failed(p) || !type || !precision)
    return {};
  if (!isa<FloatType>(precision))
    return context.unsupported("its precision is no float type");
  return quantize(context, context.getOperand(0),
                  context.cast(p->scale, precision), p->zeroPoint, type,
                  saturate);
}

static NodeResults buildDequantizeLinear(NodeContext &context) {
  Type type =
      context.getTypeAttribute("output_dtype", context.getElementType(1));
  FailureOr<Parameters> p = getParameters(context);
  if (failed(p) || !type)
    return {};
  Value y = dequantize(context, context.getOperand(0), p->scale, p->zeroPoint);
  return context.cast(y, type);
}

NodeResults frontend::quantizeDynamically(NodeContext &context, Value x) {
  Type f32 = context.getBuilder().getF32Type();
  auto number = [&](double value) { return context.getScalar(f32, value); };
  auto axes = llvm::to_vector(llvm::seq<int64_t>(typeOf(x).getRank()));
  auto extreme = [&](ReduceKind kind) {
    return context.squeeze(context.create<tx::ReduceOp>(x, kind, axes), axes);
  };
  Value low =
      context.create<tx::MinimumOp>(extreme(ReduceKind::min), number(0));
  Value high =
      context.create<tx::MaximumOp>(extreme(ReduceKind::max), number(0));
  Value range = context.create<tx::SubOp>(high, low);
  Value scale = context.create<tx::DivOp>(range, number(255));
  // All zeros: any scale will do but 0.
  Value isZero =
      context.create<tx::CompareOp>(tx::Predicate::eq, scale, number(0));
  scale = context.create<tx::SelectOp>(isZero, number(1), scale);
  Value place =
      context.create<tx::NegOp>(context.create<tx::DivOp>(low, scale));
  place = context.create<tx::MinimumOp>(
      context.create<tx::MaximumOp>(place, number(0)), number(255));
  Type u8 = IntegerType::get(context.getContext(), 8, IntegerType::Unsigned);
  Value zeroPoint = context.cast(context.create<tx::RoundOp>(place), u8);
  return {quantize(context, x, scale, zeroPoint, u8), scale, zeroPoint};
}

static NodeResults buildDynamicQuantizeLinear(NodeContext &context) {
  return quantizeDynamically(context, context.getOperand(0));
}

//===----------------------------------------------------------------------===//
// Contractions
//===----------------------------------------------------------------------===//

/// One number for each row of a left operand.
static Value alignToRows(NodeContext &context, Value parameter) {
  if (!parameter || typeOf(parameter).getRank() != 1)
    return parameter;
  return context.unsqueeze(parameter, {1});
}

Value frontend::createScaledProduct(NodeContext &context, const Quantized &a,
                                    const Quantized &b) {
  Value sum =
      createMatmul(context, subtractZeroPoint(context, a.values, a.zeroPoint),
                   subtractZeroPoint(context, b.values, b.zeroPoint));
  Value scale = context.createElementwise<tx::MulOp>(a.scale, b.scale);
  if (!scale)
    return {};
  return context.createElementwise<tx::MulOp>(
      context.cast(sum, typeOf(scale).getElementType()), scale);
}

Value frontend::multiplyDynamically(NodeContext &context, Value x,
                                    const Quantized &b) {
  if (!x)
    return {};
  NodeResults quantized = quantizeDynamically(context, x);
  if (quantized.failed())
    return {};
  ArrayRef<Value> a = quantized.getValues();
  return createScaledProduct(context, {a[0], a[1], a[2]}, b);
}

static NodeResults buildMatMulInteger(NodeContext &context) {
  for (unsigned i : {0, 1})
    if (!context.getElementType(i).isInteger(8))
      return context.unsupported("its input " + Twine(i) +
                                     " is no tensor of bytes",
                                 "a QuantizeLinear before it");
  Value a = context.getOperand(0), b = context.getOperand(1);
  Value aZero = context.getOperand(2), bZero = context.getOperand(3);
  // 8-bit operands of one type stay so: tx.matmul multiplies them in i32.
  if (!aZero && !bZero &&
      context.getElementType(0) == context.getElementType(1))
    return createMatmul(context, a, b);
  return createMatmul(
      context, subtractZeroPoint(context, a, alignToRows(context, aZero)),
      subtractZeroPoint(context, b, bZero));
}

/// The real value of an i32 sum, quantized: operands `first` and `first + 1`
/// are the result's scale and zero point.
static Value requantize(NodeContext &context, Value sum, Value scale,
                        unsigned first) {
  Type floatType = context.getElementType(first);
  Value real = context.createElementwise<tx::MulOp>(
      context.cast(sum, floatType), context.cast(scale, floatType));
  return quantize(context, real, context.getOperand(first),
                  context.getOperand(first + 1),
                  context.getElementType(first + 1));
}

static NodeResults buildQLinearMatMul(NodeContext &context) {
  Value a = subtractZeroPoint(context, context.getOperand(0),
                              alignToRows(context, context.getOperand(2)));
  Value b =
      subtractZeroPoint(context, context.getOperand(3), context.getOperand(5));
  Value scale = context.createElementwise<tx::MulOp>(
      alignToRows(context, context.getOperand(1)), context.getOperand(4));
  return requantize(context, createMatmul(context, a, b), scale, 6);
}

/// Zero points are subtracted first, so that padding is the number zero.
static NodeResults buildConvInteger(NodeContext &context) {
  Value zero =
      alignToAxis(context, context.getOperand(3), 0, context.getRank(1));
  Value x =
      subtractZeroPoint(context, context.getOperand(0), context.getOperand(2));
  Value weights = subtractZeroPoint(context, context.getOperand(1), zero);
  return createConvolution(context, x, weights, /*weightsOperand=*/1);
}

static NodeResults buildQLinearConv(NodeContext &context) {
  int64_t rank = context.getRank(0);
  Value x =
      subtractZeroPoint(context, context.getOperand(0), context.getOperand(2));
  Value weights =
      subtractZeroPoint(context, context.getOperand(3),
                        alignToAxis(context, context.getOperand(5), 0, rank));
  Value sum = createConvolution(context, x, weights, /*weightsOperand=*/3);
  if (Value bias = context.getOperand(8))
    sum = context.createElementwise<tx::AddOp>(
        sum, alignToAxis(context, bias, 1, rank));
  Value scale = context.createElementwise<tx::MulOp>(
      alignToAxis(context, context.getOperand(1), 1, rank),
      alignToAxis(context, context.getOperand(4), 1, rank));
  return requantize(context, sum, scale, 6);
}

OpTable frontend::getQuantizationOps() {
  static constexpr OpEntry table[] = {
      {"ConvInteger", 10, 2, 4, buildConvInteger},
      {"DequantizeLinear", 10, 2, 3, buildDequantizeLinear},
      {"DynamicQuantizeLinear", 11, 1, 1, buildDynamicQuantizeLinear},
      {"MatMulInteger", 10, 2, 4, buildMatMulInteger},
      {"QLinearConv", 10, 8, 9, buildQLinearConv},
      {"QLinearMatMul", 10, 8, 8, buildQLinearMatMul},
      {"QuantizeLinear", 10, 2, 3, buildQuantizeLinear},
      // For types that ONNX's own did not have.
      {"DequantizeLinear", 1, 2, 3, buildDequantizeLinear, "com.microsoft"},
      {"QuantizeLinear", 1, 2, 3, buildQuantizeLinear, "com.microsoft"},
  };
  return table;
}
