//===- NodeShapes.cpp - dims and their rules for builders -----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// The members of NodeContext that deal with dims: known numbers, equal dims,
/// broadcasts, and the views that change shapes.
//
//===----------------------------------------------------------------------===//

#include "dialects/tx/TxFold.h"
#include "python-free-frontend/GraphImporter.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::Predicate;
using tx::SymExprAttr;

/// More than a tensor has dims, and a bound on what a file can ask for.
static constexpr int64_t maxRunTimeSizes = 16;

//===----------------------------------------------------------------------===//
// Known numbers
//===----------------------------------------------------------------------===//

FailureOr<Exprs> NodeContext::getExprs(Value value, const Twine &what) {
  if (!value)
    return failure();
  if (std::optional<Exprs> exprs = tx::computeExprs(value))
    return *exprs;
  // An argument's location is the input's name.
  auto input = dyn_cast<BlockArgument>(value);
  auto name = input ? dyn_cast<NameLoc>(input.getLoc()) : NameLoc();
  return unsupported(what + " depends on data of the run, not on shapes alone",
                     name ? "-constant " + name.getName().str() + "=FILE"
                          : ("an export with " + what + " fixed").str());
}

SymExprAttr NodeContext::getSize(Value scalar, const Twine &what) {
  if (!scalar)
    return {};
  if (std::optional<Exprs> exprs = tx::computeExprs(scalar))
    return exprs->front();
  std::string output = node.outputs.empty() ? "" : node.outputs.front().str();
  return importer.getRunTimeSymbol(scalar, output + "." + what.str(), loc);
}

Value NodeContext::getElement(Value tensor, int64_t place) {
  if (!tensor)
    return {};
  if (typeOf(tensor).getRank() > 0)
    tensor = reshape(slice(tensor, 0, getExpr(place), getExpr(1)), {});
  return cast(tensor, getBuilder().getI64Type());
}

FailureOr<int64_t> NodeContext::getLength(Value value, const Twine &what) {
  if (!value)
    return failure();
  RankedTensorType type = typeOf(value);
  if (type.getRank() <= 1 && type.hasStaticShape() &&
      type.getNumElements() <= maxRunTimeSizes)
    return type.getNumElements();
  return unsupported(what + " depends on data of the run, and so does how many "
                            "numbers it has",
                     "an export with " + what + " fixed");
}

FailureOr<Exprs> NodeContext::getSizes(Value value, const Twine &what) {
  if (!value)
    return failure();
  if (std::optional<Exprs> exprs = tx::computeExprs(value))
    return *exprs;
  FailureOr<int64_t> length = getLength(value, what);
  if (llvm::failed(length))
    return failure();
  Exprs sizes;
  for (int64_t i = 0; i < *length; ++i) {
    sizes.push_back(getSize(getElement(value, i), "size" + Twine(i)));
    if (!sizes.back())
      return failure();
  }
  return sizes;
}

FailureOr<SmallVector<int64_t>> NodeContext::getKnownInts(Value value,
                                                          const Twine &what) {
  FailureOr<Exprs> exprs = getExprs(value, what);
  if (llvm::failed(exprs))
    return failure();
  SmallVector<int64_t> result;
  for (SymExprAttr expr : *exprs) {
    std::optional<int64_t> constant = expr.getConstant();
    if (!constant)
      return unsupported(what + " must be known, found " + expr.str(),
                         "fixing the dims in it with -dim NAME=N");
    result.push_back(*constant);
  }
  return result;
}

FailureOr<int64_t> NodeContext::normalizeAxis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank)
    return unsupported("axis " + Twine(axis) + " is outside a tensor of rank " +
                       Twine(rank));
  return axis < 0 ? axis + rank : axis;
}

FailureOr<SmallVector<int64_t>>
NodeContext::normalizeAxes(ArrayRef<int64_t> axes, int64_t rank) {
  SmallVector<int64_t> result;
  for (int64_t axis : axes) {
    FailureOr<int64_t> normalized = normalizeAxis(axis, rank);
    if (llvm::failed(normalized))
      return failure();
    if (llvm::is_contained(result, *normalized))
      return unsupported("axis " + Twine(axis) + " is given twice");
    result.push_back(*normalized);
  }
  llvm::sort(result);
  return result;
}

FailureOr<std::optional<SmallVector<int64_t>>>
NodeContext::getAxes(unsigned index, int64_t rank) {
  SmallVector<int64_t> axes;
  if (std::optional<ArrayRef<int64_t>> attribute = getInts("axes")) {
    axes = llvm::to_vector(*attribute);
  } else if (Value operand = getOperand(index)) {
    FailureOr<SmallVector<int64_t>> known = getKnownInts(operand, "axes");
    if (llvm::failed(known))
      return failure();
    axes = std::move(*known);
  } else {
    return std::optional<SmallVector<int64_t>>();
  }
  FailureOr<SmallVector<int64_t>> normalized = normalizeAxes(axes, rank);
  if (llvm::failed(normalized))
    return failure();
  axes = std::move(*normalized);
  return std::optional(std::move(axes));
}

//===----------------------------------------------------------------------===//
// Rules for dims
//===----------------------------------------------------------------------===//

LogicalResult NodeContext::unify(SymExprAttr lhs, SymExprAttr rhs,
                                 const Twine &what) {
  if (succeeded(importer.getSymbols().unify(lhs, rhs)))
    return success();
  return unsupported(what + " must be equal, found " + lhs.str() + " and " +
                     rhs.str());
}

Value NodeContext::withDim(Value x, int64_t axis, SymExprAttr expected,
                           const Twine &what) {
  if (!x)
    return {};
  SymExprAttr dim = tx::getDim(typeOf(x), axis);
  if (succeeded(importer.getSymbols().unify(dim, expected)))
    return x;
  if ((dim.getConstant() && expected.getConstant()) ||
      llvm::failed(
          require(dim, Predicate::eq, expected, what + " must be equal")))
    return unsupported(what + " must be equal, found " + dim.str() + " and " +
                       expected.str());
  return slice(x, axis, getExpr(0), expected);
}

SymExprAttr NodeContext::resolve(SymExprAttr expr) const {
  return importer.getSymbols().resolve(expr);
}

LogicalResult NodeContext::require(SymExprAttr lhs, Predicate predicate,
                                   SymExprAttr rhs, const Twine &what) {
  StringRef sign = predicate == Predicate::eq   ? " == "
                   : predicate == Predicate::ne ? " != "
                                                : " <= ";
  std::string sentence =
      (onnx::describe(node) + ": " + what + ": " + lhs.str() + sign + rhs.str())
          .str();
  if (succeeded(importer.getSymbols().require(lhs, predicate, rhs, sentence)))
    return success();
  return unsupported(what + ": " + lhs.str() + sign + rhs.str() +
                     " can't hold");
}

SymExprAttr NodeContext::getMax(SymExprAttr lhs, SymExprAttr rhs) const {
  if (auto less = getBounds().compare(Predicate::lt, lhs, rhs))
    return *less ? rhs : lhs;
  if (auto greater = getBounds().compare(Predicate::gt, lhs, rhs))
    return *greater ? lhs : rhs;
  return tx::max(lhs, rhs);
}

SymExprAttr NodeContext::getMin(SymExprAttr lhs, SymExprAttr rhs) const {
  if (auto less = getBounds().compare(Predicate::lt, lhs, rhs))
    return *less ? lhs : rhs;
  if (auto greater = getBounds().compare(Predicate::gt, lhs, rhs))
    return *greater ? rhs : lhs;
  return tx::min(lhs, rhs);
}

//===----------------------------------------------------------------------===//
// Broadcasts
//===----------------------------------------------------------------------===//

/// Whether two dims, different expressions, can only match by being equal.
static bool mustBeEqual(const tx::SymbolBounds &bounds, SymExprAttr lhs,
                        SymExprAttr rhs) {
  SymExprAttr one = tx::getConstantExpr(lhs.getContext(), 1);
  return bounds.compare(Predicate::ne, lhs, one).value_or(false) &&
         bounds.compare(Predicate::ne, rhs, one).value_or(false);
}

/// The dim that `dims` (none a static 1) broadcast to.
static FailureOr<SymExprAttr>
getBroadcastDim(NodeContext &context, SymExprAttr lhs, SymExprAttr rhs) {
  if (lhs == rhs)
    return lhs;
  if (mustBeEqual(context.getBounds(), lhs, rhs)) {
    if (failed(context.unify(lhs, rhs, "dims that broadcast")))
      return failure();
    return SymExprAttr(); // the caller starts again with fresh dims
  }
  SymExprAttr minusOne = context.getExpr(-1), zero = context.getExpr(0);
  SymExprAttr product =
      tx::mul(tx::sub(lhs, rhs),
              tx::mul(tx::add(lhs, minusOne), tx::add(rhs, minusOne)));
  std::string dims = lhs.str() + " and " + rhs.str();
  SymExprAttr result = lhs.getConstant()   ? lhs
                       : rhs.getConstant() ? rhs
                                           : context.getMax(lhs, rhs);
  if (failed(context.require(product, Predicate::eq, zero,
                             "dims " + dims +
                                 " must be equal or one of them 1")) ||
      failed(context.require(result, Predicate::le, tx::mul(lhs, rhs),
                             "dims " + dims + " must not be 0 and 1")))
    return failure();
  return result;
}

/// The common dims of operands under ONNX's rule; empty after a unification,
/// which makes the dims that were read stale.
static FailureOr<Exprs> getBroadcastDims(NodeContext &context,
                                         ArrayRef<Value> operands) {
  size_t rank = 0;
  for (Value operand : operands)
    rank = std::max(rank, static_cast<size_t>(typeOf(operand).getRank()));
  Exprs result(rank, context.getExpr(1));
  for (Value operand : operands) {
    Exprs dims = tx::getDims(typeOf(operand));
    size_t offset = rank - dims.size();
    for (auto [index, dim] : llvm::enumerate(dims)) {
      SymExprAttr &common = result[offset + index];
      if (dim.isConstant(1))
        continue;
      FailureOr<SymExprAttr> next =
          common.isConstant(1) ? dim : getBroadcastDim(context, common, dim);
      if (failed(next))
        return failure();
      if (!*next)
        return Exprs();
      common = *next;
    }
  }
  return result;
}

SmallVector<Value> NodeContext::broadcast(ArrayRef<Value> values) {
  SmallVector<Value> operands(values);
  if (isNull(operands))
    return SmallVector<Value>(operands.size());
  // A unification removes a symbol, so this ends.
  FailureOr<Exprs> common = Exprs();
  bool isScalar =
      llvm::all_of(operands, [](Value v) { return typeOf(v).getRank() == 0; });
  while (succeeded(common) && common->empty() && !isScalar)
    common = getBroadcastDims(*this, operands);
  if (llvm::failed(common))
    return SmallVector<Value>(operands.size());
  for (Value &operand : operands) {
    Exprs dims = tx::getDims(typeOf(operand));
    bool isExplicit = false;
    for (auto [dim, target] :
         llvm::zip(llvm::reverse(dims), llvm::reverse(*common))) {
      isExplicit |= dim != target && !dim.isConstant(1);
      dim = dim.isConstant(1) ? dim : target;
    }
    if (isExplicit)
      operand = broadcastTo(operand, dims);
  }
  return operands;
}

Value NodeContext::createCompare(Predicate predicate, Value lhs, Value rhs) {
  SmallVector<Value> operands = broadcast({lhs, rhs});
  return create<tx::CompareOp>(predicate, operands[0], operands[1]);
}

Value NodeContext::createSelect(Value condition, Value lhs, Value rhs) {
  SmallVector<Value> operands = broadcast({condition, lhs, rhs});
  return create<tx::SelectOp>(operands[0], operands[1], operands[2]);
}

//===----------------------------------------------------------------------===//
// Constants and views
//===----------------------------------------------------------------------===//

Value NodeContext::getConstant(DenseElementsAttr value) {
  return create<tx::ConstantOp>(ElementsAttr(value));
}

Value NodeContext::getScalar(Type elementType, double value) {
  auto type = RankedTensorType::get({}, elementType);
  Builder &builder = getBuilder();
  Attribute element;
  if (auto floatType = dyn_cast<FloatType>(elementType))
    element = builder.getFloatAttr(floatType, value);
  else
    element = IntegerAttr::get(
        elementType,
        APInt(64, static_cast<uint64_t>(static_cast<int64_t>(value)))
            .trunc(elementType.getIntOrFloatBitWidth()));
  return getConstant(DenseElementsAttr::get(type, element));
}

Value NodeContext::getExprTensor(RankedTensorType type,
                                 ArrayRef<SymExprAttr> exprs) {
  Attribute value = tx::getExprTensor(type, exprs);
  if (auto symbolic = dyn_cast<tx::ExprsAttr>(value))
    return create<tx::SymbolicOp>(symbolic);
  return create<tx::ConstantOp>(llvm::cast<ElementsAttr>(value));
}

Value NodeContext::getExprTensor(ArrayRef<SymExprAttr> exprs) {
  auto type = RankedTensorType::get({static_cast<int64_t>(exprs.size())},
                                    getBuilder().getI64Type());
  return getExprTensor(type, exprs);
}

Value NodeContext::getExprScalar(SymExprAttr expr) {
  return getExprTensor(RankedTensorType::get({}, getBuilder().getI64Type()),
                       expr);
}

Value NodeContext::getIota(SymExprAttr size, Type elementType) {
  return create<tx::IotaOp>(tx::getTensorType({size}, elementType));
}

Value NodeContext::cast(Value x, Type elementType) {
  if (!x || !elementType)
    return {};
  return create<tx::CastOp>(
      tx::getTensorType(tx::getDims(typeOf(x)), elementType), x,
      /*saturate=*/false);
}

Value NodeContext::reshape(Value x, ArrayRef<SymExprAttr> dims) {
  if (!x)
    return {};
  SymExprAttr from = tx::getElementCount(typeOf(x));
  SymExprAttr to = tx::product(getContext(), dims);
  Type elementType = typeOf(x).getElementType();
  if (llvm::failed(importer.getSymbols().unify(from, to)) &&
      llvm::failed(require(from, Predicate::eq, to,
                           "the element counts of a reshape must be equal")))
    return {};
  Exprs resolved =
      llvm::map_to_vector(dims, [&](SymExprAttr dim) { return resolve(dim); });
  return create<tx::ReshapeOp>(tx::getTensorType(resolved, elementType), x);
}

Value NodeContext::transpose(Value x, ArrayRef<int64_t> permutation) {
  return create<tx::TransposeOp>(x, permutation);
}

Value NodeContext::broadcastTo(Value x, ArrayRef<SymExprAttr> dims) {
  if (!x)
    return {};
  return create<tx::BroadcastOp>(
      tx::getTensorType(dims, typeOf(x).getElementType()), x);
}

Value NodeContext::slice(Value x, int64_t axis, SymExprAttr start,
                         SymExprAttr size) {
  if (!x)
    return {};
  Exprs dims = tx::getDims(typeOf(x));
  SmallVector<Attribute> starts(dims.size(), getExpr(0));
  starts[axis] = start;
  dims[axis] = size;
  return create<tx::SliceOp>(
      tx::getTensorType(dims, typeOf(x).getElementType()), x,
      getBuilder().getArrayAttr(starts), SmallVector<int64_t>(dims.size(), 1));
}

Value NodeContext::squeeze(Value x, ArrayRef<int64_t> axes) {
  if (!x)
    return {};
  for (int64_t axis : axes)
    x = withDim(x, axis, getExpr(1), "a dim that is removed and 1");
  if (!x)
    return {};
  Exprs dims;
  for (auto [index, dim] : llvm::enumerate(tx::getDims(typeOf(x))))
    if (!llvm::is_contained(axes, static_cast<int64_t>(index)))
      dims.push_back(dim);
  return reshape(x, dims);
}

Value NodeContext::unsqueeze(Value x, ArrayRef<int64_t> axes) {
  if (!x)
    return {};
  Exprs dims = tx::getDims(typeOf(x));
  for (int64_t axis : axes)
    dims.insert(dims.begin() + axis, getExpr(1));
  return reshape(x, dims);
}
