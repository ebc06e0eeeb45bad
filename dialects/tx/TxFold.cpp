//===- TxFold.cpp - folding shape arithmetic -----------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/tx/TxFold.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace txc::tx;

SmallVector<int64_t> txc::tx::getRowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (int64_t d = static_cast<int64_t>(shape.size()) - 2; d >= 0; --d)
    strides[d] = strides[d + 1] * shape[d + 1];
  return strides;
}

/// Calls `visit` with each index of a static shape, in row-major order.
static void forEachIndex(ArrayRef<int64_t> shape,
                         function_ref<void(ArrayRef<int64_t>)> visit) {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  SmallVector<int64_t> index(shape.size(), 0);
  for (int64_t i = 0; i < count; ++i) {
    visit(index);
    for (int64_t d = static_cast<int64_t>(shape.size()) - 1; d >= 0; --d) {
      if (++index[d] < shape[d])
        break;
      index[d] = 0;
    }
  }
}

static bool isFoldable(RankedTensorType type) {
  return type.hasStaticShape() && type.getElementType().isInteger() &&
         type.getNumElements() <= kMaxConstantElements;
}

//===----------------------------------------------------------------------===//
// Element-wise
//===----------------------------------------------------------------------===//

/// C's truncating division, where it agrees with the rounding down of
/// expressions: for operands that can't be negative.
static SymExprAttr divide(const SymbolBounds &bounds, SymExprAttr lhs,
                          SymExprAttr rhs) {
  if (lhs.getConstant() && rhs.getConstant()) {
    if (rhs.isConstant(0))
      return nullptr;
    return getConstantExpr(lhs.getContext(),
                           *lhs.getConstant() / *rhs.getConstant());
  }
  if (bounds.lowerBound(lhs).value_or(-1) < 0 ||
      bounds.lowerBound(rhs).value_or(-1) < (rhs.getConstant() ? 1 : 0))
    return divideExactly(lhs, rhs);
  return floorDiv(lhs, rhs);
}

static SymExprAttr getBool(MLIRContext *context, std::optional<bool> value) {
  return value ? getConstantExpr(context, *value) : SymExprAttr();
}

/// The logical operators, on 0 and 1; one known operand may decide.
static SymExprAttr foldLogical(SymExprAttr lhs, SymExprAttr rhs, bool isAnd) {
  int64_t deciding = isAnd ? 0 : 1;
  if (lhs.isConstant(deciding) || rhs.isConstant(1 - deciding))
    return lhs;
  if (rhs.isConstant(deciding) || lhs.isConstant(1 - deciding))
    return rhs;
  return lhs == rhs ? lhs : nullptr;
}

/// 1 where the relation holds and 0 elsewhere: of integers, |x| and 1 have the
/// minimum 0 iff x is 0.
static SymExprAttr getIndicator(Predicate predicate, SymExprAttr lhs,
                                SymExprAttr rhs) {
  SymExprAttr one = getConstantExpr(lhs.getContext(), 1);
  SymExprAttr differs = min(sub(max(lhs, rhs), min(lhs, rhs)), one);
  auto isPositive = [&](SymExprAttr x) {
    return min(max(x, getConstantExpr(x.getContext(), 0)), one);
  };
  switch (predicate) {
  case Predicate::eq:
    return sub(one, differs);
  case Predicate::ne:
    return differs;
  case Predicate::lt:
    return isPositive(sub(rhs, lhs));
  case Predicate::le:
    return isPositive(add(sub(rhs, lhs), 1));
  case Predicate::gt:
    return isPositive(sub(lhs, rhs));
  case Predicate::ge:
    return isPositive(add(sub(lhs, rhs), 1));
  }
  llvm_unreachable("every predicate is handled");
}

/// What foldElement() leaves to a run, as a polynomial of 0s and 1s; null for
/// other ops.
static SymExprAttr decideInRun(Operation *op, ArrayRef<SymExprAttr> x) {
  auto isBool = [](Type type) {
    return getElementTypeOrSelf(type).isInteger(1);
  };
  bool isLogical = isBool(op->getOperand(0).getType());
  auto logical = [&](SymExprAttr value) { return isLogical ? value : nullptr; };
  return llvm::TypeSwitch<Operation *, SymExprAttr>(op)
      .Case<CompareOp>([&](CompareOp compare) {
        return getIndicator(compare.getPredicate(), x[0], x[1]);
      })
      .Case<SelectOp>(
          [&](auto) { return add(x[2], mul(x[0], sub(x[1], x[2]))); })
      .Case<AndOp>([&](auto) { return logical(mul(x[0], x[1])); })
      .Case<OrOp>(
          [&](auto) { return logical(sub(add(x[0], x[1]), mul(x[0], x[1]))); })
      .Case<XorOp>([&](auto) {
        return logical(sub(add(x[0], x[1]), mul(mul(x[0], x[1]), 2)));
      })
      .Case<CastOp>([&](CastOp cast) -> SymExprAttr {
        if (!isBool(cast.getType()))
          return nullptr;
        return getIndicator(Predicate::ne, x[0], sub(x[0], x[0]));
      })
      .Default([](Operation *) { return nullptr; });
}

/// One element of the result; null if it can't be decided.
static SymExprAttr foldElement(Operation *op, const SymbolBounds &bounds,
                               ArrayRef<SymExprAttr> x) {
  MLIRContext *context = op->getContext();
  bool isBool = getElementTypeOrSelf(op->getOperand(0).getType()).isInteger(1);
  SymExprAttr zero = getConstantExpr(context, 0);
  return llvm::TypeSwitch<Operation *, SymExprAttr>(op)
      .Case<AddOp>([&](auto) { return isBool ? nullptr : add(x[0], x[1]); })
      .Case<SubOp>([&](auto) { return isBool ? nullptr : sub(x[0], x[1]); })
      .Case<MulOp>([&](auto) { return isBool ? nullptr : mul(x[0], x[1]); })
      .Case<DivOp>([&](auto) { return divide(bounds, x[0], x[1]); })
      .Case<ModOp>([&](auto) -> SymExprAttr {
        // A divisor that turns out to be 0 is refused with the dims in it.
        if (bounds.lowerBound(x[1]).value_or(-1) < (x[1].getConstant() ? 1 : 0))
          return nullptr;
        return mod(x[0], x[1]);
      })
      .Case<MaximumOp>([&](auto) -> SymExprAttr {
        if (auto less = bounds.compare(Predicate::lt, x[0], x[1]))
          return *less ? x[1] : x[0];
        return max(x[0], x[1]);
      })
      .Case<MinimumOp>([&](auto) -> SymExprAttr {
        if (auto less = bounds.compare(Predicate::lt, x[0], x[1]))
          return *less ? x[0] : x[1];
        return min(x[0], x[1]);
      })
      .Case<NegOp>([&](auto) { return sub(zero, x[0]); })
      .Case<AbsOp>([&](auto) -> SymExprAttr {
        if (bounds.lowerBound(x[0]).value_or(-1) >= 0)
          return x[0];
        return max(x[0], sub(zero, x[0]));
      })
      .Case<SignOp>([&](auto) -> SymExprAttr {
        if (std::optional<int64_t> value = x[0].getConstant())
          return getConstantExpr(context, (*value > 0) - (*value < 0));
        return bounds.lowerBound(x[0]).value_or(0) > 0
                   ? getConstantExpr(context, 1)
                   : nullptr;
      })
      .Case<AndOp>([&](auto) {
        return isBool ? foldLogical(x[0], x[1], /*isAnd=*/true) : nullptr;
      })
      .Case<OrOp>([&](auto) {
        return isBool ? foldLogical(x[0], x[1], /*isAnd=*/false) : nullptr;
      })
      .Case<XorOp>([&](auto) -> SymExprAttr {
        if (!isBool || !x[0].getConstant() || !x[1].getConstant())
          return nullptr;
        return getBool(context, x[0] != x[1]);
      })
      .Case<NotOp>([&](auto) -> SymExprAttr {
        return isBool ? sub(getConstantExpr(context, 1), x[0]) : nullptr;
      })
      .Case<CompareOp>([&](CompareOp compare) {
        return getBool(context,
                       bounds.compare(compare.getPredicate(), x[0], x[1]));
      })
      .Case<SelectOp>([&](auto) -> SymExprAttr {
        if (std::optional<int64_t> condition = x[0].getConstant())
          return *condition ? x[1] : x[2];
        return x[1] == x[2] ? x[1] : nullptr;
      })
      .Case<CastOp>([&](CastOp cast) -> SymExprAttr {
        unsigned from = cast.getX().getType().getElementTypeBitWidth();
        unsigned to = cast.getType().getElementTypeBitWidth();
        if (to == 1)
          return getBool(context, bounds.compare(Predicate::ne, x[0], zero));
        // A dim that a narrower type can't hold would wrap; dims are far below.
        return to >= from || to >= 32 ? x[0] : nullptr;
      })
      .Default([](Operation *) { return nullptr; });
}

/// `inRun`: whether elements that a run decides are computed, too.
static Attribute foldElements(Operation *op, ArrayRef<Attribute> operands,
                              bool inRun) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  if (!isFoldable(type))
    return {};
  SmallVector<SmallVector<SymExprAttr>> values;
  SmallVector<SmallVector<int64_t>> strides;
  for (auto [operand, attribute] : llvm::zip(op->getOperands(), operands)) {
    std::optional<SmallVector<SymExprAttr>> exprs = getExprs(attribute);
    if (!exprs)
      return {};
    values.push_back(std::move(*exprs));
    // A repeated dim has stride 0.
    ArrayRef<int64_t> shape =
        cast<RankedTensorType>(operand.getType()).getShape();
    SmallVector<int64_t> stride = getRowMajorStrides(shape);
    for (auto [size, step] : llvm::zip(shape, stride))
      step = size == 1 ? 0 : step;
    stride.insert(stride.begin(), type.getRank() - shape.size(), 0);
    strides.push_back(std::move(stride));
  }
  SymbolBounds bounds = getSymbolBounds(op);
  SmallVector<SymExprAttr> result;
  bool isKnown = true;
  forEachIndex(type.getShape(), [&](ArrayRef<int64_t> index) {
    SmallVector<SymExprAttr> elements;
    for (auto [exprs, stride] : llvm::zip(values, strides)) {
      int64_t linear = 0;
      for (auto [i, step] : llvm::zip(index, stride))
        linear += i * step;
      elements.push_back(exprs[linear]);
    }
    SymExprAttr element =
        isKnown ? foldElement(op, bounds, elements) : SymExprAttr();
    if (isKnown && !element && inRun)
      element = decideInRun(op, elements);
    isKnown = isKnown && element;
    result.push_back(element);
  });
  return isKnown ? getExprTensor(type, result) : Attribute();
}

OpFoldResult txc::tx::foldElementwise(Operation *op,
                                      ArrayRef<Attribute> operands) {
  if (Attribute value = foldElements(op, operands, /*inRun=*/false))
    return value;
  return {};
}

/// The value as an attribute; null if it depends on data. `known` has the
/// values that were asked for before. `depth` bounds the recursion: what
/// becomes a dim is a few ops away from one.
static Attribute computeAttribute(Value value,
                                  llvm::DenseMap<Value, Attribute> &known,
                                  unsigned depth) {
  Attribute constant;
  if (matchPattern(value, m_Constant(&constant)))
    return constant;
  Operation *op = value.getDefiningOp();
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!op || op->getNumResults() != 1 || depth == 0 || !type ||
      !isFoldable(type))
    return {};
  if (auto it = known.find(value); it != known.end())
    return it->second;
  SmallVector<Attribute> operands;
  for (Value operand : op->getOperands()) {
    operands.push_back(computeAttribute(operand, known, depth - 1));
    if (!operands.back())
      return known[value] = Attribute();
  }
  SmallVector<OpFoldResult> folded;
  Attribute result;
  if (isa<ElementwiseInterface>(op))
    result = foldElements(op, operands, /*inRun=*/true);
  else if (succeeded(op->fold(operands, folded)) && !folded.empty())
    result = dyn_cast<Attribute>(folded.front());
  return known[value] = result;
}

std::optional<SmallVector<SymExprAttr>> txc::tx::computeExprs(Value value) {
  llvm::DenseMap<Value, Attribute> known;
  return getExprs(computeAttribute(value, known, /*depth=*/64));
}

//===----------------------------------------------------------------------===//
// Movement
//===----------------------------------------------------------------------===//

Attribute txc::tx::foldMovement(
    RankedTensorType resultType, ArrayRef<Attribute> operands,
    function_ref<std::pair<unsigned, int64_t>(ArrayRef<int64_t>)> source) {
  if (!isFoldable(resultType))
    return {};
  SmallVector<SmallVector<SymExprAttr>> values;
  for (Attribute operand : operands) {
    std::optional<SmallVector<SymExprAttr>> exprs = getExprs(operand);
    if (!exprs)
      return {};
    values.push_back(std::move(*exprs));
  }
  SmallVector<SymExprAttr> result;
  forEachIndex(resultType.getShape(), [&](ArrayRef<int64_t> index) {
    auto [operand, element] = source(index);
    result.push_back(values[operand][element]);
  });
  return getExprTensor(resultType, result);
}
