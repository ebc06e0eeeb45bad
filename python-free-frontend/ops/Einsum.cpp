//===- Einsum.cpp - ONNX's Einstein summation -----------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// An equation of any number of operands is evaluated from left to right, each
/// step a batched matrix product of two (Einsum-12 and numpy.einsum).
//
//===----------------------------------------------------------------------===//

#include "python-free-frontend/ops/MatmulBuilder.h"
#include "python-free-frontend/ops/OpTable.h"
#include "llvm/ADT/Sequence.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::SymExprAttr;

namespace {
/// One letter a dim. A dim of an ellipsis, counted from the right, has a number
/// below 32, which is no letter's.
using Labels = SmallVector<char>;

/// A tensor whose dims have labels, all different.
struct Term {
  Value value;
  Labels labels;
};

struct Equation {
  SmallVector<Labels> operands;
  Labels result;
};
} // namespace

//===----------------------------------------------------------------------===//
// The equation
//===----------------------------------------------------------------------===//

/// The labels of one term; an ellipsis stands for `ellipsis` dims.
static FailureOr<Labels> parseTerm(NodeContext &context, StringRef text,
                                   int64_t ellipsis) {
  Labels labels;
  while (!text.empty()) {
    if (text.consume_front("...")) {
      for (int64_t i = ellipsis; i > 0; --i)
        labels.push_back(static_cast<char>(i));
      continue;
    }
    if (!llvm::isAlpha(text.front()))
      return context.unsupported("its equation is no Einstein summation");
    labels.push_back(text.front());
    text = text.drop_front();
  }
  return labels;
}

/// Without "->": what occurs once, in alphabetical order, the ellipsis first.
static Labels getImpliedResult(ArrayRef<Labels> operands) {
  Labels all, result;
  for (const Labels &labels : operands)
    llvm::append_range(all, labels);
  for (char label : all)
    if (label < 32 ? !llvm::is_contained(result, label)
                   : llvm::count(all, label) == 1)
      result.push_back(label);
  llvm::sort(result, [](char a, char b) {
    bool bothEllipsis = a < 32 && b < 32;
    return bothEllipsis ? a > b : a < b;
  });
  return result;
}

static FailureOr<Equation> parseEquation(NodeContext &context) {
  std::string text = context.getString("equation").str();
  llvm::erase(text, ' ');
  auto [left, right] = StringRef(text).split("->");
  SmallVector<StringRef> terms;
  left.split(terms, ',');
  if (terms.size() != context.getNumOperands())
    return context.unsupported("its equation has " + Twine(terms.size()) +
                               " terms for " + Twine(context.getNumOperands()) +
                               " inputs");
  Equation equation;
  int64_t widest = 0;
  for (auto [index, term] : llvm::enumerate(terms)) {
    int64_t rank = context.getRank(index);
    int64_t dots = term.contains("...") ? 3 : 0;
    int64_t ellipsis = rank - (static_cast<int64_t>(term.size()) - dots);
    if (ellipsis < 0 || ellipsis > 31 || (!dots && ellipsis != 0))
      return context.unsupported("the term \"" + term +
                                 "\" does not fit an input of rank " +
                                 Twine(rank));
    widest = std::max(widest, ellipsis);
    FailureOr<Labels> labels = parseTerm(context, term, ellipsis);
    if (failed(labels))
      return failure();
    equation.operands.push_back(*labels);
  }
  if (!StringRef(text).contains("->")) {
    equation.result = getImpliedResult(equation.operands);
    return equation;
  }
  FailureOr<Labels> result = parseTerm(context, right, widest);
  if (failed(result))
    return failure();
  equation.result = *result;
  return equation;
}

//===----------------------------------------------------------------------===//
// Terms
//===----------------------------------------------------------------------===//

/// Sums over the dims whose label `keep` refuses.
static Term sumOut(NodeContext &context, Term term,
                   llvm::function_ref<bool(char)> keep) {
  SmallVector<int64_t> axes;
  Labels kept;
  for (auto [index, label] : llvm::enumerate(term.labels)) {
    if (keep(label))
      kept.push_back(label);
    else
      axes.push_back(index);
  }
  if (axes.empty() || !term.value)
    return term;
  Value sum =
      context.create<tx::ReduceOp>(term.value, tx::ReduceKind::sum, axes);
  if (!sum)
    return {Value(), kept};
  // A reduced dim of 1 is dropped, not unified.
  Exprs dims;
  for (auto [index, dim] : llvm::enumerate(tx::getDims(typeOf(sum))))
    if (!llvm::is_contained(axes, static_cast<int64_t>(index)))
      dims.push_back(dim);
  return {context.reshape(sum, dims), kept};
}

/// Of two dims with one label, the elements where both places are equal: the
/// rest is made zero and the second dim summed.
static Term takeDiagonal(NodeContext &context, Term term) {
  for (size_t i = 0; i < term.labels.size() && term.value; ++i) {
    size_t j = i + 1;
    while (j < term.labels.size() && term.labels[j] != term.labels[i])
      ++j;
    if (j == term.labels.size())
      continue;
    if (failed(context.unify(tx::getDim(typeOf(term.value), i),
                             tx::getDim(typeOf(term.value), j),
                             "dims with one label")))
      return {};
    Exprs dims = tx::getDims(typeOf(term.value));
    auto places = [&](size_t axis) {
      Exprs shape(dims.size(), context.getExpr(1));
      shape[axis] = dims[axis];
      Type i64 = context.getBuilder().getI64Type();
      Value iota = context.getIota(dims[axis], i64);
      return context.reshape(iota, shape);
    };
    Value isDiagonal =
        context.create<tx::CompareOp>(tx::Predicate::eq, places(i), places(j));
    Value zero = context.getScalar(typeOf(term.value).getElementType(), 0);
    term.value = context.create<tx::SelectOp>(isDiagonal, term.value, zero);
    char label = term.labels[i];
    term.labels[j] = 0; // no label: summed out
    term = sumOut(context, term, [](char other) { return other != 0; });
    term.labels[i] = label;
    --i; // there may be a third
  }
  return term;
}

/// The term with its dims in the order of `labels`; those it lacks are 1.
static Value arrange(NodeContext &context, const Term &term,
                     ArrayRef<char> labels) {
  SmallVector<int64_t> permutation, missing;
  for (auto [index, label] : llvm::enumerate(labels)) {
    const auto *place = llvm::find(term.labels, label);
    if (place == term.labels.end())
      missing.push_back(index);
    else
      permutation.push_back(place - term.labels.begin());
  }
  return context.unsqueeze(context.transpose(term.value, permutation), missing);
}

/// Dims [first, last) made one.
static Value mergeDims(NodeContext &context, Value x, size_t first,
                       size_t last) {
  if (!x)
    return {};
  Exprs dims = tx::getDims(typeOf(x));
  SymExprAttr merged = tx::product(context.getContext(),
                                   ArrayRef(dims).slice(first, last - first));
  dims.erase(dims.begin() + first, dims.begin() + last);
  dims.insert(dims.begin() + first, merged);
  return context.reshape(x, dims);
}

//===----------------------------------------------------------------------===//
// Two terms
//===----------------------------------------------------------------------===//

/// `rhs` with the dims of `lhs` where they have one label; an ellipsis
/// broadcasts.
static Term shareDims(NodeContext &context, const Term &lhs, Term rhs) {
  for (auto [index, label] : llvm::enumerate(lhs.labels)) {
    const auto *place = llvm::find(rhs.labels, label);
    if (place == rhs.labels.end() || label < 32)
      continue;
    rhs.value = context.withDim(rhs.value, place - rhs.labels.begin(),
                                tx::getDim(typeOf(lhs.value), index),
                                "dims with one label");
  }
  return rhs;
}

/// The product of two terms, summed over what `keep` refuses.
static Term contract(NodeContext &context, Term lhs, Term rhs,
                     llvm::function_ref<bool(char)> keep) {
  auto has = [](const Term &term, char label) {
    return llvm::is_contained(term.labels, label);
  };
  lhs = sumOut(context, lhs,
               [&](char label) { return keep(label) || has(rhs, label); });
  rhs = sumOut(context, rhs,
               [&](char label) { return keep(label) || has(lhs, label); });
  if (lhs.value)
    rhs = shareDims(context, lhs, rhs);
  if (!lhs.value || !rhs.value)
    return {};
  Labels batch, summed, rows, columns;
  for (char label : lhs.labels)
    (!has(rhs, label) ? rows : keep(label) ? batch : summed).push_back(label);
  for (char label : rhs.labels)
    if (!has(lhs, label))
      columns.push_back(label);
  auto join = [](ArrayRef<Labels> parts) {
    Labels all;
    for (const Labels &part : parts)
      llvm::append_range(all, part);
    return all;
  };
  Labels result = join({batch, rows, columns});
  if (summed.empty())
    return {context.createElementwise<tx::MulOp>(arrange(context, lhs, result),
                                                 arrange(context, rhs, result)),
            result};
  size_t b = batch.size(), k = summed.size();
  Value a = arrange(context, lhs, join({batch, rows, summed}));
  Value c = arrange(context, rhs, join({batch, summed, columns}));
  if (!a || !c)
    return {};
  Exprs rowDims(ArrayRef(tx::getDims(typeOf(a))).slice(b, rows.size()));
  Exprs columnDims(ArrayRef(tx::getDims(typeOf(c))).drop_front(b + k));
  a = mergeDims(context, a, b + rows.size(), b + rows.size() + k);
  a = mergeDims(context, a, b, b + rows.size());
  c = mergeDims(context, c, b + k, b + k + columns.size());
  c = mergeDims(context, c, b, b + k);
  Value product = createMatmul(context, a, c);
  if (!product)
    return {};
  Exprs dims(ArrayRef(tx::getDims(typeOf(product))).take_front(b));
  llvm::append_range(dims, rowDims);
  llvm::append_range(dims, columnDims);
  return {context.reshape(product, dims), result};
}

static NodeResults buildEinsum(NodeContext &context) {
  FailureOr<Equation> equation = parseEquation(context);
  if (failed(equation))
    return {};
  auto isWanted = [&](size_t from, char label) {
    if (llvm::is_contained(equation->result, label))
      return true;
    return llvm::any_of(ArrayRef(equation->operands).drop_front(from),
                        [&](const Labels &labels) {
                          return llvm::is_contained(labels, label);
                        });
  };
  Term result;
  for (auto [index, operand] : llvm::enumerate(context.getOperands())) {
    Term term = takeDiagonal(context, {operand, equation->operands[index]});
    if (!term.value)
      return {};
    size_t next = index + 1;
    auto keep = [&](char label) { return isWanted(next, label); };
    result = index == 0 ? sumOut(context, term, keep)
                        : contract(context, result, term, keep);
    if (!result.value)
      return {};
  }
  for (char label : equation->result)
    if (!llvm::is_contained(result.labels, label))
      return context.unsupported("its result has a label that no input has");
  return arrange(context, result, equation->result);
}

OpTable frontend::getEinsumOps() {
  static constexpr OpEntry table[] = {
      {"Einsum", 12, 1, kAnyNumber, buildEinsum},
  };
  return table;
}
