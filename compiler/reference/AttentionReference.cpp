//===- AttentionReference.cpp - attention and rotary embedding ------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// tx.attention and tx.rotary_embedding.
//
//===----------------------------------------------------------------------===//

#include "compiler/reference/Evaluation.h"
#include "compiler/reference/ScalarMath.h"

using namespace mlir;
using namespace txc;
using namespace txc::reference;

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

//===----------------------------------------------------------------------===//
// Rotary embedding
//===----------------------------------------------------------------------===//

static bool broadcastsTo(ArrayRef<int64_t> dims, ArrayRef<int64_t> to) {
  return dims.size() <= to.size() &&
         llvm::all_of(llvm::zip(llvm::reverse(dims), llvm::reverse(to)),
                      [](auto pair) {
                        auto [from, size] = pair;
                        return from == size || from == 1;
                      });
}

static void rotate(MutableArrayRef<double> row, ArrayRef<double> cos,
                   ArrayRef<double> sin, bool isInterleaved) {
  for (size_t i = 0; i < cos.size(); ++i) {
    double &a = row[isInterleaved ? 2 * i : i];
    double &b = row[isInterleaved ? 2 * i + 1 : i + cos.size()];
    std::tie(a, b) =
        std::pair(a * cos[i] - b * sin[i], b * cos[i] + a * sin[i]);
  }
}

Results txc::reference::evaluate(tx::RotaryEmbeddingOp op,
                                 const Evaluation &evaluation) {
  FailureOr<HostTensor> result = evaluation.allocateResult();
  if (failed(result))
    return failure();
  const HostTensor &x = evaluation.operand(0);
  const HostTensor &cos = evaluation.operand(1), &sin = evaluation.operand(2);
  SmallVector<int64_t> angles(x.getDims());
  if (!angles.empty() && cos.getRank() > 0)
    angles.back() = cos.getDims().back();
  if (!x.isFloat() || angles.empty() || cos.getRank() == 0 ||
      2 * angles.back() > x.getDims().back() ||
      !broadcastsTo(cos.getDims(), angles) ||
      !broadcastsTo(sin.getDims(), angles))
    return evaluation.fault() << "angles of " << cos.getType() << " and "
                              << sin.getType() << " do not fit " << x.getType();
  Strides cosStrides = getBroadcastStrides(cos.getDims(), angles);
  Strides sinStrides = getBroadcastStrides(sin.getDims(), angles);
  int64_t cosStep = cosStrides.pop_back_val();
  int64_t sinStep = sinStrides.pop_back_val();
  Strides xStrides = x.getStrides();
  xStrides.pop_back();
  StridedLoop loop(x.getDims().drop_back(), {xStrides, cosStrides, sinStrides});
  std::vector<double> row(x.getDims().back());
  std::vector<double> cosRow(angles.back()), sinRow(angles.back());
  loop.forEachRow([&](ArrayRef<int64_t> places) {
    for (int64_t i = 0; i < loop.getRowLength(); ++i) {
      int64_t first = places[0] + i * loop.getRowStep(0);
      x.read<double>(first, 1, row);
      cos.read<double>(places[1] + i * loop.getRowStep(1), cosStep, cosRow);
      sin.read<double>(places[2] + i * loop.getRowStep(2), sinStep, sinRow);
      rotate(row, cosRow, sinRow, op.getInterleaved());
      result->write<double>(first, 1, row);
    }
  });
  return single(std::move(*result));
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

namespace {
/// Which keys a query sees and what is added to its scores.
class Masking {
public:
  static FailureOr<Masking> get(tx::AttentionOp op,
                                const Evaluation &evaluation,
                                ArrayRef<int64_t> scoreDims);

  /// Applies it to the scores of query s of head h in batch b, and of the keys
  /// from `firstKey` on. `causal` counts both from the first key.
  void apply(int64_t b, int64_t h, int64_t s, int64_t firstKey,
             MutableArrayRef<double> scores) const;

private:
  const HostTensor *mask = nullptr;
  Strides maskStrides = {};
  const HostTensor *lengths = nullptr;
  std::optional<int64_t> causal = std::nullopt;
  std::optional<int64_t> window = std::nullopt;
};
} // namespace

FailureOr<Masking> Masking::get(tx::AttentionOp op,
                                const Evaluation &evaluation,
                                ArrayRef<int64_t> scoreDims) {
  Masking masking;
  masking.mask = evaluation.optionalOperand(op, 3);
  if (masking.mask)
    masking.maskStrides =
        getBroadcastStrides(masking.mask->getDims(), scoreDims);
  masking.lengths = evaluation.optionalOperand(op, 4);
  if (masking.lengths && masking.lengths->getDims() != scoreDims.take_front(1))
    return evaluation.fault()
           << "expected one length for each of " << scoreDims[0]
           << " batches, found " << masking.lengths->getType();
  if (tx::SymExprAttr offset = op.getCausalAttr()) {
    FailureOr<int64_t> value = evaluation.evaluate(offset);
    if (failed(value))
      return failure();
    masking.causal = value;
  }
  masking.window = op.getWindow();
  return masking;
}

void Masking::apply(int64_t b, int64_t h, int64_t s, int64_t firstKey,
                    MutableArrayRef<double> scores) const {
  for (auto [place, score] : llvm::enumerate(scores)) {
    auto t = static_cast<int64_t>(place);
    bool counts = !lengths || t < lengths->getInt(b);
    if (causal) {
      int64_t last = s - firstKey + *causal;
      counts &= t <= last && (!window || t > last - *window);
    }
    if (mask) {
      int64_t element = b * maskStrides[0] + h * maskStrides[1] +
                        s * maskStrides[2] + (firstKey + t) * maskStrides[3];
      if (mask->isFloat())
        score += mask->getDouble(element);
      else
        counts &= mask->getInt(element) != 0;
    }
    if (!counts)
      score = kMinusInfinity;
  }
}

/// Scores become the weights of the values.
static void weigh(tx::MaskedRow maskedRow, MutableArrayRef<double> scores) {
  double largest = kMinusInfinity;
  for (double score : scores)
    largest = maximum(largest, score);
  if (largest == kMinusInfinity && maskedRow != tx::MaskedRow::nan) {
    bool isUniform = maskedRow == tx::MaskedRow::uniform;
    llvm::fill(scores,
               isUniform ? 1 / static_cast<double>(scores.size()) : 0.0);
    return;
  }
  double sum = 0;
  for (double &score : scores) {
    score = std::exp(score - largest);
    sum += score;
  }
  for (double &score : scores)
    score /= sum;
}

namespace {
/// One head of keys and values, decoded.
struct Head {
  std::vector<double> keys, values;
};

/// A run of rows that attend to each other.
struct Sequence {
  int64_t first, count;
};
} // namespace

/// The sequences that `starts` says, of at most `span` rows each; without it
/// one, of all keys.
static FailureOr<SmallVector<Sequence>>
getSequences(tx::AttentionOp op, const Evaluation &evaluation, int64_t keys) {
  const HostTensor *given = evaluation.optionalOperand(op, 5);
  if (!given)
    return SmallVector<Sequence>{{0, keys}};
  const HostTensor &starts = *given;
  FailureOr<int64_t> span = evaluation.evaluate(*op.getSpan());
  if (failed(span))
    return failure();
  SmallVector<Sequence> sequences;
  int64_t end = starts.getNumElements() ? starts.getInt(0) : 0;
  for (int64_t i = 1; i < starts.getNumElements(); ++i) {
    int64_t first = std::exchange(end, starts.getInt(i));
    if (end < first || end - first > *span)
      return evaluation.fault() << "a sequence has rows from " << first
                                << " up to " << end << ", at most " << *span;
    sequences.push_back({first, end - first});
  }
  if (end != keys || (!sequences.empty() && sequences.front().first != 0))
    return evaluation.fault() << "the sequences don't have all rows";
  return sequences;
}

/// The result of one query: its scores, then the mean of the values that they
/// weigh.
static void attend(tx::AttentionOp op, const Head &head, ArrayRef<double> query,
                   function_ref<void(MutableArrayRef<double>)> applyMask,
                   MutableArrayRef<double> scores,
                   MutableArrayRef<double> output) {
  double scale = op.getScale().convertToDouble();
  size_t depth = query.size(), width = output.size();
  for (auto [t, score] : llvm::enumerate(scores)) {
    score = 0;
    for (size_t d = 0; d < depth; ++d)
      score += query[d] * head.keys[t * depth + d];
    score *= scale;
    if (op.getSoftcap()) {
      double cap = op.getSoftcap()->convertToDouble();
      score = cap * std::tanh(score / cap);
    }
  }
  applyMask(scores);
  weigh(op.getMaskedRow(), scores);
  llvm::fill(output, 0.0);
  for (auto [t, weight] : llvm::enumerate(scores))
    for (size_t e = 0; e < width; ++e)
      output[e] += weight * head.values[t * width + e];
}

Results txc::reference::evaluate(tx::AttentionOp op,
                                 const Evaluation &evaluation) {
  FailureOr<HostTensor> result = evaluation.allocateResult();
  if (failed(result))
    return failure();
  const HostTensor &q = evaluation.operand(0), &k = evaluation.operand(1);
  const HostTensor &v = evaluation.operand(2);
  int64_t batches = q.getDim(0), heads = q.getDim(1), queries = q.getDim(2);
  int64_t groups = k.getDim(1), keys = k.getDim(2);
  int64_t depth = q.getDim(3), width = v.getDim(3);
  if (groups == 0 ? heads != 0 : heads % groups != 0)
    return evaluation.fault() << "the key heads " << groups
                              << " do not divide the query heads " << heads;
  FailureOr<Masking> masking =
      Masking::get(op, evaluation, {batches, heads, queries, keys});
  if (failed(masking))
    return failure();

  FailureOr<SmallVector<Sequence>> sequences =
      getSequences(op, evaluation, keys);
  if (failed(sequences))
    return failure();

  std::vector<double> query(depth), output(width);
  auto attendHead = [&](int64_t b, int64_t h, Sequence sequence) {
    Head head = {std::vector<double>(sequence.count * depth),
                 std::vector<double>(sequence.count * width)};
    std::vector<double> scores(sequence.count);
    int64_t keyRow =
        (b * groups + h / (heads / groups)) * keys + sequence.first;
    k.read<double>(keyRow * depth, 1, head.keys);
    v.read<double>(keyRow * width, 1, head.values);
    int64_t begin = op.getStarts() ? sequence.first : 0;
    int64_t end = op.getStarts() ? begin + sequence.count : queries;
    for (int64_t s = begin; s < end; ++s) {
      int64_t row = (b * heads + h) * queries + s;
      q.read<double>(row * depth, 1, query);
      attend(
          op, head, query,
          [&](MutableArrayRef<double> rowScores) {
            masking->apply(b, h, s, sequence.first, rowScores);
          },
          scores, output);
      result->write<double>(row * width, 1, output);
    }
  };
  for (int64_t b = 0; b < batches; ++b)
    for (int64_t h = 0; h < heads; ++h)
      for (Sequence sequence : *sequences)
        attendHead(b, h, sequence);
  return single(std::move(*result));
}
