//===- TxDialect.cpp - the tx dialect and its tensor types ---------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/tx/Tx.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/FoldInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace txc::tx;

#include "dialects/tx/TxDialect.cpp.inc"
#include "dialects/tx/TxInterfaces.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/tx/TxTypes.cpp.inc"

namespace {
/// A `tx.symbolic` is a constant that may mention symbols of the region it is
/// in: constants stay in their branch or loop.
struct TxFoldInterface : DialectFoldInterface {
  using DialectFoldInterface::DialectFoldInterface;
  bool shouldMaterializeInto(Region *region) const final {
    return isa<IfOp, LoopOp>(region->getParentOp());
  }
};
} // namespace

void TxDialect::initialize() {
  registerAttributes();
  registerTypes();
  addInterfaces<TxFoldInterface>();
  addOperations<
#define GET_OP_LIST
#include "dialects/tx/TxOps.cpp.inc"
      >();
}

void TxDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/tx/TxTypes.cpp.inc"
      >();
}

Operation *TxDialect::materializeConstant(OpBuilder &builder, Attribute value,
                                          Type type, Location loc) {
  if (auto exprs = dyn_cast<ExprsAttr>(value))
    return SymbolicOp::create(builder, loc, type, exprs);
  if (auto elements = dyn_cast<ElementsAttr>(value))
    return ConstantOp::create(builder, loc, type, elements);
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Tensor types
//===----------------------------------------------------------------------===//

SmallVector<SymExprAttr> txc::tx::getDims(RankedTensorType type) {
  if (auto dims = dyn_cast_if_present<DimsAttr>(type.getEncoding()))
    return llvm::to_vector(dims.getDims());
  SmallVector<SymExprAttr> result;
  for (int64_t size : type.getShape())
    result.push_back(getConstantExpr(type.getContext(), size));
  return result;
}

SymExprAttr txc::tx::getDim(RankedTensorType type, int64_t axis) {
  return getDims(type)[axis];
}

RankedTensorType txc::tx::getTensorType(ArrayRef<SymExprAttr> dims,
                                        Type elementType) {
  SmallVector<int64_t> shape;
  for (SymExprAttr dim : dims)
    shape.push_back(dim.getConstant().value_or(ShapedType::kDynamic));
  if (!llvm::is_contained(shape, ShapedType::kDynamic))
    return RankedTensorType::get(shape, elementType);
  return RankedTensorType::get(shape, elementType,
                               DimsAttr::get(elementType.getContext(), dims));
}

SymExprAttr txc::tx::getElementCount(RankedTensorType type) {
  return product(type.getContext(), getDims(type));
}

SymbolBounds txc::tx::getSymbolBounds(Operation *op) {
  SymbolBounds bounds;
  auto module = dyn_cast<ModuleOp>(op);
  if (!module)
    module = op->getParentOfType<ModuleOp>();
  auto symbols =
      module ? module->getAttrOfType<DictionaryAttr>("tx.symbols") : nullptr;
  if (!symbols)
    return bounds;
  for (NamedAttribute symbol : symbols) {
    auto ends = cast<ArrayAttr>(symbol.getValue());
    SymbolBounds::Range range;
    range.lower = cast<IntegerAttr>(ends[0]).getInt();
    if (ends.size() > 1)
      range.upper = cast<IntegerAttr>(ends[1]).getInt();
    bounds.set(symbol.getName(), range);
  }
  return bounds;
}

//===----------------------------------------------------------------------===//
// Known integer tensors
//===----------------------------------------------------------------------===//

std::optional<SmallVector<SymExprAttr>> txc::tx::getExprs(Attribute value) {
  if (auto exprs = dyn_cast_if_present<ExprsAttr>(value))
    return llvm::to_vector(exprs.getExprs());
  auto elements = dyn_cast_if_present<DenseIntElementsAttr>(value);
  if (!elements || elements.getNumElements() > kMaxConstantElements)
    return std::nullopt;
  SmallVector<SymExprAttr> result;
  Type elementType = elements.getElementType();
  bool isSigned = !elementType.isUnsignedInteger() && !elementType.isInteger(1);
  for (const APInt &element : elements.getValues<APInt>())
    result.push_back(getConstantExpr(
        value.getContext(),
        isSigned ? element.getSExtValue()
                 : static_cast<int64_t>(element.getZExtValue())));
  return result;
}

std::optional<SmallVector<SymExprAttr>> txc::tx::matchExprs(Value value) {
  Attribute attribute;
  if (!matchPattern(value, m_Constant(&attribute)))
    return std::nullopt;
  return getExprs(attribute);
}

Attribute txc::tx::getExprTensor(RankedTensorType type,
                                 ArrayRef<SymExprAttr> exprs) {
  SmallVector<APInt> constants;
  unsigned width = type.getElementType().getIntOrFloatBitWidth();
  for (SymExprAttr expr : exprs) {
    std::optional<int64_t> constant = expr.getConstant();
    if (!constant)
      return ExprsAttr::get(type.getContext(), exprs, type);
    constants.push_back(
        APInt(64, static_cast<uint64_t>(*constant), /*isSigned=*/true)
            .trunc(width));
  }
  return DenseElementsAttr::get(type, constants);
}
