//===- GraphImporter.cpp - walks the nodes of an ONNX graph ---------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "python-free-frontend/GraphImporter.h"
#include "python-free-frontend/TensorConstants.h"
#include "python-free-frontend/ops/OpTable.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;

static std::string getNodeName(const onnx::Node &node) {
  return node.name.empty() ? "#" + std::to_string(node.index) : node.name.str();
}

std::optional<int64_t> Frame::getOpset(StringRef domain) const {
  for (const onnx::OpsetImport &opset : opsets)
    if (opset.domain == domain)
      return opset.version;
  return std::nullopt;
}

Location GraphImporter::getLoc(const Frame &frame, const onnx::Node &node) {
  MLIRContext *context = builder.getContext();
  auto op = NameLoc::get(StringAttr::get(context, node.opType));
  return NameLoc::get(
      StringAttr::get(context, frame.prefix + getNodeName(node)), op);
}

void GraphImporter::report(const Frame &frame, const onnx::Node *node,
                           const Twine &reason, const Twine &advice) {
  ImportProblem problem;
  problem.domain = "ai.onnx";
  if (node) {
    problem.node = frame.prefix + getNodeName(*node);
    problem.op = node->opType.str();
    if (!node->domain.empty())
      problem.domain = node->domain.str();
    problem.opset = frame.getOpset(node->domain).value_or(0);
  }
  problem.reason = reason.str();
  problem.advice = advice.str();
  problems.push_back(std::move(problem));
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

Value GraphImporter::lookup(Frame &frame, StringRef name) {
  if (auto it = frame.values.find(name); it != frame.values.end())
    return it->second;
  if (auto initializer = frame.initializers.find(name);
      initializer != frame.initializers.end())
    return frame.values[name] =
               importTensor(*initializer->second, name, frame, nullptr);
  if (!frame.parent)
    return {};
  if (!frame.block)
    return lookup(*frame.parent, name);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(frame.block->getParentOp());
  Value outer = lookup(*frame.parent, name);
  return outer ? frame.values[name] = capture(*frame.block, outer) : Value();
}

static bool isAbsent(const Frame &frame, StringRef name) {
  if (name.empty())
    return true;
  for (const Frame *scope = &frame; scope; scope = scope->parent)
    if (scope->absent.contains(name))
      return true;
  return false;
}

Value GraphImporter::importTensor(const onnx::TensorRef &tensor, StringRef key,
                                  const Frame &frame, const onnx::Node *node) {
  MLIRContext *context = builder.getContext();
  Type elementType = getElementType(context, tensor.elementType);
  if (!elementType) {
    report(frame, node,
           "tensor \"" + key + "\" has elements of type " +
               onnx::elementTypeName(tensor.elementType) +
               ", which can't be compiled");
    return {};
  }
  auto type = RankedTensorType::get(tensor.dims, elementType);
  Location loc =
      node ? getLoc(frame, *node) : NameLoc::get(StringAttr::get(context, key));
  if (tensor.numElements() > tx::kMaxConstantElements) {
    std::string &known = weightKeys[&tensor];
    if (known.empty()) {
      known = frame.prefix + key.str();
      while (weights.contains(known)) // branches may reuse each other's names
        known += "'";
      weights.add(known, type, file, tensor);
    }
    return tx::WeightOp::create(builder, loc, type,
                                builder.getStringAttr(known));
  }
  llvm::Expected<onnx::TensorData> data = file->read(tensor);
  if (!data) {
    report(frame, node, llvm::toString(data.takeError()));
    return {};
  }
  return tx::ConstantOp::create(builder, loc, type, getElements(type, *data));
}

/// Which element of which tensor a scalar is, however it was cut out.
static std::pair<Value, int64_t> getOrigin(Value scalar) {
  while (true) {
    if (auto cast = scalar.getDefiningOp<tx::CastOp>();
        cast && getElementTypeOrSelf(cast.getX().getType()).isInteger())
      scalar = cast.getX();
    else if (auto reshape = scalar.getDefiningOp<tx::ReshapeOp>())
      scalar = reshape.getX();
    else
      break;
  }
  auto slice = scalar.getDefiningOp<tx::SliceOp>();
  if (!slice || slice.getType().getRank() != 1)
    return {scalar, 0};
  auto start = cast<tx::SymExprAttr>(slice.getStarts()[0]).getConstant();
  return start ? std::pair(slice.getX(), *start)
               : std::pair(scalar, int64_t{0});
}

tx::SymExprAttr GraphImporter::getRunTimeSymbol(Value value, StringRef hint,
                                                Location loc) {
  tx::SymExprAttr &symbol = runTimeSymbols[getOrigin(value)];
  if (!symbol) {
    symbol = symbols.declareRunTime(hint, {});
    StringAttr name = symbol.getTerms().front().getFactors().front().getName();
    tx::DefineSymbolOp::create(builder, loc, name, value);
  }
  return symbols.resolve(symbol);
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

void GraphImporter::importNodes(Frame &frame, ArrayRef<onnx::Node> nodes) {
  for (const onnx::Node &node : nodes) {
    if (++numNodes > maxNodes) {
      if (numNodes == maxNodes + 1)
        report(frame, nullptr,
               "the model's functions expand to more than " + Twine(maxNodes) +
                   " nodes");
      return;
    }
    defineOutputs(frame, node, importNode(frame, node));
  }
}

void GraphImporter::defineOutputs(Frame &frame, const onnx::Node &node,
                                  const NodeResults &results) {
  for (auto [index, name] : llvm::enumerate(node.outputs)) {
    if (name.empty())
      continue;
    bool isMissing = !results.failed() && index >= results.getValues().size();
    if (isMissing)
      report(frame, &node,
             "its output " + Twine(index) + " \"" + name +
                 "\" can't be computed",
             "leaving the output out, if nothing needs it");
    frame.values[name] =
        results.failed() || isMissing ? Value() : results.getValues()[index];
  }
}

NodeResults GraphImporter::importNode(Frame &frame, const onnx::Node &node) {
  int64_t opset = frame.getOpset(node.domain).value_or(1);
  std::optional<int64_t> oldest;
  const OpEntry *entry = findOp(node.domain, node.opType, opset, oldest);
  const onnx::Function *function = nullptr;
  if (!entry)
    function =
        file->model().findFunction(node.domain, node.opType, node.overload);
  if (!entry && !function) {
    if (oldest)
      report(frame, &node,
             "the operator in opset " + Twine(opset) +
                 " is not supported, only from opset " + Twine(*oldest) + " on",
             "onnx.version_converter, or a newer opset at export");
    else
      report(frame, &node, "the operator is not supported",
             "exporting with other operators, or a function body for it in "
             "the file");
    return {};
  }
  SmallVector<Value> operands;
  bool isPoisoned = false;
  for (StringRef name : node.inputs) {
    Value operand = isAbsent(frame, name) ? Value() : lookup(frame, name);
    isPoisoned |= !operand && !isAbsent(frame, name);
    operands.push_back(operand);
  }
  if (isPoisoned)
    return {};
  if (function)
    return inlineFunction(frame, node, *function, operands);
  return buildNode(frame, node, *entry, operands);
}

bool GraphImporter::checkOperands(Frame &frame, const onnx::Node &node,
                                  const OpEntry &entry) {
  size_t given = node.inputs.size();
  for (size_t i = 0; i < entry.minOperands; ++i)
    if (i >= given || isAbsent(frame, node.inputs[i])) {
      report(frame, &node, "input " + Twine(i) + " is missing");
      return false;
    }
  if (given > entry.maxOperands) {
    report(frame, &node,
           "it has " + Twine(given) + " inputs, expected at most " +
               Twine(entry.maxOperands));
    return false;
  }
  return true;
}

NodeResults GraphImporter::buildNode(Frame &frame, const onnx::Node &node,
                                     const OpEntry &entry,
                                     ArrayRef<Value> operands) {
  if (!checkOperands(frame, node, entry))
    return {};
  NodeContext context(*this, frame, node, operands);
  NodeResults results = entry.build(context);
  if (!results.failed())
    context.checkAttributesRead();
  else if (!context.hasFailed())
    context.unsupported("its operands can't be compiled");
  return context.hasFailed() ? NodeResults() : results;
}

//===----------------------------------------------------------------------===//
// Subgraphs and functions
//===----------------------------------------------------------------------===//

NodeResults GraphImporter::importSubgraph(Frame &frame,
                                          const onnx::Graph &graph,
                                          ArrayRef<Value> inputs,
                                          Block *block) {
  Frame body;
  body.parent = &frame;
  body.block = block;
  return importGraph(body, graph, inputs);
}

NodeResults GraphImporter::importGraph(Frame &body, const onnx::Graph &graph,
                                       ArrayRef<Value> inputs) {
  body.opsets = body.parent->opsets;
  body.prefix = body.parent->prefix;
  body.depth = body.parent->depth;
  for (const onnx::TensorRef &initializer : graph.initializers)
    body.initializers[initializer.name] = &initializer;
  for (auto [info, value] : llvm::zip_equal(graph.inputs, inputs))
    body.values[info.name] = value;
  importNodes(body, graph.nodes);
  SmallVector<Value> results;
  for (const onnx::ValueInfo &output : graph.outputs)
    results.push_back(lookup(body, output.name));
  return NodeResults(std::move(results));
}

NodeResults GraphImporter::inlineFunction(Frame &frame, const onnx::Node &node,
                                          const onnx::Function &function,
                                          ArrayRef<Value> operands) {
  if (frame.depth >= maxDepth) {
    report(frame, &node,
           "functions call each other more than " + Twine(maxDepth) + " deep");
    return {};
  }
  Frame body;
  body.opsets = function.opsetImports;
  body.prefix = frame.prefix + getNodeName(node) + "/";
  body.depth = frame.depth + 1;
  for (const onnx::Attribute &attribute : function.defaultAttributes)
    body.attributes[attribute.name] = &attribute;
  const auto &outer = frame.getFunctionFrame().attributes;
  for (const onnx::Attribute &attribute : node.attributes) {
    const onnx::Attribute *value = &attribute;
    if (!attribute.refAttrName.empty())
      value = outer.lookup(attribute.refAttrName);
    if (value)
      body.attributes[attribute.name] = value;
  }
  for (auto [index, name] : llvm::enumerate(function.inputs)) {
    Value operand = index < operands.size() ? operands[index] : Value();
    if (operand)
      body.values[name] = operand;
    else
      body.absent.insert(name);
  }
  importNodes(body, function.nodes);
  SmallVector<Value> results;
  for (StringRef output : function.outputs)
    results.push_back(lookup(body, output));
  return NodeResults(std::move(results));
}
