//===- TypeParser.cpp - Types and value infos -------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// TypeProto, TensorShapeProto and ValueInfoProto.
///
//===----------------------------------------------------------------------===//

#include "python-free-frontend/onnx-file/ParseContext.h"

using namespace llvm;
using namespace txc::onnx;

static Error parseDim(ParseContext &context, Bytes message, Dim &dim) {
  WireReader reader = context.reader(message);
  for (WireField field; reader.next(field);)
    switch (field.number) {
    case 1: {
      // The last of a oneof's fields counts.
      dim.param = {};
      int64_t value = reader.integer(field);
      dim.value = value < 0 ? std::nullopt : std::optional(value);
      break;
    }
    case 2:
      dim.value.reset();
      dim.param = reader.string(field);
      break;
    case 3:
      dim.denotation = reader.string(field);
      break;
    default:
      break;
    }
  return reader.takeError();
}

static Error parseShape(ParseContext &context, Bytes message, Type &type) {
  type.hasShape = true;
  SmallVector<Dim> dims;
  WireReader reader = context.reader(message);
  for (WireField field; reader.next(field);)
    if (field.number == 1)
      if (Error error = appendParsed(context, reader, field, dims, parseDim))
        return error;
  type.dims = context.keep<Dim>(dims);
  return reader.takeError();
}

/// TypeProto.Tensor and TypeProto.SparseTensor, which have the same fields.
static Error parseTensorType(ParseContext &context, Bytes message, Type &type) {
  WireReader reader = context.reader(message);
  for (WireField field; reader.next(field);)
    switch (field.number) {
    case 1: {
      Expected<ElementType> parsed = parseElementType(reader.integer(field));
      if (!parsed)
        return parsed.takeError();
      type.elementType = *parsed;
      break;
    }
    case 2:
      if (Error error = parseField(context, reader, field, type, parseShape))
        return error;
      break;
    default:
      break;
    }
  return reader.takeError();
}

static Error parseElement(ParseContext &context, WireReader &reader,
                          const WireField &field, Type &type) {
  Type element;
  if (!context.charge(sizeof(Type), reader))
    return Error::success();
  if (Error error = parseField(context, reader, field, element, parseType))
    return error;
  type.element = context.keep(element);
  return Error::success();
}

/// TypeProto.Sequence and TypeProto.Optional, which have the same fields.
static Error parseContainerType(ParseContext &context, Bytes message,
                                Type &type) {
  WireReader reader = context.reader(message);
  for (WireField field; reader.next(field);)
    if (field.number == 1)
      if (Error error = parseElement(context, reader, field, type))
        return error;
  return reader.takeError();
}

static Error parseMapType(ParseContext &context, Bytes message, Type &type) {
  WireReader reader = context.reader(message);
  for (WireField field; reader.next(field);)
    switch (field.number) {
    case 1: {
      Expected<ElementType> parsed = parseElementType(reader.integer(field));
      if (!parsed)
        return parsed.takeError();
      type.keyType = *parsed;
      break;
    }
    case 2:
      if (Error error = parseElement(context, reader, field, type))
        return error;
      break;
    default:
      break;
    }
  return reader.takeError();
}

/// The fields carry no more than Kind::Opaque says to a compiler.
static Error parseOpaqueType(ParseContext &, Bytes, Type &) {
  return Error::success();
}

namespace {
struct TypeCase {
  uint32_t field;
  Type::Kind kind;
  Error (*parse)(ParseContext &, Bytes, Type &);
};
} // namespace

static constexpr TypeCase typeCases[] = {
    {1, Type::Kind::Tensor, parseTensorType},
    {4, Type::Kind::Sequence, parseContainerType},
    {5, Type::Kind::Map, parseMapType},
    {7, Type::Kind::Opaque, parseOpaqueType},
    {8, Type::Kind::SparseTensor, parseTensorType},
    {9, Type::Kind::Optional, parseContainerType},
};

Error txc::onnx::parseType(ParseContext &context, Bytes message, Type &type) {
  ParseContext::Nesting nesting(context);
  if (Error error = nesting.check())
    return error;
  WireReader reader = context.reader(message);
  for (WireField field; reader.next(field);)
    for (const TypeCase &typeCase : typeCases) {
      if (typeCase.field != field.number)
        continue;
      type = Type();
      type.kind = typeCase.kind;
      if (Error error =
              parseField(context, reader, field, type, typeCase.parse))
        return error;
    }
  return reader.takeError();
}

Error txc::onnx::parseValueInfo(ParseContext &context, Bytes message,
                                ValueInfo &value) {
  SmallVector<StringPair> metadata;
  Error error = Error::success();
  WireReader reader = context.reader(message);
  for (WireField field; !error && reader.next(field);)
    switch (field.number) {
    case 1:
      value.name = reader.string(field);
      break;
    case 2:
      error = parseField(context, reader, field, value.type, parseType);
      break;
    case 4:
      error = appendParsed(context, reader, field, metadata, parseStringPair);
      break;
    default:
      break;
    }
  if (!error)
    error = reader.takeError();
  value.metadata = context.keep<StringPair>(metadata);
  if (error)
    return addContext("value " + quote(value.name), std::move(error));
  return Error::success();
}
