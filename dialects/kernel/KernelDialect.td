//===- KernelDialect.td - the kernel dialect ---------------*- tablegen -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_DIALECTS_KERNEL_KERNELDIALECT_TD
#define TXC_DIALECTS_KERNEL_KERNELDIALECT_TD

include "mlir/IR/OpBase.td"

def Kernel_Dialect : Dialect {
  let name = "kernel";
  let cppNamespace = "::txc::kernel";
  let summary = "One op is one phase of the program: a launch on a GPU";
  let description = [{
    A phase op works on an *iteration space*: `sizes` gives one expression a
    dim. Each operand and result has an affine map from the iteration dims to
    its element, which is how transposes, slices, broadcasts and head splits cost
    nothing. Operands are whole row-major tensors (or a stored `!pack.tensor`);
    a `tx.reshape` between phases renames the dims of a buffer.

    A body is scalar: it says what becomes of one point of the iteration space.
    Vector lanes of a CPU and fragments of a GPU apply the same body. Besides
    `arith` and `math`, a body holds only the ops of `KernelBodyOps.td`.
  }];
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::txc::tx::TxDialect", "::txc::pack::PackDialect"];
}

class Kernel_Op<string mnemonic, list<Trait> traits = []>
    : Op<Kernel_Dialect, mnemonic, traits>;

#endif // TXC_DIALECTS_KERNEL_KERNELDIALECT_TD
