//===- NestReference.h - loop nests by their definition --------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Evaluates kernel.map, kernel.rows and kernel.gemm point by point, in double
/// precision with error bounds, from the text of KernelOps.td and nothing that
/// the code generator does.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TEST_UNIT_CODEGEN_NESTREFERENCE_H
#define TXC_TEST_UNIT_CODEGEN_NESTREFERENCE_H

#include "dialects/kernel/Kernel.h"
#include "test/unit/codegen/BoundedNumber.h"
#include "test/unit/codegen/PhaseHarness.h"

namespace txc::test {

/// A tensor as numbers.
struct NumberTensor {
  std::vector<int64_t> dims;
  std::vector<BoundedNumber> elements;
};

/// Results of the phase. \p faults counts failing checks.
std::vector<NumberTensor> evaluatePhase(mlir::Operation *phase,
                                        llvm::ArrayRef<NumberTensor> operands,
                                        const Symbols &symbols, int &faults);

/// The same for kernel.attention (AttentionReference.cpp).
NumberTensor evaluateAttention(kernel::AttentionOp op,
                               llvm::ArrayRef<NumberTensor> operands,
                               const Symbols &symbols);

/// The element of a row-major tensor at \p map's value at \p point.
int64_t getMappedElement(mlir::AffineMap map, llvm::ArrayRef<int64_t> dims,
                         llvm::ArrayRef<int64_t> point,
                         llvm::ArrayRef<int64_t> symbolValues);

std::vector<int64_t> evaluateExprs(mlir::ArrayAttr exprs,
                                   const Symbols &symbols);

/// The dims of a tensor or stored tensor.
std::vector<int64_t> evaluateDims(mlir::Type type, const Symbols &symbols);

/// The bytes of a tensor of \p type (in panels if it is stored so).
std::unique_ptr<Buffer> encode(mlir::Type type, const NumberTensor &tensor,
                               Guard guard = Guard::Back);
/// The elements of a tensor of \p type.
NumberTensor decode(mlir::RankedTensorType type, const Buffer &buffer,
                    const Symbols &symbols);

} // namespace txc::test

#endif // TXC_TEST_UNIT_CODEGEN_NESTREFERENCE_H
