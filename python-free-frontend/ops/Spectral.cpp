//===- Spectral.cpp - ONNX's Fourier transforms and windows ---------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Fourier transforms, windows and mel scales. A discrete Fourier transform is
/// a product with a matrix of cosines and sines, which serves any length, also
/// one that only a run knows.
//
//===----------------------------------------------------------------------===//

#include "python-free-frontend/ops/MatmulBuilder.h"
#include "python-free-frontend/ops/OpTable.h"
#include "llvm/ADT/Sequence.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::Predicate;
using tx::SymExprAttr;

/// [0, size) as i64.
static Value getPlaces(NodeContext &context, SymExprAttr size) {
  return context.getIota(size, context.getBuilder().getI64Type());
}

/// An expression as a scalar.
static Value getScalar(NodeContext &context, SymExprAttr expr, Type type) {
  return context.cast(context.getExprScalar(expr), type);
}

/// The one element of an operand.
static FailureOr<SymExprAttr> getSize(NodeContext &context, unsigned index,
                                      const Twine &what) {
  FailureOr<Exprs> exprs = context.getExprs(context.getOperand(index), what);
  if (failed(exprs))
    return failure();
  if (exprs->size() != 1)
    return context.unsupported(what + " must be one number");
  return exprs->front();
}

//===----------------------------------------------------------------------===//
// The transform
//===----------------------------------------------------------------------===//

namespace {
/// One of the four transforms that DFT has, along the last signal dim.
struct Transform {
  SymExprAttr length;
  bool isInverse = false, isOneSided = false;

  /// Of a spectrum without the half that symmetry gives.
  SymExprAttr getHalf() const { return tx::add(tx::floorDiv(length, 2), 1); }
  SymExprAttr getInputSize() const {
    return isInverse && isOneSided ? getHalf() : length;
  }
  SymExprAttr getOutputSize() const {
    return !isInverse && isOneSided ? getHalf() : length;
  }
  bool isOutputReal() const { return isInverse && isOneSided; }
};
} // namespace

/// cos and sin of 2 pi n k / length, [n, k], negative sines for the forward
/// transform. Products are reduced as integers, and f64 makes sin(pi) a zero at
/// the scale of f32.
static std::pair<Value, Value> getWaves(NodeContext &context,
                                        const Transform &transform) {
  Type type = context.getBuilder().getF64Type();
  Value n =
      context.unsqueeze(getPlaces(context, transform.getInputSize()), {1});
  Value k =
      context.unsqueeze(getPlaces(context, transform.getOutputSize()), {0});
  Type i64 = context.getBuilder().getI64Type();
  Value place =
      context.create<tx::RemOp>(context.create<tx::MulOp>(n, k),
                                getScalar(context, transform.length, i64));
  Value turn = context.getScalar(type, (transform.isInverse ? 2 : -2) * M_PI);
  Value angle = context.create<tx::DivOp>(
      context.create<tx::MulOp>(context.cast(place, type), turn),
      getScalar(context, transform.length, type));
  return {context.create<tx::CosOp>(angle), context.create<tx::SinOp>(angle)};
}

/// How often element n of a one-sided spectrum stands in the whole one, as a
/// column: twice, but for the first and, if the length is even, the last.
static Value getWeights(NodeContext &context, const Transform &transform) {
  Type i64 = context.getBuilder().getI64Type();
  Type f64 = context.getBuilder().getF64Type();
  Value n = getPlaces(context, transform.getHalf());
  Value mirrored =
      context.create<tx::SubOp>(getScalar(context, transform.length, i64), n);
  Value isOwnMirror = context.create<tx::OrOp>(
      context.createCompare(Predicate::eq, n, context.getScalar(i64, 0)),
      context.createCompare(Predicate::eq, n, mirrored));
  Value weights = context.create<tx::SelectOp>(
      isOwnMirror, context.getScalar(f64, 1), context.getScalar(f64, 2));
  return context.unsqueeze(weights, {1});
}

/// The matrix [n * parts, k * results] of a transform whose input has `parts`
/// (1 if it is real, 2 if it has an imaginary part next to the real one).
static Value getTransformMatrix(NodeContext &context,
                                const Transform &transform, int64_t parts) {
  auto [cosines, sines] = getWaves(context, transform);
  if (transform.isInverse) {
    Value count =
        getScalar(context, transform.length, context.getBuilder().getF64Type());
    Value factor = context.create<tx::ReciprocalOp>(count);
    if (transform.isOneSided)
      factor =
          context.create<tx::MulOp>(getWeights(context, transform), factor);
    cosines = context.create<tx::MulOp>(cosines, factor);
    sines = context.create<tx::MulOp>(sines, factor);
  }
  if (!cosines || !sines)
    return {};
  // (a + ib) (cos + i sin) for each pair of parts: [n, parts, k, results].
  auto getRow = [&](Value real, Value imaginary) {
    real = context.unsqueeze(real, {1, 3});
    if (transform.isOutputReal())
      return real;
    Value pair[] = {real, context.unsqueeze(imaginary, {1, 3})};
    return context.create<tx::ConcatOp>(ValueRange(pair), int64_t(3));
  };
  Value matrix = getRow(cosines, sines);
  if (parts == 2) {
    Value negative = context.create<tx::NegOp>(sines);
    Value rows[] = {matrix, getRow(negative, cosines)};
    if (!rows[0] || !rows[1])
      return {};
    matrix = context.create<tx::ConcatOp>(ValueRange(rows), int64_t(1));
  }
  if (!matrix)
    return {};
  Exprs dims = tx::getDims(typeOf(matrix));
  return context.reshape(
      matrix, {tx::mul(dims[0], dims[1]), tx::mul(dims[2], dims[3])});
}

/// x with `size` elements along an axis: cut, or zeros at the end.
static Value resizeAxis(NodeContext &context, Value x, int64_t axis,
                        SymExprAttr size) {
  SymExprAttr from = tx::getDim(typeOf(x), axis);
  if (from == size)
    return x;
  std::optional<bool> isShorter =
      context.getBounds().compare(Predicate::le, from, size);
  if (!isShorter)
    return context.unsupported("it can't be told whether its length " +
                                   size.str() + " is below the dim " +
                                   from.str(),
                               "-dim to fix it");
  if (!*isShorter)
    return context.slice(x, axis, context.getExpr(0), size);
  int64_t rank = typeOf(x).getRank();
  SmallVector<Attribute> low(rank, context.getExpr(0)), high = low;
  high[axis] = tx::sub(size, from);
  Builder &builder = context.getBuilder();
  return context.create<tx::PadOp>(x, OptionalOperand(), tx::PadMode::constant,
                                   builder.getArrayAttr(low),
                                   builder.getArrayAttr(high));
}

/// x [.., parts] with a known number of parts: the one that a one-sided
/// transform takes or, where only a run knows whether there are imaginary
/// parts, both.
static Value withKnownParts(NodeContext &context, Value x,
                            const Transform &transform) {
  int64_t axis = typeOf(x).getRank() - 1;
  SymExprAttr parts = tx::getDim(typeOf(x), axis);
  if (std::optional<int64_t> known = parts.getConstant()) {
    if (*known < 1 || *known > 2)
      return context.unsupported("the last dim of its input must be 1 for real "
                                 "or 2 for complex numbers");
    if (transform.isOneSided && (*known == 2) != transform.isInverse)
      return context.unsupported("a one-sided transform maps real to complex "
                                 "or, inverse, complex to real numbers");
    return x;
  }
  StringRef what = "the parts of the numbers of its input";
  if (transform.isOneSided)
    return context.withDim(x, axis,
                           context.getExpr(transform.isInverse ? 2 : 1), what);
  if (failed(context.require(context.getExpr(1), Predicate::le, parts, what)) ||
      failed(context.require(parts, Predicate::le, context.getExpr(2), what)))
    return {};
  SymExprAttr one = context.getExpr(1);
  Value last = context.slice(x, axis, tx::add(parts, -1), one);
  Value isReal = context.createCompare(
      Predicate::eq, context.getExprScalar(parts), context.getExprScalar(one));
  Value both[] = {
      context.slice(x, axis, context.getExpr(0), one),
      context.createSelect(
          isReal, context.getScalar(typeOf(x).getElementType(), 0), last)};
  if (!both[0] || !both[1])
    return {};
  return context.create<tx::ConcatOp>(ValueRange(both), axis);
}

/// The transform of x [.., signal, parts] along `axis`.
static Value createTransform(NodeContext &context, Value x, int64_t axis,
                             const Transform &transform) {
  x = resizeAxis(context, x, axis, transform.getInputSize());
  if (x)
    x = withKnownParts(context, x, transform);
  if (!x)
    return {};
  int64_t rank = typeOf(x).getRank();
  Type type = typeOf(x).getElementType();
  int64_t parts = typeOf(x).getDimSize(rank - 1);
  // The axis in front of the parts.
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  order.erase(order.begin() + axis);
  order.insert(order.end() - 1, axis);
  x = context.transpose(x, order);
  Exprs dims = tx::getDims(typeOf(x));
  dims.pop_back_n(2);
  Exprs rows = dims;
  rows.push_back(tx::mul(transform.getInputSize(), parts));
  bool isNarrow = type.getIntOrFloatBitWidth() < 32;
  Type wide = isNarrow ? context.getBuilder().getF32Type() : type;
  Value matrix =
      context.cast(getTransformMatrix(context, transform, parts), wide);
  Value y = createMatmul(context, context.cast(context.reshape(x, rows), wide),
                         matrix);
  dims.push_back(transform.getOutputSize());
  dims.push_back(context.getExpr(transform.isOutputReal() ? 1 : 2));
  SmallVector<int64_t> inverse(rank);
  for (auto [to, from] : llvm::enumerate(order))
    inverse[from] = static_cast<int64_t>(to);
  return context.transpose(context.reshape(context.cast(y, type), dims),
                           inverse);
}

/// Opset 20 made the axis an operand.
static NodeResults buildDft(NodeContext &context) {
  int64_t rank = context.getRank(0), given = -2;
  Transform transform;
  transform.isInverse = context.getInt("inverse", 0) != 0;
  transform.isOneSided = context.getInt("onesided", 0) != 0;
  if (context.getOpset() < 20) {
    given = context.getInt("axis", 1);
  } else if (context.getOperand(2)) {
    auto known = context.getKnownInts(context.getOperand(2), "the axis");
    if (failed(known) || known->size() != 1)
      return context.unsupported("its axis must be one number");
    given = known->front();
  }
  FailureOr<int64_t> axis = context.normalizeAxis(given, rank);
  if (failed(axis))
    return {};
  if (*axis == rank - 1)
    return context.unsupported("its axis is that of the imaginary parts");
  transform.length = tx::getDim(context.getType(0), *axis);
  if (context.getOperand(1)) {
    FailureOr<SymExprAttr> length = getSize(context, 1, "the length of a DFT");
    if (failed(length))
      return {};
    transform.length = *length;
  } else if (transform.isInverse && transform.isOneSided) {
    transform.length = tx::mul(tx::add(transform.length, -1), 2);
  }
  return createTransform(context, context.getOperand(0), *axis, transform);
}

/// Operands: signal [B, N, parts], step, window [L], length of the frames.
static NodeResults buildStft(NodeContext &context) {
  if (context.getRank(0) != 3)
    return context.unsupported("its signal must be [batch, length, parts]");
  Transform transform;
  transform.isOneSided = context.getInt("onesided", 1) != 0;
  FailureOr<SymExprAttr> step = getSize(context, 1, "the step of an STFT");
  if (failed(step))
    return {};
  if (!step->getConstant() || *step->getConstant() < 1)
    return context.unsupported("its step must be a number above 0");
  Value signal = context.getOperand(0), window = context.getOperand(2);
  SymExprAttr size = tx::getDim(context.getType(0), 1);
  transform.length = window ? tx::getDim(context.getType(2), 0) : size;
  if (context.getOperand(3)) {
    auto length = getSize(context, 3, "the frame length of an STFT");
    if (failed(length))
      return {};
    transform.length = *length;
    if (window)
      window = context.withDim(window, 0, *length, "window and frame length");
  }
  if (failed(context.require(transform.length, Predicate::le, size,
                             "a frame must not be longer than the signal")))
    return {};
  SymExprAttr frames =
      tx::add(tx::floorDiv(tx::sub(size, transform.length), *step), 1);
  Value starts = context.create<tx::MulOp>(
      context.unsqueeze(getPlaces(context, frames), {1}),
      getScalar(context, *step, context.getBuilder().getI64Type()));
  Value places = context.create<tx::AddOp>(
      starts, context.unsqueeze(getPlaces(context, transform.length), {0}));
  Value framed = context.create<tx::GatherOp>(signal, places, int64_t(1));
  if (window)
    framed = context.createElementwise<tx::MulOp>(
        framed, context.unsqueeze(window, {1}));
  return createTransform(context, framed, 2, transform);
}

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

namespace {
/// The window a - b cos(x) + c cos(2x) for x = 2 pi n / size.
struct CosineWindow {
  double a, b, c;
};
} // namespace

static NodeResults buildWindow(NodeContext &context, CosineWindow window) {
  Type f32 = context.getBuilder().getF32Type();
  Type type = context.getTypeAttribute("output_datatype", f32);
  bool isPeriodic = context.getInt("periodic", 1) != 0;
  FailureOr<SymExprAttr> size = getSize(context, 0, "the size of a window");
  if (failed(size))
    return {};
  Type wide = type && type.isF64() ? type : f32;
  SymExprAttr period = isPeriodic ? *size : tx::add(*size, -1);
  Value angle =
      context.create<tx::MulOp>(context.cast(getPlaces(context, *size), wide),
                                context.getScalar(wide, 2 * M_PI));
  angle = context.create<tx::DivOp>(angle, getScalar(context, period, wide));
  auto wave = [&](double factor, double frequency) {
    Value x =
        context.create<tx::MulOp>(angle, context.getScalar(wide, frequency));
    return context.create<tx::MulOp>(context.create<tx::CosOp>(x),
                                     context.getScalar(wide, factor));
  };
  Value y = context.create<tx::SubOp>(context.getScalar(wide, window.a),
                                      wave(window.b, 1));
  if (window.c != 0)
    y = context.create<tx::AddOp>(y, wave(window.c, 2));
  return context.cast(y, type);
}

static NodeResults buildHannWindow(NodeContext &context) {
  return buildWindow(context, {0.5, 0.5, 0});
}

/// ONNX's function body has 25/46, not the usual 0.54.
static NodeResults buildHammingWindow(NodeContext &context) {
  return buildWindow(context, {25.0 / 46, 21.0 / 46, 0});
}

static NodeResults buildBlackmanWindow(NodeContext &context) {
  return buildWindow(context, {0.42, 0.5, 0.08});
}

//===----------------------------------------------------------------------===//
// Mel scale
//===----------------------------------------------------------------------===//

/// Triangles [frequency, bin] that rise from one edge to the next and fall to
/// the one after it. Edges are equally spaced on the mel scale and then rounded
/// down to frequencies of the transform.
static NodeResults buildMelWeightMatrix(NodeContext &context) {
  Type f32 = context.getBuilder().getF32Type();
  Type type = context.getTypeAttribute("output_datatype", f32);
  FailureOr<SymExprAttr> bins = getSize(context, 0, "the number of mel bins");
  FailureOr<SymExprAttr> length = getSize(context, 1, "the length of the DFT");
  if (failed(bins) || failed(length))
    return {};
  Type f64 = context.getBuilder().getF64Type();
  auto number = [&](double value) { return context.getScalar(f64, value); };
  auto add = [&](Value lhs, Value rhs) {
    return context.create<tx::AddOp>(lhs, rhs);
  };
  auto sub = [&](Value lhs, Value rhs) {
    return context.create<tx::SubOp>(lhs, rhs);
  };
  auto mul = [&](Value lhs, Value rhs) {
    return context.create<tx::MulOp>(lhs, rhs);
  };
  auto div = [&](Value lhs, Value rhs) {
    return context.create<tx::DivOp>(lhs, rhs);
  };
  auto operand = [&](unsigned index) {
    return context.cast(context.reshape(context.getOperand(index), {}), f64);
  };
  // mel = 2595 log10(1 + f / 700)
  double perLog = 2595 / M_LN10;
  auto toMel = [&](Value frequency) {
    Value ratio = add(div(frequency, number(700)), number(1));
    return mul(context.create<tx::LogOp>(ratio), number(perLog));
  };
  Value low = toMel(operand(3));
  Value step = div(sub(toMel(operand(4)), low),
                   getScalar(context, tx::add(*bins, 2), f64));
  Value mels = add(
      mul(context.cast(getPlaces(context, tx::add(*bins, 2)), f64), step), low);
  Value hertz =
      mul(sub(context.create<tx::ExpOp>(div(mels, number(perLog))), number(1)),
          number(700));
  Value edges = context.create<tx::FloorOp>(div(
      mul(hertz, getScalar(context, tx::add(*length, 1), f64)), operand(2)));
  if (!edges)
    return {};
  auto edge = [&](int64_t first) {
    return context.unsqueeze(
        context.slice(edges, 0, context.getExpr(first), *bins), {0});
  };
  Value left = edge(0), center = edge(1), right = edge(2);
  SymExprAttr frequencies = tx::add(tx::floorDiv(*length, 2), 1);
  Value place = context.unsqueeze(
      context.cast(getPlaces(context, frequencies), f64), {1});
  auto compare = [&](Predicate predicate, Value lhs, Value rhs) {
    return context.createCompare(predicate, lhs, rhs);
  };
  // A slope of no width is a step; the other one's quotient is not used then.
  Value isStep = compare(Predicate::eq, left, center);
  Value rising = context.createSelect(isStep, number(1),
                                      div(sub(place, left), sub(center, left)));
  Value falling = div(sub(right, place), sub(right, center));
  Value isRising =
      context.create<tx::AndOp>(compare(Predicate::le, left, place),
                                compare(Predicate::le, place, center));
  Value isFalling =
      context.create<tx::AndOp>(compare(Predicate::le, center, place),
                                compare(Predicate::lt, place, right));
  Value weights = context.createSelect(
      isFalling, falling, context.createSelect(isRising, rising, number(0)));
  return context.cast(weights, type);
}

OpTable frontend::getSpectralOps() {
  static constexpr OpEntry table[] = {
      {"BlackmanWindow", 17, 1, 1, buildBlackmanWindow},
      {"DFT", 17, 1, 3, buildDft},
      {"HammingWindow", 17, 1, 1, buildHammingWindow},
      {"HannWindow", 17, 1, 1, buildHannWindow},
      {"MelWeightMatrix", 17, 5, 5, buildMelWeightMatrix},
      {"STFT", 17, 2, 4, buildStft},
  };
  return table;
}
