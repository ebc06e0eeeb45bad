//===- NodeContext.cpp - what the builder of an ONNX operator sees --------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "python-free-frontend/NodeContext.h"
#include "mlir/IR/Verifier.h"
#include "passes/graph/FoldConstants.h"
#include "python-free-frontend/GraphImporter.h"
#include "python-free-frontend/TensorConstants.h"

using namespace mlir;
using namespace txc;
using namespace txc::frontend;

NodeContext::NodeContext(GraphImporter &importer, Frame &frame,
                         const onnx::Node &node, ArrayRef<Value> operands)
    : importer(importer), frame(frame), node(node),
      loc(importer.getLoc(frame, node)), operands(operands) {}

int64_t NodeContext::getOpset() const {
  return frame.getOpset(node.domain).value_or(1);
}

OpBuilder &NodeContext::getBuilder() { return importer.getBuilder(); }

const tx::SymbolBounds &NodeContext::getBounds() const {
  return importer.getSymbols().bounds();
}

Unsupported NodeContext::unsupported(const Twine &reason, const Twine &advice) {
  // The first reason is the cause; what follows from it would only confuse.
  if (!failed)
    importer.report(frame, &node, reason, advice);
  failed = true;
  return {};
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

const onnx::Attribute *NodeContext::findAttribute(StringRef name) {
  attributesRead.insert(name);
  const onnx::Attribute *attribute = node.findAttribute(name);
  if (!attribute || attribute->refAttrName.empty())
    return attribute;
  return frame.getFunctionFrame().attributes.lookup(attribute->refAttrName);
}

const onnx::Attribute *NodeContext::findAttribute(StringRef name,
                                                  onnx::Attribute::Kind kind) {
  const onnx::Attribute *attribute = findAttribute(name);
  if (!attribute || attribute->kind == kind)
    return attribute;
  unsupported("attribute \"" + name + "\" has the wrong type");
  return nullptr;
}

std::optional<int64_t> NodeContext::getInt(StringRef name) {
  const onnx::Attribute *attribute =
      findAttribute(name, onnx::Attribute::Kind::Int);
  return attribute ? std::optional(attribute->i) : std::nullopt;
}

double NodeContext::getFloat(StringRef name, double defaultValue) {
  const onnx::Attribute *attribute =
      findAttribute(name, onnx::Attribute::Kind::Float);
  return attribute ? attribute->f : defaultValue;
}

StringRef NodeContext::getString(StringRef name, StringRef defaultValue) {
  const onnx::Attribute *attribute =
      findAttribute(name, onnx::Attribute::Kind::String);
  return attribute ? attribute->s : defaultValue;
}

std::optional<ArrayRef<int64_t>> NodeContext::getInts(StringRef name) {
  const onnx::Attribute *attribute =
      findAttribute(name, onnx::Attribute::Kind::Ints);
  return attribute ? std::optional(attribute->ints) : std::nullopt;
}

std::optional<ArrayRef<float>> NodeContext::getFloats(StringRef name) {
  const onnx::Attribute *attribute =
      findAttribute(name, onnx::Attribute::Kind::Floats);
  return attribute ? std::optional(attribute->floats) : std::nullopt;
}

std::optional<ArrayRef<StringRef>> NodeContext::getStrings(StringRef name) {
  const onnx::Attribute *attribute =
      findAttribute(name, onnx::Attribute::Kind::Strings);
  return attribute ? std::optional(attribute->strings) : std::nullopt;
}

const onnx::TensorRef *NodeContext::getTensor(StringRef name) {
  const onnx::Attribute *attribute =
      findAttribute(name, onnx::Attribute::Kind::Tensor);
  return attribute ? attribute->tensor : nullptr;
}

const onnx::Graph *NodeContext::getGraph(StringRef name) {
  const onnx::Attribute *attribute =
      findAttribute(name, onnx::Attribute::Kind::Graph);
  return attribute ? attribute->graph : nullptr;
}

Type NodeContext::getTypeAttribute(StringRef name, Type defaultType) {
  std::optional<int64_t> number = getInt(name);
  if (!number || *number == 0)
    return defaultType;
  std::optional<onnx::ElementType> type = onnx::elementTypeFromNumber(*number);
  Type result = type ? frontend::getElementType(getContext(), *type) : Type();
  if (!result)
    unsupported("attribute \"" + name + "\" is the element type " +
                (type ? onnx::elementTypeName(*type).str()
                      : "number " + std::to_string(*number)) +
                ", which can't be compiled");
  return result;
}

void NodeContext::checkAttributesRead() {
  for (const onnx::Attribute &attribute : node.attributes)
    if (!attributesRead.contains(attribute.name))
      unsupported("unknown attribute \"" + attribute.name + "\"");
}

//===----------------------------------------------------------------------===//
// Building
//===----------------------------------------------------------------------===//

Type NodeContext::getPlaceholderType() {
  return RankedTensorType::get({}, getBuilder().getF32Type());
}

/// The message of a diagnostic without the op's name, which is txc's own.
static std::string getMessage(Diagnostic &diagnostic) {
  std::string text = diagnostic.str();
  StringRef message = text;
  if (message.consume_front("'")) {
    message = message.split("' op ").second;
    return message.empty() ? text : message.str();
  }
  return text;
}

SmallVector<Value> NodeContext::finish(OperationState &state,
                                       InferTypes inferTypes) {
  std::string message;
  ScopedDiagnosticHandler handler(getContext(), [&](Diagnostic &diagnostic) {
    if (message.empty())
      message = getMessage(diagnostic);
    return success();
  });
  if (inferTypes) {
    SmallVector<Type> types;
    if (llvm::failed(inferTypes(getContext(), loc, state.operands,
                                state.attributes.getDictionary(getContext()),
                                state.getRawProperties(), {}, types))) {
      unsupported(message);
      return {Value()};
    }
    state.addTypes(types);
  }
  Operation *op = getBuilder().create(state);
  if (!message.empty() || llvm::failed(verify(op))) {
    op->erase();
    unsupported(message);
    return {Value()};
  }
  SmallVector<Value> results;
  if (succeeded(getBuilder().tryFold(op, results)) && !results.empty()) {
    op->erase();
    return results;
  }
  if (Attribute value = foldWithReference(op)) {
    op->erase();
    return {getConstant(llvm::cast<DenseElementsAttr>(value))};
  }
  return llvm::to_vector_of<Value>(op->getResults());
}

Value NodeContext::importTensor(const onnx::TensorRef &tensor) {
  StringRef key = tensor.name.empty() ? node.outputs.front() : tensor.name;
  Value value = importer.importTensor(tensor, key, frame, &node);
  failed |= !value;
  return value;
}

NodeResults NodeContext::inlineGraph(const onnx::Graph &graph,
                                     ArrayRef<Value> inputs) {
  if (graph.inputs.size() != inputs.size())
    return unsupported("its subgraph \"" + graph.name + "\" has " +
                       Twine(graph.inputs.size()) + " inputs, expected " +
                       Twine(inputs.size()));
  NodeResults results =
      importer.importSubgraph(frame, graph, inputs, loopBlock);
  // What failed in there is reported with the nodes in there.
  failed |= results.failed();
  return results;
}

NodeResults NodeContext::loop(const LoopParts &parts, LoopBody build) {
  NodeResults results = importer.importLoop(
      frame, node, parts,
      [&](Block *block, tx::SymExprAttr index, ArrayRef<Value> carried) {
        Block *outerBlock = std::exchange(loopBlock, block);
        NodeResults values = build(index, carried);
        loopBlock = outerBlock;
        return values;
      });
  failed |= results.failed();
  return results;
}

NodeResults NodeContext::branch(Value condition, const onnx::Graph &thenGraph,
                                const onnx::Graph &elseGraph) {
  NodeResults results =
      importer.importIf(frame, node, condition, thenGraph, elseGraph);
  failed |= results.failed();
  return results;
}
