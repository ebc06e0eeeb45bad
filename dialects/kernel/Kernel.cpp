//===- Kernel.cpp - the kernel dialect -----------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/kernel/Kernel.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace txc;
using namespace txc::kernel;
using tx::SymExprAttr;

#include "dialects/kernel/KernelDialect.cpp.inc"
#include "dialects/kernel/KernelEnums.cpp.inc"
#include "dialects/kernel/KernelInterfaces.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/kernel/KernelAttrs.cpp.inc"

void KernelDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/kernel/KernelAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/kernel/KernelOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

/// Rank of a tensor or stored tensor.
static int64_t getRank(Type type) {
  if (auto packed = dyn_cast<pack::TensorType>(type))
    return static_cast<int64_t>(packed.getShape().size());
  return cast<RankedTensorType>(type).getRank();
}

/// Each map goes from the iteration dims to the dims of its operand or result.
static LogicalResult verifyMaps(Operation *op, ArrayAttr sizes,
                                ArrayAttr symbols, ArrayAttr maps,
                                ArrayRef<Value> mapped) {
  if (maps.size() != mapped.size())
    return op->emitOpError("expected ")
           << mapped.size() << " maps, found " << maps.size();
  for (auto [index, attribute, value] : llvm::enumerate(maps, mapped)) {
    AffineMap map = cast<AffineMapAttr>(attribute).getValue();
    if (map.getNumDims() != sizes.size() ||
        map.getNumSymbols() != symbols.size())
      return op->emitOpError("map ")
             << index << " must have " << sizes.size() << " dims and "
             << symbols.size() << " symbols, found " << attribute;
    if (map.getNumResults() != getRank(value.getType()))
      return op->emitOpError("map ")
             << index << " must address " << value.getType() << ", found "
             << attribute;
  }
  return success();
}

/// The scalar that arithmetic sees for an element: signless.
static Type getScalarType(Type type) {
  Type elementType = isa<pack::TensorType>(type)
                         ? cast<pack::TensorType>(type).getElementType()
                         : getElementTypeOrSelf(type);
  if (elementType.isInteger() && !elementType.isSignlessInteger())
    return IntegerType::get(type.getContext(),
                            elementType.getIntOrFloatBitWidth());
  return elementType;
}

/// `leading` arguments of the body come first (gemm's accumulator).
static LogicalResult verifyBody(Operation *op, Block &body, TypeRange leading,
                                ValueRange inputs, ValueRange tables,
                                ValueRange results) {
  SmallVector<Type> expected(leading.begin(), leading.end());
  for (Value input : inputs)
    expected.push_back(getScalarType(input.getType()));
  for (Value table : tables)
    expected.push_back(table.getType());
  if (body.getArgumentTypes() != TypeRange(expected))
    return op->emitOpError("the body's arguments don't fit the operands");
  auto yield = dyn_cast<YieldOp>(body.getTerminator());
  if (!yield || yield.getNumOperands() != results.size())
    return op->emitOpError("the body must yield ")
           << results.size() << " values";
  for (auto [value, result] : llvm::zip(yield.getValues(), results))
    if (value.getType() != getScalarType(result.getType()))
      return op->emitOpError("the body yields ")
             << value.getType() << " for " << result.getType();
  return success();
}

static LogicalResult verifyNest(NestInterface op) {
  SmallVector<Value> mapped = llvm::to_vector(op.getInputs());
  llvm::append_range(mapped, op->getResults());
  if (failed(
          verifyMaps(op, op.getSizes(), op.getSymbols(), op.getMaps(), mapped)))
    return failure();
  return verifyBody(op, op.getBodyBlock(), {}, op.getInputs(), op.getTables(),
                    op->getResults());
}

LogicalResult MapOp::verify() {
  if (!getBody().getOps<ReduceOp>().empty())
    return emitOpError("has no rows to reduce; use kernel.rows");
  return verifyNest(*this);
}

LogicalResult AppendOp::verify() {
  if (getNumResults() != 1)
    return emitOpError("writes one state, found ")
           << getNumResults() << " results";
  return verifyNest(*this);
}

LogicalResult RowsOp::verify() {
  if (getNumRowDims() < 1 ||
      getNumRowDims() > static_cast<int64_t>(getSizes().size()))
    return emitOpError("row rank ")
           << getRowRank() << " does not fit " << getSizes().size() << " dims";
  return verifyNest(*this);
}

/// A precision says what becomes of an f32 lhs beside a narrower rhs; in bf16
/// it may have happened already.
static LogicalResult verifyPrecision(GemmOp op) {
  Type lhs = getScalarType(op.getLhs().getType());
  Type rhs = getScalarType(op.getRhs().getType());
  if (!op.getPrecision())
    return success();
  bool isInt8 = *op.getPrecision() == Precision::int8;
  bool hasLeft = lhs.isF32() || (!isInt8 && lhs.isBF16());
  if (!hasLeft || !(isInt8 ? rhs.isInteger(8) : rhs.isBF16()))
    return op.emitOpError("in ")
           << stringifyPrecision(*op.getPrecision()) << " multiplies f32 by "
           << (isInt8 ? "i8" : "bf16") << ", found " << lhs << " and " << rhs;
  return success();
}

LogicalResult GemmOp::verify() {
  if (getSizes().size() < 3)
    return emitOpError("expected at least the dims m, n and k");
  SmallVector<Value> mapped = {getLhs(), getRhs()};
  llvm::append_range(mapped, getInputs());
  llvm::append_range(mapped, getResults());
  if (failed(verifyMaps(*this, getSizes(), getSymbols(), getMaps(), mapped)))
    return failure();
  unsigned n = getSizes().size() - 2, m = n - 1, k = n + 1;
  if (getLhsMap().isFunctionOfDim(n) || getRhsMap().isFunctionOfDim(m))
    return emitOpError("lhs must not depend on n, nor rhs on m");
  for (Attribute map : getMaps().getValue().drop_front(2))
    if (cast<AffineMapAttr>(map).getValue().isFunctionOfDim(k))
      return emitOpError("inputs and results must not depend on k");
  if (failed(verifyPrecision(*this)))
    return failure();
  Type scalar = getScalarType(getLhs().getType());
  MLIRContext *context = getContext();
  Type accumulator = scalar.isF64()       ? scalar
                     : scalar.isInteger() ? Type(IntegerType::get(context, 32))
                                          : Type(Float32Type::get(context));
  if (scalar.isInteger() && scalar.getIntOrFloatBitWidth() > 32)
    accumulator = scalar;
  return verifyBody(*this, getBodyBlock(), accumulator, getInputs(), {},
                    getResults());
}

LogicalResult AttentionOp::verify() {
  if (getSizes().size() != 6)
    return emitOpError("expected the dims b, h, s, t, d and e");
  if (getStarts() && (getLengths() || getSize(2) != getSize(3)))
    return emitOpError("expected sequences of as many queries as keys, and no "
                       "lengths");
  SmallVector<Value> mapped = {getQ(), getK(), getV()};
  if (getMask())
    mapped.push_back(getMask());
  mapped.push_back(getResult());
  return verifyMaps(*this, getSizes(), getSymbols(), getMaps(), mapped);
}

LogicalResult CheckOp::verify() {
  if (static_cast<bool>(getFound()) != static_cast<bool>(getLimit()))
    return emitOpError("expected both an index and its limit, or neither");
  return success();
}

LogicalResult FetchOp::verify() {
  if (static_cast<int64_t>(getIndices().size()) !=
      getRank(getTable().getType()))
    return emitOpError("expected one index per dim of ")
           << getTable().getType();
  if (getType() != getScalarType(getTable().getType()))
    return emitOpError("expected an element of ") << getTable().getType();
  auto packed = dyn_cast<pack::TensorType>(getTable().getType());
  if (packed && packed.getLayout().getDepth() != 1)
    return emitOpError("can't read a column with others between, found ")
           << packed;
  return success();
}

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

static void appendExprs(ArrayAttr attribute,
                        SmallVectorImpl<SymExprAttr> &exprs) {
  for (SymExprAttr expr : attribute.getAsRange<SymExprAttr>())
    exprs.push_back(expr);
}

/// Dims of the operands and results: the code needs them for strides.
static void appendDims(Operation *op, SmallVectorImpl<SymExprAttr> &exprs) {
  auto append = [&](Type type) {
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      llvm::append_range(exprs, tx::getDims(tensor));
  };
  llvm::for_each(op->getOperandTypes(), append);
  llvm::for_each(op->getResultTypes(), append);
}

static void collectNestExprs(Operation *op, ArrayAttr sizes, ArrayAttr symbols,
                             Region &body,
                             SmallVectorImpl<SymExprAttr> &exprs) {
  appendExprs(sizes, exprs);
  appendExprs(symbols, exprs);
  appendDims(op, exprs);
  body.walk([&](SizeOp size) { exprs.push_back(size.getExpr()); });
}

/// One operation a point and arithmetic op of the body.
static SymExprAttr countBodyFlops(Operation *op, ArrayAttr sizes, Block &body) {
  int64_t ops = 0;
  for (Operation &inner : body)
    ops += isa<FloatType>(inner.getNumResults()
                              ? inner.getResult(0).getType()
                              : Type(NoneType::get(op->getContext())));
  SmallVector<SymExprAttr> dims;
  appendExprs(sizes, dims);
  return mul(tx::product(op->getContext(), dims), ops);
}

void MapOp::collectExprs(SmallVectorImpl<SymExprAttr> &exprs) {
  collectNestExprs(*this, getSizes(), getSymbols(), getBody(), exprs);
}
SymExprAttr MapOp::getFlops() {
  return countBodyFlops(*this, getSizes(), getBody().front());
}

void AppendOp::collectExprs(SmallVectorImpl<SymExprAttr> &exprs) {
  collectNestExprs(*this, getSizes(), getSymbols(), getBody(), exprs);
}
SymExprAttr AppendOp::getFlops() {
  return countBodyFlops(*this, getSizes(), getBody().front());
}

void RowsOp::collectExprs(SmallVectorImpl<SymExprAttr> &exprs) {
  collectNestExprs(*this, getSizes(), getSymbols(), getBody(), exprs);
}
SymExprAttr RowsOp::getFlops() {
  return countBodyFlops(*this, getSizes(), getBody().front());
}

void GemmOp::collectExprs(SmallVectorImpl<SymExprAttr> &exprs) {
  collectNestExprs(*this, getSizes(), getSymbols(), getBody(), exprs);
}
bool GemmOp::readsPlainMatrix() {
  AffineMap map = getRhsMap();
  unsigned k = getSizes().size() - 1;
  return map.getNumResults() == 2 &&
         map.getResult(0) == getAffineDimExpr(k, getContext()) &&
         map.getResult(1) == getAffineDimExpr(k - 1, getContext());
}
SymExprAttr GemmOp::getFlops() {
  SmallVector<SymExprAttr> dims;
  appendExprs(getSizes(), dims);
  return mul(tx::product(getContext(), dims), 2);
}

void AttentionOp::collectExprs(SmallVectorImpl<SymExprAttr> &exprs) {
  appendExprs(getSizes(), exprs);
  appendExprs(getSymbols(), exprs);
  appendDims(*this, exprs);
  if (getCausal())
    exprs.push_back(*getCausal());
}

/// Two products of S x T x D and S x T x E; a causal one counts in full, and a
/// row of sequences sees as many keys as the longest has.
SymExprAttr AttentionOp::getFlops() {
  SymExprAttr rows = mul(mul(getSize(0), getSize(1)), getSize(2));
  if (getStarts())
    if (SymExprAttr all = divideExactly(
            tx::getElementCount(getResult().getType()), getSize(5)))
      rows = all;
  return mul(mul(mul(rows, getSize(3)), add(getSize(4), getSize(5))), 2);
}

void CallOp::collectExprs(SmallVectorImpl<SymExprAttr> &exprs) {
  appendExprs(getParameters(), exprs);
  exprs.push_back(getTasks());
}
SymExprAttr CallOp::getFlops() {
  SymExprAttr elements = tx::getConstantExpr(getContext(), 0);
  for (Type type : getOperandTypes())
    elements = add(elements, tx::getElementCount(cast<RankedTensorType>(type)));
  return elements;
}

#define GET_OP_CLASSES
#include "dialects/kernel/KernelOps.cpp.inc"
