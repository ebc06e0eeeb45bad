//===- BuildProgram.cpp - from phases to code and tables -----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/program/BuildProgram.h"
#include "compiler/codegen/KernelCodegen.h"
#include "compiler/codegen/ptx/EmitPtx.h"
#include "compiler/program/ElementTypes.h"
#include "compiler/program/KernelTable.h"
#include "compiler/program/OnnxNodes.h"
#include "compiler/program/Recipes.h"
#include "compiler/program/ValueTable.h"
#include "dialects/tx/RunTimeSymbols.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/memory/PlanMemory.h"

using namespace mlir;
using namespace txc;
using tx::SymExprAttr;

/// Name of the shape program in the generated module.
constexpr StringLiteral kEvaluate = "txc_evaluate_shapes";

namespace {
/// What TXC_PHASE_ASSIGN does.
struct Assignment {
  SmallVector<std::pair<StringAttr, SymExprAttr>> symbols;
  struct Copy {
    Value from;
    Value to;
    /// In bytes, into `to`.
    SymExprAttr offset;
  };
  SmallVector<Copy> copies;

  void set(ArrayAttr names, ArrayAttr exprs) {
    for (auto [name, expr] : llvm::zip_equal(names, exprs))
      symbols.emplace_back(cast<StringAttr>(name), cast<SymExprAttr>(expr));
  }
  void copy(ValueRange from, ValueRange to, SymExprAttr offset) {
    for (auto [source, place] : llvm::zip_equal(from, to))
      copies.push_back({source, place, offset});
  }
};

class ProgramBuilder {
public:
  ProgramBuilder(ModuleOp phases, const VectorTarget &target, unsigned sm,
                 const WeightStore &store, WeightsImage &weights)
      : phases(phases), main(phases.lookupSymbol<func::FuncOp>("main")),
        target(target), sm(sm), store(store), weights(weights),
        code(ModuleOp::create(phases.getLoc())),
        gpuCode(ModuleOp::create(phases.getLoc())),
        kernels(*code, target, *gpuCode, sm), symbols(getSymbolNames()),
        runTimeSymbols(main), values(symbols) {}

  FailureOr<Program> build(StringRef name);

private:
  SmallVector<StringAttr> getSymbolNames() const;
  void describeSymbols();
  LogicalResult describeStates();
  LogicalResult describeState(kernel::AppendOp append, int64_t axis);
  LogicalResult describeInterface();
  LogicalResult describeTensor(RankedTensorType type, StringAttr name,
                               TensorDescription &tensor);
  void describeRequirements();
  LogicalResult describePhase(kernel::PhaseInterface phase);
  void describeLaunch(const KernelInstance &kernel, PhaseDescription &entry);
  void describeTransfers(Operation *phase, PhaseDescription &entry);
  LogicalResult compileGpuCode();
  void describeDefinition(tx::DefineSymbolOp define);
  void describeCheck(tx::RequireOp require);
  LogicalResult describeBlock(Block &block);
  LogicalResult describeBranches(tx::IfOp op);
  LogicalResult describeLoop(tx::LoopOp op);
  PhaseDescription &addPhase(txc_phase_kind kind, Location loc);
  size_t addJumpUnless(Value condition, Location loc);
  void aimAtEnd(size_t jump);
  void addAssignment(const Assignment &assignment, Location loc);
  void addRequirement(SymExprAttr lhs, StringRef relation, SymExprAttr rhs,
                      StringRef sentence, int32_t symbol);
  std::pair<int64_t, int64_t> locate(const Buffer &buffer);
  std::pair<int64_t, int64_t> locate(Value tensor) {
    return locate(plan.get(tensor));
  }
  void findIndexRange(BlockArgument input, TensorDescription &tensor);

  ModuleOp phases;
  func::FuncOp main;
  VectorTarget target;
  unsigned sm;
  const WeightStore &store;
  WeightsImage &weights;
  OwningOpRef<ModuleOp> code, gpuCode;
  KernelTable kernels;
  SmallVector<StringAttr> symbols;
  tx::RunTimeSymbols runTimeSymbols;
  ValueTable values;
  MemoryPlan plan;
  ModelDescription description;
  std::vector<std::string> hostReasons;
  SymExprAttr scratchBytes;
};
} // namespace

SmallVector<StringAttr> ProgramBuilder::getSymbolNames() const {
  SmallVector<StringAttr> names;
  if (auto ranges = phases->getAttrOfType<DictionaryAttr>("tx.symbols"))
    for (NamedAttribute range : ranges)
      names.push_back(range.getName());
  return names;
}

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

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

/// The base and the value with the byte offset of a buffer.
std::pair<int64_t, int64_t> ProgramBuilder::locate(const Buffer &buffer) {
  int64_t base = TXC_BASE_WEIGHTS;
  switch (buffer.space) {
  case Buffer::Space::weights:
    break;
  case Buffer::Space::arena:
    base = TXC_BASE_ARENA;
    break;
  case Buffer::Space::input:
    base = TXC_BASE_FIRST_INPUT + buffer.number;
    break;
  case Buffer::Space::output:
    base = TXC_BASE_FIRST_INPUT + main.getNumArguments() + buffer.number;
    break;
  case Buffer::Space::state:
    base = TXC_BASE_FIRST_INPUT + main.getNumArguments() +
           main.getNumResults() + buffer.number;
    break;
  }
  return {base, values.getIndex(buffer.offset)};
}

/// The bytes of a tensor or stored tensor.
static SymExprAttr getBytes(Type type) {
  if (auto packed = dyn_cast<pack::TensorType>(type))
    return tx::getConstantExpr(type.getContext(), packed.getStoredBytes());
  return getTensorBytes(cast<RankedTensorType>(type));
}

/// What a nest reads at most of its table number `index`: an element a point
/// and fetch.
static SymExprAttr getFetchedBytes(kernel::NestInterface nest, unsigned index) {
  Type type = nest.getTables()[index].getType();
  auto packed = dyn_cast<pack::TensorType>(type);
  Type element = packed ? packed.getElementType() : getElementTypeOrSelf(type);
  Value table =
      nest.getBodyBlock().getArgument(nest.getInputs().size() + index);
  auto fetches = static_cast<int64_t>(llvm::range_size(table.getUsers()));
  SymExprAttr bytes = tx::getConstantExpr(
      type.getContext(),
      fetches * llvm::divideCeil(element.getIntOrFloatBitWidth(), 8));
  for (auto size : nest.getSizes().getAsRange<SymExprAttr>())
    bytes = mul(bytes, size);
  return min(bytes, getBytes(type));
}

SymExprAttr txc::getPhaseBytes(Operation *phase) {
  SymExprAttr bytes = tx::getConstantExpr(phase->getContext(), 0);
  auto nest = dyn_cast<kernel::NestInterface>(phase);
  unsigned numTables = nest ? nest.getTables().size() : 0;
  for (Value operand : phase->getOperands().drop_back(numTables))
    bytes = add(bytes, getBytes(operand.getType()));
  for (unsigned i = 0; i < numTables; ++i)
    bytes = add(bytes, getFetchedBytes(nest, i));
  for (Type type : phase->getResultTypes())
    bytes = add(bytes, getBytes(type));
  return bytes;
}

void ProgramBuilder::describeLaunch(const KernelInstance &kernel,
                                    PhaseDescription &entry) {
  LaunchDescription &launch = entry.launch.emplace();
  launch.kernel = kernel.gpuNumber;
  launch.numBuffers = static_cast<int32_t>(entry.record.size() / 2);
  launch.numValues = static_cast<int32_t>(kernel.gpu->parameters.size());
  launch.reportsFaults = kernel.gpu->reportsFaults;
  for (SymExprAttr expr : kernel.gpu->parameters)
    entry.record.push_back(values.getIndex(expr));
  SymExprAttr blocks = tx::getConstantExpr(phases.getContext(), 1);
  for (auto [value, blocksAlong] :
       llvm::zip_equal(launch.gridValues, kernel.gpu->grid)) {
    value = values.getIndex(blocksAlong);
    blocks = mul(blocks, blocksAlong);
  }
  entry.tasksValue = values.getIndex(blocks);
  auto &all = description.gpu->kernels;
  if (all.size() == static_cast<size_t>(launch.kernel))
    all.push_back({kernel.gpu->name, kernel.gpu->threads});
}

/// Weights and inputs are in the CPU's memory as well.
void ProgramBuilder::describeTransfers(Operation *phase,
                                       PhaseDescription &entry) {
  auto add = [&](Value tensor, bool isResult) {
    Buffer::Space space = plan.get(tensor).space;
    if (space == Buffer::Space::weights || space == Buffer::Space::input)
      return;
    auto [base, offset] = locate(tensor);
    entry.transfers.push_back(
        {static_cast<int32_t>(base), static_cast<int32_t>(offset),
         values.getIndex(getBytes(tensor.getType())), isResult});
  };
  for (Value operand : phase->getOperands())
    add(operand, /*isResult=*/false);
  for (Value result : phase->getResults())
    add(result, /*isResult=*/true);
}

LogicalResult ProgramBuilder::compileGpuCode() {
  FailureOr<std::string> text = ptx::emitPtx(*gpuCode, sm);
  if (failed(text))
    return failure();
  description.gpu->ptx = std::move(*text);
  return success();
}

LogicalResult ProgramBuilder::describePhase(kernel::PhaseInterface phase) {
  FailureOr<KernelInstance> kernel = kernels.get(phase);
  if (failed(kernel))
    return failure();
  PhaseDescription &entry = description.phases.emplace_back();
  entry.function = kernel->function;
  entry.kernelName = kernel->function;
  entry.onnxNodes = joinNames(getOnnxNodes(phase.getLoc()));
  auto addBuffer = [&](Value tensor) {
    auto [base, offset] = locate(tensor);
    entry.record.push_back(base);
    entry.record.push_back(offset);
  };
  llvm::for_each(phase->getOperands(), addBuffer);
  llvm::for_each(phase->getResults(), addBuffer);
  entry.flopsValue = values.getIndex(phase.getFlops());
  entry.bytesValue = values.getIndex(getPhaseBytes(phase));
  hostReasons.resize(description.phases.size());
  if (kernel->gpu) {
    describeLaunch(*kernel, entry);
    return success();
  }
  for (SymExprAttr expr : kernel->exprs)
    entry.record.push_back(values.getIndex(expr));
  entry.tasksValue = values.getIndex(getTaskCount(phase, target));
  if (sm != 0) {
    describeTransfers(phase, entry);
    hostReasons.back() = kernel->hostReason;
  }
  scratchBytes = max(scratchBytes, getScratchBytes(phase, target));
  return success();
}

PhaseDescription &ProgramBuilder::addPhase(txc_phase_kind kind, Location loc) {
  PhaseDescription &entry = description.phases.emplace_back();
  entry.kind = kind;
  entry.onnxNodes = joinNames(getOnnxNodes(loc));
  return entry;
}

void ProgramBuilder::describeDefinition(tx::DefineSymbolOp define) {
  PhaseDescription &entry = addPhase(TXC_PHASE_DEFINE_SYMBOL, define.getLoc());
  entry.symbol = values.getSymbolIndex(define.getSymbolAttr());
  auto [base, offset] = locate(define.getValue());
  entry.conditionBase = static_cast<int32_t>(base);
  entry.conditionOffsetValue = static_cast<int32_t>(offset);
}

//===----------------------------------------------------------------------===//
// Branches and loops
//===----------------------------------------------------------------------===//

void ProgramBuilder::describeCheck(tx::RequireOp require) {
  addPhase(TXC_PHASE_REQUIRE, require.getLoc())
      .record.push_back(static_cast<int64_t>(description.requirements.size()));
  addRequirement(require.getLhs(),
                 tx::stringifyPredicate(require.getPredicate()),
                 require.getRhs(), require.getSentence(), TXC_CHECKED_BY_PHASE);
}

/// Returns the phase, for aimAtEnd().
size_t ProgramBuilder::addJumpUnless(Value condition, Location loc) {
  auto [base, offset] = locate(condition);
  PhaseDescription &entry = addPhase(TXC_PHASE_JUMP_UNLESS, loc);
  entry.conditionBase = static_cast<int32_t>(base);
  entry.conditionOffsetValue = static_cast<int32_t>(offset);
  return description.phases.size() - 1;
}

/// Lets a phase jump to the next one to be added.
void ProgramBuilder::aimAtEnd(size_t jump) {
  description.phases[jump].target =
      static_cast<int32_t>(description.phases.size());
}

/// A tensor that is where it should be stays, unless a symbol moves its place.
void ProgramBuilder::addAssignment(const Assignment &assignment, Location loc) {
  SmallVector<int64_t> symbols, copies;
  llvm::SetVector<StringAttr> assigned;
  for (auto [name, expr] : assignment.symbols) {
    symbols.push_back(values.getSymbolIndex(name));
    symbols.push_back(values.getIndex(expr));
    assigned.insert(name);
  }
  auto isMoved = [&](SymExprAttr offset) {
    llvm::SetVector<StringAttr> mentioned;
    collectSymbols(offset, mentioned);
    return llvm::any_of(mentioned, [&](StringAttr symbol) {
      return assigned.contains(symbol);
    });
  };
  for (auto [from, to, offset] : assignment.copies) {
    Buffer place = plan.get(to);
    place.offset = add(place.offset, offset);
    if (plan.get(from) == place && !isMoved(place.offset))
      continue;
    auto [fromBase, fromOffset] = locate(plan.get(from));
    auto [toBase, toOffset] = locate(place);
    copies.append({fromBase, fromOffset,
                   values.getIndex(getBytes(from.getType())), toBase,
                   toOffset});
  }
  if (symbols.empty() && copies.empty())
    return;
  PhaseDescription &entry = addPhase(TXC_PHASE_ASSIGN, loc);
  entry.record.push_back(static_cast<int64_t>(symbols.size() / 2));
  llvm::append_range(entry.record, symbols);
  entry.record.push_back(static_cast<int64_t>(copies.size() / 5));
  llvm::append_range(entry.record, copies);
}

/// unless(condition) goto else; first branch; goto end; else: second; end:
LogicalResult ProgramBuilder::describeBranches(tx::IfOp op) {
  bool isEarly = definesEarly(op);
  SymExprAttr zero = tx::getConstantExpr(op.getContext(), 0);
  bool hasFailed = false;
  auto describeBranch = [&](unsigned number) {
    tx::YieldOp yield = op.getYield(number);
    Assignment begin, end;
    (isEarly ? begin : end).set(op.getSymbols(), yield.getExprs());
    end.copy(yield.getValues(), op.getResults(), zero);
    addAssignment(begin, op.getLoc());
    hasFailed |= failed(describeBlock(op->getRegion(number).front()));
    addAssignment(end, op.getLoc());
  };
  size_t toElse = addJumpUnless(op.getCondition(), op.getLoc());
  describeBranch(0);
  size_t toEnd = description.phases.size();
  addPhase(TXC_PHASE_JUMP, op.getLoc());
  aimAtEnd(toElse);
  describeBranch(1);
  aimAtEnd(toEnd);
  return success(!hasFailed);
}

/// start; unless(condition) goto end; again: unless(index < trips) goto end;
/// the body; step; unless(next condition) goto end; goto again; end:
LogicalResult ProgramBuilder::describeLoop(tx::LoopOp op) {
  MLIRContext *context = op.getContext();
  SymExprAttr zero = tx::getConstantExpr(context, 0);
  SymExprAttr index = tx::getSymbolExpr(context, op.getIndexAttr());
  SymExprAttr one = tx::getConstantExpr(context, 1);
  Block &body = op.getBody().front();
  tx::YieldOp yield = op.getYield();
  Location loc = op.getLoc();
  SmallVector<size_t> toEnd;

  Assignment start;
  start.symbols.emplace_back(op.getIndexAttr(), zero);
  start.set(op.getSymbols(), op.getStarts());
  start.copy(op.getInits(), body.getArguments(), zero);
  addAssignment(start, loc);
  if (op.getCondition())
    toEnd.push_back(addJumpUnless(op.getCondition(), loc));
  auto again = static_cast<int32_t>(description.phases.size());
  if (SymExprAttr trips = op.getTripsAttr()) {
    toEnd.push_back(description.phases.size());
    addPhase(TXC_PHASE_JUMP_UNLESS_POSITIVE, loc).conditionOffsetValue =
        values.getIndex(sub(trips, index));
  }
  LogicalResult described = describeBlock(body);
  Assignment step;
  step.symbols.emplace_back(op.getIndexAttr(), add(index, one));
  step.set(op.getSymbols(), yield.getExprs());
  step.copy(op.getCarried(), body.getArguments(), zero);
  // Where copies go to is told by the next index.
  for (auto [element, stack] : llvm::zip(op.getElements(), op.getStacks()))
    step.copies.push_back(
        {element, stack, mul(sub(index, one), getBytes(element.getType()))});
  addAssignment(step, loc);
  if (op.getCondition())
    toEnd.push_back(addJumpUnless(op.getNextCondition(), loc));
  addPhase(TXC_PHASE_JUMP, loc).target = again;
  llvm::for_each(toEnd, [&](size_t jump) { aimAtEnd(jump); });
  return described;
}

/// Every phase without a kernel is reported, not the first alone.
LogicalResult ProgramBuilder::describeBlock(Block &block) {
  bool hasFailed = false;
  for (Operation &op : block) {
    if (auto phase = dyn_cast<kernel::PhaseInterface>(op))
      hasFailed |= failed(describePhase(phase));
    else if (auto define = dyn_cast<tx::DefineSymbolOp>(op))
      describeDefinition(define);
    else if (auto branches = dyn_cast<tx::IfOp>(op))
      hasFailed |= failed(describeBranches(branches));
    else if (auto loop = dyn_cast<tx::LoopOp>(op))
      hasFailed |= failed(describeLoop(loop));
    else if (auto require = dyn_cast<tx::RequireOp>(op))
      describeCheck(require);
  }
  return success(!hasFailed);
}

FailureOr<Program> ProgramBuilder::build(StringRef name) {
  description.name = name.str();
  if (failed(tx::verifyRunTimeSymbols(main)))
    return failure();
  FailureOr<MemoryPlan> memory = planMemory(main, [&](kernel::StoredOp stored) {
    return static_cast<int64_t>(addStoredTensor(weights, stored, store));
  });
  if (failed(memory))
    return failure();
  plan = std::move(*memory);
  describeSymbols();
  if (failed(describeInterface()) || failed(describeStates()))
    return failure();
  describeRequirements();
  scratchBytes = tx::getConstantExpr(phases.getContext(), 0);
  if (sm != 0)
    description.gpu.emplace().sm = sm;
  if (failed(describeBlock(main.getBody().front())) ||
      (sm != 0 && failed(compileGpuCode())))
    return failure();
  description.arenaBytesValue = values.getIndex(plan.getArenaBytes());
  description.scratchBytesValue = values.getIndex(scratchBytes);
  description.valueCount = values.size();
  description.evaluateFunction = kEvaluate.str();
  OpBuilder b = OpBuilder::atBlockEnd(code->getBody());
  values.buildFunction(b, phases.getLoc(), kEvaluate);

  Program program;
  program.description = std::move(description);
  program.code = std::move(code);
  program.numKernels = kernels.size();
  hostReasons.resize(program.description.phases.size());
  program.hostReasons = std::move(hostReasons);
  program.arenaBytes = plan.getArenaBytes();
  program.scratchBytes = scratchBytes;
  return program;
}

FailureOr<Program> txc::buildProgram(ModuleOp phases, StringRef modelName,
                                     const VectorTarget &target, unsigned sm,
                                     const WeightStore &store,
                                     WeightsImage &weights) {
  return ProgramBuilder(phases, target, sm, store, weights).build(modelName);
}
