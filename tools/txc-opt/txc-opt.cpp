//===- txc-opt.cpp - mlir-opt with txc's dialects and passes -------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/kernel/Kernel.h"
#include "dialects/pack/Pack.h"
#include "dialects/tx/Tx.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "passes/graph/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllPasses();
  txc::registerGraphPasses();
  registry.insert<txc::kernel::KernelDialect, txc::pack::PackDialect,
                  txc::tx::TxDialect>();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "txc's optimizer driver\n", registry));
}
