//===- NestBuilder.h - assembling kernel.map and kernel.rows ---*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Builds a loop-nest phase from its iteration sizes, its operands (which may
/// be views) and a body. Also what the lowerings of gemm and attention share:
/// operands with maps over one list of symbols.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_PASSES_LOWER_NESTBUILDER_H
#define TXC_PASSES_LOWER_NESTBUILDER_H

#include "dialects/kernel/Kernel.h"
#include "passes/lower/Access.h"

namespace txc {

/// The signless type of a tensor's elements, as bodies compute with.
mlir::Type getScalarType(mlir::Value tensor);

/// Operands with affine maps from a common iteration space, symbols merged.
class MappedOperands {
public:
  MappedOperands(mlir::MLIRContext *context, unsigned numDims)
      : context(context), numDims(numDims) {}

  /// Adds the element of `tensor` at `map` (iteration dims to tensor dims, no
  /// symbols), looking through views. Returns the tensor actually read.
  mlir::Value add(mlir::Value tensor, mlir::AffineMap map);
  /// Adds a map of something that is no view (a result).
  void addDirect(mlir::AffineMap map) { maps.push_back(map); }

  mlir::ArrayAttr getMaps() const;
  mlir::ArrayAttr getSymbols() const;

private:
  mlir::MLIRContext *context;
  unsigned numDims;
  llvm::SmallVector<mlir::AffineMap> maps;
  llvm::SmallVector<tx::SymExprAttr> symbols;
};

class NestBuilder {
public:
  /// The last `numRowDims` of `sizes` form the row; 0 makes a kernel.map.
  NestBuilder(mlir::OpBuilder &builder, mlir::Location loc,
              llvm::ArrayRef<tx::SymExprAttr> sizes, unsigned numRowDims = 0);

  /// Adds an input read at `map` (default: its dims are the last iteration
  /// dims, broadcast as in NumPy) and returns its number among the scalars.
  /// Splat constants become constants of the body.
  unsigned addInput(mlir::Value tensor, mlir::AffineMap map = {});

  /// Adds a tensor that the body reads at computed indices.
  unsigned addTable(mlir::Value tensor);

  /// Adds a result (default map: identity).
  void addResult(mlir::RankedTensorType type, mlir::AffineMap map = {});

  /// What a body sees.
  class Body {
  public:
    Body(mlir::OpBuilder &builder, mlir::Location loc,
         llvm::ArrayRef<mlir::Value> scalars, llvm::ArrayRef<Access> tables,
         llvm::ArrayRef<mlir::Value> tableArguments)
        : b(builder), loc(loc), scalars(scalars), tables(tables),
          tableArguments(tableArguments) {}

    mlir::OpBuilder &b;
    mlir::Location loc;
    llvm::ArrayRef<mlir::Value> scalars;

    mlir::Value index(unsigned dim) const;
    mlir::Value size(tx::SymExprAttr expr) const;
    mlir::Value constant(mlir::Type type, double value) const;
    mlir::Value constantIndex(int64_t value) const;
    /// An element of a table at indices of its own dims (views resolved).
    mlir::Value fetch(unsigned table,
                      llvm::ArrayRef<mlir::Value> indices) const;
    mlir::Value reduce(kernel::Combine kind, mlir::Value value) const;
    /// An ONNX index in [-size, size) as an index in [0, size); others fault.
    mlir::Value checkedIndex(mlir::Value index, mlir::Value size) const;

  private:
    llvm::ArrayRef<Access> tables;
    llvm::ArrayRef<mlir::Value> tableArguments;
  };

  /// Builds the op; `body` returns one value per result.
  mlir::Operation *
  build(llvm::function_ref<llvm::SmallVector<mlir::Value>(const Body &)> body);

private:
  mlir::OpBuilder &builder;
  mlir::Location loc;
  llvm::SmallVector<tx::SymExprAttr> sizes;
  unsigned numRowDims;
  MappedOperands operands;
  llvm::SmallVector<mlir::Value> inputs;
  /// One a scalar: a constant, or null for the next input's block argument.
  llvm::SmallVector<mlir::TypedAttr> splats;
  llvm::SmallVector<Access> tables;
  llvm::SmallVector<mlir::RankedTensorType> resultTypes;
  llvm::SmallVector<mlir::AffineMap> resultMaps;
};

/// Half precision is summed in f32.
mlir::Type getSumType(mlir::Type element);
mlir::Value widen(const NestBuilder::Body &body, mlir::Value x);
mlir::Value narrowTo(const NestBuilder::Body &body, mlir::Type type,
                     mlir::Value x);

} // namespace txc

#endif // TXC_PASSES_LOWER_NESTBUILDER_H
