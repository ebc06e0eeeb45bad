//===- AttentionMask.cpp - which keys a query sees -----------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// A boolean mask is a conjunction of conditions. Those that compare the places
/// of query and key become attributes; what is left is and-ed again on the
/// smallest shape that carries it.
///
/// A fill of -inf means a key does not count. So does a finite one so low that
/// adding any score to it gives the fill again, but a row that has only such
/// keys is the mean of all values, where -inf gives NaN.
//
//===----------------------------------------------------------------------===//

#include "passes/graph/AttentionMask.h"
#include "passes/graph/AffineIndex.h"
#include "passes/graph/Match.h"

using namespace mlir;
using namespace txc;
using namespace txc::tx;

bool txc::isAbsorbing(double fill) {
  // In f32 half a unit in the last place of 2^99 is 2^(99 - 24).
  return fill <= -0x1p99;
}

bool txc::isAlignedMask(Value mask, ArrayRef<SymExprAttr> scores) {
  SmallVector<SymExprAttr> dims = getDims(txc::getTensorType(mask));
  return dims.size() <= scores.size() &&
         llvm::all_of(llvm::zip(llvm::reverse(dims), llvm::reverse(scores)),
                      [](auto pair) {
                        auto [dim, score] = pair;
                        return dim == score || dim.isConstant(1);
                      });
}

/// The fill of a constant whose elements are 0 or one absorbing number.
static std::optional<double> matchConstantMask(Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  auto elements = constant ? dyn_cast<DenseFPElementsAttr>(constant.getValue())
                           : DenseFPElementsAttr();
  std::optional<double> fill;
  if (!elements)
    return std::nullopt;
  for (const APFloat &element : elements) {
    double number = element.convertToDouble();
    if (number == 0 || number == fill)
      continue;
    if (fill || !isAbsorbing(number))
      return std::nullopt;
    fill = number;
  }
  return fill;
}

/// The operand of a broadcast, or of a reshape that adds leading dims of 1:
/// broadcast to the scores it says the same.
static Value lookThroughBroadcast(Value value) {
  if (auto broadcast = value.getDefiningOp<BroadcastOp>())
    return broadcast.getX();
  auto reshape = value.getDefiningOp<ReshapeOp>();
  if (!reshape)
    return nullptr;
  SmallVector<SymExprAttr> from = getDims(reshape.getX().getType());
  SmallVector<SymExprAttr> to = getDims(reshape.getType());
  bool addsLeadingOnes = from.size() <= to.size() &&
                         ArrayRef(to).take_back(from.size()) == ArrayRef(from);
  return addsLeadingOnes ? reshape.getX() : Value();
}

MaskTerm txc::getAddedTerm(Value addend, ArrayRef<SymExprAttr> scores) {
  MaskTerm term{addend, txc::getTensorType(addend).getElementType(),
                llvm::to_vector(scores)};
  Value value = lookThroughFloatCasts(addend);
  while (Value inner = lookThroughBroadcast(value))
    value = lookThroughFloatCasts(inner);
  if (std::optional<double> fill = matchConstantMask(value))
    return MaskTerm{value,
                    term.elementType,
                    term.scores,
                    /*isBoolean=*/true,
                    /*keeps=*/true,
                    *fill};
  auto select = value.getDefiningOp<SelectOp>();
  if (!select)
    return term;
  std::optional<double> lhs = matchScalar(select.getLhs());
  std::optional<double> rhs = matchScalar(select.getRhs());
  if (!lhs || !rhs || (*lhs != 0) == (*rhs != 0))
    return term;
  bool keeps = *lhs == 0;
  double fill = keeps ? *rhs : *lhs;
  if (!isAbsorbing(fill))
    return term;
  return MaskTerm{select.getCondition(),
                  term.elementType,
                  term.scores,
                  /*isBoolean=*/true,
                  keeps,
                  fill};
}

LogicalResult txc::scaleTerm(MaskTerm &term, double factor) {
  if (factor == 1)
    return success();
  term.factor *= factor;
  if (!term.isBoolean)
    return success();
  // The product is a number of the scores' type.
  APFloat fill(term.fill * factor);
  bool losesInfo;
  fill.convert(cast<FloatType>(term.elementType).getFloatSemantics(),
               APFloat::rmNearestTiesToEven, &losesInfo);
  term.fill = fill.convertToDouble();
  return success(isAbsorbing(term.fill));
}

//===----------------------------------------------------------------------===//
// Dims
//===----------------------------------------------------------------------===//

namespace {
/// How a mask gets the batch dims of other scores: repeated, then reshaped.
struct Alignment {
  SmallVector<SymExprAttr> repeated, reshaped;
};
} // namespace

/// Reshapes the batch dims of a mask as those of the scores are from `from` to
/// `to`, where dims are merged or split. A dim that the scores have is merged
/// with dims of 1 only when it is repeated over theirs.
static bool reshapeBatch(SmallVector<SymExprAttr> &mask,
                         ArrayRef<SymExprAttr> from, ArrayRef<SymExprAttr> to,
                         SmallVector<SymExprAttr> &reshaped) {
  SymExprAttr one = getConstantExpr(from.front().getContext(), 1);
  bool merges = from.size() >= to.size();
  std::optional<SmallVector<size_t>> ends =
      merges ? groupDims(from, to) : groupDims(to, from);
  if (!ends) {
    reshaped.assign(to.begin(), to.end());
    return ArrayRef(mask) == from;
  }
  size_t begin = 0;
  for (auto [i, end] : llvm::enumerate(*ends)) {
    auto ones = [](ArrayRef<SymExprAttr> dims) {
      return llvm::all_of(dims,
                          [](SymExprAttr dim) { return dim.isConstant(1); });
    };
    if (!merges) {
      for (size_t j = begin; j < end; ++j)
        reshaped.push_back(mask[i].isConstant(1) ? one : to[j]);
    } else if (ones(ArrayRef(mask).slice(begin, end - begin))) {
      reshaped.push_back(one);
    } else {
      std::copy(from.begin() + begin, from.begin() + end, mask.begin() + begin);
      reshaped.push_back(to[i]);
    }
    begin = end;
  }
  return true;
}

static std::optional<Alignment> getAlignment(Value value,
                                             ArrayRef<SymExprAttr> from,
                                             ArrayRef<SymExprAttr> to) {
  Alignment result;
  SmallVector<SymExprAttr> dims = getDims(txc::getTensorType(value));
  // A dim of another name is the scores' dim or 1, as a run decides.
  for (auto [dim, score] : llvm::zip(llvm::reverse(dims), llvm::reverse(from)))
    if (!dim.isConstant(1))
      dim = score;
  result.repeated = result.reshaped = dims;
  if (dims.size() <= 2 || from.drop_back(2) == to.drop_back(2))
    return result;
  SmallVector<SymExprAttr> batch(from.size() - dims.size(),
                                 getConstantExpr(value.getContext(), 1));
  batch.append(dims.begin(), dims.end() - 2);
  result.reshaped.clear();
  if (!reshapeBatch(batch, from.drop_back(2), to.drop_back(2), result.reshaped))
    return std::nullopt;
  result.repeated = batch;
  for (auto *list : {&result.repeated, &result.reshaped})
    list->append(dims.end() - 2, dims.end());
  return result;
}

bool txc::canAlign(const MaskTerm &term, ArrayRef<SymExprAttr> scores) {
  return getAlignment(term.value, term.scores, scores).has_value();
}

/// `value`, which broadcasts to `from`, such that each dim is that of `to`
/// or 1.
static Value align(RewriterBase &rewriter, Location loc, Value value,
                   ArrayRef<SymExprAttr> from, ArrayRef<SymExprAttr> to) {
  Alignment alignment = *getAlignment(value, from, to);
  RankedTensorType type = txc::getTensorType(value);
  auto typed = [&](ArrayRef<SymExprAttr> dims) {
    return tx::getTensorType(dims, type.getElementType());
  };
  value =
      rewriter.createOrFold<BroadcastOp>(loc, typed(alignment.repeated), value);
  return rewriter.createOrFold<ReshapeOp>(loc, typed(alignment.reshaped),
                                          value);
}

//===----------------------------------------------------------------------===//
// Conditions
//===----------------------------------------------------------------------===//

namespace {
/// A key counts only where `value` is `keeps`.
struct Condition {
  Value value;
  bool keeps;
};

/// The parts of a conjunction.
class Conjunction {
public:
  Conjunction(ArrayRef<SymExprAttr> scores, const SymbolBounds &bounds)
      : scores(scores), bounds(bounds) {}

  void add(Value value, bool keeps);
  /// Takes from the conditions what attributes of tx.attention can say.
  void extractPlaces(AttentionMask &mask);
  /// The and of what is left, or null.
  Value build(RewriterBase &rewriter, Location loc) const;

private:
  bool extractPlace(const Condition &condition, AttentionMask &mask);
  bool isAlwaysTrue(const Condition &condition) const;

  ArrayRef<SymExprAttr> scores;
  const SymbolBounds &bounds;
  SmallVector<Condition> conditions;
};
} // namespace

void Conjunction::add(Value whole, bool wholeKeeps) {
  SmallVector<Condition> worklist = {{whole, wholeKeeps}};
  // The conditions are a graph, not a tree.
  DenseSet<std::pair<Value, unsigned>> seen;
  while (!worklist.empty()) {
    auto [value, keeps] = worklist.pop_back_val();
    while (Value inner = lookThroughBroadcast(value))
      value = inner;
    if (!seen.insert({value, keeps}).second)
      continue;
    Operation *op = value.getDefiningOp();
    // not (a or b) is not a and not b.
    bool isAnd = isa_and_present<AndOp>(op) && keeps;
    bool isNotOr = isa_and_present<OrOp>(op) && !keeps;
    if ((isAnd || isNotOr) &&
        llvm::all_of(op->getOperands(), [&](Value operand) {
          return isAlignedMask(operand, scores);
        })) {
      worklist.push_back({op->getOperand(1), keeps});
      worklist.push_back({op->getOperand(0), keeps});
    } else if (auto negation = dyn_cast_if_present<NotOp>(op)) {
      worklist.push_back({negation.getX(), !keeps});
    } else if (!isAlwaysTrue({value, keeps})) {
      conditions.push_back({value, keeps});
    }
  }
}

//===----------------------------------------------------------------------===//
// Places of query and key
//===----------------------------------------------------------------------===//

bool Conjunction::isAlwaysTrue(const Condition &condition) const {
  if (std::optional<double> constant = matchScalar(condition.value))
    return (*constant != 0) == condition.keeps;
  auto compare = condition.value.getDefiningOp<CompareOp>();
  return compare && isAlways(compare, condition.keeps, bounds);
}

/// Whether query place s and key place t (the last two dims) have these
/// coefficients and no other place matters.
static bool hasCoefficients(const AffineIndex &index, int64_t query,
                            int64_t key) {
  ArrayRef<SymExprAttr> coefficients = index.coefficients;
  if (coefficients.size() < 2)
    return false;
  return llvm::all_of(coefficients.drop_back(2),
                      [](SymExprAttr c) { return c.isConstant(0); }) &&
         coefficients[coefficients.size() - 2].isConstant(query) &&
         coefficients.back().isConstant(key);
}

/// c of a constant that is true where t <= s + c.
static std::optional<int64_t> matchConstantCausal(const Condition &condition) {
  auto constant = condition.value.getDefiningOp<ConstantOp>();
  auto elements = constant ? dyn_cast<DenseIntElementsAttr>(constant.getValue())
                           : DenseIntElementsAttr();
  ArrayRef<int64_t> shape = txc::getTensorType(condition.value).getShape();
  if (!elements || shape.size() < 2 ||
      llvm::any_of(shape.drop_back(2), [](int64_t dim) { return dim != 1; }))
    return std::nullopt;
  int64_t keys = shape.back();
  auto values = elements.getValues<bool>();
  auto counts = [&](int64_t s, int64_t t) {
    return values[s * keys + t] == condition.keeps;
  };
  // The first row that has both kinds decides c.
  std::optional<int64_t> offset;
  for (int64_t s = 0; s < shape[shape.size() - 2] && !offset; ++s)
    for (int64_t t = 0; t + 1 < keys; ++t)
      if (counts(s, t) && !counts(s, t + 1))
        offset = t - s;
  if (!offset)
    return std::nullopt;
  for (int64_t s = 0; s < shape[shape.size() - 2]; ++s)
    for (int64_t t = 0; t < keys; ++t)
      if (counts(s, t) != (t <= s + *offset))
        return std::nullopt;
  return offset;
}

bool Conjunction::extractPlace(const Condition &condition,
                               AttentionMask &mask) {
  // A row that is repeated for all queries is no causal mask, whatever it says.
  SmallVector<SymExprAttr> dims = getDims(txc::getTensorType(condition.value));
  if (dims.size() < 2 || ArrayRef(dims).take_back(2) != scores.take_back(2))
    return false;
  if (std::optional<int64_t> offset = matchConstantCausal(condition)) {
    if (mask.causal)
      return false;
    mask.causal = getConstantExpr(condition.value.getContext(), *offset);
    return true;
  }
  auto compare = condition.value.getDefiningOp<CompareOp>();
  std::optional<AffineIndex> index =
      compare ? getNonPositive(compare, condition.keeps) : std::nullopt;
  if (!index)
    return false;
  // A single query has no coefficient.
  int64_t query = scores[scores.size() - 2].isConstant(1) ? 0 : 1;
  SymExprAttr zero = getConstantExpr(index->constant.getContext(), 0);
  // t - s + c <= 0 is t <= s + causal with causal = -c.
  if (!mask.causal && hasCoefficients(*index, -query, 1)) {
    mask.causal = tx::sub(zero, index->constant);
    return true;
  }
  // s - t + c <= 0 is t > s + c - 1, so causal - window = c - 1.
  if (!mask.causal || mask.window || !hasCoefficients(*index, query, -1))
    return false;
  std::optional<int64_t> window =
      tx::add(tx::sub(mask.causal, index->constant), 1).getConstant();
  if (!window || *window < 1)
    return false;
  mask.window = window;
  return true;
}

void Conjunction::extractPlaces(AttentionMask &mask) {
  // A window is relative to the causal offset: two rounds.
  for (int round = 0; round < 2; ++round)
    llvm::erase_if(conditions, [&](const Condition &condition) {
      return extractPlace(condition, mask);
    });
}

Value Conjunction::build(RewriterBase &rewriter, Location loc) const {
  Value result;
  for (const Condition &condition : conditions) {
    Value value = align(rewriter, loc, condition.value, scores, scores);
    if (!condition.keeps)
      value = NotOp::create(rewriter, loc, value);
    result = result ? AndOp::create(rewriter, loc, result, value).getResult()
                    : value;
  }
  return result;
}

//===----------------------------------------------------------------------===//
// All terms together
//===----------------------------------------------------------------------===//

/// Whether one boolean mask says what the terms do together: no float among
/// them, and never two finite fills that add up to another one.
static bool isOneBoolean(ArrayRef<MaskTerm> terms) {
  bool areBoolean =
      llvm::all_of(terms, [](const MaskTerm &term) { return term.isBoolean; });
  bool areInfinite = llvm::all_of(
      terms, [](const MaskTerm &term) { return std::isinf(term.fill); });
  return areBoolean && (areInfinite || terms.size() == 1);
}

/// The condition of a boolean term; where a constant mask is 0 a key counts.
static Value getCondition(RewriterBase &rewriter, Location loc,
                          const MaskTerm &term) {
  auto constant = term.value.getDefiningOp<ConstantOp>();
  auto elements = constant ? dyn_cast<DenseFPElementsAttr>(constant.getValue())
                           : DenseFPElementsAttr();
  if (!elements)
    return term.value;
  Type i1 = rewriter.getI1Type();
  return ConstantOp::create(rewriter, loc,
                            elements.mapValues(i1, [](const APFloat &element) {
                              return APInt(1, element.isZero());
                            }));
}

namespace {
/// The float tensor that terms add to the scores, built from the first one done
/// to the last; converted where the scores are.
class Addend {
public:
  Addend(RewriterBase &rewriter, Location loc) : rewriter(rewriter), loc(loc) {}

  Value get() const { return sum; }
  /// `value` is that of the term, aligned.
  void add(const MaskTerm &term, Value value);
  /// -inf where the condition does not hold.
  void exclude(Value condition);

private:
  void convertTo(Type elementType);
  void addValue(Value value) {
    sum = sum ? AddOp::create(rewriter, loc, sum, value).getResult() : value;
  }
  Value createScalar(Type type, double number) const {
    return createSplat(rewriter, loc,
                       tx::getTensorType(ArrayRef<SymExprAttr>(), type),
                       number);
  }

  RewriterBase &rewriter;
  Location loc;
  Value sum;
};
} // namespace

void Addend::convertTo(Type elementType) {
  if (!sum || txc::getTensorType(sum).getElementType() == elementType)
    return;
  SmallVector<SymExprAttr> dims = getDims(txc::getTensorType(sum));
  sum = CastOp::create(rewriter, loc, tx::getTensorType(dims, elementType), sum,
                       /*saturate=*/false);
}

void Addend::add(const MaskTerm &term, Value value) {
  convertTo(term.elementType);
  if (!term.isBoolean) {
    if (term.factor != 1)
      value = MulOp::create(rewriter, loc, value,
                            createScalar(term.elementType, term.factor));
    return addValue(value);
  }
  Value low = createScalar(term.elementType, term.fill);
  // A fill absorbs the score, so adding it is replacing by it; what was added
  // before must go, though: two fills may add up to -inf.
  bool replacesSum = term.replaces && sum;
  Value kept = replacesSum ? sum : createScalar(term.elementType, 0);
  Value chosen = SelectOp::create(rewriter, loc, value, term.keeps ? kept : low,
                                  term.keeps ? low : kept);
  if (replacesSum)
    sum = chosen;
  else
    addValue(chosen);
}

void Addend::exclude(Value condition) {
  add({condition, txc::getTensorType(sum).getElementType(), /*scores=*/{},
       /*isBoolean=*/true, /*keeps=*/true,
       -std::numeric_limits<double>::infinity()},
      condition);
}

AttentionMask txc::buildMask(RewriterBase &rewriter, Location loc,
                             ArrayRef<MaskTerm> terms, RankedTensorType scores,
                             AttentionMask mask, const SymbolBounds &bounds) {
  SmallVector<SymExprAttr> dims = getDims(scores);
  Conjunction conjunction(dims, bounds);
  Addend addend(rewriter, loc);
  bool isBoolean = isOneBoolean(terms);
  // Where a finite fill replaces the score, -inf from before is no more.
  const auto *lastReplacing = llvm::find_if(terms, [](const MaskTerm &term) {
    return term.replaces && std::isfinite(term.fill);
  });
  for (const MaskTerm &term : llvm::reverse(terms)) {
    // A key at -inf stays there whatever is added to it.
    bool excludes =
        term.isBoolean && std::isinf(term.fill) && &term < lastReplacing;
    Value value =
        term.isBoolean ? getCondition(rewriter, loc, term) : term.value;
    value = align(rewriter, loc, value, term.scores, dims);
    if (isBoolean || excludes)
      conjunction.add(value, term.keeps);
    else
      addend.add(term, value);
  }
  conjunction.extractPlaces(mask);
  mask.mask = conjunction.build(rewriter, loc);
  if (isBoolean && !terms.empty()) {
    if (std::isfinite(terms.front().fill))
      mask.maskedRow = MaskedRow::uniform;
    return mask;
  }
  if (!addend.get())
    return mask;
  if (mask.mask)
    addend.exclude(mask.mask);
  mask.mask = addend.get();
  return mask;
}
