//===- NodeParser.cpp - Nodes and attributes --------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// NodeProto and AttributeProto.
///
//===----------------------------------------------------------------------===//

#include "python-free-frontend/onnx-file/ParseContext.h"
#include "llvm/ADT/DenseSet.h"

using namespace llvm;
using namespace txc::onnx;

namespace {
/// The lists of an attribute while they grow.
struct AttributeLists {
  SmallVector<float, 0> floats;
  SmallVector<int64_t, 4> ints;
  SmallVector<StringRef, 0> strings;
  SmallVector<const TensorRef *, 0> tensors;
  SmallVector<const Graph *, 0> graphs;
  SmallVector<const SparseTensor *, 0> sparseTensors;
  SmallVector<const Type *, 0> types;
};
} // namespace

/// The kind whose value \p field of AttributeProto holds.
static Attribute::Kind kindOfField(uint32_t field) {
  using Kind = Attribute::Kind;
  switch (field) {
  case 2:
    return Kind::Float;
  case 3:
    return Kind::Int;
  case 4:
    return Kind::String;
  case 5:
    return Kind::Tensor;
  case 6:
    return Kind::Graph;
  case 7:
    return Kind::Floats;
  case 8:
    return Kind::Ints;
  case 9:
    return Kind::Strings;
  case 10:
    return Kind::Tensors;
  case 11:
    return Kind::Graphs;
  case 14:
    return Kind::TypeProto;
  case 15:
    return Kind::TypeProtos;
  case 22:
    return Kind::SparseTensor;
  case 23:
    return Kind::SparseTensors;
  default:
    return Kind::Undefined;
  }
}

static StringRef kindName(Attribute::Kind kind) {
  static constexpr StringLiteral names[] = {
      "UNDEFINED",      "FLOAT",      "INT",        "STRING",
      "TENSOR",         "GRAPH",      "FLOATS",     "INTS",
      "STRINGS",        "TENSORS",    "GRAPHS",     "SPARSE_TENSOR",
      "SPARSE_TENSORS", "TYPE_PROTO", "TYPE_PROTOS"};
  return names[static_cast<unsigned>(kind)];
}

/// Parses the message in \p field into \p result, which the arena keeps.
template <typename T>
static Error parseKept(ParseContext &context, WireReader &reader,
                       const WireField &field, const T *&result,
                       Error (*parse)(ParseContext &, Bytes, T &)) {
  // Protobuf would merge the two; no tool writes that, damage does.
  if (result)
    return makeError("holds two values");
  T item;
  if (!context.charge(sizeof(T), reader))
    return Error::success();
  if (Error error = parse(context, reader.message(field), item))
    return error;
  result = context.keep(item);
  return Error::success();
}

template <typename T>
static Error appendKept(ParseContext &context, WireReader &reader,
                        const WireField &field,
                        SmallVectorImpl<const T *> &list,
                        Error (*parse)(ParseContext &, Bytes, T &)) {
  const T *item = nullptr;
  if (Error error = parseKept(context, reader, field, item, parse))
    return error;
  if (item)
    context.append(list, item, reader);
  return Error::success();
}

static void appendFloats(ParseContext &context, WireReader &reader,
                         const WireField &field,
                         SmallVectorImpl<float> &floats) {
  Bytes bytes = reader.fixedElements(field, WireType::Fixed32);
  if (!context.charge(bytes.size(), reader))
    return;
  for (; !bytes.empty(); bytes = bytes.drop_front(4))
    floats.push_back(bit_cast<float>(support::endian::read32le(bytes.data())));
}

/// Reads a field that holds a value of the attribute.
static Error readValue(ParseContext &context, WireReader &reader,
                       const WireField &field, Attribute &attribute,
                       AttributeLists &lists) {
  using Kind = Attribute::Kind;
  switch (kindOfField(field.number)) {
  case Kind::Undefined:
    break;
  case Kind::Float:
    attribute.f = reader.fixedFloat(field);
    break;
  case Kind::Int:
    attribute.i = reader.integer(field);
    break;
  case Kind::String:
    attribute.s = reader.string(field);
    break;
  case Kind::Tensor:
    return parseKept(context, reader, field, attribute.tensor, parseTensor);
  case Kind::Graph:
    return parseKept(context, reader, field, attribute.graph, parseGraph);
  case Kind::SparseTensor:
    return parseKept(context, reader, field, attribute.sparseTensor,
                     parseSparseTensor);
  case Kind::TypeProto:
    return parseKept(context, reader, field, attribute.type, parseType);
  case Kind::Floats:
    appendFloats(context, reader, field, lists.floats);
    break;
  case Kind::Ints:
    reader.eachInteger(field, [&](int64_t value) {
      context.append(lists.ints, value, reader);
    });
    break;
  case Kind::Strings:
    context.append(lists.strings, reader.string(field), reader);
    break;
  case Kind::Tensors:
    return appendKept(context, reader, field, lists.tensors, parseTensor);
  case Kind::Graphs:
    return appendKept(context, reader, field, lists.graphs, parseGraph);
  case Kind::SparseTensors:
    return appendKept(context, reader, field, lists.sparseTensors,
                      parseSparseTensor);
  case Kind::TypeProtos:
    return appendKept(context, reader, field, lists.types, parseType);
  }
  return Error::success();
}

static Error readFields(ParseContext &context, Bytes message,
                        Attribute &attribute) {
  using Kind = Attribute::Kind;
  AttributeLists lists;
  Kind held = Kind::Undefined;
  int64_t type = 0;
  WireReader reader = context.reader(message);
  for (WireField field; reader.next(field);) {
    if (field.number == 1)
      attribute.name = reader.string(field);
    else if (field.number == 20)
      type = reader.integer(field);
    else if (field.number == 21)
      attribute.refAttrName = reader.string(field);
    Kind kind = kindOfField(field.number);
    if (kind == Kind::Undefined)
      continue;
    if (held != Kind::Undefined && held != kind)
      return makeError("holds both " + kindName(held) + " and " +
                       kindName(kind));
    held = kind;
    if (Error error = readValue(context, reader, field, attribute, lists))
      return error;
  }
  attribute.floats = context.keep<float>(lists.floats);
  attribute.ints = context.keep<int64_t>(lists.ints);
  attribute.strings = context.keep<StringRef>(lists.strings);
  attribute.tensors = context.keep<const TensorRef *>(lists.tensors);
  attribute.graphs = context.keep<const Graph *>(lists.graphs);
  attribute.sparseTensors =
      context.keep<const SparseTensor *>(lists.sparseTensors);
  attribute.types = context.keep<const Type *>(lists.types);
  if (Error error = reader.takeError())
    return error;

  if (type < 0 || type > int64_t(Kind::TypeProtos))
    return makeError("attribute type " + Twine(type) + " is unknown");
  attribute.kind = type == 0 ? held : static_cast<Kind>(type);
  if (held != Kind::Undefined && held != attribute.kind)
    return makeError("is of type " + kindName(attribute.kind) + " but holds " +
                     kindName(held));
  return Error::success();
}

/// Values that have no default to stand for "not written".
static Error checkPresent(const Attribute &attribute) {
  using Kind = Attribute::Kind;
  if (!attribute.refAttrName.empty())
    return Error::success();
  bool isMissing =
      attribute.kind == Kind::Undefined ||
      (attribute.kind == Kind::Tensor && !attribute.tensor) ||
      (attribute.kind == Kind::Graph && !attribute.graph) ||
      (attribute.kind == Kind::SparseTensor && !attribute.sparseTensor) ||
      (attribute.kind == Kind::TypeProto && !attribute.type);
  if (!isMissing)
    return Error::success();
  return makeError("is of type " + kindName(attribute.kind) +
                   " but holds no value");
}

Error txc::onnx::parseAttribute(ParseContext &context, Bytes message,
                                Attribute &attribute) {
  Error error = readFields(context, message, attribute);
  if (!error && attribute.name.empty())
    error = makeError("has no name");
  if (!error)
    error = checkPresent(attribute);
  if (error)
    return addContext("attribute " + quote(attribute.name), std::move(error));
  return Error::success();
}

static Error checkAttributeNames(ArrayRef<Attribute> attributes) {
  SmallDenseSet<StringRef, 8> names;
  for (const Attribute &attribute : attributes)
    if (!names.insert(attribute.name).second)
      return makeError("has two attributes called " + quote(attribute.name));
  return Error::success();
}

static Error readFields(ParseContext &context, Bytes message, Node &node) {
  SmallVector<StringRef, 8> inputs;
  SmallVector<StringRef, 4> outputs;
  SmallVector<Attribute, 4> attributes;
  SmallVector<StringPair, 0> metadata;
  Error error = Error::success();
  WireReader reader = context.reader(message);
  for (WireField field; !error && reader.next(field);)
    switch (field.number) {
    case 1:
      context.append(inputs, reader.string(field), reader);
      break;
    case 2:
      context.append(outputs, reader.string(field), reader);
      break;
    case 3:
      node.name = reader.string(field);
      break;
    case 4:
      node.opType = reader.string(field);
      break;
    case 5:
      error = appendParsed(context, reader, field, attributes, parseAttribute);
      break;
    case 7:
      node.domain = normalizeDomain(reader.string(field));
      break;
    case 8:
      node.overload = reader.string(field);
      break;
    case 9:
      error = appendParsed(context, reader, field, metadata, parseStringPair);
      break;
    default:
      break;
    }
  if (error)
    return error;
  node.inputs = context.keep<StringRef>(inputs);
  node.outputs = context.keep<StringRef>(outputs);
  node.attributes = context.keep<Attribute>(attributes);
  node.metadata = context.keep<StringPair>(metadata);
  return reader.takeError();
}

/// Finds the node's names in a message that is damaged further on.
static void readNames(ParseContext &context, Bytes message, Node &node) {
  WireReader reader = context.reader(message);
  for (WireField field; reader.next(field);)
    if (field.number == 3)
      node.name = reader.string(field);
    else if (field.number == 4)
      node.opType = reader.string(field);
}

Error txc::onnx::parseNode(ParseContext &context, Bytes message, Node &node) {
  Error error = readFields(context, message, node);
  if (!error && node.opType.empty())
    error = makeError("has no op_type");
  if (!error)
    error = checkAttributeNames(node.attributes);
  if (error) {
    readNames(context, message, node);
    return addContext(describe(node), std::move(error));
  }
  context.usesDefaultDomain |= node.domain.empty();
  return Error::success();
}
