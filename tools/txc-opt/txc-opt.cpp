//===- txc-opt.cpp - mlir-opt with txc's dialects and passes -------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/ptx/GemmToWarp.h"
#include "compiler/codegen/ptx/WarpToNvvm.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/pack/Pack.h"
#include "dialects/tx/Tx.h"
#include "dialects/warp/Warp.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "passes/attention/CacheToState.h"
#include "passes/attention/DropPadding.h"
#include "passes/fuse/Fuse.h"
#include "passes/graph/Passes.h"
#include "passes/layout/ChooseLayouts.h"
#include "passes/layout/MergeMatmuls.h"
#include "passes/layout/OutlineWeights.h"
#include "passes/lower/LowerToKernel.h"
#include "passes/precision/NarrowActivations.h"
#include "passes/precision/ReducePrecision.h"
#include "passes/precision/SmoothChannels.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllPasses();
  txc::registerGraphPasses();
  mlir::registerPass(txc::createCacheToStatePass);
  mlir::registerPass([] { return txc::createDropPaddingPass(); });
  mlir::registerPass(txc::createMergeMatmulsPass);
  mlir::registerPass(txc::createOutlineWeightsPass);
  mlir::registerPass(txc::createLowerToKernelPass);
  mlir::registerPass(txc::createChooseLayoutsPass);
  mlir::registerPass([] { return txc::createFusePass(); });
  mlir::registerPass([] { return txc::createReducePrecisionPass(); });
  mlir::registerPass([] { return txc::createKeepPrecisionPass(); });
  mlir::registerPass(txc::createNarrowActivationsPass);
  mlir::registerPass(txc::createTapChannelsPass);
  mlir::registerPass([] { return txc::createSmoothChannelsPass(); });
  mlir::registerPass([] { return txc::ptx::createGemmToWarpPass(); });
  mlir::registerPass(txc::createWarpToNvvmPass);
  registry.insert<txc::kernel::KernelDialect, txc::pack::PackDialect,
                  txc::tx::TxDialect, txc::warp::WarpDialect>();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "txc's optimizer driver\n", registry));
}
