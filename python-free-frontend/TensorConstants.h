//===- TensorConstants.h - ONNX tensors as attributes -----------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Element types and small tensors of ONNX in MLIR's terms: signed integers are
/// signless, unsigned ones `uiN`, booleans `i1`.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PYTHON_FREE_FRONTEND_TENSORCONSTANTS_H
#define TXC_PYTHON_FREE_FRONTEND_TENSORCONSTANTS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "python-free-frontend/onnx-file/OnnxFile.h"

namespace txc::frontend {

/// Null for what tensors of `tx` can't hold: strings, complex numbers, f6.
mlir::Type getElementType(mlir::MLIRContext *context, onnx::ElementType type);

/// The attribute with the elements of a tensor; \p type has its shape.
mlir::DenseElementsAttr getElements(mlir::RankedTensorType type,
                                    const onnx::TensorData &data);

} // namespace txc::frontend

#endif // TXC_PYTHON_FREE_FRONTEND_TENSORCONSTANTS_H
