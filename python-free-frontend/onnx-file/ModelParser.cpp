//===- ModelParser.cpp - Models and functions -------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// ModelProto and FunctionProto, and what must hold for a model as a whole.
///
//===----------------------------------------------------------------------===//

#include "python-free-frontend/onnx-file/FunctionCalls.h"
#include "python-free-frontend/onnx-file/NodeOrder.h"
#include "python-free-frontend/onnx-file/OnnxFile.h"
#include "python-free-frontend/onnx-file/ParseContext.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;
using namespace txc::onnx;

static Error parseOpsetImport(ParseContext &context, Bytes message,
                              OpsetImport &import) {
  WireReader reader = context.reader(message);
  for (WireField field; reader.next(field);)
    if (field.number == 1)
      import.domain = normalizeDomain(reader.string(field));
    else if (field.number == 2)
      import.version = reader.integer(field);
  return reader.takeError();
}

/// Each domain once. Other domains than the default one have nodes that mean
/// something without a version, and files in use leave them out.
static Error checkOpsets(ArrayRef<OpsetImport> imports,
                         bool usesDefaultDomain) {
  bool hasDefault = false;
  for (auto [index, import] : enumerate(imports)) {
    if (import.version < 1)
      return makeError("opset import of domain " + quote(import.domain) +
                       " has version " + Twine(import.version));
    for (const OpsetImport &other : imports.take_front(index))
      if (other.domain == import.domain)
        return makeError("two opset imports of domain " + quote(import.domain) +
                         ", versions " + Twine(other.version) + " and " +
                         Twine(import.version));
    hasDefault |= import.domain.empty();
  }
  if (usesDefaultDomain && !hasDefault)
    return makeError("has no opset import of the default domain, so what its "
                     "nodes mean is not defined; export the model again");
  return Error::success();
}

/// The names alone, as orderNodes wants them.
static SmallVector<ValueInfo> valuesNamed(ArrayRef<StringRef> names) {
  SmallVector<ValueInfo> values(names.size());
  for (auto [value, name] : zip_equal(values, names))
    value.name = name;
  return values;
}

static Error orderFunction(ParseContext &context, WireReader &reader,
                           SmallVectorImpl<Node> &nodes, Function &function) {
  SmallVector<ValueInfo> inputs = valuesNamed(function.inputs);
  SmallVector<ValueInfo> outputs = valuesNamed(function.outputs);
  Graph body;
  body.inputs = inputs;
  body.outputs = outputs;
  if (Error error = keepOrdered(context, reader, nodes, body))
    return error;
  function.nodes = body.nodes;
  if (body.captures.empty())
    return Error::success();
  StringRef name = body.captures.front();
  return makeError(describeUse(function.nodes, name) + " uses value " +
                   quote(name) + ", which nothing in the function makes");
}

static Error readFields(ParseContext &context, Bytes message,
                        Function &function) {
  SmallVector<StringRef> inputs;
  SmallVector<StringRef> outputs;
  SmallVector<StringRef> requiredAttributes;
  SmallVector<Attribute, 0> defaultAttributes;
  SmallVector<Node, 0> nodes;
  SmallVector<OpsetImport> opsetImports;
  SmallVector<ValueInfo, 0> valueInfo;
  SmallVector<StringPair, 0> metadata;
  Error error = Error::success();
  WireReader reader = context.reader(message);
  for (WireField field; !error && reader.next(field);)
    switch (field.number) {
    case 1:
      function.name = reader.string(field);
      break;
    case 4:
      context.append(inputs, reader.string(field), reader);
      break;
    case 5:
      context.append(outputs, reader.string(field), reader);
      break;
    case 6:
      context.append(requiredAttributes, reader.string(field), reader);
      break;
    case 7:
      error = appendNode(context, reader, field, nodes);
      break;
    case 9:
      error =
          appendParsed(context, reader, field, opsetImports, parseOpsetImport);
      break;
    case 10:
      function.domain = normalizeDomain(reader.string(field));
      break;
    case 11:
      error = appendParsed(context, reader, field, defaultAttributes,
                           parseAttribute);
      break;
    case 12:
      error = appendParsed(context, reader, field, valueInfo, parseValueInfo);
      break;
    case 13:
      function.overload = reader.string(field);
      break;
    case 14:
      error = appendParsed(context, reader, field, metadata, parseStringPair);
      break;
    default:
      break;
    }
  if (!error)
    error = reader.takeError();
  if (error)
    return error;
  function.inputs = context.keep<StringRef>(inputs);
  function.outputs = context.keep<StringRef>(outputs);
  function.requiredAttributes = context.keep<StringRef>(requiredAttributes);
  function.defaultAttributes = context.keep<Attribute>(defaultAttributes);
  function.opsetImports = context.keep<OpsetImport>(opsetImports);
  function.valueInfo = context.keep<ValueInfo>(valueInfo);
  function.metadata = context.keep<StringPair>(metadata);
  return orderFunction(context, reader, nodes, function);
}

Error txc::onnx::parseFunction(ParseContext &context, Bytes message,
                               Function &function) {
  bool modelUsesDefaultDomain = context.usesDefaultDomain;
  context.usesDefaultDomain = false;
  Error error = readFields(context, message, function);
  if (!error && function.name.empty())
    error = makeError("has no name");
  if (!error)
    error = checkOpsets(function.opsetImports, context.usesDefaultDomain);
  context.usesDefaultDomain = modelUsesDefaultDomain;
  if (error)
    return addContext("function " + quote(function.name), std::move(error));
  return Error::success();
}

static Error checkIrVersion(int64_t version) {
  // Below 3 (October 2017) there are no opset imports to tell what ops mean.
  constexpr int64_t oldest = 3;
  if (version == 0)
    return makeError("has no IR version: it is damaged or no ONNX model");
  if (version < oldest)
    return makeError("IR version " + Twine(version) + " is older than " +
                     Twine(oldest) +
                     "; convert the model with onnx.version_converter");
  if (version > OnnxFile::newestIrVersion)
    return makeError("IR version " + Twine(version) + " is newer than " +
                     Twine(OnnxFile::newestIrVersion) +
                     ", the newest understood; export the model for an older "
                     "version");
  return Error::success();
}

static Error checkModel(const Model &model, bool hasGraph,
                        bool usesDefaultDomain) {
  if (Error error = checkIrVersion(model.irVersion))
    return error;
  if (!hasGraph)
    return makeError("has no graph");
  if (Error error = checkOpsets(model.opsetImports, usesDefaultDomain))
    return error;
  if (!model.graph.captures.empty()) {
    StringRef name = model.graph.captures.front();
    return makeError(describeUse(model.graph.nodes, name) + " uses value " +
                     quote(name) +
                     ", which no node, input or initializer provides");
  }
  return checkFunctionCalls(model);
}

Error txc::onnx::parseModel(ParseContext &context, Bytes message,
                            Model &model) {
  SmallVector<OpsetImport> opsetImports;
  SmallVector<StringPair> metadata;
  SmallVector<Function, 0> functions;
  bool hasGraph = false;
  Error error = Error::success();
  WireReader reader = context.reader(message);
  for (WireField field; !error && reader.next(field);)
    switch (field.number) {
    case 1:
      model.irVersion = reader.integer(field);
      break;
    case 2:
      model.producerName = reader.string(field);
      break;
    case 3:
      model.producerVersion = reader.string(field);
      break;
    case 4:
      model.domain = reader.string(field);
      break;
    case 5:
      model.modelVersion = reader.integer(field);
      break;
    case 6:
      model.docString = reader.string(field);
      break;
    case 7:
      // Protobuf would merge the two; no tool writes that, damage does.
      error = hasGraph
                  ? makeError("has two graphs")
                  : parseField(context, reader, field, model.graph, parseGraph);
      hasGraph = true;
      break;
    case 8:
      error =
          appendParsed(context, reader, field, opsetImports, parseOpsetImport);
      break;
    case 14:
      error = appendParsed(context, reader, field, metadata, parseStringPair);
      break;
    case 25:
      error = appendParsed(context, reader, field, functions, parseFunction);
      break;
    default:
      break;
    }
  if (!error)
    error = reader.takeError();
  if (error)
    return error;
  model.opsetImports = context.keep<OpsetImport>(opsetImports);
  model.metadata = context.keep<StringPair>(metadata);
  model.functions = context.keep<Function>(functions);
  return checkModel(model, hasGraph, context.usesDefaultDomain);
}
