//===- Recurrent.cpp - ONNX's recurrent networks --------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// RNN, GRU and LSTM, and com.microsoft's LSTM with weights of bytes, written
/// out step by step, or as a loop where a run says how many there are. The
/// input's share of the gates is one product for all steps.
//
//===----------------------------------------------------------------------===//

#include "python-free-frontend/ops/MatmulBuilder.h"
#include "python-free-frontend/ops/OpTable.h"
#include "python-free-frontend/ops/Quantizer.h"
#include "python-free-frontend/ops/Steps.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;
using tx::SymExprAttr;

namespace {
/// What one direction carries from step to step; c is of LSTM only.
struct CellState {
  Value h, c;
};

/// One direction of a network: its weights and how a step uses them.
class Cell {
public:
  Cell(NodeContext &context, int64_t gates, int64_t direction,
       int64_t directions)
      : context(context), gates(gates), direction(direction),
        directions(directions) {}
  virtual ~Cell() = default;

  /// Reads attributes and weights; fails after an error.
  virtual LogicalResult read(ArrayRef<StringRef> defaults);
  /// The input's share of the gates, with the biases that go with it: x
  /// [T, B, I] gives [T, B, gates * H].
  Value getInputShare(Value x);
  /// The state after a step; `input` is [B, gates * H].
  virtual CellState step(Value input, const CellState &state) = 0;

  SymExprAttr getHiddenSize() const { return hidden; }

protected:
  template <typename OpTy> Value op(Value lhs, Value rhs) {
    return context.createElementwise<OpTy>(lhs, rhs);
  }
  /// Gate `place` of a tensor whose last dim is gates * H.
  Value getGate(Value x, int64_t place) {
    if (!x)
      return {};
    return context.slice(x, typeOf(x).getRank() - 1, tx::mul(hidden, place),
                         hidden);
  }
  /// Reads W and R, which say the hidden size.
  virtual void readWeights();
  virtual Value multiplyInput(Value x) { return createMatmul(context, x, w); }
  /// h with columns of R.
  virtual Value multiplyState(Value h, SymExprAttr start, SymExprAttr size) {
    return createMatmul(context, h, context.slice(r, 1, start, size));
  }
  /// h R^T for `count` gates from `first` on.
  Value getRecurrentShare(Value h, int64_t first, int64_t count);
  /// 1 - x.
  Value getComplement(Value x);
  Value activate(unsigned function, Value x);
  /// The direction's part of an operand [directions, rows, ...].
  Value getPart(unsigned index, SymExprAttr rows) {
    Value x = context.withDim(context.getOperand(index), 0,
                              context.getExpr(directions),
                              "the number of directions");
    x = context.withDim(x, 1, context.resolve(rows), "the rows of the gates");
    return takeStep(context, x, 0, direction);
  }

  NodeContext &context;
  int64_t gates, direction, directions;
  SymExprAttr hidden;
  /// [I, gates * H], [H, gates * H]; biases [gates * H] or null.
  Value w, r, inputBias, recurrentBias;
  SmallVector<StringRef> activations;
  double clip = 0;
};
} // namespace

static bool isActivation(StringRef name) {
  return llvm::is_contained({"Relu", "Sigmoid", "Softsign", "Tanh"}, name);
}

LogicalResult Cell::read(ArrayRef<StringRef> defaults) {
  activations = llvm::to_vector(defaults);
  if (auto given = context.getStrings("activations")) {
    if (given->size() != defaults.size() * directions)
      return context.unsupported("it has " + Twine(given->size()) +
                                 " activations, expected " +
                                 Twine(defaults.size() * directions));
    ArrayRef<StringRef> own =
        given->slice(direction * defaults.size(), defaults.size());
    activations = llvm::to_vector(own);
  }
  for (StringRef name : activations)
    if (!isActivation(name))
      return context.unsupported("the activation \"" + name +
                                 "\" is not supported");
  clip = context.getFloat("clip", 0);
  readWeights();
  if (context.getOperand(3)) {
    SymExprAttr size = tx::mul(hidden, gates);
    Value bias = getPart(3, tx::mul(size, 2));
    inputBias = context.slice(bias, 0, context.getExpr(0), size);
    recurrentBias = context.slice(bias, 0, size, size);
  }
  return success(!context.hasFailed());
}

void Cell::readWeights() {
  hidden = tx::getDim(context.getType(2), 2);
  SymExprAttr size = tx::mul(hidden, gates);
  w = context.transpose(getPart(1, size), {1, 0});
  r = context.transpose(getPart(2, size), {1, 0});
}

Value Cell::getInputShare(Value x) {
  Value share = multiplyInput(x);
  return inputBias ? op<tx::AddOp>(share, inputBias) : share;
}

Value Cell::getRecurrentShare(Value h, int64_t first, int64_t count) {
  SymExprAttr start = tx::mul(hidden, first), size = tx::mul(hidden, count);
  Value share = multiplyState(h, start, size);
  if (!recurrentBias)
    return share;
  return op<tx::AddOp>(share, context.slice(recurrentBias, 0, start, size));
}

Value Cell::getComplement(Value x) {
  if (!x)
    return {};
  return op<tx::SubOp>(context.getScalar(typeOf(x).getElementType(), 1), x);
}

Value Cell::activate(unsigned function, Value x) {
  if (!x)
    return {};
  Type type = typeOf(x).getElementType();
  if (clip > 0) {
    x = op<tx::MinimumOp>(x, context.getScalar(type, clip));
    x = op<tx::MaximumOp>(x, context.getScalar(type, -clip));
  }
  StringRef name = activations[function];
  if (name == "Sigmoid")
    return context.create<tx::SigmoidOp>(x);
  if (name == "Tanh")
    return context.create<tx::TanhOp>(x);
  if (name == "Relu")
    return op<tx::MaximumOp>(x, context.getScalar(type, 0));
  Value size =
      op<tx::AddOp>(context.create<tx::AbsOp>(x), context.getScalar(type, 1));
  return op<tx::DivOp>(x, size); // Softsign
}

//===----------------------------------------------------------------------===//
// The three cells
//===----------------------------------------------------------------------===//

namespace {
class RnnCell : public Cell {
public:
  RnnCell(NodeContext &context, int64_t direction, int64_t directions)
      : Cell(context, 1, direction, directions) {}
  CellState step(Value input, const CellState &state) override {
    Value sum = op<tx::AddOp>(input, getRecurrentShare(state.h, 0, 1));
    return {activate(0, sum), {}};
  }
};

/// Gates z, r, h.
class GruCell : public Cell {
public:
  GruCell(NodeContext &context, int64_t direction, int64_t directions)
      : Cell(context, 3, direction, directions),
        resetsLast(context.getInt("linear_before_reset", 0) != 0) {}
  CellState step(Value input, const CellState &state) override;

private:
  bool resetsLast;
};

/// Gates i, o, f, c; peepholes of i, o and f look at c.
class LstmCell : public Cell {
public:
  LstmCell(NodeContext &context, int64_t direction, int64_t directions)
      : Cell(context, 4, direction, directions),
        couplesGates(context.getInt("input_forget", 0) != 0) {}
  LogicalResult read(ArrayRef<StringRef> defaults) override {
    if (failed(Cell::read(defaults)))
      return failure();
    if (context.getOperand(7))
      peepholes = getPart(7, tx::mul(hidden, 3));
    return success(!context.hasFailed());
  }
  CellState step(Value input, const CellState &state) override;

private:
  /// A gate before its activation.
  Value look(Value gate, int64_t peephole, Value c) {
    if (!peepholes)
      return gate;
    return op<tx::AddOp>(gate, op<tx::MulOp>(getGate(peepholes, peephole), c));
  }

  bool couplesGates;
  Value peepholes;
};

/// Weights are bytes [I, gates * H] and [H, gates * H], with one scale and zero
/// point a direction or a column; x and h are quantized by each product.
class QuantizedLstmCell : public LstmCell {
public:
  using LstmCell::LstmCell;

protected:
  void readWeights() override;
  Value multiplyInput(Value x) override {
    return multiplyDynamically(context, x, quantizedW);
  }
  Value multiplyState(Value h, SymExprAttr start, SymExprAttr size) override;

private:
  Quantized getQuantized(unsigned index, SymExprAttr rows, unsigned scale);

  Quantized quantizedW, quantizedR;
};
} // namespace

Quantized QuantizedLstmCell::getQuantized(unsigned index, SymExprAttr rows,
                                          unsigned scale) {
  auto getParameter = [&](unsigned place) {
    Value x = context.getOperand(place);
    if (!x)
      return Value();
    x = context.withDim(x, 0, context.getExpr(directions),
                        "the number of directions");
    return takeStep(context, x, 0, direction);
  };
  return {getPart(index, rows), getParameter(scale), getParameter(scale + 1)};
}

void QuantizedLstmCell::readWeights() {
  if (!context.getOperand(8) || !context.getOperand(10)) {
    context.unsupported("it needs the scales of W and R");
    return;
  }
  hidden = tx::getDim(context.getType(2), 1);
  quantizedW = getQuantized(1, tx::getDim(context.getType(0), 2), 8);
  quantizedR = getQuantized(2, hidden, 10);
}

Value QuantizedLstmCell::multiplyState(Value h, SymExprAttr start,
                                       SymExprAttr size) {
  auto getColumns = [&](Value x) {
    int64_t rank = x ? typeOf(x).getRank() : 0;
    return rank == 0 ? x : context.slice(x, rank - 1, start, size);
  };
  return multiplyDynamically(context, h,
                             {getColumns(quantizedR.values),
                              getColumns(quantizedR.scale),
                              getColumns(quantizedR.zeroPoint)});
}

CellState GruCell::step(Value input, const CellState &state) {
  Value zr = getRecurrentShare(state.h, 0, 2);
  auto gate = [&](int64_t place) {
    return activate(0,
                    op<tx::AddOp>(getGate(input, place), getGate(zr, place)));
  };
  Value z = gate(0), reset = gate(1);
  Value share = resetsLast
                    ? op<tx::MulOp>(reset, getRecurrentShare(state.h, 2, 1))
                    : getRecurrentShare(op<tx::MulOp>(reset, state.h), 2, 1);
  Value fresh = activate(1, op<tx::AddOp>(getGate(input, 2), share));
  return {op<tx::AddOp>(op<tx::MulOp>(getComplement(z), fresh),
                        op<tx::MulOp>(z, state.h)),
          {}};
}

CellState LstmCell::step(Value input, const CellState &state) {
  Value sum = op<tx::AddOp>(input, getRecurrentShare(state.h, 0, 4));
  Value i = activate(0, look(getGate(sum, 0), 0, state.c));
  Value f = couplesGates ? getComplement(i)
                         : activate(0, look(getGate(sum, 2), 2, state.c));
  Value fresh = activate(1, getGate(sum, 3));
  Value c = op<tx::AddOp>(op<tx::MulOp>(f, state.c), op<tx::MulOp>(i, fresh));
  Value o = activate(0, look(getGate(sum, 1), 1, c));
  double ownClip = std::exchange(clip, 0); // the cell itself is not clipped
  Value h = op<tx::MulOp>(o, activate(2, c));
  clip = ownClip;
  return {h, c};
}

//===----------------------------------------------------------------------===//
// Sequences
//===----------------------------------------------------------------------===//

namespace {
/// A whole network: directions, layout, lengths.
struct Network {
  /// [T, B, I].
  Value x;
  /// [B, 1] of i64, or null.
  Value lengths;
  SymExprAttr steps;
  bool batchFirst = false;
  SmallVector<bool> reversed;
};

/// The results of one direction.
struct Outputs {
  /// [T, B, H].
  Value all;
  CellState last;
};
} // namespace

static FailureOr<Network> getNetwork(NodeContext &context) {
  Network network;
  StringRef direction = context.getString("direction", "forward");
  if (direction == "forward")
    network.reversed = {false};
  else if (direction == "reverse")
    network.reversed = {true};
  else if (direction == "bidirectional")
    network.reversed = {false, true};
  else
    return context.unsupported("unknown direction \"" + direction + "\"");
  for (unsigned i : {0, 1, 2})
    if (context.getRank(i) != 3)
      return context.unsupported("expected three dims of X, W and R");
  network.batchFirst = context.getInt("layout", 0) != 0;
  (void)context.getInt("hidden_size", 0); // R says it
  network.x = context.getOperand(0);
  if (network.batchFirst)
    network.x = context.transpose(network.x, {1, 0, 2});
  if (!network.x)
    return failure();
  if (Value lengths = context.getOperand(4)) {
    lengths = context.withDim(lengths, 0, tx::getDim(typeOf(network.x), 1),
                              "the batch and the number of sequence lengths");
    network.lengths = context.unsqueeze(
        context.cast(lengths, context.getBuilder().getI64Type()), {1});
  }
  if (context.hasFailed())
    return failure();
  network.steps = tx::getDim(typeOf(network.x), 0);
  return network;
}

/// An initial state [directions, B, H], batch first in the other layout.
static Value getInitial(NodeContext &context, const Network &network,
                        unsigned index, int64_t direction, SymExprAttr hidden) {
  SymExprAttr batch = tx::getDim(typeOf(network.x), 1);
  Value given = context.getOperand(index);
  if (!given)
    return context.broadcastTo(context.getScalar(context.getElementType(0), 0),
                               {batch, hidden});
  auto directions = static_cast<int64_t>(network.reversed.size());
  int64_t axis = network.batchFirst ? 1 : 0;
  given = context.withDim(given, axis, context.getExpr(directions),
                          "the number of directions");
  Value state = takeStep(context, given, axis, direction);
  state = context.withDim(state, 0, context.resolve(batch), "batches");
  return context.withDim(state, 1, context.resolve(hidden), "hidden sizes");
}

namespace {
/// Runs one direction. Behind a row's end its state stays, its output is 0.
class Direction {
public:
  Direction(NodeContext &context, const Network &network, Cell &cell,
            bool isReversed)
      : context(context), network(network), cell(cell),
        shares(cell.getInputShare(network.x)), isReversed(isReversed) {}

  Outputs run(CellState state);

private:
  SymExprAttr getSteps() const { return context.resolve(network.steps); }
  std::pair<CellState, Value> step(SymExprAttr index, const CellState &state);
  Outputs writeOut(int64_t count, CellState state);
  Outputs goAround(const CellState &state);

  NodeContext &context;
  const Network &network;
  Cell &cell;
  Value shares;
  bool isReversed;
};
} // namespace

/// The state after a step, and its output.
std::pair<CellState, Value> Direction::step(SymExprAttr index,
                                            const CellState &state) {
  SymExprAttr t = index;
  if (isReversed)
    t = tx::sub(tx::sub(getSteps(), context.getExpr(1)), index);
  CellState next = cell.step(takeStep(context, shares, 0, t), state);
  if (!network.lengths)
    return {next, next.h};
  Value isInside = context.create<tx::CompareOp>(
      tx::Predicate::gt, network.lengths, context.getExprScalar(t));
  Value zero = context.getScalar(context.getElementType(0), 0);
  Value output = context.createSelect(isInside, next.h, zero);
  next.h = context.createSelect(isInside, next.h, state.h);
  if (next.c)
    next.c = context.createSelect(isInside, next.c, state.c);
  return {next, output};
}

Outputs Direction::writeOut(int64_t count, CellState state) {
  SmallVector<Value> all(count);
  for (int64_t i = 0; i < count; ++i)
    std::tie(state, all[isReversed ? count - 1 - i : i]) =
        step(context.getExpr(i), state);
  return {stackSteps(context, all, 0), state};
}

Outputs Direction::goAround(const CellState &state) {
  LoopParts parts{getSteps(), {}, {state.h}};
  if (state.c)
    parts.inits.push_back(state.c);
  if (llvm::is_contained(parts.inits, Value()))
    return {};
  NodeResults results =
      context.loop(parts, [&](SymExprAttr index, ArrayRef<Value> carried) {
        auto [next, output] =
            step(index, {carried[0], state.c ? carried[1] : Value()});
        if (state.c)
          return NodeResults({next.h, next.c, output});
        return NodeResults({next.h, output});
      });
  if (results.failed())
    return {};
  ArrayRef<Value> values = results.getValues();
  Value all =
      isReversed ? reverseSteps(context, values.back(), 0) : values.back();
  return {all, {values[0], state.c ? values[1] : Value()}};
}

Outputs Direction::run(CellState state) {
  std::optional<int64_t> count = getWrittenSteps(getSteps());
  return count ? writeOut(*count, state) : goAround(state);
}

template <typename CellType>
static NodeResults buildRecurrent(NodeContext &context,
                                  ArrayRef<StringRef> activations, bool hasC) {
  FailureOr<Network> network = getNetwork(context);
  if (failed(network))
    return {};
  SmallVector<Value> sequences, hs, cs;
  auto directions = static_cast<int64_t>(network->reversed.size());
  for (auto [direction, isReversed] : llvm::enumerate(network->reversed)) {
    auto place = static_cast<int64_t>(direction);
    CellType cell(context, place, directions);
    if (failed(cell.read(activations)))
      return {};
    auto getState = [&](unsigned index) {
      return getInitial(context, *network, index, place, cell.getHiddenSize());
    };
    CellState state{getState(5), hasC ? getState(6) : Value()};
    Outputs outputs = Direction(context, *network, cell, isReversed).run(state);
    sequences.push_back(outputs.all);
    hs.push_back(outputs.last.h);
    cs.push_back(outputs.last.c);
  }
  // [T, directions, B, H] and [directions, B, H]; batch first otherwise.
  Value y = stackSteps(context, sequences, 1), h = stackSteps(context, hs, 0);
  Value c = hasC ? stackSteps(context, cs, 0) : Value();
  if (network->batchFirst) {
    y = context.transpose(y, {2, 0, 1, 3});
    h = context.transpose(h, {1, 0, 2});
    c = hasC ? context.transpose(c, {1, 0, 2}) : Value();
  }
  SmallVector<Value> results = {y, h};
  if (hasC)
    results.push_back(c);
  return NodeResults(std::move(results));
}

static NodeResults buildRnn(NodeContext &context) {
  return buildRecurrent<RnnCell>(context, {"Tanh"}, /*hasC=*/false);
}

static NodeResults buildGru(NodeContext &context) {
  return buildRecurrent<GruCell>(context, {"Sigmoid", "Tanh"}, /*hasC=*/false);
}

template <typename CellType>
static NodeResults buildLstm(NodeContext &context) {
  return buildRecurrent<CellType>(context, {"Sigmoid", "Tanh", "Tanh"},
                                  /*hasC=*/true);
}

OpTable frontend::getRecurrentOps() {
  static constexpr OpEntry table[] = {
      {"DynamicQuantizeLSTM", 1, 3, 12, buildLstm<QuantizedLstmCell>,
       "com.microsoft"},
      {"GRU", 7, 3, 6, buildGru},
      {"LSTM", 7, 3, 8, buildLstm<LstmCell>},
      {"RNN", 7, 3, 6, buildRnn},
  };
  return table;
}
