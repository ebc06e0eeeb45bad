//===- GraphImporter.h - walks the nodes of an ONNX graph -------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Gives each node to the builder of its operator and keeps track of what names
/// mean, through subgraphs and inlined functions.
///
/// A node that fails poisons its outputs: nodes that depend on it are checked
/// for having a builder at all, and reported if not, but not built.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PYTHON_FREE_FRONTEND_GRAPHIMPORTER_H
#define TXC_PYTHON_FREE_FRONTEND_GRAPHIMPORTER_H

#include "python-free-frontend/DimSymbols.h"
#include "python-free-frontend/NodeContext.h"

namespace txc::frontend {

struct OpEntry;

/// What names mean in the body of a graph or function.
struct Frame {
  /// The enclosing graph, whose names are visible here; null in functions.
  Frame *parent = nullptr;
  /// Where the ops of a branch or loop go; null: with the parent's.
  mlir::Block *block = nullptr;
  /// Null Values are poisoned or, if listed, absent optional inputs.
  llvm::DenseMap<llvm::StringRef, mlir::Value> values;
  llvm::StringSet<> absent;
  /// Not yet used ones; they become ops when a node asks for them.
  llvm::DenseMap<llvm::StringRef, const onnx::TensorRef *> initializers;
  /// The attributes of a function's call, for references to them.
  llvm::DenseMap<llvm::StringRef, const onnx::Attribute *> attributes;
  llvm::ArrayRef<onnx::OpsetImport> opsets;
  /// Node names and weight keys begin with it: "caller/" in a function.
  std::string prefix;
  /// How many function calls enclose this one.
  unsigned depth = 0;

  std::optional<int64_t> getOpset(llvm::StringRef domain) const;
  const Frame &getFunctionFrame() const {
    return parent ? parent->getFunctionFrame() : *this;
  }
};

class GraphImporter {
public:
  /// \p builder stands where the ops go.
  GraphImporter(mlir::OpBuilder &builder,
                std::shared_ptr<const onnx::OnnxFile> file, DimSymbols &symbols,
                WeightStore &weights, std::vector<ImportProblem> &problems)
      : builder(builder), file(std::move(file)), symbols(symbols),
        weights(weights), problems(problems) {}

  void importNodes(Frame &frame, llvm::ArrayRef<onnx::Node> nodes);
  /// The value of a name; null if it is poisoned.
  mlir::Value lookup(Frame &frame, llvm::StringRef name);

  /// A constant or, for a large tensor, a weight called \p key. Null and a
  /// problem of \p node (which may be null) if its data can't be used.
  mlir::Value importTensor(const onnx::TensorRef &tensor, llvm::StringRef key,
                           const Frame &frame, const onnx::Node *node);
  /// The outputs of a graph that sees the names of \p frame, with \p inputs
  /// for its inputs; there have to be as many. \p block is the loop's body
  /// where that is where the graph goes; null: with the frame's ops.
  NodeResults importSubgraph(Frame &frame, const onnx::Graph &graph,
                             llvm::ArrayRef<mlir::Value> inputs,
                             mlir::Block *block = nullptr);
  /// A tx.if whose branches are graphs without inputs. Null Values if one can't
  /// be built, which is a problem of \p node or those in the graphs.
  NodeResults importIf(Frame &frame, const onnx::Node &node,
                       mlir::Value condition, const onnx::Graph &thenGraph,
                       const onnx::Graph &elseGraph);

  /// The symbol that a run sets to the scalar \p value (i64), created at its
  /// first use; one value has one symbol.
  tx::SymExprAttr getRunTimeSymbol(mlir::Value value, llvm::StringRef hint,
                                   mlir::Location loc);

  void report(const Frame &frame, const onnx::Node *node,
              const llvm::Twine &reason, const llvm::Twine &advice = "");

  mlir::OpBuilder &getBuilder() { return builder; }
  DimSymbols &getSymbols() { return symbols; }
  mlir::Location getLoc(const Frame &frame, const onnx::Node &node);

  /// A tx.loop, whose body \p build makes in a block (see LoopBody).
  using BuildLoop = llvm::function_ref<NodeResults(
      mlir::Block *, tx::SymExprAttr, llvm::ArrayRef<mlir::Value>)>;
  NodeResults importLoop(Frame &frame, const onnx::Node &node,
                         const LoopParts &parts, BuildLoop build);

private:
  /// A model may call functions that call functions …: a bound on what a small
  /// file can make of itself.
  static constexpr uint64_t maxNodes = 4'000'000;
  static constexpr unsigned maxDepth = 64;

  NodeResults importNode(Frame &frame, const onnx::Node &node);
  NodeResults buildNode(Frame &frame, const onnx::Node &node,
                        const OpEntry &entry, mlir::ArrayRef<mlir::Value> in);
  NodeResults inlineFunction(Frame &frame, const onnx::Node &node,
                             const onnx::Function &function,
                             mlir::ArrayRef<mlir::Value> in);
  bool checkOperands(Frame &frame, const onnx::Node &node,
                     const OpEntry &entry);
  NodeResults importGraph(Frame &body, const onnx::Graph &graph,
                          llvm::ArrayRef<mlir::Value> inputs);
  mlir::Value capture(mlir::Block &block, mlir::Value value);
  void defineOutputs(Frame &frame, const onnx::Node &node,
                     const NodeResults &results);

  mlir::OpBuilder &builder;
  std::shared_ptr<const onnx::OnnxFile> file;
  DimSymbols &symbols;
  WeightStore &weights;
  std::vector<ImportProblem> &problems;
  /// A tensor that several calls of a function use is one weight.
  llvm::DenseMap<const onnx::TensorRef *, std::string> weightKeys;
  /// By the tensor and the place of its element that a symbol is.
  llvm::DenseMap<std::pair<mlir::Value, int64_t>, tx::SymExprAttr>
      runTimeSymbols;
  uint64_t numNodes = 0;
};

} // namespace txc::frontend

#endif // TXC_PYTHON_FREE_FRONTEND_GRAPHIMPORTER_H
