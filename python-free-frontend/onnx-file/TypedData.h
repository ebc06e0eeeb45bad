//===- TypedData.h - Tensor elements in typed fields ------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// TensorProto's float_data, int32_data and so on: which element types each
/// holds, how many entries that takes, and decoding to dense bytes.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_TYPEDDATA_H
#define TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_TYPEDDATA_H

#include "python-free-frontend/onnx-file/ElementType.h"
#include "python-free-frontend/onnx-file/OnnxModel.h"
#include "python-free-frontend/onnx-file/WireReader.h"
#include <vector>

namespace txc::onnx {

/// The largest field number among TensorProto's typed fields, which are
/// 4 float_data, 5 int32_data, 6 string_data, 7 int64_data, 10 double_data and
/// 11 uint64_data.
inline constexpr uint32_t maxTypedField = 11;

/// The field that holds elements of \p type.
uint32_t typedFieldOf(ElementType type);
llvm::StringRef typedFieldName(uint32_t field);
/// The wire type of one entry; Bytes for string_data.
WireType typedFieldWireType(uint32_t field);

/// Entries of the field that \p elements of \p type take: two for a complex
/// number, one for two elements of 4 bits or four of 2 bits.
uint64_t typedEntries(ElementType type, uint64_t elements);

/// Decodes a tensor of Encoding::Typed from its TensorProto \p message, whose
/// number of entries parseTensor has checked.
llvm::Expected<std::vector<uint8_t>>
decodeTyped(const TensorRef &tensor, llvm::ArrayRef<uint8_t> message,
            llvm::ArrayRef<uint8_t> file);

} // namespace txc::onnx

#endif // TXC_PYTHON_FREE_FRONTEND_ONNX_FILE_TYPEDDATA_H
