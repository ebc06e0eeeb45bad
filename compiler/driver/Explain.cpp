//===- Explain.cpp - what became of a model ------------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/driver/Explain.h"
#include "compiler/driver/ChooseDims.h"
#include "compiler/program/OnnxNodes.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/tx/RunTimeSymbols.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/memory/PlanMemory.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace txc;
using tx::SymExprAttr;

namespace {
class Explainer {
public:
  Explainer(Compilation &compilation, const MeasuredProfile *profile)
      : compilation(compilation), profile(profile),
        module(compilation.getModule()),
        main(module.lookupSymbol<func::FuncOp>("main")) {}

  Explanation explain();

private:
  void setDims();
  void predict();
  void explainPhase(kernel::PhaseInterface phase, StringRef kernelName);
  void explainWeight(kernel::StoredOp stored);
  ExplainedAmount getAmount(SymExprAttr expr) const;
  std::optional<int64_t> getLiveBytes();

  Compilation &compilation;
  const MeasuredProfile *profile;
  ModuleOp module;
  func::FuncOp main;
  SymbolValues values;
  Explanation result;
};
} // namespace

//===----------------------------------------------------------------------===//
// Texts
//===----------------------------------------------------------------------===//

static std::vector<ExplainedNode> getNodes(Location loc) {
  std::vector<ExplainedNode> nodes;
  for (const OnnxNode &node : getOnnxNodes(loc))
    nodes.push_back({node.name.str(), node.opType.str()});
  return nodes;
}

template <typename T> static std::string toString(const T &printed) {
  std::string text;
  llvm::raw_string_ostream(text) << printed;
  return text;
}

/// "f32 [B, S, 384]"; stored types as they are.
static std::string getTypeText(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return toString(type);
  std::string dims =
      llvm::join(llvm::map_range(tx::getDims(tensor),
                                 [](SymExprAttr dim) { return dim.str(); }),
                 ", ");
  return toString(tensor.getElementType()) + " [" + dims + "]";
}

static std::vector<std::string> getTypeTexts(TypeRange types) {
  std::vector<std::string> texts;
  for (Type type : types)
    texts.push_back(getTypeText(type));
  return texts;
}

/// All ops of a kind, in the order of the program's phases.
template <typename OpTy>
static SmallVector<OpTy> collectOps(func::FuncOp main) {
  SmallVector<OpTy> ops;
  main.walk<WalkOrder::PreOrder>([&](OpTy op) { ops.push_back(op); });
  return ops;
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

/// The shape to count costs at: the longest of a few that the model takes.
void Explainer::setDims() {
  if (profile) {
    for (const auto &[name, value] : profile->dims)
      values[StringAttr::get(module.getContext(), name)] = value;
    result.dims = profile->dims;
    return;
  }
  for (int64_t length = 128; length > 0; length /= 2)
    if (std::optional<SymbolValues> chosen =
            chooseDims(module, {/*outer=*/1, /*inner=*/length})) {
      values = *chosen;
      break;
    }
  // As if no token were padding.
  if (auto bounds = module->getAttrOfType<DictionaryAttr>("tx.upper_bounds"))
    for (NamedAttribute bound : bounds) {
      auto upper = cast<SymExprAttr>(bound.getValue());
      if (std::optional<int64_t> most = evaluate(upper, values))
        values[bound.getName()] = *most;
      result.padding = bound.getName().str() + " <= " + upper.str();
    }
  for (auto [symbol, value] : values)
    result.dims.emplace_back(symbol.str(), value);
  llvm::sort(result.dims);
}

ExplainedAmount Explainer::getAmount(SymExprAttr expr) const {
  return {expr.str(), evaluate(expr, values)};
}

void Explainer::explainPhase(kernel::PhaseInterface phase,
                             StringRef kernelName) {
  ExplainedPhase &entry = result.phases.emplace_back();
  entry.kernel = kernelName.str();
  entry.nodes = getNodes(phase.getLoc());
  if (auto sizes = phase->getAttrOfType<ArrayAttr>("sizes"))
    for (auto size : sizes.getAsRange<SymExprAttr>())
      entry.sizes.push_back(size.str());
  entry.reads = getTypeTexts(phase->getOperandTypes());
  entry.writes = getTypeTexts(phase->getResultTypes());
  entry.flops = getAmount(phase.getFlops());
  entry.bytes = getAmount(getPhaseBytes(phase));
}

/// Products that an instruction of \p target adds up in a lane.
static int64_t getDotDepth(kernel::PhaseInterface phase,
                           const VectorTarget &target) {
  auto precision = phase->getAttrOfType<kernel::PrecisionAttr>("precision");
  if (!precision)
    return 1;
  if (precision.getValue() == kernel::Precision::bf16)
    return target.hasBf16Dot ? 2 : 1;
  return target.hasInt8Dot ? 4 : 1;
}

/// What the phases take at least, on a CPU.
void Explainer::predict() {
  if (compilation.getTarget().getSm() != 0)
    return;
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine =
      compilation.getTarget().createTargetMachine();
  if (!machine) {
    // Programs are not built for such a target.
    llvm::consumeError(machine.takeError());
    return;
  }
  VectorTarget target = getVectorTarget(**machine);
  result.l2Bytes = target.l2Bytes;
  for (auto [op, phase] : llvm::zip_equal(
           collectOps<kernel::PhaseInterface>(main), result.phases)) {
    if (!phase.flops.value || !phase.bytes.value)
      continue;
    phase.dotDepth = getDotDepth(op, target);
    phase.roofline = getRoofline(target, *phase.flops.value, *phase.bytes.value,
                                 phase.dotDepth);
    result.cycles += phase.roofline->cycles;
  }
}

void Explainer::explainWeight(kernel::StoredOp stored) {
  ExplainedWeight &entry = result.weights.emplace_back();
  entry.type = getTypeText(stored.getType());
  entry.numReaders = llvm::range_size(stored->getUsers());
  auto recipe = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
      stored, stored.getRecipeAttr());
  for (Operation &op : recipe.getBody().front()) {
    if (auto weight = dyn_cast<tx::WeightOp>(op))
      entry.sources.push_back(weight.getName().str());
    else if (!isa<tx::ConstantOp>(op) && !op.hasTrait<OpTrait::IsTerminator>())
      entry.recipe.push_back(op.getName().stripDialect().str());
  }
}

/// Outputs count: a caller may bring no memory for them. Of a program with
/// branches a run tells.
std::optional<int64_t> Explainer::getLiveBytes() {
  if (tx::hasControlFlow(main))
    return std::nullopt;
  auto getRoot = [](Value tensor) {
    while (auto reshape = tensor.getDefiningOp<tx::ReshapeOp>())
      tensor = reshape.getX();
    return tensor;
  };
  llvm::DenseMap<Value, int64_t> lastUses;
  int64_t end = 0;
  for (Operation &op : main.getBody().front()) {
    for (Value operand : op.getOperands())
      lastUses[getRoot(operand)] = end;
    ++end;
  }
  // What each op begins, less what ends before it.
  SmallVector<int64_t> changes(end + 1);
  for (auto [position, op] : llvm::enumerate(main.getBody().front())) {
    if (!isa<kernel::PhaseInterface>(op) || isa<kernel::AppendOp>(op))
      continue;
    for (Value value : op.getResults()) {
      auto bytes = evaluate(
          getTensorBytes(cast<RankedTensorType>(value.getType())), values);
      if (!bytes)
        return std::nullopt;
      auto last = lastUses.find(value);
      changes[position] += *bytes;
      changes[last == lastUses.end() ? position + 1 : last->second + 1] -=
          *bytes;
    }
  }
  int64_t live = 0, most = 0;
  for (int64_t change : changes)
    most = std::max(most, live += change);
  return most;
}

Explanation Explainer::explain() {
  const Program &program = compilation.getProgram();
  result.target = compilation.getTarget().getName();
  result.numKernels = program.numKernels;
  result.weightBytes = compilation.getImage().getSize();
  setDims();
  SymExprAttr flops = tx::getConstantExpr(module.getContext(), 0);
  SmallVector<kernel::PhaseInterface> phases =
      collectOps<kernel::PhaseInterface>(main);
  const auto *phase = phases.begin();
  for (auto [index, description] :
       llvm::enumerate(program.description.phases)) {
    if (description.kind != TXC_PHASE_RUN)
      continue;
    explainPhase(*phase, description.kernelName);
    result.phases.back().index = index;
    result.phases.back().hostReason = program.hostReasons[index];
    flops = add(flops, kernel::PhaseInterface(*phase++).getFlops());
  }
  predict();
  for (auto stored : collectOps<kernel::StoredOp>(main))
    explainWeight(stored);
  result.flops = getAmount(flops);
  result.arenaBytes = getAmount(program.arenaBytes);
  result.scratchBytes = getAmount(program.scratchBytes);
  result.liveBytes = getLiveBytes();
  for (const NearMiss &miss : compilation.getReport().getNearMisses())
    result.misses.push_back({miss.what, getNodes(miss.location), miss.reason});
  return std::move(result);
}

Explanation txc::explain(Compilation &compilation,
                         const MeasuredProfile *profile) {
  return Explainer(compilation, profile).explain();
}
