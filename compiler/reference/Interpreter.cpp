//===- Interpreter.cpp - the reference interpreter of tx ------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/reference/Interpreter.h"
#include "compiler/reference/Evaluation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace txc;
using namespace txc::reference;

//===----------------------------------------------------------------------===//
// One op
//===----------------------------------------------------------------------===//

FailureOr<int64_t> Evaluation::evaluate(tx::SymExprAttr expr) const {
  if (std::optional<int64_t> value = tx::evaluate(expr, symbols))
    return *value;
  llvm::SetVector<StringAttr> names;
  tx::collectSymbols(expr, names);
  for (StringAttr name : names)
    if (!symbols.contains(name))
      return fault() << "the symbol " << name << " of " << expr.str()
                     << " has no value";
  return fault() << expr.str() << " divides by zero or overflows";
}

FailureOr<SmallVector<int64_t>>
Evaluation::evaluate(ArrayRef<Attribute> exprs) const {
  SmallVector<int64_t> values;
  for (Attribute expr : exprs) {
    FailureOr<int64_t> value = evaluate(cast<tx::SymExprAttr>(expr));
    if (failed(value))
      return failure();
    values.push_back(*value);
  }
  return values;
}

FailureOr<SmallVector<int64_t>> Evaluation::evaluateDims(Type type) const {
  SmallVector<int64_t> dims;
  for (tx::SymExprAttr dim : tx::getDims(cast<RankedTensorType>(type))) {
    FailureOr<int64_t> value = evaluate(dim);
    if (failed(value))
      return failure();
    if (*value < 0)
      return fault() << "the dim " << dim.str() << " is negative: " << *value;
    dims.push_back(*value);
  }
  return dims;
}

FailureOr<HostTensor> Evaluation::allocate(Type elementType,
                                           ArrayRef<int64_t> dims) const {
  llvm::Expected<HostTensor> tensor = HostTensor::allocate(elementType, dims);
  if (!tensor)
    return fault() << llvm::toString(tensor.takeError());
  return std::move(*tensor);
}

FailureOr<HostTensor> Evaluation::copyOperand(unsigned number) const {
  llvm::Expected<HostTensor> copied = operand(number).copy();
  if (!copied)
    return fault() << llvm::toString(copied.takeError());
  return std::move(*copied);
}

FailureOr<HostTensor> Evaluation::allocateResult(unsigned number) const {
  auto type = cast<RankedTensorType>(op->getResult(number).getType());
  FailureOr<SmallVector<int64_t>> dims = evaluateDims(type);
  if (failed(dims))
    return failure();
  return allocate(type.getElementType(), *dims);
}

LogicalResult Evaluation::checkOperands() const {
  if (operands.size() != op->getNumOperands())
    return fault() << "expected " << op->getNumOperands() << " operands, found "
                   << operands.size();
  for (auto [number, tensor] : llvm::enumerate(operands)) {
    auto type = cast<RankedTensorType>(op->getOperand(number).getType());
    FailureOr<SmallVector<int64_t>> dims = evaluateDims(type);
    if (failed(dims))
      return failure();
    if (tensor->getElementType() != type.getElementType() ||
        tensor->getDims() != ArrayRef(*dims))
      return fault() << "operand " << number << " is " << tensor->getType()
                     << " where the symbols make "
                     << RankedTensorType::get(*dims, type.getElementType());
  }
  return success();
}

FailureOr<SmallVector<HostTensor>>
txc::evaluateOp(Operation *op, ArrayRef<const HostTensor *> operands,
                const SymbolValues &symbols, EmitFault emitFault) {
  Evaluation evaluation(op, operands, symbols, emitFault);
  auto isTensor = [](Type type) { return isa<RankedTensorType>(type); };
  if (!llvm::all_of(op->getOperandTypes(), isTensor) ||
      !llvm::all_of(op->getResultTypes(), isTensor))
    return evaluation.fault() << "the reference interpreter knows tensors only";
  if (failed(evaluation.checkOperands()))
    return failure();
  return llvm::TypeSwitch<Operation *, Results>(op)
      .Case<tx::ElementwiseInterface>(
          [&](auto) { return evaluateElementwise(op, evaluation); })
      .Case<tx::ConstantOp, tx::SymbolicOp, tx::IotaOp, tx::ReshapeOp,
            tx::TransposeOp, tx::BroadcastOp, tx::SliceOp, tx::ConcatOp,
            tx::PadOp, tx::GatherOp, tx::GatherElementsOp, tx::GatherNdOp,
            tx::ScatterElementsOp, tx::ScatterNdOp, tx::ReduceOp,
            tx::ArgReduceOp, tx::CumsumOp, tx::TopkOp, tx::NonzeroOp,
            tx::MatmulOp, tx::ConvOp, tx::ConvTransposeOp, tx::PoolOp,
            tx::LayerNormOp, tx::RmsNormOp, tx::SoftmaxOp,
            tx::RotaryEmbeddingOp, tx::AttentionOp>(
          [&](auto tyOp) { return reference::evaluate(tyOp, evaluation); })
      .Default([&](Operation *) -> Results {
        return evaluation.fault() << "the reference interpreter has no such op";
      });
}

FailureOr<SmallVector<HostTensor>>
txc::evaluateOp(Operation *op, ArrayRef<const HostTensor *> operands,
                const SymbolValues &symbols) {
  return evaluateOp(op, operands, symbols, [&] { return op->emitOpError(); });
}

//===----------------------------------------------------------------------===//
// The symbols of a function
//===----------------------------------------------------------------------===//

/// The symbol that the expression is, if it is nothing but one.
static StringAttr getAsSymbol(tx::SymExprAttr expr) {
  if (expr.getTerms().size() != 1)
    return nullptr;
  tx::MonomialAttr monomial = expr.getTerms().front();
  if (monomial.getCoefficient() != 1 || monomial.getFactors().size() != 1)
    return nullptr;
  tx::AtomAttr atom = monomial.getFactors().front();
  return atom.getFunction().empty() ? atom.getName() : nullptr;
}

static StringAttr getArgumentName(func::FuncOp function, unsigned number) {
  auto name = function.getArgAttrOfType<StringAttr>(number, "tx.name");
  return name ? name
              : StringAttr::get(function.getContext(),
                                "argument " + llvm::Twine(number));
}

/// Each symbol gets the first dim that is it; all other dims must agree.
static FailureOr<SymbolValues> bindSymbols(func::FuncOp function,
                                           ArrayRef<HostTensor> inputs) {
  if (inputs.size() != function.getNumArguments())
    return function.emitError() << "expected " << function.getNumArguments()
                                << " inputs, found " << inputs.size();
  SymbolValues symbols;
  for (auto [number, input] : llvm::enumerate(inputs)) {
    auto type =
        dyn_cast<RankedTensorType>(function.getArgument(number).getType());
    if (!type || type.getElementType() != input.getElementType() ||
        type.getRank() != input.getRank())
      return function.emitError()
             << "the input " << getArgumentName(function, number) << " is "
             << input.getType() << ", expected "
             << function.getArgument(number).getType();
    for (auto [expr, dim] : llvm::zip(tx::getDims(type), input.getDims()))
      if (StringAttr symbol = getAsSymbol(expr))
        symbols.try_emplace(symbol, dim);
  }
  for (auto [number, input] : llvm::enumerate(inputs)) {
    auto type = cast<RankedTensorType>(function.getArgument(number).getType());
    for (auto [axis, expr] : llvm::enumerate(tx::getDims(type))) {
      std::optional<int64_t> expected = tx::evaluate(expr, symbols);
      if (expected != input.getDim(static_cast<int64_t>(axis)))
        return function.emitError()
               << "dim " << axis << " of the input "
               << getArgumentName(function, number) << " is "
               << input.getDim(static_cast<int64_t>(axis)) << ", expected "
               << expr.str()
               << (expected ? " = " + llvm::Twine(*expected).str()
                            : std::string(" (which no input tells)"));
    }
  }
  return symbols;
}

static LogicalResult checkBounds(ModuleOp module, const SymbolValues &symbols) {
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

/// `tx.requirements` is an array of [lhs, "eq"|"le"|"ne", rhs, sentence].
/// Checks those that are known, with `latest` only those that mention it.
static LogicalResult checkRequirements(ModuleOp module,
                                       const SymbolValues &symbols,
                                       StringAttr latest = nullptr) {
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
    std::optional<int64_t> x = tx::evaluate(lhs, symbols);
    std::optional<int64_t> y = tx::evaluate(rhs, symbols);
    // The difference to 0 is an exact comparison: constants have no range.
    std::optional<bool> holds;
    if (x && y)
      holds = tx::SymbolBounds().compare(
          *kind, tx::getConstantExpr(module.getContext(), *x),
          tx::getConstantExpr(module.getContext(), *y));
    if (!holds.value_or(false))
      return module.emitError()
             << sentence.getValue() << ": " << lhs.str() << " must be "
             << predicate.getValue() << " " << rhs.str();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

namespace {
/// Runs ops one after the other and keeps their results while a later one of
/// them needs them.
class Machine {
public:
  /// `kept` are the values that `get` is called for in the end.
  Machine(ArrayRef<Operation *> program, ValueRange kept, SymbolValues symbols,
          WeightSource weights)
      : program(program), symbols(std::move(symbols)), weights(weights) {
    for (Operation *op : program)
      for (Value operand : op->getOperands())
        ++remainingUses[operand];
    for (Value value : kept)
      ++remainingUses[value];
  }

  void define(Value value, HostTensor tensor) {
    if (remainingUses.contains(value))
      tensors[value] = std::move(tensor);
  }
  const HostTensor &get(Value value) const {
    return tensors.find(value)->second;
  }
  LogicalResult run(Tap tap);

private:
  FailureOr<SmallVector<HostTensor>> evaluate(Operation *op) const;
  LogicalResult defineSymbol(tx::DefineSymbolOp define);

  ArrayRef<Operation *> program;
  SymbolValues symbols;
  WeightSource weights;
  DenseMap<Value, size_t> remainingUses;
  DenseMap<Value, HostTensor> tensors;
};
} // namespace

FailureOr<SmallVector<HostTensor>> Machine::evaluate(Operation *op) const {
  if (auto weight = dyn_cast<tx::WeightOp>(op)) {
    llvm::Expected<HostTensor> tensor = weights(weight);
    if (!tensor)
      return op->emitOpError() << llvm::toString(tensor.takeError());
    if (tensor->getType() != weight.getType())
      return op->emitOpError() << "the stored tensor is " << tensor->getType();
    return single(std::move(*tensor));
  }
  SmallVector<const HostTensor *> operands;
  for (Value operand : op->getOperands())
    operands.push_back(&get(operand));
  return evaluateOp(op, operands, symbols);
}

LogicalResult Machine::defineSymbol(tx::DefineSymbolOp define) {
  int64_t value = get(define.getValue()).getInt(0);
  StringAttr symbol = define.getSymbolAttr();
  symbols[symbol] = value;
  auto module = define->getParentOfType<ModuleOp>();
  return success(!module ||
                 (succeeded(checkBounds(module, {{symbol, value}})) &&
                  succeeded(checkRequirements(module, symbols, symbol))));
}

LogicalResult Machine::run(Tap tap) {
  for (Operation *op : program) {
    FailureOr<SmallVector<HostTensor>> results = SmallVector<HostTensor>();
    if (auto define = dyn_cast<tx::DefineSymbolOp>(op)) {
      if (failed(defineSymbol(define)))
        return failure();
    } else {
      results = evaluate(op);
    }
    if (failed(results))
      return failure();
    if (tap)
      tap(op, *results);
    for (Value operand : op->getOperands())
      if (--remainingUses[operand] == 0)
        tensors.erase(operand);
    for (auto [value, tensor] : llvm::zip(op->getResults(), *results))
      define(value, std::move(tensor));
  }
  return success();
}

FailureOr<SmallVector<HostTensor>>
txc::evaluateFunction(func::FuncOp function, ArrayRef<HostTensor> inputs,
                      WeightSource weights, Tap tap) {
  if (!llvm::hasSingleElement(function.getBody()))
    return function.emitError("expected a function of one block");
  FailureOr<SymbolValues> symbols = bindSymbols(function, inputs);
  if (failed(symbols))
    return failure();
  if (auto module = function->getParentOfType<ModuleOp>())
    if (failed(checkBounds(module, *symbols)) ||
        failed(checkRequirements(module, *symbols)))
      return failure();

  Block &block = function.getBody().front();
  SmallVector<Operation *> program;
  for (Operation &op : block.without_terminator())
    program.push_back(&op);
  ValueRange returned = block.getTerminator()->getOperands();
  Machine machine(program, returned, *symbols, weights);
  for (auto [argument, input] : llvm::zip(block.getArguments(), inputs))
    machine.define(argument, input);
  if (failed(machine.run(tap)))
    return failure();
  SmallVector<HostTensor> results;
  for (Value value : returned)
    results.push_back(machine.get(value));
  return results;
}

/// The ops that `value` depends on, operands before users; nothing if one of
/// them is an argument.
static std::optional<SmallVector<Operation *>> getProducers(Value value) {
  SmallVector<Operation *> order;
  llvm::DenseSet<Operation *> visited;
  // An op is appended when it is seen the second time, after its operands.
  SmallVector<std::pair<Value, bool>> stack = {{value, false}};
  while (!stack.empty()) {
    auto [current, operandsDone] = stack.pop_back_val();
    Operation *op = current.getDefiningOp();
    if (!op)
      return std::nullopt;
    if (operandsDone) {
      order.push_back(op);
      continue;
    }
    if (!visited.insert(op).second)
      continue;
    stack.push_back({current, true});
    for (Value operand : op->getOperands())
      stack.push_back({operand, false});
  }
  return order;
}

FailureOr<HostTensor> txc::evaluateValue(Value value,
                                         const SymbolValues &symbols,
                                         WeightSource weights) {
  std::optional<SmallVector<Operation *>> producers = getProducers(value);
  if (!producers)
    return emitError(value.getLoc(),
                     "expected a value that depends on no function argument");
  Machine machine(*producers, value, symbols, weights);
  if (failed(machine.run(/*tap=*/nullptr)))
    return failure();
  return machine.get(value);
}
