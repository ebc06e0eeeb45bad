//===- GraphParser.cpp - Graphs -------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// GraphProto, whose nodes come out in topological order and with the names
/// they take from outside.
///
//===----------------------------------------------------------------------===//

#include "python-free-frontend/onnx-file/NodeOrder.h"
#include "python-free-frontend/onnx-file/ParseContext.h"

using namespace llvm;
using namespace txc::onnx;

Error txc::onnx::appendNode(ParseContext &context, WireReader &reader,
                            const WireField &field,
                            SmallVectorImpl<Node> &nodes) {
  Node node;
  node.index = static_cast<uint32_t>(nodes.size());
  if (Error error = parseField(context, reader, field, node, parseNode))
    return error;
  context.append(nodes, node, reader);
  return Error::success();
}

static Error parseAnnotation(ParseContext &context, Bytes message,
                             TensorAnnotation &annotation) {
  SmallVector<StringPair, 4> parameters;
  Error error = Error::success();
  WireReader reader = context.reader(message);
  for (WireField field; !error && reader.next(field);)
    if (field.number == 1)
      annotation.tensorName = reader.string(field);
    else if (field.number == 2)
      error = appendParsed(context, reader, field, parameters, parseStringPair);
  if (error)
    return error;
  annotation.parameters = context.keep<StringPair>(parameters);
  return reader.takeError();
}

Error txc::onnx::keepOrdered(ParseContext &context, WireReader &reader,
                             SmallVectorImpl<Node> &nodes, Graph &body) {
  SmallVector<StringRef> captures;
  if (Error error = orderNodes(body, nodes, captures))
    return error;
  // A name is listed again on each level it passes through.
  if (!context.charge(captures.size() * sizeof(StringRef), reader))
    return reader.takeError();
  body.nodes = context.keep<Node>(nodes);
  body.captures = context.keep<StringRef>(captures);
  return Error::success();
}

static Error readFields(ParseContext &context, Bytes message, Graph &graph) {
  SmallVector<Node, 0> nodes;
  SmallVector<TensorRef, 0> initializers;
  SmallVector<SparseTensor, 0> sparseInitializers;
  SmallVector<ValueInfo, 0> inputs;
  SmallVector<ValueInfo, 0> outputs;
  SmallVector<ValueInfo, 0> valueInfo;
  SmallVector<TensorAnnotation, 0> quantization;
  SmallVector<StringPair, 0> metadata;
  Error error = Error::success();
  WireReader reader = context.reader(message);
  for (WireField field; !error && reader.next(field);)
    switch (field.number) {
    case 1:
      error = appendNode(context, reader, field, nodes);
      break;
    case 2:
      graph.name = reader.string(field);
      break;
    case 5:
      error = appendParsed(context, reader, field, initializers, parseTensor);
      break;
    case 11:
      error = appendParsed(context, reader, field, inputs, parseValueInfo);
      break;
    case 12:
      error = appendParsed(context, reader, field, outputs, parseValueInfo);
      break;
    case 13:
      error = appendParsed(context, reader, field, valueInfo, parseValueInfo);
      break;
    case 14:
      error =
          appendParsed(context, reader, field, quantization, parseAnnotation);
      break;
    case 15:
      error = appendParsed(context, reader, field, sparseInitializers,
                           parseSparseTensor);
      break;
    case 16:
      error = appendParsed(context, reader, field, metadata, parseStringPair);
      break;
    default:
      break;
    }
  if (!error)
    error = reader.takeError();
  if (error)
    return error;
  graph.initializers = context.keep<TensorRef>(initializers);
  graph.sparseInitializers = context.keep<SparseTensor>(sparseInitializers);
  graph.inputs = context.keep<ValueInfo>(inputs);
  graph.outputs = context.keep<ValueInfo>(outputs);
  graph.valueInfo = context.keep<ValueInfo>(valueInfo);
  graph.quantization = context.keep<TensorAnnotation>(quantization);
  graph.metadata = context.keep<StringPair>(metadata);
  return keepOrdered(context, reader, nodes, graph);
}

Error txc::onnx::parseGraph(ParseContext &context, Bytes message,
                            Graph &graph) {
  ParseContext::Nesting nesting(context);
  if (Error error = nesting.check())
    return error;
  return readFields(context, message, graph);
}
