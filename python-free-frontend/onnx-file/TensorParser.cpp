//===- TensorParser.cpp - Tensors as handles --------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// TensorProto and SparseTensorProto: finds where the elements are and checks
/// that there are as many as the dims say, without reading them.
///
//===----------------------------------------------------------------------===//

#include "python-free-frontend/onnx-file/ParseContext.h"
#include "python-free-frontend/onnx-file/TypedData.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CheckedArithmetic.h"

using namespace llvm;
using namespace txc::onnx;

namespace {
/// What is known of a TensorProto when all its fields were seen.
struct TensorMessage {
  Bytes whole;
  SmallVector<int64_t, 6> dims;
  int64_t dataType = 0;
  bool isExternal = false;
  bool isSegment = false;
  std::optional<Bytes> raw;
  SmallVector<StringPair, 3> externalData;
  SmallVector<StringPair, 0> metadata;
  /// Elements in each of the typed fields, by field number.
  uint64_t typedCount[maxTypedField + 1] = {};
  /// The contents of the last typed field that was seen, and how many were.
  Bytes typedChunk;
  unsigned typedChunks = 0;

  bool hasTyped() const { return typedChunks != 0; }
};
} // namespace

static void countTyped(WireReader &reader, const WireField &field,
                       TensorMessage &tensor) {
  uint64_t &count = tensor.typedCount[field.number];
  ++tensor.typedChunks;
  WireType element = typedFieldWireType(field.number);
  switch (element) {
  case WireType::Bytes:
    // For its check of the wire type.
    (void)reader.message(field);
    ++count;
    break;
  case WireType::Varint:
    if (field.type == WireType::Varint) {
      ++count;
    } else if (std::optional<uint64_t> n =
                   countVarints(reader.message(field))) {
      count += *n;
    } else {
      reader.fail("ends inside a number");
    }
    break;
  case WireType::Fixed32:
  case WireType::Fixed64:
    tensor.typedChunk = reader.fixedElements(field, element);
    count += tensor.typedChunk.size() / (element == WireType::Fixed32 ? 4 : 8);
    break;
  }
}

static Error readFields(ParseContext &context, TensorMessage &tensor,
                        TensorRef &ref) {
  WireReader reader = context.reader(tensor.whole);
  Error error = Error::success();
  for (WireField field; !error && reader.next(field);)
    switch (field.number) {
    case 1:
      reader.eachInteger(field, [&](int64_t dim) {
        context.append(tensor.dims, dim, reader);
      });
      break;
    case 2:
      tensor.dataType = reader.integer(field);
      break;
    case 3:
      tensor.isSegment = true;
      break;
    case 4:
    case 5:
    case 6:
    case 7:
    case 10:
    case 11:
      countTyped(reader, field, tensor);
      break;
    case 8:
      ref.name = reader.string(field);
      break;
    case 9:
      tensor.raw = reader.message(field);
      break;
    case 13:
      error = appendParsed(context, reader, field, tensor.externalData,
                           parseStringPair);
      break;
    case 14:
      tensor.isExternal = reader.integer(field) == 1;
      break;
    case 16:
      error = appendParsed(context, reader, field, tensor.metadata,
                           parseStringPair);
      break;
    default:
      break;
    }
  if (error)
    return error;
  return reader.takeError();
}

/// The product of \p dims, small enough that bits of any type can be counted.
static Expected<uint64_t> countElements(ArrayRef<int64_t> dims) {
  constexpr uint64_t limit = uint64_t(1) << 56;
  uint64_t count = 1;
  bool isEmpty = false;
  bool isTooLarge = false;
  for (int64_t dim : dims) {
    if (dim < 0)
      return makeError("dimension " + Twine(dim) + " is negative");
    isEmpty |= dim == 0;
    std::optional<uint64_t> product = checkedMulUnsigned<uint64_t>(count, dim);
    isTooLarge |= !product || *product > limit;
    count = isTooLarge ? 1 : *product;
  }
  if (isEmpty)
    return 0;
  if (isTooLarge)
    return makeError("dims overflow: no tensor can have that many elements");
  return count;
}

/// "dims [2, 3] of FLOAT take 24 bytes".
static std::string describeSize(const TensorRef &ref) {
  constexpr size_t maxNamed = 8;
  std::string text = "dims [";
  text += join(map_range(ref.dims.take_front(maxNamed),
                         [](int64_t dim) { return Twine(dim).str(); }),
               ", ");
  text += ref.dims.size() > maxNamed ? ", …] of " : "] of ";
  text += elementTypeName(ref.elementType).str() + " take ";
  if (ref.elementType == ElementType::String)
    return text + std::to_string(ref.numElements()) + " strings";
  return text + std::to_string(ref.denseBytes()) + " bytes";
}

static Error placeRaw(ParseContext &context, Bytes raw, TensorRef &ref) {
  if (ref.elementType == ElementType::String)
    return makeError("strings can't be in raw_data");
  if (raw.size() != ref.denseBytes())
    return makeError(describeSize(ref) + ", but raw_data has " +
                     Twine(raw.size()));
  ref.offset = raw.empty() ? 0 : context.offsetOf(raw);
  ref.length = raw.size();
  return Error::success();
}

static Error placeTyped(ParseContext &context, const TensorMessage &tensor,
                        TensorRef &ref) {
  uint32_t wanted = typedFieldOf(ref.elementType);
  for (uint32_t field = 0; field <= maxTypedField; ++field)
    if (field != wanted && tensor.typedCount[field] != 0)
      return makeError("elements of type " + elementTypeName(ref.elementType) +
                       " belong in " + typedFieldName(wanted) + ", but " +
                       typedFieldName(field) + " has " +
                       Twine(tensor.typedCount[field]));
  uint64_t entries = typedEntries(ref.elementType, ref.numElements());
  if (tensor.typedCount[wanted] != entries)
    return makeError(describeSize(ref) + " in " + Twine(entries) +
                     " entries of " + typedFieldName(wanted) +
                     ", but there are " + Twine(tensor.typedCount[wanted]));

  // Fixed-size numbers in one piece are dense already.
  bool isDense = typedFieldWireType(wanted) == WireType::Fixed32 ||
                 typedFieldWireType(wanted) == WireType::Fixed64;
  if (entries == 0)
    return Error::success();
  if (isDense && tensor.typedChunks == 1)
    return placeRaw(context, tensor.typedChunk, ref);
  ref.encoding = TensorRef::Encoding::Typed;
  ref.offset = context.offsetOf(tensor.whole);
  ref.length = tensor.whole.size();
  return Error::success();
}

static Error parseByteCount(const StringPair &entry,
                            std::optional<uint64_t> &number) {
  uint64_t value;
  if (entry.value.getAsInteger(10, value))
    return makeError("external data has " + entry.key + " " +
                     quote(entry.value) + ", which is no number of bytes");
  number = value;
  return Error::success();
}

static Error placeExternal(ParseContext &context, const TensorMessage &tensor,
                           TensorRef &ref) {
  if (ref.elementType == ElementType::String)
    return makeError("strings can't be in external data");
  StringRef location;
  std::optional<uint64_t> offset;
  std::optional<uint64_t> length;
  Error error = Error::success();
  for (const StringPair &entry : tensor.externalData) {
    if (entry.key == "location")
      location = entry.value;
    else if (entry.key == "offset")
      error = parseByteCount(entry, offset);
    else if (entry.key == "length")
      error = parseByteCount(entry, length);
    if (error)
      return error;
  }

  std::string where = "external data " + quote(location);
  Expected<uint32_t> file = context.files.openExternal(location);
  if (!file)
    return makeError(where + " " + toString(file.takeError()));
  uint64_t fileSize = context.files.bytes(*file).size();
  uint64_t start = offset.value_or(0);
  uint64_t available = start <= fileSize ? fileSize - start : 0;
  uint64_t size = length.value_or(available);
  if (start > fileSize || size > available)
    return makeError(where + " is " + Twine(fileSize) +
                     " bytes long, but the tensor lies at byte " +
                     Twine(start) + " and has " + Twine(ref.denseBytes()) +
                     "; fetch that file again, in the model's version");
  if (size != ref.denseBytes())
    return makeError(describeSize(ref) + ", but " + where + " gives " +
                     Twine(size) + " at byte " + Twine(start));
  ref.file = *file;
  ref.offset = start;
  ref.length = size;
  return Error::success();
}

static Error placeElements(ParseContext &context, const TensorMessage &tensor,
                           TensorRef &ref) {
  Expected<ElementType> type = parseElementType(tensor.dataType);
  if (!type)
    return type.takeError();
  if (*type == ElementType::Undefined)
    return makeError("has no element type");
  ref.elementType = *type;
  if (tensor.isSegment)
    return makeError("is a segment of a tensor, which ONNX reserved but no "
                     "tool writes");
  if (Expected<uint64_t> count = countElements(ref.dims); !count)
    return count.takeError();

  bool hasRaw = tensor.raw && !tensor.raw->empty();
  if (hasRaw + tensor.hasTyped() + tensor.isExternal > 1)
    return makeError("has its elements twice: raw_data, typed fields and "
                     "external data exclude each other");
  if (tensor.isExternal)
    return placeExternal(context, tensor, ref);
  if (tensor.raw && !tensor.hasTyped())
    return placeRaw(context, *tensor.raw, ref);
  return placeTyped(context, tensor, ref);
}

Error txc::onnx::parseTensor(ParseContext &context, Bytes message,
                             TensorRef &ref) {
  TensorMessage tensor;
  tensor.whole = message;
  Error error = readFields(context, tensor, ref);
  ref.dims = context.keep<int64_t>(tensor.dims);
  ref.metadata = context.keep<StringPair>(tensor.metadata);
  if (!error)
    error = placeElements(context, tensor, ref);
  if (error)
    return addContext("tensor " + quote(ref.name), std::move(error));
  return Error::success();
}

/// One index for each value, either into the flattened tensor or one a dim.
static Error checkSparse(const SparseTensor &tensor) {
  if (Expected<uint64_t> count = countElements(tensor.dims); !count)
    return count.takeError();
  ArrayRef<int64_t> values = tensor.values.dims;
  ArrayRef<int64_t> indices = tensor.indices.dims;
  if (tensor.indices.elementType != ElementType::Int64)
    return makeError("indices are of type " +
                     elementTypeName(tensor.indices.elementType) +
                     " instead of INT64");
  bool isFlat = indices.size() == 1;
  bool isByDim = indices.size() == 2 &&
                 indices[1] == static_cast<int64_t>(tensor.dims.size());
  if (values.size() != 1 || (!isFlat && !isByDim) || indices[0] != values[0])
    return makeError("values and indices do not belong together: values are "
                     "[N], indices [N] or [N, rank]");
  return Error::success();
}

Error txc::onnx::parseSparseTensor(ParseContext &context, Bytes message,
                                   SparseTensor &tensor) {
  SmallVector<int64_t> dims;
  Error error = Error::success();
  WireReader reader = context.reader(message);
  for (WireField field; !error && reader.next(field);)
    switch (field.number) {
    case 1:
      error = parseField(context, reader, field, tensor.values, parseTensor);
      break;
    case 2:
      error = parseField(context, reader, field, tensor.indices, parseTensor);
      break;
    case 3:
      reader.eachInteger(
          field, [&](int64_t dim) { context.append(dims, dim, reader); });
      break;
    default:
      break;
    }
  if (error)
    return error;
  tensor.dims = context.keep<int64_t>(dims);
  if (Error damaged = reader.takeError())
    return damaged;
  if (Error mismatch = checkSparse(tensor))
    return addContext("sparse tensor " + quote(tensor.values.name),
                      std::move(mismatch));
  return Error::success();
}
