//===- GemmPhase.cpp - code of kernel.gemm -------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/GemmPhase.h"
#include "compiler/codegen/GemmAsRows.h"
#include "compiler/codegen/Lanes.h"
#include "compiler/codegen/NestGenerator.h"
#include "compiler/codegen/x86/DotType.h"
#include "compiler/codegen/x86/Gemm.h"

using namespace mlir;
using namespace txc;
using kernel::GemmOp;
using tx::SymExprAttr;
using x86::DotType;
using x86::GemmSchedule;
using x86::GemmSpec;
using x86::StridedOperand;

//===----------------------------------------------------------------------===//
// What the blocked generator takes
//===----------------------------------------------------------------------===//

static bool isStored(GemmOp op) {
  return isa<pack::TensorType>(op.getRhs().getType());
}

static LinearAccess getAccess(GemmOp op, AffineMap map, Type tensor) {
  return LinearAccess::get(map, cast<RankedTensorType>(tensor),
                           op.getSymbols());
}

/// Whether bytes are multiplied by a weight of bytes.
static bool multipliesBytes(GemmOp op) {
  return isStored(op) && getScalarType(op.getLhs().getType()).isInteger(8) &&
         getScalarType(op.getRhs().getType()).isInteger(8);
}

/// Whether bf16 are multiplied by a weight of bf16.
static bool multipliesBf16(GemmOp op) {
  return isStored(op) && op.getPrecision() &&
         getScalarType(op.getLhs().getType()).isBF16();
}

/// Whether the types are f32 by f32, or by a weight that is stored narrower, or
/// bf16 or bytes by one.
static bool hasBlockedTypes(GemmOp op) {
  if (multipliesBytes(op) || multipliesBf16(op))
    return true;
  Type rhs = getScalarType(op.getRhs().getType());
  return getScalarType(op.getLhs().getType()).isF32() &&
         (rhs.isF32() ||
          (isStored(op) && (op.getPrecision() || x86::becomesF32(rhs))));
}

/// Operands whose elements are found by strides.
static bool isBlocked(GemmOp op) {
  if (!hasBlockedTypes(op))
    return false;
  if (!getAccess(op, op.getLhsMap(), op.getLhs().getType()).terms.empty())
    return false;
  return isStored(op) ||
         getAccess(op, op.getRhsMap(), op.getRhs().getType()).terms.empty();
}

static DotType getDotType(GemmOp op) {
  if (multipliesBytes(op))
    return DotType::i8;
  if (!op.getPrecision())
    return DotType::f32;
  return *op.getPrecision() == kernel::Precision::bf16 ? DotType::bf16
                                                       : DotType::i8;
}

static GemmSchedule getSchedule(GemmOp op, const VectorTarget &target) {
  unsigned m = op.getBatchRank();
  return x86::chooseGemmSchedule(
      target, {op.getSize(m).getConstant(), op.getSize(m + 1).getConstant(),
               op.getSize(m + 2).getConstant(), getDotType(op)});
}

//===----------------------------------------------------------------------===//
// Epilogue
//===----------------------------------------------------------------------===//

namespace {
/// Applies the body to vectors of sums and stores what it yields.
class Epilogue {
public:
  Epilogue(KernelFunction &function, GemmOp op) : function(function), op(op) {
    for (auto [i, input] : llvm::enumerate(op.getInputs()))
      inputs.push_back(getAccess(op, op.getInputMap(i), input.getType()));
    for (auto [i, type] : llvm::enumerate(op.getResultTypes()))
      results.push_back(getAccess(op, op.getResultMap(i), type));
  }

  void emit(Value sums, Value batch, Value m, Value n, Value mask);
  void fetch(Value batch, Value m, Value n);

private:
  SmallVector<LaneValue> getPoint(Value batch, Value m, Value n);

  KernelFunction &function;
  GemmOp op;
  SmallVector<LinearAccess> inputs, results;
};
} // namespace

SmallVector<LaneValue> Epilogue::getPoint(Value batch, Value m, Value n) {
  x86::CodeBuilder &code = function.getCode();
  unsigned batchRank = op.getBatchRank();
  SmallVector<LaneValue> point(batchRank);
  for (unsigned dim = batchRank; dim-- > 0;) {
    Value extent = function.getValue(op.getSize(dim));
    point[dim] = {dim == 0 ? batch : code.rem(batch, extent)};
    batch = code.div(batch, extent);
  }
  point.push_back({m});
  point.push_back({n, 1});
  point.push_back({code.index(0)});
  return point;
}

void Epilogue::emit(Value sums, Value batch, Value m, Value n, Value mask) {
  SmallVector<LaneValue> point = getPoint(batch, m, n);
  Lanes lanes(function, cast<VectorType>(sums.getType()).getDimSize(0), mask);
  Block &body = op.getBodyBlock();
  llvm::DenseMap<Value, LaneValue> values;
  values[body.getArgument(0)] = {sums};
  for (auto [i, access] : llvm::enumerate(inputs)) {
    Value argument = body.getArgument(i + 1);
    LaneValue element = lanes.getElement(access, op.getSymbols(), point);
    values[argument] =
        lanes.load(function.getOperand(i + 2), element, argument.getType());
  }
  for (Operation &inner : body.without_terminator()) {
    SmallVector<LaneValue> operands;
    for (Value operand : inner.getOperands())
      operands.push_back(values[operand]);
    if (auto index = dyn_cast<kernel::IndexOp>(inner))
      values[index] = point[index.getDim()];
    else if (auto size = dyn_cast<kernel::SizeOp>(inner))
      values[size] = {function.getValue(size.getExpr())};
    else if (auto check = dyn_cast<kernel::CheckOp>(inner))
      lanes.check(check, operands);
    else
      values[inner.getResult(0)] = lanes.apply(&inner, operands);
  }
  for (auto [i, access] : llvm::enumerate(results)) {
    Value yielded = body.getTerminator()->getOperand(i);
    lanes.store(values[yielded], function.getResult(i),
                lanes.getElement(access, op.getSymbols(), point));
  }
}

/// Fetches what emit() will write there, and what it will read of each row.
void Epilogue::fetch(Value batch, Value m, Value n) {
  x86::CodeBuilder &code = function.getCode();
  SmallVector<LaneValue> point = getPoint(batch, m, n);
  Lanes lanes(function, /*count=*/1, /*mask=*/nullptr);
  unsigned row = op.getBatchRank(), column = row + 1;
  auto fetchFrom = [&](const LinearAccess &access, Value buffer) {
    if (!access.dependsOn(row) || access.getConstantStride(column) != 1 ||
        !access.terms.empty())
      return;
    LaneValue element = lanes.getElement(access, op.getSymbols(), point);
    Type type = cast<MemRefType>(buffer.getType()).getElementType();
    code.prefetch(code.advance(code.pointerTo(buffer), element.value, type),
                  /*level=*/2);
  };
  for (auto [i, access] : llvm::enumerate(inputs))
    fetchFrom(access, function.getOperand(i + 2));
  for (auto [i, access] : llvm::enumerate(results))
    fetchFrom(access, function.getResult(i));
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

namespace {
class GemmEmitter {
public:
  GemmEmitter(KernelFunction &function, GemmOp op)
      : function(function), op(op) {}

  LogicalResult emit();

private:
  OpFoldResult fold(SymExprAttr expr) {
    if (std::optional<int64_t> constant = expr.getConstant())
      return function.getCode().builder.getIndexAttr(*constant);
    return function.getValue(expr);
  }
  StridedOperand getOperand(unsigned number, AffineMap map, unsigned row,
                            unsigned column);

  KernelFunction &function;
  GemmOp op;
};
} // namespace

/// An operand over the batch dims, then `row` and `column`.
StridedOperand GemmEmitter::getOperand(unsigned number, AffineMap map,
                                       unsigned row, unsigned column) {
  LinearAccess access = getAccess(op, map, op->getOperand(number).getType());
  StridedOperand operand{function.getOperand(number), {}, {}};
  if (!access.offset.isConstant(0))
    operand.offset = function.getValue(access.offset);
  for (unsigned dim = 0; dim < op.getBatchRank(); ++dim)
    operand.strides.push_back(fold(access.strides[dim]));
  operand.strides.push_back(fold(access.strides[row]));
  operand.strides.push_back(fold(access.strides[column]));
  return operand;
}

/// Whether the weight is stored as the generator reads it.
static LogicalResult checkLayout(GemmOp op, const GemmSchedule &schedule) {
  auto layout = cast<pack::TensorType>(op.getRhs().getType()).getLayout();
  int64_t depth = x86::getDotDepth(schedule.type);
  int64_t shift = schedule.type == DotType::i8 ? x86::i8PanelShift : 0;
  if (layout.getLanes() == x86::panelLanes && layout.getDepth() == depth &&
      layout.getShift() == shift)
    return success();
  return op.emitOpError("reads panels of ")
         << x86::panelLanes << " lanes, depth " << depth << " and shift "
         << shift << ", found " << layout;
}

LogicalResult GemmEmitter::emit() {
  x86::CodeBuilder &code = function.getCode();
  unsigned batchRank = op.getBatchRank();
  unsigned m = batchRank, n = m + 1, k = m + 2;
  Epilogue epilogue(function, op);
  GemmSpec spec;
  spec.target = function.getTarget();
  spec.schedule = getSchedule(op, spec.target);
  for (unsigned dim = 0; dim < batchRank; ++dim)
    spec.batch.push_back(fold(op.getSize(dim)));
  spec.m = fold(op.getSize(m));
  spec.n = fold(op.getSize(n));
  spec.k = fold(op.getSize(k));
  spec.a = getOperand(0, op.getLhsMap(), m, k);
  if (multipliesBf16(op))
    spec.leftNumbers = x86::LeftNumbers::Bf16;
  if (multipliesBytes(op))
    spec.leftNumbers =
        getElementTypeOrSelf(op.getLhs().getType()).isUnsignedInteger()
            ? x86::LeftNumbers::UnsignedBytes
            : x86::LeftNumbers::SignedBytes;
  spec.bIsPacked = isStored(op);
  if (spec.bIsPacked && failed(checkLayout(op, spec.schedule)))
    return failure();
  Type rhs = getScalarType(op.getRhs().getType());
  if (spec.schedule.type == DotType::f32 && x86::becomesF32(rhs))
    spec.narrowB = rhs;
  if (spec.bIsPacked)
    // One matrix for all batches.
    spec.b = {
        function.getOperand(1),
        {},
        SmallVector<OpFoldResult>(batchRank, code.builder.getIndexAttr(0))};
  else
    spec.b = getOperand(1, op.getRhsMap(), k, n);
  auto store = [&](OpBuilder &, Location, Value sums, Value batch, Value row,
                   Value column, Value mask) {
    epilogue.emit(sums, batch, row, column, mask);
  };
  spec.store = store;
  auto fetch = [&](OpBuilder &, Location, Value batch, Value row,
                   Value column) { epilogue.fetch(batch, row, column); };
  spec.fetch = fetch;
  return x86::emitGemmTasks(code.builder, code.loc, spec,
                            function.getTaskBegin(), function.getTaskEnd(),
                            function.getScratch());
}

/// The operands' buffers in the order of buildGemmAsRows().
static SmallVector<Value> getRowsBuffers(KernelFunction &function, GemmOp op) {
  SmallVector<Value> buffers;
  for (unsigned number : getRowsOperands(op))
    buffers.push_back(function.getOperand(number));
  return buffers;
}

LogicalResult txc::emitGemm(KernelFunction &function, GemmOp op) {
  if (isBlocked(op))
    return GemmEmitter(function, op).emit();
  if (op.getPrecision())
    return op.emitOpError("in ")
           << kernel::stringifyPrecision(*op.getPrecision())
           << " needs packed weights and a left operand that strides address";
  OwningOpRef<kernel::RowsOp> rows = buildGemmAsRows(op);
  emitNest(function, *rows, getRowsBuffers(function, op));
  return success();
}

SymExprAttr txc::getGemmTaskCount(GemmOp op, const VectorTarget &target) {
  if (!isBlocked(op)) {
    OwningOpRef<kernel::RowsOp> rows = buildGemmAsRows(op);
    return getNestTaskCount(*rows, target);
  }
  GemmSchedule schedule = getSchedule(op, target);
  unsigned m = op.getBatchRank();
  SymExprAttr two = tx::min(tx::floorDiv(op.getSize(m), x86::fewestRows),
                            tx::getConstantExpr(op.getContext(), 2));
  SymExprAttr rowBlocks = tx::max(tx::ceilDiv(op.getSize(m), schedule.MC), two);
  SymExprAttr count =
      tx::mul(rowBlocks, tx::ceilDiv(op.getSize(m + 1), schedule.NC));
  for (unsigned dim = 0; dim < m; ++dim)
    count = tx::mul(count, op.getSize(dim));
  return count;
}

SymExprAttr txc::getGemmScratchBytes(GemmOp op, const VectorTarget &target) {
  if (!isBlocked(op)) {
    OwningOpRef<kernel::RowsOp> rows = buildGemmAsRows(op);
    return getNestScratchBytes(*rows, target);
  }
  return tx::getConstantExpr(
      op.getContext(),
      x86::gemmScratchBytes(getSchedule(op, target), !isStored(op)));
}
