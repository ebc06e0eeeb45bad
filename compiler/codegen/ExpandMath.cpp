//===- ExpandMath.cpp - math ops as code ---------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/ExpandMath.h"
#include "compiler/codegen/NarrowFloats.h"
#include "compiler/codegen/x86/VectorMath.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace txc;

//===----------------------------------------------------------------------===//
// libm
//===----------------------------------------------------------------------===//

/// The C function of a math op, or nothing for one that LLVM knows as an
/// instruction.
static StringRef getLibmName(Operation *op) {
  return llvm::StringSwitch<StringRef>(op->getName().stripDialect())
      .Case("exp", "exp")
      .Case("log", "log")
      .Case("sin", "sin")
      .Case("cos", "cos")
      .Case("tan", "tan")
      .Case("asin", "asin")
      .Case("acos", "acos")
      .Case("atan", "atan")
      .Case("sinh", "sinh")
      .Case("cosh", "cosh")
      .Case("tanh", "tanh")
      .Case("asinh", "asinh")
      .Case("acosh", "acosh")
      .Case("atanh", "atanh")
      .Case("erf", "erf")
      .Case("powf", "pow")
      .Default("");
}

static func::FuncOp getLibmFunction(OpBuilder &b, Operation *op, StringRef name,
                                    Type type) {
  auto module = op->getParentOfType<ModuleOp>();
  if (auto existing = module.lookupSymbol<func::FuncOp>(name))
    return existing;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(module.getBody());
  SmallVector<Type> operands(op->getNumOperands(), type);
  auto function = func::FuncOp::create(b, b.getUnknownLoc(), name,
                                       b.getFunctionType(operands, type));
  function.setPrivate();
  return function;
}

/// One call a lane.
static Value callLibm(OpBuilder &b, Operation *op) {
  Location loc = op->getLoc();
  Type element = getElementTypeOrSelf(op->getResult(0));
  std::string name = getLibmName(op).str();
  if (element.isF32())
    name += "f";
  func::FuncOp function = getLibmFunction(b, op, name, element);
  auto vectorType = dyn_cast<VectorType>(op->getResult(0).getType());
  if (!vectorType)
    return func::CallOp::create(b, loc, function, op->getOperands())
        .getResult(0);
  // A loop, as 16 calls in a row would be more code than the rest of a kernel.
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value end = arith::ConstantIndexOp::create(b, loc, vectorType.getDimSize(0));
  Value step = arith::ConstantIndexOp::create(b, loc, 1);
  auto loop = scf::ForOp::create(b, loc, zero, end, step, op->getOperand(0));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value lane = loop.getInductionVar();
  SmallVector<Value> arguments;
  for (Value operand : op->getOperands())
    arguments.push_back(
        vector::ExtractOp::create(b, loc, operand, OpFoldResult(lane)));
  Value result = func::CallOp::create(b, loc, function, arguments).getResult(0);
  result = vector::InsertOp::create(b, loc, result, loop.getRegionIterArgs()[0],
                                    OpFoldResult(lane));
  scf::YieldOp::create(b, loc, result);
  return loop.getResult(0);
}

//===----------------------------------------------------------------------===//
// Functions with code of our own
//===----------------------------------------------------------------------===//

/// Vector code of an f32 function, or null.
static Value emitVectorMath(OpBuilder &b, Operation *op,
                            const VectorTarget &target) {
  Location loc = op->getLoc();
  if (!getElementTypeOrSelf(op->getResult(0)).isF32())
    return nullptr;
  Value x = op->getOperand(0);
  if (isa<math::ExpOp>(op))
    return x86::emitExp(b, loc, x, target);
  if (isa<math::TanhOp>(op))
    return x86::emitTanh(b, loc, x, target);
  if (auto erf = dyn_cast<math::ErfOp>(op))
    return bitEnumContainsAll(erf.getFastmath(), arith::FastMathFlags::afn)
               ? x86::emitLooseErf(b, loc, x, target)
               : x86::emitErf(b, loc, x, target);
  if (isa<math::LogOp>(op))
    return x86::emitLog(b, loc, x, target);
  if (isa<math::SinOp>(op))
    return x86::emitSin(b, loc, x, target);
  if (isa<math::CosOp>(op))
    return x86::emitCos(b, loc, x, target);
  if (isa<math::PowFOp>(op))
    return x86::emitPow(b, loc, x, op->getOperand(1), target);
  return nullptr;
}

/// Square and multiply. A negative exponent is the reciprocal rounded to zero:
/// of 1 and -1 themselves, of all others 0 (0 has none).
static Value emitIntegerPower(OpBuilder &b, math::IPowIOp op) {
  Location loc = op.getLoc();
  Type type = op.getType();
  auto constant = [&](int64_t value) -> Value {
    TypedAttr attr = b.getIntegerAttr(getElementTypeOrSelf(type), value);
    if (auto vector = dyn_cast<VectorType>(type))
      attr = DenseElementsAttr::get(vector, Attribute(attr));
    return arith::ConstantOp::create(b, loc, attr);
  };
  Value base = op.getLhs(), exponent = op.getRhs();
  Value zero = constant(0), one = constant(1), minusOne = constant(-1);
  auto compare = [&](arith::CmpIPredicate predicate, Value x, Value y) {
    return arith::CmpIOp::create(b, loc, predicate, x, y);
  };
  Value isNegative = compare(arith::CmpIPredicate::slt, exponent, zero);
  Value isUnit =
      arith::OrIOp::create(b, loc, compare(arith::CmpIPredicate::eq, base, one),
                           compare(arith::CmpIPredicate::eq, base, minusOne));
  Value vanishes = arith::AndIOp::create(
      b, loc, isNegative,
      arith::XOrIOp::create(b, loc, isUnit,
                            compare(arith::CmpIPredicate::eq, zero, zero)));

  unsigned width = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
  Value begin = arith::ConstantIndexOp::create(b, loc, 0);
  Value end = arith::ConstantIndexOp::create(b, loc, width);
  Value step = arith::ConstantIndexOp::create(b, loc, 1);
  auto loop = scf::ForOp::create(b, loc, begin, end, step,
                                 ValueRange{one, base, exponent});
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value result = loop.getRegionIterArgs()[0];
    Value square = loop.getRegionIterArgs()[1];
    Value bits = loop.getRegionIterArgs()[2];
    Value isOdd = compare(arith::CmpIPredicate::ne,
                          arith::AndIOp::create(b, loc, bits, one), zero);
    Value product = arith::MulIOp::create(b, loc, result, square);
    scf::YieldOp::create(
        b, loc,
        ValueRange{arith::SelectOp::create(b, loc, isOdd, product, result),
                   arith::MulIOp::create(b, loc, square, square),
                   arith::ShRUIOp::create(b, loc, bits, one)});
  }
  return arith::SelectOp::create(b, loc, vanishes, zero, loop.getResult(0));
}

static void expandMath(Operation *function, const VectorTarget &target,
                       bool hasLibm) {
  // Narrow floats first: their functions become f32 ones.
  expandNarrowFloats(function, target);
  OpBuilder b(function->getContext());
  SmallVector<Operation *> ops;
  function->walk([&](Operation *op) {
    if (op->getName().getDialectNamespace() ==
        math::MathDialect::getDialectNamespace())
      ops.push_back(op);
  });
  for (Operation *op : ops) {
    b.setInsertionPoint(op);
    Value result;
    if (auto power = dyn_cast<math::IPowIOp>(op))
      result = emitIntegerPower(b, power);
    else if (Value code = emitVectorMath(b, op, target))
      result = code;
    else if (hasLibm && !getLibmName(op).empty())
      result = callLibm(b, op);
    else
      continue;
    op->getResult(0).replaceAllUsesWith(result);
    op->erase();
  }
}

void txc::expandMath(func::FuncOp function, const VectorTarget &target) {
  ::expandMath(function, target, /*hasLibm=*/true);
}

void txc::expandMathWithoutLibm(Operation *function,
                                const VectorTarget &target) {
  ::expandMath(function, target, /*hasLibm=*/false);
}
