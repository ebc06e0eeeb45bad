//===- Files.h - Tensors in files -------------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Reads and writes NumPy's .npy and ONNX's TensorProto .pb.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_TXC_RUN_FILES_H
#define TXC_TOOLS_TXC_RUN_FILES_H

#include "tools/txc-run/Array.h"

#include <string_view>

namespace txc::run {

/// The whole file; false with a reason when it can't be read.
bool readFile(const std::string &path, std::string &bytes, std::string &error);
/// Writes beside and renames: the file is there whole or not at all.
bool writeFile(const std::string &path, std::string_view bytes,
               std::string &error);

/// .npy of version 1 to 3, little-endian, C order.
/// Source: numpy.lib.format.
bool parseNpy(std::string_view bytes, Array &array, std::string &error);
/// Whether NumPy has the type.
bool hasNpyType(int32_t type);
/// Version 1.0; the type must be one that NumPy has.
std::string formatNpy(const Array &array);

/// A serialized onnx.TensorProto with its data inside.
/// Source: onnx/onnx.proto and the protobuf wire format.
bool parseTensorProto(std::string_view bytes, Array &array, std::string &error);
/// With raw_data.
std::string formatTensorProto(const Array &array, std::string_view name);

/// By the file's extension.
bool readTensor(const std::string &path, Array &array, std::string &error);
/// As .npy where NumPy has the type, else as .pb, with the extension added.
bool writeTensor(const std::string &stem, std::string_view name,
                 const Array &array, std::string &error);

} // namespace txc::run

#endif // TXC_TOOLS_TXC_RUN_FILES_H
