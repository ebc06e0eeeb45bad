//===- CodeBuilder.h - Short names for what kernels emit --------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// A thin layer over OpBuilder for the x86 generators: index arithmetic that
/// folds, raw pointers, loops and vectors. Generators address memory by
/// llvm.ptr, since memref descriptors cost registers in inner loops.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_X86_CODEBUILDER_H
#define TXC_COMPILER_CODEGEN_X86_CODEBUILDER_H

#include "compiler/codegen/x86/StridedOperand.h"
#include "compiler/targets/VectorTarget.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"

namespace txc::x86 {

/// Sizes and subscripts are of index type, in elements.
class CodeBuilder {
public:
  CodeBuilder(mlir::OpBuilder &builder, mlir::Location loc,
              const VectorTarget &target)
      : builder(builder), loc(loc), target(target) {}

  mlir::OpBuilder &builder;
  mlir::Location loc;
  const VectorTarget &target;

  mlir::MLIRContext *context() const { return builder.getContext(); }
  mlir::Type ptrType() const;
  mlir::Type indexType() const { return builder.getIndexType(); }
  mlir::VectorType vectorOf(mlir::Type element) const;

  // Index arithmetic. All of it folds constants.
  mlir::Value index(int64_t value);
  mlir::Value index(mlir::OpFoldResult value);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value sub(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value min(mlir::Value a, mlir::Value b);
  mlir::Value max(mlir::Value a, mlir::Value b);
  mlir::Value add(mlir::Value a, int64_t b) { return add(a, index(b)); }
  mlir::Value sub(mlir::Value a, int64_t b) { return sub(a, index(b)); }
  mlir::Value mul(mlir::Value a, int64_t b) { return mul(a, index(b)); }
  mlir::Value min(mlir::Value a, int64_t b) { return min(a, index(b)); }
  mlir::Value max(mlir::Value a, int64_t b) { return max(a, index(b)); }
  /// For non-negative operands.
  mlir::Value div(mlir::Value a, mlir::Value b);
  mlir::Value rem(mlir::Value a, mlir::Value b);
  mlir::Value ceilDiv(mlir::Value a, mlir::Value b);
  mlir::Value ceilDiv(mlir::Value a, int64_t b) { return ceilDiv(a, index(b)); }
  mlir::Value roundUp(mlir::Value a, int64_t multiple);
  mlir::Value roundDown(mlir::Value a, int64_t multiple);
  mlir::Value compare(mlir::arith::CmpIPredicate predicate, mlir::Value a,
                      mlir::Value b);
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b);

  // Memory.
  /// The address of \p buffer[0] as a raw pointer.
  mlir::Value pointerTo(mlir::Value buffer);
  /// The address of element [subscripts...] of \p operand; there may be fewer
  /// subscripts than strides, the rest are zero.
  mlir::Value pointerTo(const StridedOperand &operand,
                        mlir::ValueRange subscripts);
  mlir::Value advance(mlir::Value pointer, mlir::Value elements,
                      mlir::Type element);
  mlir::Value advance(mlir::Value pointer, int64_t elements,
                      mlir::Type element);
  /// Loads and stores assume no more than the element's own alignment.
  mlir::Value load(mlir::Type type, mlir::Value pointer);
  void store(mlir::Value value, mlir::Value pointer);
  /// Lanes outside \p mask are zero and their memory isn't touched.
  mlir::Value maskedLoad(mlir::VectorType type, mlir::Value pointer,
                         mlir::Value mask);
  void maskedStore(mlir::Value value, mlir::Value pointer, mlir::Value mask);
  /// Fetches the line at \p pointer into cache \p level, 1 or 2; any address is
  /// allowed.
  void prefetch(mlir::Value pointer, int level = 1);
  /// Accesses before it stay before those after it; no instruction.
  void keepOrder();

  // Values.
  /// \p value in every lane of \p type, which may be scalar.
  mlir::Value constant(mlir::Type type, double value);
  mlir::Value splat(mlir::Value scalar, mlir::VectorType type);
  /// a * b + c, in one rounding where the target has it.
  mlir::Value fma(mlir::Value a, mlir::Value b, mlir::Value c);
  /// A mask of the first \p count lanes of \p type; all for larger counts, none
  /// for negative ones.
  mlir::Value firstLanes(mlir::VectorType type, mlir::Value count);

  // Control flow. Bodies emit through this same builder.
  using LoopBody = llvm::function_ref<llvm::SmallVector<mlir::Value>(
      mlir::Value iv, mlir::ValueRange carried)>;
  llvm::SmallVector<mlir::Value> loop(mlir::Value begin, mlir::Value end,
                                      int64_t step, mlir::ValueRange init,
                                      LoopBody body);
  void loop(mlir::Value begin, mlir::Value end, int64_t step,
            llvm::function_ref<void(mlir::Value iv)> body);
  void ifThen(mlir::Value condition, llvm::function_ref<void()> body);
  void ifThenElse(mlir::Value condition, llvm::function_ref<void()> thenBody,
                  llvm::function_ref<void()> elseBody);

  /// The private function \p name of the enclosing symbol table, made by \p
  /// body when it isn't there yet. Its name must determine its body. LLVM keeps
  /// it out of line, so that all kernels of a module share one copy.
  mlir::func::FuncOp
  getOrCreateFunction(llvm::StringRef name, mlir::TypeRange arguments,
                      llvm::function_ref<void(mlir::ValueRange)> body);
  void call(mlir::func::FuncOp callee, mlir::ValueRange arguments);
};

/// The value of \p dim if it is known while compiling.
std::optional<int64_t> staticValue(mlir::OpFoldResult dim);

/// Whether \p dim is known to be 1 while compiling.
bool isStaticOne(mlir::OpFoldResult dim);

} // namespace txc::x86

#endif // TXC_COMPILER_CODEGEN_X86_CODEBUILDER_H
