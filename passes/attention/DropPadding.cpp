//===- DropPadding.cpp - compute no padding tokens -----------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/attention/DropPadding.h"
#include "dialects/tx/RunTimeSymbols.h"
#include "mlir/IR/IRMapping.h"
#include "passes/attention/TokenAxes.h"
#include "passes/attention/TokenRows.h"
#include "passes/graph/Match.h"
#include "passes/graph/Report.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

//===----------------------------------------------------------------------===//
// The mask
//===----------------------------------------------------------------------===//

namespace {
/// What tells tokens from padding.
struct PaddingMask {
  TokenDims dims;
  /// True at tokens; of i1, with `axes`, other dims are 1.
  Value value;
  TokenAxes axes;
};
} // namespace

/// Why the attention's mask is no padding mask, or nothing and the mask.
static std::optional<PaddingMask> matchMask(AttentionOp op,
                                            std::string &reason) {
  if (!op.getMask()) {
    reason = "the attention has no mask";
    return std::nullopt;
  }
  RankedTensorType type = txc::getTensorType(op.getMask());
  if (!type.getElementType().isInteger(1)) {
    reason = "the attention's mask is no boolean one";
    return std::nullopt;
  }
  TokenDims dims = {getDim(op.getQ().getType(), 0),
                    getDim(op.getQ().getType(), 2)};
  auto roles = getTokenRoles(op, {0U, 2U}, dims);
  if (!roles) {
    reason =
        "the attention is not of a sentence's tokens to each other under a "
        "mask of the keys alone";
    return std::nullopt;
  }
  auto [value, axes] =
      lookThroughTokenViews(op.getMask(), roles->back().axes, dims);
  for (auto [axis, dim] : llvm::enumerate(getDims(txc::getTensorType(value))))
    if (!axes.contains(axis) && !dim.isConstant(1)) {
      reason = "the attention's mask differs between heads";
      return std::nullopt;
    }
  return PaddingMask{dims, value, axes};
}

//===----------------------------------------------------------------------===//
// What may be dropped
//===----------------------------------------------------------------------===//

namespace {
/// A use of tokens by an op that doesn't work token by token.
struct Sink {
  OpOperand *use;
  TokenAxes axes;
  /// What padding is there; nothing where it isn't read.
  std::optional<double> padding;
  /// It isn't, but becomes so.
  bool hidesPadding;
};

class Analysis {
public:
  Analysis(func::FuncOp function, PaddingMode mode, const PaddingMask &mask)
      : function(function), mode(mode), mask(mask) {}

  /// Finds what is computed token by token behind the attentions. Fails with a
  /// reason where padding reaches what it must not.
  LogicalResult run();

  bool isMine(AttentionOp op) const;
  ArrayRef<Sink> getSinks() const { return sinks; }
  ArrayRef<int64_t> getReadPlaces() const { return readPlaces.getArrayRef(); }
  /// Whether a hidden key that is kept would show.
  bool needsKeyMask() const { return keyMask; }
  Location getLocation() const { return *location; }
  StringRef getReason() const { return reason; }

private:
  void follow(Value value, TokenAxes axes);
  LogicalResult addSink(OpOperand &use, TokenAxes axes);
  bool isFalseAtPadding(Value value, TokenAxes axes) const;
  std::optional<double> getPadding(Value value, TokenAxes axes) const;

  func::FuncOp function;
  PaddingMode mode;
  const PaddingMask &mask;
  llvm::MapVector<Value, TokenAxes> tokens;
  SmallVector<Sink> sinks;
  llvm::SetVector<int64_t> readPlaces;
  bool keyMask = false;
  std::optional<Location> location;
  std::string reason;
};
} // namespace

bool Analysis::isMine(AttentionOp op) const {
  std::string ignored;
  std::optional<PaddingMask> own = matchMask(op, ignored);
  return own && own->value == mask.value && own->axes == mask.axes;
}

/// Whether the value (false: 0) says of each place whether it is a token.
bool Analysis::isFalseAtPadding(Value value, TokenAxes axes) const {
  auto strip = [&](Value from, TokenAxes at) {
    while (true) {
      std::tie(from, at) = lookThroughTokenViews(from, at, mask.dims);
      auto cast = from.getDefiningOp<CastOp>();
      if (!cast || from == mask.value)
        return std::pair(from, at);
      from = cast.getX();
    }
  };
  auto [source, sourceAxes] = strip(value, axes);
  if (source == mask.value)
    return sourceAxes == mask.axes;
  // The mask is where its own source is not 0.
  auto cast = mask.value.getDefiningOp<CastOp>();
  if (!cast)
    return false;
  auto [origin, originAxes] = strip(cast.getX(), mask.axes);
  return source == origin && sourceAxes == originAxes;
}

/// What the value is at padding, if that is known.
std::optional<double> Analysis::getPadding(Value value, TokenAxes axes) const {
  auto [source, sourceAxes] = lookThroughTokenViews(value, axes, mask.dims);
  Operation *op = source.getDefiningOp();
  if (!isa_and_present<MulOp, SelectOp>(op))
    return std::nullopt;
  auto roles = getTokenRoles(op, sourceAxes, mask.dims);
  if (!roles)
    return std::nullopt;
  auto isFalse = [&](unsigned operand) {
    const TokenRole &role = (*roles)[operand];
    return role.kind == TokenRole::Token &&
           isFalseAtPadding(op->getOperand(operand), role.axes);
  };
  if (isa<MulOp>(op))
    return isFalse(0) || isFalse(1) ? std::optional(0.0) : std::nullopt;
  auto select = cast<SelectOp>(op);
  if (isFalse(0))
    return matchScalar(select.getRhs());
  auto negation = select.getCondition().getDefiningOp<NotOp>();
  if (negation && (*roles)[0].kind == TokenRole::Token &&
      isFalseAtPadding(negation.getX(), (*roles)[0].axes))
    return matchScalar(select.getLhs());
  return std::nullopt;
}

/// The place whose tokens of all sentences the op takes, if that is what it
/// does.
static std::optional<int64_t> matchPlace(Operation *op, TokenAxes axes,
                                         const TokenDims &dims) {
  if (!axes.batch)
    return std::nullopt;
  if (auto gather = dyn_cast<GatherOp>(op)) {
    std::optional<SmallVector<SymExprAttr>> indices =
        matchExprs(gather.getIndices());
    bool isPlace = gather.getAxis() == axes.place && indices &&
                   indices->size() == 1 &&
                   indices->front().getConstant().value_or(-1) >= 0;
    return isPlace ? indices->front().getConstant() : std::nullopt;
  }
  auto slice = dyn_cast<SliceOp>(op);
  if (!slice)
    return std::nullopt;
  auto start = [&](unsigned axis) {
    return cast<SymExprAttr>(slice.getStarts()[axis]);
  };
  bool takesAll = start(*axes.batch).isConstant(0) &&
                  slice.getSteps()[*axes.batch] == 1 &&
                  getDim(slice.getType(), *axes.batch) == dims.batch;
  if (!takesAll || !getDim(slice.getType(), axes.place).isConstant(1))
    return std::nullopt;
  return start(axes.place).getConstant();
}

LogicalResult Analysis::addSink(OpOperand &use, TokenAxes axes) {
  Operation *op = use.getOwner();
  Operation *source = mask.value.getDefiningOp();
  if (source && op->isBeforeInBlock(source)) {
    location = op->getLoc();
    reason = "the mask depends on tokens that it hides";
    return failure();
  }
  std::optional<double> padding = getPadding(use.get(), axes);
  bool isReturn = isa<func::ReturnOp>(op);
  bool hidesPadding = !padding && isReturn && mode == PaddingMode::skip;
  if (hidesPadding)
    padding = 0;
  std::optional<int64_t> place = matchPlace(op, axes, mask.dims);
  if (!padding && !place) {
    location = op->getLoc();
    reason = "the rows of padding reach ";
    if (isReturn) {
      auto name = function.getResultAttrOfType<StringAttr>(
          use.getOperandNumber(), "tx.name");
      reason += ("the output " + (name ? name.getValue() : "") +
                 "; -padding=skip makes them zero")
                    .str();
      location = use.get().getLoc();
    } else {
      reason += "an operation that mixes tokens";
    }
    return failure();
  }
  if (!padding)
    readPlaces.insert(*place);
  sinks.push_back({&use, axes, padding, hidesPadding});
  return success();
}

/// What is computed token by token of the value, and of that.
void Analysis::follow(Value value, TokenAxes axes) {
  SmallVector<std::pair<Value, TokenAxes>> worklist = {{value, axes}};
  while (!worklist.empty()) {
    auto [tensor, at] = worklist.pop_back_val();
    if (!tokens.insert({tensor, at}).second)
      continue;
    for (OpOperand &use : tensor.getUses()) {
      auto attention = dyn_cast<AttentionOp>(use.getOwner());
      if (attention && !isMine(attention))
        continue;
      if (std::optional<TokenAxes> result = getResultAxes(use, at, mask.dims))
        worklist.push_back({use.getOwner()->getResult(0), *result});
    }
  }
}

LogicalResult Analysis::run() {
  for (auto op : function.getOps<AttentionOp>())
    if (isMine(op)) {
      follow(op.getResult(), {0U, 2U});
      // Where a row without keys is NaN, so is what the mask multiplies.
      keyMask |= op.getMaskedRow() == MaskedRow::nan;
    }
  for (auto [value, axes] : tokens)
    for (OpOperand &use : value.getUses()) {
      Operation *op = use.getOwner();
      std::optional<TokenAxes> result = getResultAxes(use, axes, mask.dims);
      if (result && op->getNumResults() == 1 &&
          tokens.lookup(op->getResult(0)) == *result &&
          tokens.contains(op->getResult(0)))
        continue;
      if (failed(addSink(use, axes)))
        return failure();
    }
  keyMask |= !readPlaces.empty();
  return success();
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

namespace {
/// Makes the ops on rows beside those on padded tensors, which then are dead.
class Dropper {
public:
  Dropper(func::FuncOp function, const PaddingMask &mask,
          const Analysis &analysis)
      : function(function), mask(mask), analysis(analysis),
        rows(mask.dims, function) {}

  void run();

private:
  using Needed = std::pair<Value, TokenAxes>;

  void defineRows();
  std::optional<SmallVector<TokenRole>> getRoles(Value value, TokenAxes axes);
  void findNeeded();
  void makeRows(Value value);
  Value getOperand(Value operand, const TokenRole &role, OpBuilder &b);
  void replace(const Sink &sink);

  func::FuncOp function;
  const PaddingMask &mask;
  const Analysis &analysis;
  TokenRows rows;
  /// The first op behind the definition of the rows.
  Operation *behind = nullptr;
  /// Padded tensors of which the rows are needed, and these.
  llvm::MapVector<Value, TokenAxes> needed;
  llvm::DenseMap<Value, Value> made;
  Value keyMaskRows;
};
} // namespace

void Dropper::defineRows() {
  Block &body = function.getBody().front();
  OpBuilder b(function.getContext());
  if (Operation *source = mask.value.getDefiningOp())
    b.setInsertionPointAfter(source);
  else
    b.setInsertionPointToStart(&body);
  behind = &*b.getInsertionPoint();
  rows.define(b, mask.value, analysis.getReadPlaces());
  if (analysis.needsKeyMask())
    keyMaskRows = rows.gatherKeyMask(b);
}

/// The roles of the operands of the op that computes the value token by token.
std::optional<SmallVector<TokenRole>> Dropper::getRoles(Value value,
                                                        TokenAxes axes) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return std::nullopt;
  auto attention = dyn_cast<AttentionOp>(op);
  if (attention && !analysis.isMine(attention))
    return std::nullopt;
  return getTokenRoles(op, axes, mask.dims);
}

void Dropper::findNeeded() {
  SmallVector<Needed> worklist;
  for (const Sink &sink : analysis.getSinks())
    worklist.push_back({sink.use->get(), sink.axes});
  while (!worklist.empty()) {
    auto [value, axes] = worklist.pop_back_val();
    if (!needed.insert({value, axes}).second)
      continue;
    if (auto roles = getRoles(value, axes))
      for (auto [operand, role] :
           llvm::zip(value.getDefiningOp()->getOperands(), *roles))
        if (role.kind == TokenRole::Token)
          worklist.push_back({operand, role.axes});
  }
}

Value Dropper::getOperand(Value operand, const TokenRole &role, OpBuilder &b) {
  switch (role.kind) {
  case TokenRole::Same:
    return operand;
  case TokenRole::Place:
  case TokenRole::Sentence:
    return rows.gatherPartial(b, operand, role);
  case TokenRole::KeyMask:
    return keyMaskRows;
  case TokenRole::Token:
    // One tensor may be read by two axes, if B or S are 1.
    if (needed.lookup(operand) == role.axes)
      return made.lookup(operand);
    return rows.gather(b, operand, role.axes);
  }
  llvm_unreachable("all kinds are handled");
}

/// The rows of a tensor, those of its operands being there.
void Dropper::makeRows(Value value) {
  TokenAxes axes = needed.lookup(value);
  Operation *op = value.getDefiningOp();
  bool isBehind = op && !op->isBeforeInBlock(behind);
  OpBuilder b(isBehind ? op : behind);
  auto roles = getRoles(value, axes);
  if (!roles) {
    if (isBehind)
      b.setInsertionPointAfter(op);
    made[value] = rows.gather(b, value, axes);
    return;
  }
  SmallVector<Value> operands;
  for (auto [operand, role] : llvm::zip(op->getOperands(), *roles))
    operands.push_back(getOperand(operand, role, b));
  if (auto attention = dyn_cast<AttentionOp>(op)) {
    made[value] = AttentionOp::create(
        b, op->getLoc(), operands[0], operands[1], operands[2], keyMaskRows,
        Value(), rows.getStarts(), attention.getScaleAttr(),
        attention.getCausalAttr(), attention.getWindowAttr(),
        attention.getSoftcapAttr(), attention.getMaskedRowAttr(),
        mask.dims.places);
    return;
  }
  IRMapping mapping;
  mapping.map(op->getOperands(), operands);
  Operation *clone = b.clone(*op, mapping);
  clone->getResult(0).setType(
      rows.getRowsType(txc::getTensorType(value), axes));
  made[value] = clone->getResult(0);
}

void Dropper::replace(const Sink &sink) {
  Operation *op = sink.use->getOwner();
  OpBuilder b(op);
  Value tensor = made.lookup(sink.use->get());
  if (sink.padding) {
    sink.use->set(
        rows.scatter(b, tensor, sink.axes, *sink.padding, sink.hidesPadding));
    return;
  }
  std::optional<int64_t> place = matchPlace(op, sink.axes, mask.dims);
  sink.use->set(rows.gatherPlace(b, tensor, sink.axes, *place));
  // Of what is left, it takes the only place.
  if (auto gather = dyn_cast<GatherOp>(op)) {
    Value zero = createSplat(b, op->getLoc(), gather.getIndices().getType(), 0);
    gather.getIndicesMutable().assign(zero);
    return;
  }
  auto slice = cast<SliceOp>(op);
  SmallVector<Attribute> starts(slice.getStarts().getValue());
  starts[sink.axes.place] = getConstantExpr(b.getContext(), 0);
  slice.setStartsAttr(b.getArrayAttr(starts));
}

void Dropper::run() {
  defineRows();
  findNeeded();
  SmallVector<Value> order = llvm::to_vector(llvm::make_first_range(needed));
  llvm::sort(order, [](Value a, Value b) {
    Operation *first = a.getDefiningOp(), *second = b.getDefiningOp();
    if (!first || !second)
      return !first && second;
    return first->isBeforeInBlock(second);
  });
  for (Value value : order)
    makeRows(value);
  for (const Sink &sink : analysis.getSinks())
    replace(sink);
}

//===----------------------------------------------------------------------===//
// Interface
//===----------------------------------------------------------------------===//

bool txc::dropPadding(func::FuncOp function, PaddingMode mode, Report *report) {
  auto miss = [&](Location location, StringRef reason) {
    if (report)
      report->add(location, "padding", reason);
    return false;
  };
  auto attentions = function.getOps<AttentionOp>();
  if (mode == PaddingMode::keep || attentions.empty())
    return false;
  if (hasControlFlow(function))
    return miss(function.getLoc(), "a branch or loop may look at every token");
  std::optional<PaddingMask> mask;
  std::string reason;
  for (AttentionOp op : attentions)
    if (!mask)
      mask = matchMask(op, reason);
  if (!mask)
    return miss((*attentions.begin()).getLoc(), reason);
  Analysis analysis(function, mode, *mask);
  if (failed(analysis.run()))
    return miss(analysis.getLocation(), analysis.getReason());
  if (analysis.getSinks().empty())
    return false;
  Dropper(function, *mask, analysis).run();
  return true;
}

namespace {
struct DropPaddingPass : PassWrapper<DropPaddingPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(DropPaddingPass)

  DropPaddingPass(PaddingMode mode, Report *report)
      : mode(mode), report(report) {}
  DropPaddingPass(const DropPaddingPass &other)
      : PassWrapper(other), mode(other.mode), report(other.report) {}

  StringRef getArgument() const override { return "txc-drop-padding"; }
  StringRef getDescription() const override {
    return "Compute nothing for padding tokens that reach no output";
  }
  void runOnOperation() override {
    Report own;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function.isPublic())
        dropPadding(function, skips ? PaddingMode::skip : mode,
                    report ? report : &own);
    for (const NearMiss &missed : own.getNearMisses())
      if (remarks)
        emitRemark(missed.location) << missed.what << ": " << missed.reason;
  }

  PaddingMode mode;
  Report *report;
  Option<bool> skips{*this, "skip", llvm::cl::desc("As -padding=skip"),
                     llvm::cl::init(false)};
  Option<bool> remarks{*this, "remarks",
                       llvm::cl::desc("Say why nothing was dropped"),
                       llvm::cl::init(false)};
};
} // namespace

std::unique_ptr<Pass> txc::createDropPaddingPass(PaddingMode mode,
                                                 Report *report) {
  return std::make_unique<DropPaddingPass>(mode, report);
}
