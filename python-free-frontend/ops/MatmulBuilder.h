//===- MatmulBuilder.h - NumPy's matmul for builders ------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_PYTHON_FREE_FRONTEND_OPS_MATMULBUILDER_H
#define TXC_PYTHON_FREE_FRONTEND_OPS_MATMULBUILDER_H

#include "python-free-frontend/NodeContext.h"

namespace txc::frontend {

/// `numpy.matmul`: vectors are promoted, batch dims broadcast, inner dims are
/// unified. Null for a null operand or when the shapes don't fit.
mlir::Value createMatmul(NodeContext &context, mlir::Value lhs,
                         mlir::Value rhs);

/// ONNX's Gemm of operands 0, 1 and, if it is there, 2, by the attributes
/// alpha, beta, transA and transB. Null after an error.
mlir::Value createGemm(NodeContext &context);

} // namespace txc::frontend

#endif // TXC_PYTHON_FREE_FRONTEND_OPS_MATMULBUILDER_H
