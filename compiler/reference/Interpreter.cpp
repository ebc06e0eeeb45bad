//===- Interpreter.cpp - the reference interpreter of tx ------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/reference/Interpreter.h"
#include "compiler/reference/Evaluation.h"
#include "compiler/reference/Machine.h"
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

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

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

  Machine machine(function.getBody().front(), *symbols, weights);
  return machine.runBlock(inputs, tap);
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
  FailureOr<SmallVector<HostTensor>> results = machine.run(/*tap=*/nullptr);
  if (failed(results))
    return failure();
  return results->front();
}
