//===- Gemm.h - Matrix products for x86 -------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Generates C[b,m,n] = Σ_k A[b,m,k] · B[b,k,n] as loops over a range of tasks.
///
/// Blocking follows Goto and van de Geijn, "Anatomy of High-Performance Matrix
/// Multiplication" (2008), with one difference: k is rarely split, since a
/// panel of thousands of steps still streams from L2 fast enough, and not
/// splitting it saves the traffic of partial sums.
///
/// A is f32 in memory. With a type other than f32 its rows are converted while
/// they are packed: rounded to bf16, or quantized to i8 row by row, as
/// kernel.gemm says for its precisions. Or A is bf16 or bytes, which are
/// multiplied as they are. Packed weights of an f32 schedule may be i8, f16 or
/// bf16.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_CODEGEN_X86_GEMM_H
#define TXC_COMPILER_CODEGEN_X86_GEMM_H

#include "compiler/codegen/x86/GemmSchedule.h"
#include "compiler/codegen/x86/StridedOperand.h"
#include "mlir/IR/Builders.h"

namespace txc::x86 {

/// Consumes a vector of sums, C[b, m, n … n + lanes - 1], f32 or, of bytes,
/// i32. \p b is the linear index of the batch dims. \p mask is null when all
/// lanes are inside C, else a vector of i1; lanes outside it have no meaning
/// and must not be stored. Called once or twice while generating: what it emits
/// runs for every vector.
using GemmStore = llvm::function_ref<void(
    mlir::OpBuilder &builder, mlir::Location loc, mlir::Value sums,
    mlir::Value b, mlir::Value m, mlir::Value n, mlir::Value mask)>;

/// Fetches to L2 what GemmStore will write, or read besides, from
/// C[b, m, n] on: one line. Never outside the rows of C, but \p n may be.
using GemmFetch =
    llvm::function_ref<void(mlir::OpBuilder &builder, mlir::Location loc,
                            mlir::Value b, mlir::Value m, mlir::Value n)>;

/// The shift of panels of i8: their sums count once for each unit of a row's
/// zero. Targets that don't need them skip them, so that all have one layout.
constexpr int64_t i8PanelShift = 1;

/// What A is in memory: f32, or what is multiplied. bf16 lie in a buffer of
/// i16.
enum class LeftNumbers { Floats, Bf16, SignedBytes, UnsignedBytes };

struct GemmSpec {
  VectorTarget target;
  /// Has the type that is multiplied.
  GemmSchedule schedule;
  /// Any number of batch dims, and M ≥ 0, N ≥ 0, K ≥ 0; K = 0 gives zeros. If
  /// a bound of K was assumed by the schedule, it must hold.
  llvm::SmallVector<mlir::OpFoldResult> batch;
  mlir::OpFoldResult m, n, k;
  /// Strides: batch dims…, m, k. Rows with a k stride of 1 are packed by
  /// vector transposes, with an m stride of 1 by vector copies, others element
  /// by element.
  StridedOperand a;
  /// Strides: batch dims…, k, n; or batch dims… alone when packed.
  StridedOperand b;
  /// B is packed weights: for each batch [ceil(N / 16)][ceil(K / depth)][16]
  /// words of `depth` numbers, zeros after the last column and row. Panels of
  /// i8 begin with 16 sums: pack.panels with the shift i8PanelShift.
  bool bIsPacked = false;
  GemmStore store;
  /// May be null.
  GemmFetch fetch = nullptr;
  /// bf16 and bytes only with a schedule for them.
  LeftNumbers leftNumbers = LeftNumbers::Floats;
  /// What the numbers of packed weights are if an f32 schedule has to convert
  /// them (becomesF32()); the buffer may call f16 and bf16 integers. Null: f32.
  mlir::Type narrowB = nullptr;
};

/// The number of tasks: batch · blocks of rows (see GemmSchedule::MC) ·
/// ceil(N / NC). Tasks are independent. Consecutive ones share rows of A, so
/// give each worker a contiguous range.
mlir::Value emitGemmTaskCount(mlir::OpBuilder &builder, mlir::Location loc,
                              const GemmSchedule &schedule,
                              llvm::ArrayRef<mlir::OpFoldResult> batch,
                              mlir::OpFoldResult m, mlir::OpFoldResult n);

/// Emits the tasks \p taskBegin ≤ t < \p taskEnd (index values). \p scratch is
/// a memref<?xi8> of gemmScratchBytes(), 64-byte aligned, private to the
/// worker; its contents mean nothing before and after. The insertion point must
/// be inside a symbol table that may be given private functions: microkernels
/// are shared between all kernels in it. Fails with a diagnostic for operands
/// that can't be multiplied.
mlir::LogicalResult emitGemmTasks(mlir::OpBuilder &builder, mlir::Location loc,
                                  const GemmSpec &spec, mlir::Value taskBegin,
                                  mlir::Value taskEnd, mlir::Value scratch);

} // namespace txc::x86

#endif // TXC_COMPILER_CODEGEN_X86_GEMM_H
