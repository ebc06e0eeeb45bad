//===- ValueTable.cpp - the shape program --------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/program/ValueTable.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

ValueTable::ValueTable(ArrayRef<StringAttr> symbolNames) {
  for (auto [i, symbol] : llvm::enumerate(symbolNames))
    symbols[symbol] = static_cast<int32_t>(i);
}

int32_t ValueTable::getIndex(SymExprAttr expr) {
  return exprs.insert({expr, size()}).first->second;
}

std::optional<int32_t> ValueTable::matchSymbol(SymExprAttr expr) const {
  if (expr.getTerms().size() != 1)
    return std::nullopt;
  MonomialAttr term = expr.getTerms().front();
  if (term.getCoefficient() != 1 || term.getFactors().size() != 1 ||
      !term.getFactors().front().getFunction().empty())
    return std::nullopt;
  return getSymbolIndex(term.getFactors().front().getName());
}

namespace {
/// Emits expressions into one block, each subexpression once.
class ExprEmitter {
public:
  ExprEmitter(OpBuilder &b, Location loc, const ValueTable &table,
              Value symbols)
      : b(b), loc(loc), table(table), symbols(symbols) {}

  Value emit(SymExprAttr expr) {
    Value &value = values[expr];
    if (value)
      return value;
    Value sum;
    for (MonomialAttr monomial : expr.getTerms()) {
      Value term = emit(monomial);
      sum = sum ? addSaturated(sum, term) : term;
    }
    // emit() above may have grown the map.
    return values[expr] = sum ? sum : constant(0);
  }

private:
  Value constant(int64_t value) {
    return LLVM::ConstantOp::create(b, loc, b.getI64Type(), value);
  }

  Value emit(MonomialAttr monomial) {
    Value product;
    for (AtomAttr atom : monomial.getFactors()) {
      Value factor = emit(atom);
      product = product ? multiplySaturated(product, factor) : factor;
    }
    if (!product)
      return constant(monomial.getCoefficient());
    if (monomial.getCoefficient() == 1)
      return product;
    return multiplySaturated(product, constant(monomial.getCoefficient()));
  }

  // A size that wrapped around could pass for a small one.
  Value addSaturated(Value lhs, Value rhs) {
    return LLVM::SAddSat::create(b, loc, lhs, rhs);
  }
  Value multiplySaturated(Value lhs, Value rhs) {
    // Fixed-point numbers without a fraction are integers.
    Value scale = LLVM::ConstantOp::create(b, loc, b.getI32Type(), 0);
    return LLVM::CallIntrinsicOp::create(
               b, loc, lhs.getType(), b.getStringAttr("llvm.smul.fix.sat.i64"),
               ValueRange{lhs, rhs, scale})
        .getResult(0);
  }

  Value emit(AtomAttr atom) {
    Value &value = values[atom];
    if (value)
      return value;
    Value result = atom.getFunction().empty() ? emitSymbol(atom.getName())
                                              : emitFunction(atom);
    return values[atom] = result;
  }

  Value emitSymbol(StringAttr symbol) {
    Value address = LLVM::GEPOp::create(
        b, loc, symbols.getType(), b.getI64Type(), symbols,
        ArrayRef<LLVM::GEPArg>{table.getSymbolIndex(symbol)});
    return LLVM::LoadOp::create(b, loc, b.getI64Type(), address);
  }

  Value emitFunction(AtomAttr atom) {
    Value lhs = emit(cast<SymExprAttr>(atom.getArguments()[0]));
    Value rhs = emit(cast<SymExprAttr>(atom.getArguments()[1]));
    if (atom.getFunction() == "max")
      return LLVM::SMaxOp::create(b, loc, lhs, rhs);
    if (atom.getFunction() == "min")
      return LLVM::SMinOp::create(b, loc, lhs, rhs);
    return emitFloorDiv(lhs, rhs);
  }

  /// Rounds down for a positive divisor; 0 for any other one.
  Value emitFloorDiv(Value lhs, Value rhs) {
    Value zero = constant(0), one = constant(1);
    Value isPositive =
        LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::sgt, rhs, zero);
    Value divisor = LLVM::SelectOp::create(b, loc, isPositive, rhs, one);
    Value quotient = LLVM::SDivOp::create(b, loc, lhs, divisor);
    Value remainder = LLVM::SRemOp::create(b, loc, lhs, divisor);
    Value isBelow =
        LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::slt, remainder, zero);
    Value lower = LLVM::SubOp::create(b, loc, quotient, one);
    Value floor = LLVM::SelectOp::create(b, loc, isBelow, lower, quotient);
    return LLVM::SelectOp::create(b, loc, isPositive, floor, zero);
  }

  OpBuilder &b;
  Location loc;
  const ValueTable &table;
  Value symbols;
  llvm::DenseMap<Attribute, Value> values;
};
} // namespace

LLVM::LLVMFuncOp ValueTable::buildFunction(OpBuilder &b, Location loc,
                                           StringRef name) const {
  OpBuilder::InsertionGuard guard(b);
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(b.getContext()), {pointer, pointer});
  auto function = LLVM::LLVMFuncOp::create(b, loc, name, type);
  Block *body = function.addEntryBlock(b);
  b.setInsertionPointToStart(body);
  ExprEmitter emitter(b, loc, *this, body->getArgument(0));
  for (auto [expr, index] : exprs) {
    Value value = emitter.emit(expr);
    Value address = LLVM::GEPOp::create(b, loc, pointer, b.getI64Type(),
                                        body->getArgument(1),
                                        ArrayRef<LLVM::GEPArg>{index});
    LLVM::StoreOp::create(b, loc, value, address);
  }
  LLVM::ReturnOp::create(b, loc, ValueRange());
  return function;
}
