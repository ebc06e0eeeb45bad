//===- KernelAttrs.td - enums of the kernel dialect --------*- tablegen -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_DIALECTS_KERNEL_KERNELATTRS_TD
#define TXC_DIALECTS_KERNEL_KERNELATTRS_TD

include "dialects/kernel/KernelDialect.td"
include "mlir/IR/EnumAttr.td"

class Kernel_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::txc::kernel";
  let genSpecializedAttr = 0;
}

// sum, prod, max, min on floats and signed integers; umax, umin on unsigned
// ones; and, or on i1.
def Kernel_Combine : Kernel_Enum<"Combine", "how kernel.reduce combines", [
  I32EnumAttrCase<"sum", 0>, I32EnumAttrCase<"prod", 1>,
  I32EnumAttrCase<"max", 2>, I32EnumAttrCase<"min", 3>,
  I32EnumAttrCase<"umax", 4>, I32EnumAttrCase<"umin", 5>]>;
def Kernel_CombineAttr : EnumAttr<Kernel_Dialect, Kernel_Combine, "combine">;

// The numbers are those of txc_fault_code in runtime/abi.h.
def Kernel_Fault : Kernel_Enum<"Fault", "why a run fails", [
  I32EnumAttrCase<"index_out_of_range", 1>,
  I32EnumAttrCase<"division_by_zero", 2>]>;
def Kernel_FaultAttr : EnumAttr<Kernel_Dialect, Kernel_Fault, "fault">;

// How a gemm multiplies f32 by a weight that is stored narrower.
def Kernel_Precision : Kernel_Enum<"Precision", "what a gemm makes of its f32 operand", [
  I32EnumAttrCase<"bf16", 0>, I32EnumAttrCase<"int8", 1>]>;
def Kernel_PrecisionAttr : EnumAttr<Kernel_Dialect, Kernel_Precision, "precision">;

#endif // TXC_DIALECTS_KERNEL_KERNELATTRS_TD
