//===- Kernel.h - the kernel dialect ---------------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef TXC_DIALECTS_KERNEL_KERNEL_H
#define TXC_DIALECTS_KERNEL_KERNEL_H

#include "dialects/pack/Pack.h"
#include "dialects/tx/Tx.h"
#include "mlir/IR/AffineMap.h"

#include "dialects/kernel/KernelDialect.h.inc"
#include "dialects/kernel/KernelEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/kernel/KernelAttrs.h.inc"
#include "dialects/kernel/KernelInterfaces.h.inc"
#define GET_OP_CLASSES
#include "dialects/kernel/KernelOps.h.inc"

#endif // TXC_DIALECTS_KERNEL_KERNEL_H
