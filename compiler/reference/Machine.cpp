//===- Machine.cpp - runs the ops of a program ----------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/reference/Machine.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace txc;
using namespace txc::reference;

//===----------------------------------------------------------------------===//
// What has to hold
//===----------------------------------------------------------------------===//

LogicalResult reference::checkBounds(ModuleOp module,
                                     const SymbolValues &symbols) {
  tx::SymbolBounds bounds = tx::getSymbolBounds(module);
  for (auto [symbol, value] : symbols) {
    tx::SymbolBounds::Range range = bounds.get(symbol);
    if (value < range.lower || (range.upper && value > *range.upper)) {
      InFlightDiagnostic error = module.emitError()
                                 << "the dim " << symbol << " is " << value
                                 << ", expected at least " << range.lower;
      if (range.upper)
        error << " and at most " << *range.upper;
      return error;
    }
  }
  return success();
}

static bool areKnown(const llvm::SetVector<StringAttr> &mentioned,
                     const SymbolValues &symbols) {
  return llvm::all_of(
      mentioned, [&](StringAttr symbol) { return symbols.contains(symbol); });
}

static LogicalResult check(Operation *op, tx::SymExprAttr lhs,
                           tx::Predicate predicate, tx::SymExprAttr rhs,
                           StringRef sentence, const SymbolValues &symbols) {
  std::optional<int64_t> x = tx::evaluate(lhs, symbols);
  std::optional<int64_t> y = tx::evaluate(rhs, symbols);
  // The difference to 0 is an exact comparison: constants have no range.
  std::optional<bool> holds;
  if (x && y)
    holds = tx::SymbolBounds().compare(
        predicate, tx::getConstantExpr(op->getContext(), *x),
        tx::getConstantExpr(op->getContext(), *y));
  if (holds.value_or(false))
    return success();
  return op->emitError() << sentence << ": " << lhs.str() << " must be "
                         << tx::stringifyPredicate(predicate) << " "
                         << rhs.str();
}

LogicalResult reference::checkRequirements(ModuleOp module,
                                           const SymbolValues &symbols,
                                           StringAttr latest) {
  auto requirements = module->getAttrOfType<ArrayAttr>("tx.requirements");
  if (!requirements)
    return success();
  for (Attribute requirement : requirements) {
    auto parts = dyn_cast<ArrayAttr>(requirement);
    auto lhs = parts && parts.size() == 4 ? dyn_cast<tx::SymExprAttr>(parts[0])
                                          : nullptr;
    auto rhs = lhs ? dyn_cast<tx::SymExprAttr>(parts[2]) : nullptr;
    auto predicate = lhs ? dyn_cast<StringAttr>(parts[1]) : nullptr;
    auto sentence = lhs ? dyn_cast<StringAttr>(parts[3]) : nullptr;
    std::optional<tx::Predicate> kind =
        predicate ? tx::symbolizePredicate(predicate) : std::nullopt;
    if (!rhs || !sentence || !kind)
      return module.emitError()
             << "expected [lhs, predicate, rhs, sentence] in tx.requirements, "
                "found "
             << requirement;
    llvm::SetVector<StringAttr> mentioned;
    tx::collectSymbols(lhs, mentioned);
    tx::collectSymbols(rhs, mentioned);
    if (!areKnown(mentioned, symbols) ||
        (latest && !mentioned.contains(latest)))
      continue;
    if (failed(check(module, lhs, *kind, rhs, sentence, symbols)))
      return failure();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// What an op reads, with what its regions read from around it.
static SmallVector<Value> getReadValues(Operation *op) {
  SmallVector<Value> values = llvm::to_vector(op->getOperands());
  if (isa<tx::IfOp, tx::LoopOp>(op)) {
    llvm::SetVector<Value> captured;
    getUsedValuesDefinedAbove(op->getRegions(), captured);
    llvm::append_range(values, captured);
  }
  return values;
}

Machine::Machine(ArrayRef<Operation *> program, ValueRange returned,
                 SymbolValues symbols, WeightSource weights)
    : program(program), returned(returned), symbols(std::move(symbols)),
      weights(weights) {
  countUses();
}

Machine::Machine(Block &block, SymbolValues symbols, WeightSource weights,
                 const Machine *outer)
    : returned(block.getTerminator()->getOperands()), block(&block),
      outer(outer), symbols(std::move(symbols)), weights(weights) {
  for (Operation &op : block.without_terminator())
    program.push_back(&op);
  countUses();
}

void Machine::countUses() {
  for (Operation *op : program)
    for (Value value : getReadValues(op))
      ++remainingUses[value];
  for (Value value : returned)
    ++remainingUses[value];
}

void Machine::define(Value value, HostTensor tensor) {
  if (remainingUses.contains(value))
    tensors[value] = std::move(tensor);
}

const HostTensor &Machine::get(Value value) const {
  auto it = tensors.find(value);
  return it == tensors.end() ? outer->get(value) : it->second;
}

bool Machine::isTrue(Value condition) const {
  return get(condition).getInt(0) != 0;
}

//===----------------------------------------------------------------------===//
// Symbols
//===----------------------------------------------------------------------===//

LogicalResult Machine::setSymbols(Operation *op, ArrayRef<StringAttr> names,
                                  ArrayRef<int64_t> values) {
  SymbolValues defined;
  for (auto [name, value] : llvm::zip_equal(names, values))
    symbols[name] = defined[name] = value;
  auto module = op->getParentOfType<ModuleOp>();
  if (!module)
    return success();
  if (failed(checkBounds(module, defined)))
    return failure();
  for (StringAttr name : names)
    if (failed(checkRequirements(module, symbols, name)))
      return failure();
  return success();
}

/// The expressions are of the symbols that are `known`.
LogicalResult Machine::setSymbols(Operation *op, ArrayAttr names,
                                  ArrayAttr exprs, const SymbolValues &known) {
  SmallVector<int64_t> values;
  for (auto expr : exprs.getAsRange<tx::SymExprAttr>()) {
    std::optional<int64_t> value = tx::evaluate(expr, known);
    if (!value)
      return op->emitOpError("cannot evaluate ") << expr.str();
    values.push_back(*value);
  }
  return setSymbols(op, llvm::to_vector(names.getAsRange<StringAttr>()),
                    values);
}

//===----------------------------------------------------------------------===//
// Branches and loops
//===----------------------------------------------------------------------===//

Results Machine::runBranch(tx::IfOp op, Tap tap) {
  unsigned number = isTrue(op.getCondition()) ? 0 : 1;
  Machine branch(op->getRegion(number).front(), symbols, weights, this);
  Results results = branch.runBlock({}, tap);
  if (failed(results) ||
      failed(setSymbols(op, op.getSymbols(), op.getYield(number).getExprs(),
                        branch.symbols)))
    return failure();
  return results;
}

/// Elements of a stack one after the other.
static FailureOr<HostTensor> stack(tx::LoopOp op, ArrayRef<HostTensor> elements,
                                   Value result, const SymbolValues &symbols) {
  SmallVector<int64_t> dims;
  for (tx::SymExprAttr dim :
       tx::getDims(cast<RankedTensorType>(result.getType())))
    dims.push_back(tx::evaluate(dim, symbols).value_or(0));
  dims[0] = static_cast<int64_t>(elements.size());
  llvm::Expected<HostTensor> tensor =
      HostTensor::allocate(getElementTypeOrSelf(result.getType()), dims);
  if (!tensor)
    return op.emitOpError() << llvm::toString(tensor.takeError());
  char *to = tensor->getMutableBytes().data();
  for (const HostTensor &element : elements)
    to = llvm::copy(element.getBytes(), to);
  return std::move(*tensor);
}

Results Machine::runLoop(tx::LoopOp op, Tap tap) {
  if (failed(setSymbols(op, op.getIndexAttr(), ArrayRef<int64_t>{0})) ||
      failed(setSymbols(op, op.getSymbols(), op.getStarts(), symbols)))
    return failure();
  int64_t trips = std::numeric_limits<int64_t>::max();
  if (tx::SymExprAttr expr = op.getTripsAttr())
    trips = tx::evaluate(expr, symbols).value_or(0);
  bool goesOn = !op.getCondition() || isTrue(op.getCondition());
  SmallVector<HostTensor> carried;
  for (Value init : op.getInits())
    carried.push_back(get(init));
  SmallVector<SmallVector<HostTensor>> stacks(op.getStacks().size());
  tx::YieldOp yield = op.getYield();
  for (int64_t i = 0; i < trips && goesOn; ++i) {
    Machine iteration(op.getBody().front(), symbols, weights, this);
    Results yielded = iteration.runBlock(carried, tap);
    if (failed(yielded))
      return failure();
    ArrayRef<HostTensor> values = *yielded;
    if (op.getCondition()) {
      goesOn = values.front().getInt(0) != 0;
      values = values.drop_front();
    }
    llvm::copy(values.take_front(carried.size()), carried.begin());
    for (auto [elements, value] :
         llvm::zip_equal(stacks, values.drop_front(carried.size())))
      elements.push_back(value);
    if (failed(setSymbols(op, op.getSymbols(), yield.getExprs(),
                          iteration.symbols)) ||
        failed(setSymbols(op, op.getIndexAttr(), i + 1)))
      return failure();
  }
  for (auto [elements, result] : llvm::zip_equal(stacks, op.getStacks())) {
    FailureOr<HostTensor> tensor = stack(op, elements, result, symbols);
    if (failed(tensor))
      return failure();
    carried.push_back(std::move(*tensor));
  }
  return carried;
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

Results Machine::evaluate(Operation *op, Tap tap) {
  if (auto weight = dyn_cast<tx::WeightOp>(op)) {
    llvm::Expected<HostTensor> tensor = weights(weight);
    if (!tensor)
      return op->emitOpError() << llvm::toString(tensor.takeError());
    if (tensor->getType() != weight.getType())
      return op->emitOpError() << "the stored tensor is " << tensor->getType();
    return single(std::move(*tensor));
  }
  if (auto branches = dyn_cast<tx::IfOp>(op))
    return runBranch(branches, tap);
  if (auto loop = dyn_cast<tx::LoopOp>(op))
    return runLoop(loop, tap);
  SmallVector<const HostTensor *> operands;
  for (Value operand : op->getOperands())
    operands.push_back(&get(operand));
  return evaluateOp(op, operands, symbols);
}

Results Machine::run(Tap tap) {
  for (Operation *op : program) {
    Results results = SmallVector<HostTensor>();
    if (auto define = dyn_cast<tx::DefineSymbolOp>(op)) {
      if (failed(setSymbols(define, define.getSymbolAttr(),
                            get(define.getValue()).getInt(0))))
        return failure();
    } else if (auto require = dyn_cast<tx::RequireOp>(op)) {
      if (failed(check(require, require.getLhs(), require.getPredicate(),
                       require.getRhs(), require.getSentence(), symbols)))
        return failure();
    } else {
      results = evaluate(op, tap);
    }
    if (failed(results))
      return failure();
    if (tap)
      tap(op, *results);
    for (Value value : getReadValues(op))
      if (--remainingUses[value] == 0)
        tensors.erase(value);
    for (auto [value, tensor] : llvm::zip(op->getResults(), *results))
      define(value, std::move(tensor));
  }
  SmallVector<HostTensor> results;
  for (Value value : returned)
    results.push_back(get(value));
  return results;
}

Results Machine::runBlock(ArrayRef<HostTensor> arguments, Tap tap) {
  for (auto [argument, tensor] :
       llvm::zip_equal(block->getArguments(), arguments))
    define(argument, tensor);
  return run(tap);
}
