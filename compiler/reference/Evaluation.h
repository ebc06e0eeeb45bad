//===- Evaluation.h - what the op families share ----------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// The evaluation of one op, private to the reference interpreter. Before a
/// family's function is called the operands have been checked against the op's
/// types at the symbols' values, so it checks only what types don't tell.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_REFERENCE_EVALUATION_H
#define TXC_COMPILER_REFERENCE_EVALUATION_H

#include "compiler/reference/Interpreter.h"
#include "compiler/reference/StridedLoop.h"

namespace txc::reference {

using Results = mlir::FailureOr<llvm::SmallVector<HostTensor>>;

/// A fault that is being reported; always a failure, reported or quiet. (A
/// quiet InFlightDiagnostic itself would convert to success.)
class Fault {
public:
  explicit Fault(mlir::InFlightDiagnostic diagnostic)
      : diagnostic(std::move(diagnostic)) {}

  template <typename T> Fault &&operator<<(T &&part) && {
    diagnostic << std::forward<T>(part);
    return std::move(*this);
  }
  operator llvm::LogicalResult() const { return mlir::failure(); }
  template <typename T> operator mlir::FailureOr<T>() const {
    return mlir::failure();
  }

private:
  mlir::InFlightDiagnostic diagnostic;
};

class Evaluation {
public:
  Evaluation(mlir::Operation *op, llvm::ArrayRef<const HostTensor *> operands,
             const SymbolValues &symbols, EmitFault emitFault)
      : op(op), operands(operands), symbols(symbols), emitFault(emitFault) {}

  Fault fault() const { return Fault(emitFault()); }

  size_t getNumOperands() const { return operands.size(); }
  const HostTensor &operand(unsigned number) const { return *operands[number]; }
  /// An optional operand by its number in the op's definition, or null.
  template <typename OpTy>
  const HostTensor *optionalOperand(OpTy tyOp, unsigned number) const {
    auto [first, count] = tyOp.getODSOperandIndexAndLength(number);
    return count == 0 ? nullptr : operands[first];
  }

  mlir::FailureOr<int64_t> evaluate(tx::SymExprAttr expr) const;
  mlir::FailureOr<llvm::SmallVector<int64_t>>
  evaluate(llvm::ArrayRef<mlir::Attribute> exprs) const;
  mlir::FailureOr<llvm::SmallVector<int64_t>>
  evaluateDims(mlir::Type tensorType) const;

  /// A tensor of zeros for result `number`, of its type's dims.
  mlir::FailureOr<HostTensor> allocateResult(unsigned number = 0) const;
  mlir::FailureOr<HostTensor> allocate(mlir::Type elementType,
                                       llvm::ArrayRef<int64_t> dims) const;
  /// A copy of an operand that may be written.
  mlir::FailureOr<HostTensor> copyOperand(unsigned number) const;

  /// Checks that the operands have their types' element types and dims.
  llvm::LogicalResult checkOperands() const;

private:
  mlir::Operation *op;
  llvm::ArrayRef<const HostTensor *> operands;
  const SymbolValues &symbols;
  EmitFault emitFault;
};

/// The results of an op that has one, or its failure.
inline Results single(mlir::FailureOr<HostTensor> tensor) {
  if (mlir::failed(tensor))
    return mlir::failure();
  llvm::SmallVector<HostTensor> results;
  results.push_back(std::move(*tensor));
  return results;
}

// ElementwiseReference.cpp
Results evaluateElementwise(mlir::Operation *op, const Evaluation &evaluation);

// CastReference.cpp; `result` has the op's type.
Results evaluateCast(tx::CastOp op, const Evaluation &evaluation,
                     HostTensor result);

// MovementReference.cpp
Results evaluate(tx::ConstantOp op, const Evaluation &evaluation);
Results evaluate(tx::SymbolicOp op, const Evaluation &evaluation);
Results evaluate(tx::IotaOp op, const Evaluation &evaluation);
Results evaluate(tx::ReshapeOp op, const Evaluation &evaluation);
Results evaluate(tx::TransposeOp op, const Evaluation &evaluation);
Results evaluate(tx::BroadcastOp op, const Evaluation &evaluation);
Results evaluate(tx::SliceOp op, const Evaluation &evaluation);
Results evaluate(tx::ConcatOp op, const Evaluation &evaluation);
Results evaluate(tx::PadOp op, const Evaluation &evaluation);

// IndexingReference.cpp
Results evaluate(tx::GatherOp op, const Evaluation &evaluation);
Results evaluate(tx::GatherElementsOp op, const Evaluation &evaluation);
Results evaluate(tx::GatherNdOp op, const Evaluation &evaluation);
Results evaluate(tx::ScatterElementsOp op, const Evaluation &evaluation);
Results evaluate(tx::ScatterNdOp op, const Evaluation &evaluation);

// ReductionReference.cpp
Results evaluate(tx::ReduceOp op, const Evaluation &evaluation);

// ScanReference.cpp
Results evaluate(tx::ArgReduceOp op, const Evaluation &evaluation);
Results evaluate(tx::CumsumOp op, const Evaluation &evaluation);
Results evaluate(tx::TopkOp op, const Evaluation &evaluation);
Results evaluate(tx::NonzeroOp op, const Evaluation &evaluation);

// ContractionReference.cpp
Results evaluate(tx::MatmulOp op, const Evaluation &evaluation);

// WindowReference.cpp
Results evaluate(tx::ConvOp op, const Evaluation &evaluation);
Results evaluate(tx::ConvTransposeOp op, const Evaluation &evaluation);
Results evaluate(tx::PoolOp op, const Evaluation &evaluation);

// NormReference.cpp
Results evaluate(tx::LayerNormOp op, const Evaluation &evaluation);
Results evaluate(tx::RmsNormOp op, const Evaluation &evaluation);
Results evaluate(tx::SoftmaxOp op, const Evaluation &evaluation);

// AttentionReference.cpp
Results evaluate(tx::RotaryEmbeddingOp op, const Evaluation &evaluation);
Results evaluate(tx::AttentionOp op, const Evaluation &evaluation);

} // namespace txc::reference

#endif // TXC_COMPILER_REFERENCE_EVALUATION_H
