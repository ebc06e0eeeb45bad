//===- ParseContext.cpp - State shared by the message parsers ---*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The limits on memory and nesting, and the small messages used everywhere.
///
//===----------------------------------------------------------------------===//

#include "python-free-frontend/onnx-file/ParseContext.h"
#include "python-free-frontend/onnx-file/OnnxFile.h"

using namespace llvm;
using namespace txc::onnx;

bool ParseContext::charge(uint64_t bytes, WireReader &reader) {
  if (bytes > OnnxFile::maxTreeBytes - charged) {
    reader.stop("the structure of the model, without its weights, takes more "
                "than " +
                Twine(OnnxFile::maxTreeBytes >> 20) + " MiB of memory");
    return false;
  }
  charged += bytes;
  return true;
}

Error ParseContext::Nesting::check() const {
  if (depth <= OnnxFile::maxNesting)
    return Error::success();
  return makeError("graphs or types are nested deeper than " +
                   Twine(OnnxFile::maxNesting) + " levels");
}

Error txc::onnx::parseStringPair(ParseContext &context, Bytes message,
                                 StringPair &pair) {
  WireReader reader = context.reader(message);
  for (WireField field; reader.next(field);)
    switch (field.number) {
    case 1:
      pair.key = reader.string(field);
      break;
    case 2:
      pair.value = reader.string(field);
      break;
    default:
      break;
    }
  return reader.takeError();
}

Expected<ElementType> txc::onnx::parseElementType(int64_t number) {
  if (std::optional<ElementType> type = elementTypeFromNumber(number))
    return *type;
  return makeError("element type " + Twine(number) +
                   " is none that ONNX IR version " +
                   Twine(OnnxFile::newestIrVersion) + " defines");
}

StringRef txc::onnx::normalizeDomain(StringRef domain) {
  return domain == "ai.onnx" ? StringRef() : domain;
}
