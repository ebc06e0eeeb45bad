//===- NodeContext.h - what an operator's builder sees ----------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// One ONNX node under translation: its operands, its attributes, and the means
/// to build `tx` ops for it. A builder is a function `NodeResults(NodeContext
/// &)`; ops/OpTable.h registers it.
///
/// Errors: a builder that meets something it can't translate returns
/// `context.unsupported(reason, advice)`. Everything that creates ops answers
/// a null Value when it fails (the reason is recorded) or is given a null
/// Value, so that chains of calls need no checks. Only the node's own operands
/// are never null; check before you ask a created Value for its type.
///
/// Attributes: an accessor marks its attribute as read. One that no accessor
/// asked for fails the node: what is not known can't be ignored.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PYTHON_FREE_FRONTEND_NODECONTEXT_H
#define TXC_PYTHON_FREE_FRONTEND_NODECONTEXT_H

#include "dialects/tx/Tx.h"
#include "python-free-frontend/onnx-file/OnnxModel.h"
#include "llvm/ADT/StringSet.h"

namespace txc::frontend {

class GraphImporter;
struct Frame;

/// A node's outputs, first to last; optional ones at the end may be left out.
/// Empty, or with a null Value: the node failed.
class NodeResults {
public:
  NodeResults() = default;
  /*implicit*/ NodeResults(mlir::Value value) : values{value} {}
  /*implicit*/ NodeResults(std::initializer_list<mlir::Value> values)
      : values(values) {}
  explicit NodeResults(llvm::SmallVector<mlir::Value> values)
      : values(std::move(values)) {}

  bool failed() const {
    return values.empty() || llvm::is_contained(values, mlir::Value());
  }
  llvm::ArrayRef<mlir::Value> getValues() const { return values; }

private:
  llvm::SmallVector<mlir::Value> values;
};

/// What `unsupported` returns: a failure of whatever type the caller returns.
struct Unsupported {
  /*implicit*/ operator NodeResults() const { return {}; }
  /*implicit*/ operator mlir::Value() const { return {}; }
  /*implicit*/ operator llvm::LogicalResult() const { return llvm::failure(); }
  template <typename T> /*implicit*/ operator mlir::FailureOr<T>() const {
    return llvm::failure();
  }
};

/// An operand of an op that may be null because the op can do without it.
struct OptionalOperand {
  mlir::Value value;
  /*implicit*/ operator mlir::Value() const { return value; }
};

using Exprs = llvm::SmallVector<tx::SymExprAttr>;

/// What a loop needs besides its body.
struct LoopParts {
  /// At most so many iterations; null: as many as the condition says.
  tx::SymExprAttr trips;
  /// Of the first iteration; null: `trips` alone ends the loop.
  mlir::Value condition;
  llvm::SmallVector<mlir::Value> inits;
};
/// Builds an iteration, given its number and what it carries: gives the next
/// condition, if the loop has one, the next carried values, and an element of
/// each stack.
using LoopBody = llvm::function_ref<NodeResults(tx::SymExprAttr,
                                                llvm::ArrayRef<mlir::Value>)>;

/// The type of a Value that a builder got or made: all are tensors.
inline mlir::RankedTensorType typeOf(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType());
}

class NodeContext {
public:
  NodeContext(GraphImporter &importer, Frame &frame, const onnx::Node &node,
              llvm::ArrayRef<mlir::Value> operands);

  //===-- The node --------------------------------------------------------===//

  const onnx::Node &getNode() const { return node; }
  /// The version of the node's domain that is imported where it stands.
  int64_t getOpset() const;
  mlir::Location getLoc() const { return loc; }
  mlir::OpBuilder &getBuilder();
  mlir::MLIRContext *getContext() const { return loc.getContext(); }

  unsigned getNumOperands() const { return operands.size(); }
  /// Null only for an optional operand that is not there.
  mlir::Value getOperand(unsigned index) const {
    return index < operands.size() ? operands[index] : mlir::Value();
  }
  llvm::ArrayRef<mlir::Value> getOperands() const { return operands; }
  mlir::RankedTensorType getType(unsigned index) const {
    return llvm::cast<mlir::RankedTensorType>(operands[index].getType());
  }
  int64_t getRank(unsigned index) const { return getType(index).getRank(); }
  mlir::Type getElementType(unsigned index) const {
    return getType(index).getElementType();
  }
  bool wantsOutput(unsigned index) const {
    return index < node.outputs.size() && !node.outputs[index].empty();
  }

  //===-- Attributes ------------------------------------------------------===//

  bool hasAttribute(llvm::StringRef name) { return findAttribute(name); }
  std::optional<int64_t> getInt(llvm::StringRef name);
  int64_t getInt(llvm::StringRef name, int64_t defaultValue) {
    return getInt(name).value_or(defaultValue);
  }
  double getFloat(llvm::StringRef name, double defaultValue);
  llvm::StringRef getString(llvm::StringRef name,
                            llvm::StringRef defaultValue = "");
  std::optional<llvm::ArrayRef<int64_t>> getInts(llvm::StringRef name);
  std::optional<llvm::ArrayRef<float>> getFloats(llvm::StringRef name);
  std::optional<llvm::ArrayRef<llvm::StringRef>>
  getStrings(llvm::StringRef name);
  const onnx::TensorRef *getTensor(llvm::StringRef name);
  const onnx::Graph *getGraph(llvm::StringRef name);
  /// The element type of a `to` or `dtype` attribute; null (and a failure) for
  /// one that tensors can't have.
  mlir::Type getTypeAttribute(llvm::StringRef name, mlir::Type defaultType);

  //===-- Failure ---------------------------------------------------------===//

  Unsupported unsupported(const llvm::Twine &reason,
                          const llvm::Twine &advice = "");
  /// Whether a reason was recorded.
  bool hasFailed() const { return failed; }
  /// After the builder: refuses attributes that nobody asked for.
  void checkAttributesRead();

  //===-- Known numbers ---------------------------------------------------===//

  tx::SymExprAttr getExpr(int64_t value) const {
    return tx::getConstantExpr(getContext(), value);
  }
  const tx::SymbolBounds &getBounds() const;
  /// The elements of an integer tensor that is known up to symbols; a failure
  /// names \p what they are needed for.
  mlir::FailureOr<Exprs> getExprs(mlir::Value value, const llvm::Twine &what);
  /// The elements of an integer tensor of known length as sizes: those that
  /// depend on data become run-time symbols, and a run fails where one is
  /// negative.
  mlir::FailureOr<Exprs> getSizes(mlir::Value value, const llvm::Twine &what);
  /// Element \p place of an integer tensor of rank 0 or 1, as a scalar i64.
  mlir::Value getElement(mlir::Value tensor, int64_t place);
  /// The number of integers that \p value (rank 0 or 1) has, if it is known and
  /// no more than a shape can have.
  mlir::FailureOr<int64_t> getLength(mlir::Value value,
                                     const llvm::Twine &what);
  /// A scalar i64 as a size: a run-time symbol where it is not known.
  tx::SymExprAttr getSize(mlir::Value scalar, const llvm::Twine &what);
  /// The same for plain numbers.
  mlir::FailureOr<llvm::SmallVector<int64_t>>
  getKnownInts(mlir::Value value, const llvm::Twine &what);
  /// An axis in [-rank, rank) as one in [0, rank).
  mlir::FailureOr<int64_t> normalizeAxis(int64_t axis, int64_t rank);
  mlir::FailureOr<llvm::SmallVector<int64_t>>
  normalizeAxes(llvm::ArrayRef<int64_t> axes, int64_t rank);
  /// Axes from the attribute `axes` or the operand \p index that replaced it;
  /// nothing if neither is there.
  mlir::FailureOr<std::optional<llvm::SmallVector<int64_t>>>
  getAxes(unsigned index, int64_t rank);

  //===-- Dims ------------------------------------------------------------===//

  /// Demands that ONNX's rules make two dims equal; see DimSymbols::unify for
  /// what it does to dims that were read before. \p what names them.
  llvm::LogicalResult unify(tx::SymExprAttr lhs, tx::SymExprAttr rhs,
                            const llvm::Twine &what);
  /// x with the dim at `axis` being `expected`, which ONNX's rules make equal:
  /// unified or, where no symbol can be solved for, checked in each run and
  /// stated by a slice that takes all of x then.
  mlir::Value withDim(mlir::Value x, int64_t axis, tx::SymExprAttr expected,
                      const llvm::Twine &what);
  /// An expression from before a unification in terms of today's symbols.
  tx::SymExprAttr resolve(tx::SymExprAttr expr) const;
  llvm::LogicalResult require(tx::SymExprAttr lhs, tx::Predicate predicate,
                              tx::SymExprAttr rhs, const llvm::Twine &what);
  /// max and min that know the symbols' ranges.
  tx::SymExprAttr getMax(tx::SymExprAttr lhs, tx::SymExprAttr rhs) const;
  tx::SymExprAttr getMin(tx::SymExprAttr lhs, tx::SymExprAttr rhs) const;

  //===-- Building --------------------------------------------------------===//

  /// Creates and folds an op; its result types follow from its operands. Its
  /// verifier's message becomes the node's failure. Operands the op can do
  /// without are OptionalOperands.
  template <typename OpTy, typename... Args>
  llvm::SmallVector<mlir::Value> createAll(Args &&...args) {
    if ((isNull(args) || ...))
      return {mlir::Value()};
    mlir::OperationState state(loc, OpTy::getOperationName());
    if constexpr (OpTy::template hasTrait<
                      mlir::InferTypeOpInterface::Trait>()) {
      // With a placeholder type: ODS's inferring builder aborts on bad
      // operands.
      OpTy::build(getBuilder(), state, getPlaceholderType(),
                  std::forward<Args>(args)...);
      state.types.clear();
      return finish(state, &OpTy::inferReturnTypes);
    } else {
      OpTy::build(getBuilder(), state, std::forward<Args>(args)...);
      return finish(state, nullptr);
    }
  }
  template <typename OpTy, typename... Args>
  mlir::Value create(Args &&...args) {
    return createAll<OpTy>(std::forward<Args>(args)...).front();
  }
  /// create() for element-wise ops, after making broadcasts explicit that only
  /// a run can decide; see broadcast().
  template <typename OpTy>
  mlir::Value createElementwise(mlir::Value lhs, mlir::Value rhs) {
    llvm::SmallVector<mlir::Value> operands = broadcast({lhs, rhs});
    return create<OpTy>(operands[0], operands[1]);
  }
  mlir::Value createCompare(tx::Predicate predicate, mlir::Value lhs,
                            mlir::Value rhs);
  mlir::Value createSelect(mlir::Value condition, mlir::Value lhs,
                           mlir::Value rhs);

  /// Operands that broadcast by tx's rule: dims are equal or a static 1.
  ///
  /// ONNX decides in the run whether a dim is 1. Two different dims that may be
  /// 1 or equal are both repeated to their maximum by a tx.broadcast, and each
  /// run checks that they are equal or one of them is 1 (and not 0 beside 1).
  /// Dims that can't be 1 are unified. Null Values if the shapes don't match.
  llvm::SmallVector<mlir::Value>
  broadcast(llvm::ArrayRef<mlir::Value> operands);

  /// A scalar i64.
  mlir::Value getExprScalar(tx::SymExprAttr expr);
  /// [0, size) of an element type, of rank 1.
  mlir::Value getIota(tx::SymExprAttr size, mlir::Type elementType);
  /// A rank-0 constant. Integers: \p value is one.
  mlir::Value getScalar(mlir::Type elementType, double value);
  mlir::Value getConstant(mlir::DenseElementsAttr value);
  /// An integer tensor of known elements; of rank 1 and i64 by default.
  mlir::Value getExprTensor(llvm::ArrayRef<tx::SymExprAttr> exprs);
  mlir::Value getExprTensor(mlir::RankedTensorType type,
                            llvm::ArrayRef<tx::SymExprAttr> exprs);
  mlir::Value cast(mlir::Value x, mlir::Type elementType);
  /// To dims of as many elements; where the counts differ they are unified or,
  /// if no symbol can be solved for, checked by each run.
  mlir::Value reshape(mlir::Value x, llvm::ArrayRef<tx::SymExprAttr> dims);
  mlir::Value transpose(mlir::Value x, llvm::ArrayRef<int64_t> permutation);
  mlir::Value broadcastTo(mlir::Value x, llvm::ArrayRef<tx::SymExprAttr> dims);
  /// Elements [start, start + size) of one axis.
  mlir::Value slice(mlir::Value x, int64_t axis, tx::SymExprAttr start,
                    tx::SymExprAttr size);
  /// Removes dims, which must be 1 (see withDim() where they are symbolic).
  mlir::Value squeeze(mlir::Value x, llvm::ArrayRef<int64_t> axes);
  /// Inserts dims of 1 at these places of the result, which are sorted.
  mlir::Value unsqueeze(mlir::Value x, llvm::ArrayRef<int64_t> axes);

  /// The tensor of a Constant node.
  mlir::Value importTensor(const onnx::TensorRef &tensor);
  /// The outputs of a subgraph that runs in this node's place; fails unless
  /// there is a value for each of its inputs.
  NodeResults inlineGraph(const onnx::Graph &graph,
                          llvm::ArrayRef<mlir::Value> inputs = {});

  /// The outputs of the graph, without inputs, of the branch that a run takes.
  NodeResults branch(mlir::Value condition, const onnx::Graph &thenGraph,
                     const onnx::Graph &elseGraph);

  /// A loop that a run decides: what it carries in the end, then the stacks of
  /// its elements along a new first axis. Carried values may change their dims.
  NodeResults loop(const LoopParts &parts, LoopBody build);

private:
  using InferTypes = llvm::LogicalResult (*)(
      mlir::MLIRContext *, std::optional<mlir::Location>, mlir::ValueRange,
      mlir::DictionaryAttr, mlir::OpaqueProperties, mlir::RegionRange,
      llvm::SmallVectorImpl<mlir::Type> &);

  static bool isNull(mlir::Value value) { return !value; }
  static bool isNull(llvm::ArrayRef<mlir::Value> values) {
    return llvm::is_contained(values, mlir::Value());
  }
  static bool isNull(llvm::SmallVector<mlir::Value> &values) {
    return isNull(llvm::ArrayRef<mlir::Value>(values));
  }
  template <typename T> static bool isNull(const T &) { return false; }

  mlir::Type getPlaceholderType();
  llvm::SmallVector<mlir::Value> finish(mlir::OperationState &state,
                                        InferTypes inferTypes);
  const onnx::Attribute *findAttribute(llvm::StringRef name);
  const onnx::Attribute *findAttribute(llvm::StringRef name,
                                       onnx::Attribute::Kind kind);

  GraphImporter &importer;
  Frame &frame;
  const onnx::Node &node;
  mlir::Location loc;
  llvm::SmallVector<mlir::Value> operands;
  /// The body of the loop that is being built; null: none.
  mlir::Block *loopBlock = nullptr;
  llvm::StringSet<> attributesRead;
  bool failed = false;
};

} // namespace txc::frontend

#endif // TXC_PYTHON_FREE_FRONTEND_NODECONTEXT_H
