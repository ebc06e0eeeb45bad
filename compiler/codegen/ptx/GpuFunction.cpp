//===- GpuFunction.cpp - the function of a kernel on a GPU ---------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/ptx/GpuFunction.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/pack/Pack.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace txc;
using namespace txc::ptx;
using tx::SymExprAttr;

/// That a multiprocessor runs at a time, at least.
constexpr int32_t kBlocksPerSm = 2;

bool txc::ptx::isMultipleOf(SymExprAttr expr, int64_t divisor) {
  return llvm::all_of(expr.getTerms(), [&](tx::MonomialAttr term) {
    return term.getCoefficient() % divisor == 0;
  });
}

bool txc::ptx::hasAlignedRows(const LinearAccess &access, unsigned columnDim,
                              int64_t chunkElements) {
  if (access.getConstantStride(columnDim) != 1 ||
      !isMultipleOf(access.offset, chunkElements))
    return false;
  for (auto [dim, stride] : llvm::enumerate(access.strides))
    if (dim != columnDim && !isMultipleOf(stride, chunkElements))
      return false;
  return llvm::all_of(access.terms, [&](const LinearAccess::Term &term) {
    return isMultipleOf(term.stride, chunkElements);
  });
}

static LLVM::LLVMFunctionType getFunctionType(MLIRContext *context,
                                              TypeRange parameters) {
  return LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(context),
                                     llvm::to_vector(parameters));
}

GpuFunction::GpuFunction(ModuleOp module, StringRef name, Operation *phase,
                         int64_t threads)
    : builder(phase->getLoc(), module.getContext()) {
  builder.setInsertionPointToEnd(module.getBody());
  MLIRContext *context = module.getContext();
  unsigned operands = phase->getNumOperands();
  SmallVector<Type> buffers(operands + phase->getNumResults(),
                            LLVM::LLVMPointerType::get(context, /*global*/ 1));
  WalkResult checks = phase->walk(
      [](kernel::CheckOp) -> WalkResult { return WalkResult::interrupt(); });
  if (checks.wasInterrupted())
    buffers.push_back(buffers.front());
  function = LLVM::LLVMFuncOp::create(builder, name,
                                      getFunctionType(context, buffers));
  function->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(),
                    builder.getUnitAttr());
  function->setAttr(
      NVVM::NVVMDialect::getReqntidAttrName(),
      builder.getDenseI32ArrayAttr({static_cast<int32_t>(threads), 1, 1}));
  // Else ptxas counts on three or more blocks, and spills a few registers of
  // kernels whose accumulators leave room for two.
  function->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                    builder.getI32IntegerAttr(kBlocksPerSm));
  Block *entry = function.addEntryBlock(builder);
  builder.setInsertionPointToStart(entry);
  if (checks.wasInterrupted())
    fault = entry->getArguments().back();
  for (unsigned i = 0; i < buffers.size(); ++i) {
    function.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(),
                        builder.getUnitAttr());
    if (i < operands)
      function.setArgAttr(i, LLVM::LLVMDialect::getReadonlyAttrName(),
                          builder.getUnitAttr());
  }
}

Value GpuFunction::getValue(SymExprAttr expr) {
  if (std::optional<int64_t> constant = expr.getConstant())
    return index(*constant);
  Value &value = parameters[expr];
  if (!value) {
    OpBuilder::InsertionGuard guard(builder);
    Block &entry = function.getBody().front();
    builder.setInsertionPointToStart(&entry);
    Value argument = entry.addArgument(builder.getI64Type(), builder.getLoc());
    value =
        arith::IndexCastOp::create(builder, builder.getIndexType(), argument);
  }
  return value;
}

Value GpuFunction::index(int64_t value) {
  return arith::ConstantIndexOp::create(builder, value);
}

Value GpuFunction::add(Value lhs, Value rhs) {
  return builder.createOrFold<arith::AddIOp>(lhs, rhs);
}

Value GpuFunction::mul(Value lhs, Value rhs) {
  return builder.createOrFold<arith::MulIOp>(lhs, rhs);
}

Value GpuFunction::div(Value lhs, Value rhs) {
  return builder.createOrFold<arith::DivUIOp>(lhs, rhs);
}

Value GpuFunction::rem(Value lhs, Value rhs) {
  return builder.createOrFold<arith::RemUIOp>(lhs, rhs);
}

Value GpuFunction::isLess(Value lhs, Value rhs) {
  return arith::CmpIOp::create(builder, arith::CmpIPredicate::slt, lhs, rhs);
}

Value GpuFunction::select(Value condition, Value lhs, Value rhs) {
  return arith::SelectOp::create(builder, condition, lhs, rhs);
}

//===----------------------------------------------------------------------===//
// Threads and control flow
//===----------------------------------------------------------------------===//

Value GpuFunction::getThread() { return readRegister<NVVM::ThreadIdXOp>(); }

Value GpuFunction::getBlock() { return readRegister<NVVM::BlockIdXOp>(); }

Value GpuFunction::getLane() { return rem(getThread(), index(kWarpLanes)); }

void GpuFunction::ifThen(Value condition, function_ref<void()> body) {
  auto guarded =
      scf::IfOp::create(builder, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(guarded.thenBlock());
  body();
}

GpuFunction::Values
GpuFunction::loop(Value begin, Value end, int64_t step, ValueRange init,
                  function_ref<Values(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(builder, begin, end, index(step), init);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  Values next = body(loop.getInductionVar(), loop.getRegionIterArgs());
  // A loop that carries nothing has its yield from the start.
  if (!init.empty())
    scf::YieldOp::create(builder, next);
  return llvm::to_vector_of<Value>(loop.getResults());
}

GpuFunction::Values GpuFunction::delinearize(Value number, ValueRange sizes) {
  Values indices(sizes.size());
  for (size_t i = sizes.size(); i-- > 0;) {
    indices[i] = i == 0 ? number : rem(number, sizes[i]);
    if (i != 0)
      number = div(number, sizes[i]);
  }
  return indices;
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

Value GpuFunction::getElementNumber(const LinearAccess &access,
                                    ArrayAttr symbols, ArrayRef<Value> point) {
  Value number = getValue(access.offset);
  for (auto [stride, coordinate] : llvm::zip_equal(access.strides, point))
    if (!stride.isConstant(0))
      number = add(number, mul(coordinate, getValue(stride)));
  if (access.terms.empty())
    return number;
  SmallVector<Value> symbolValues;
  for (auto symbol : symbols.getAsRange<SymExprAttr>())
    symbolValues.push_back(getValue(symbol));
  for (const LinearAccess::Term &term : access.terms) {
    Value count = affine::expandAffineExpr(builder, builder.getLoc(), term.expr,
                                           point, symbolValues);
    number = add(number, mul(count, getValue(term.stride)));
  }
  return number;
}

/// See #pack.panels.
static Value getPanelElement(GpuFunction &f, pack::TensorType type, Value k,
                             Value n) {
  pack::PanelsAttr layout = type.getLayout();
  int64_t bytes = type.getElementType().getIntOrFloatBitWidth() / 8;
  Value lanes = f.index(layout.getLanes()), depth = f.index(layout.getDepth());
  int64_t sums =
      layout.getShift() != 0
          ? layout.getLanes() * static_cast<int64_t>(sizeof(int32_t)) / bytes
          : 0;
  Value panel = f.mul(f.div(n, lanes), f.index(type.getPanelBytes() / bytes));
  Value row = f.mul(f.div(k, depth), f.mul(lanes, depth));
  Value column = f.add(f.mul(f.rem(n, lanes), depth), f.rem(k, depth));
  return f.add(f.add(panel, f.index(sums)), f.add(row, column));
}

Value GpuFunction::getElementNumber(Type tensor, ArrayRef<Value> indices) {
  if (auto stored = dyn_cast<pack::TensorType>(tensor))
    return getPanelElement(*this, stored, indices[0], indices[1]);
  Value number = index(0);
  for (auto [coordinate, stride] : llvm::zip_equal(
           indices, getRowMajorStrides(cast<RankedTensorType>(tensor))))
    number = add(number, mul(coordinate, getValue(stride)));
  return number;
}

Value GpuFunction::getAddress(Value buffer, Value number, Type type) {
  Value offset =
      arith::IndexCastOp::create(builder, builder.getI64Type(), number);
  return LLVM::GEPOp::create(builder, buffer.getType(), type, buffer,
                             ValueRange{offset});
}

/// Whether the type is a float that LLVM does not know; its code is loaded.
static bool isStoredAsCode(Type type) {
  return isa<FloatType>(type) && type.getIntOrFloatBitWidth() < 16;
}

Value GpuFunction::load(Value buffer, Value number, Type type) {
  Type byte = builder.getI8Type();
  if (!type.isInteger(1) && !isStoredAsCode(type))
    return LLVM::LoadOp::create(builder, type,
                                getAddress(buffer, number, type));
  Value loaded =
      LLVM::LoadOp::create(builder, byte, getAddress(buffer, number, byte));
  if (isStoredAsCode(type))
    return arith::BitcastOp::create(builder, type, loaded);
  Value zero = arith::ConstantIntOp::create(builder, byte, 0);
  return arith::CmpIOp::create(builder, arith::CmpIPredicate::ne, loaded, zero);
}

void GpuFunction::store(Value value, Value buffer, Value number) {
  if (value.getType().isInteger(1))
    value = arith::ExtUIOp::create(builder, builder.getI8Type(), value);
  if (isStoredAsCode(value.getType()))
    value = arith::BitcastOp::create(builder, builder.getI8Type(), value);
  LLVM::StoreOp::create(builder, value,
                        getAddress(buffer, number, value.getType()));
}

void GpuFunction::finish(ArrayRef<SymExprAttr> grid) {
  LLVM::ReturnOp::create(builder, ValueRange());
  SmallVector<Attribute> exprs;
  for (auto &[expr, value] : parameters)
    exprs.push_back(expr);
  Block &entry = function.getBody().front();
  auto argumentAttrs =
      llvm::to_vector(function.getArgAttrsAttr().getAsRange<DictionaryAttr>());
  argumentAttrs.resize(entry.getNumArguments(),
                       DictionaryAttr::get(function.getContext()));
  function.setFunctionType(
      getFunctionType(function.getContext(), entry.getArgumentTypes()));
  function.setAllArgAttrs(argumentAttrs);
  function->setAttr("warp.parameters", builder.getArrayAttr(exprs));
  SmallVector<Attribute> blocks(grid.begin(), grid.end());
  blocks.resize(3, tx::getConstantExpr(function.getContext(), 1));
  function->setAttr("warp.grid", builder.getArrayAttr(blocks));
  function->setAttr("warp.reports_faults", builder.getBoolAttr(hasFault()));
}
