//===- DescribeInterface.cpp - symbols, state, inputs and outputs --------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/program/ElementTypes.h"
#include "compiler/program/ProgramBuilder.h"

using namespace mlir;
using namespace txc;
using tx::SymExprAttr;

//===----------------------------------------------------------------------===//
// Symbols
//===----------------------------------------------------------------------===//

void ProgramBuilder::describeSymbols() {
  tx::SymbolBounds bounds = tx::getSymbolBounds(phases);
  for (StringAttr symbol : symbols) {
    tx::SymbolBounds::Range range = bounds.get(symbol);
    SymbolDescription &entry = description.symbols.emplace_back();
    entry.name = symbol.str();
    entry.lower = range.lower;
    if (range.upper)
      entry.upper = *range.upper;
    if (symbol == phases->getAttr("tx.state_length"))
      entry.source = TXC_SYMBOL_STATE_LENGTH;
    else if (symbol == phases->getAttr("tx.state_capacity"))
      entry.source = TXC_SYMBOL_STATE_CAPACITY;
    else if (runTimeSymbols.contains(symbol))
      entry.source = TXC_SYMBOL_RUN_TIME;
  }
}

//===----------------------------------------------------------------------===//
// State
//===----------------------------------------------------------------------===//

/// All states grow together: one sequence, whose rows are the batch.
LogicalResult ProgramBuilder::describeStates() {
  auto appends = main.getOps<kernel::AppendOp>();
  if (appends.empty())
    return success();
  auto length = phases->getAttrOfType<StringAttr>("tx.state_length");
  auto capacity = phases->getAttrOfType<StringAttr>("tx.state_capacity");
  SymExprAttr capacityExpr = tx::getSymbolExpr(phases.getContext(), capacity);
  for (kernel::AppendOp append : appends) {
    SmallVector<SymExprAttr> dims =
        tx::getDims(cast<RankedTensorType>(append.getResultTypes().front()));
    int64_t axis = llvm::find(dims, capacityExpr) - dims.begin();
    if (failed(describeState(append, axis)))
      return failure();
    if (!description.sequences.empty())
      continue;
    SequenceDescription &sequence = description.sequences.emplace_back();
    sequence.name = "kv";
    sequence.lengthSymbol = values.getSymbolIndex(length);
    sequence.capacitySymbol = values.getSymbolIndex(capacity);
    sequence.newLengthValue = values.getIndex(
        add(tx::getSymbolExpr(phases.getContext(), length),
            cast<kernel::NestInterface>(*append).getSize(axis)));
    sequence.rowsValue = values.getIndex(
        axis == 0 ? tx::getConstantExpr(phases.getContext(), 1) : dims[0]);
  }
  return success();
}

LogicalResult ProgramBuilder::describeState(kernel::AppendOp append,
                                            int64_t axis) {
  auto type = cast<RankedTensorType>(append.getResultTypes().front());
  TensorDescription tensor;
  if (failed(describeTensor(type, append.getStateAttr(), tensor)))
    return failure();
  StateDescription &state = description.states.emplace_back();
  state.name = tensor.name;
  state.type = tensor.type;
  state.dims = tensor.dims;
  state.rowAxis = axis == 0 ? -1 : 0;
  state.sequenceAxis = static_cast<int32_t>(axis);
  state.positionBytes =
      static_cast<int64_t>(llvm::divideCeil(type.getElementTypeBitWidth(), 8));
  for (int64_t d = 1; d < type.getRank(); ++d) {
    if (d == axis)
      continue;
    if (type.isDynamicDim(d))
      return append.emitError("the state ")
             << append.getState() << " has a dim besides batch and length that "
             << "is not known: " << type << "; fix it with -dim";
    (d < axis ? state.outer : state.positionBytes) *= type.getDimSize(d);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Inputs and outputs
//===----------------------------------------------------------------------===//

LogicalResult ProgramBuilder::describeTensor(RankedTensorType type,
                                             StringAttr name,
                                             TensorDescription &tensor) {
  tensor.name = name ? name.str() : "";
  std::optional<txc_type> elementType = getTxcType(type.getElementType());
  if (!elementType)
    return main.emitError("the interface of a model can't have the type ")
           << type;
  tensor.type = *elementType;
  for (SymExprAttr expr : tx::getDims(type)) {
    tensor.hasRunTimeDims |= runTimeSymbols.getStage(expr) != 0;
    DimDescription &dim = tensor.dims.emplace_back();
    dim.text = expr.str();
    if (std::optional<int64_t> constant = expr.getConstant()) {
      dim.value = *constant;
    } else if (std::optional<int32_t> symbol = values.matchSymbol(expr)) {
      dim.kind = TXC_DIM_SYMBOL;
      dim.value = *symbol;
    } else {
      dim.kind = TXC_DIM_VALUE;
      dim.value = values.getIndex(expr);
    }
  }
  return success();
}

/// The vocabulary of the gathers that an input's elements are the indices of:
/// tables whose checked index comes straight from the input.
void ProgramBuilder::findIndexRange(BlockArgument input,
                                    TensorDescription &tensor) {
  auto range =
      main.getArgAttrOfType<ArrayAttr>(input.getArgNumber(), "tx.index_range");
  if (!range)
    return;
  tensor.low = cast<IntegerAttr>(range[0]).getInt();
  tensor.high = cast<IntegerAttr>(range[1]).getInt();
}

LogicalResult ProgramBuilder::describeInterface() {
  for (BlockArgument input : main.getArguments()) {
    TensorDescription &tensor = description.inputs.emplace_back();
    auto name =
        main.getArgAttrOfType<StringAttr>(input.getArgNumber(), "tx.name");
    if (failed(describeTensor(cast<RankedTensorType>(input.getType()), name,
                              tensor)))
      return failure();
    findIndexRange(input, tensor);
  }
  for (auto [i, type] : llvm::enumerate(main.getResultTypes())) {
    TensorDescription &tensor = description.outputs.emplace_back();
    auto name = main.getResultAttrOfType<StringAttr>(i, "tx.name");
    if (failed(describeTensor(cast<RankedTensorType>(type), name, tensor)))
      return failure();
    tensor.arenaOffsetValue = values.getIndex(plan.getBorrowedOffset(i));
  }
  return success();
}

void ProgramBuilder::describeRequirements() {
  auto requirements = phases->getAttrOfType<ArrayAttr>("tx.requirements");
  if (!requirements)
    return;
  for (Attribute attribute : requirements) {
    auto fields = cast<ArrayAttr>(attribute);
    auto lhs = cast<SymExprAttr>(fields[0]), rhs = cast<SymExprAttr>(fields[2]);
    // It can be checked when both sides are known.
    bool lhsIsLater =
        runTimeSymbols.getStage(lhs) > runTimeSymbols.getStage(rhs);
    StringAttr last = runTimeSymbols.getLast(lhsIsLater ? lhs : rhs);
    addRequirement(lhs, cast<StringAttr>(fields[1]).getValue(), rhs,
                   cast<StringAttr>(fields[3]).getValue(),
                   last ? values.getSymbolIndex(last) : -1);
  }
}

void ProgramBuilder::addRequirement(SymExprAttr lhs, StringRef relation,
                                    SymExprAttr rhs, StringRef sentence,
                                    int32_t symbol) {
  RequirementDescription &entry = description.requirements.emplace_back();
  entry.lhsValue = values.getIndex(lhs);
  entry.relation = relation == "eq"   ? TXC_RELATION_EQ
                   : relation == "le" ? TXC_RELATION_LE
                                      : TXC_RELATION_NE;
  entry.rhsValue = values.getIndex(rhs);
  entry.symbol = symbol;
  entry.sentence = sentence.str();
}
