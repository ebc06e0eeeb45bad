//===- EmitPtxTest.cpp - PTX that ptxas assembles ------------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/codegen/ptx/EmitPtx.h"
#include "compiler/codegen/ptx/GpuKernel.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/Parser/Parser.h"
#include "tools/ptxsim/Half.h"
#include "tools/ptxsim/Launch.h"
#include "tools/ptxsim/LoadedModule.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <cmath>
#include <cstring>

using namespace mlir;
using namespace txc;
using testing::HasSubstr;

namespace {

struct Case {
  /// Of the operands and the residual.
  std::string type;
  /// Of the contraction, which decides how tiles are copied.
  int64_t k;
  unsigned sm;
};

std::string getName(const testing::TestParamInfo<Case> &info) {
  return info.param.type + "_k" + std::to_string(info.param.k) + "_sm" +
         std::to_string(info.param.sm);
}

/// gelu(x W + bias) + residual, M rows.
std::string getModule(const Case &test) {
  std::string text = R"(
    !x = tensor<?xKxT, #tx.dims<[M, K]>>
    !r = tensor<?x96xT, #tx.dims<[M, 96]>>
    func.func @main(%x: !x, %w: tensor<Kx96xT>, %bias: tensor<96xf32>, %residual: !r) -> !r {
      %r = kernel.gemm [#tx.expr<M>, #tx.expr<96>, #tx.expr<K>] (%x : !x, %w : tensor<Kx96xT>)
          ins(%bias, %residual : tensor<96xf32>, !r)
          maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                affine_map<(m, n, k) -> (n)>, affine_map<(m, n, k) -> (m, n)>,
                affine_map<(m, n, k) -> (m, n)>] -> !r {
      ^bb0(%acc: f32, %b: f32, %res: T):
        %half = arith.constant 0.5 : f32
        %one = arith.constant 1.0 : f32
        %root = arith.constant 0.707106769 : f32
        %s = arith.addf %acc, %b : f32
        %t = arith.mulf %s, %root : f32
        %e = math.erf %t : f32
        %p = arith.addf %e, %one : f32
        %h = arith.mulf %s, %half : f32
        %gelu = arith.mulf %h, %p : f32
        ADD
        kernel.yield %y : T
      }
      return %r : !r
    })";
  std::string add = "%y = arith.addf %gelu, %res : f32";
  if (test.type != "f32")
    add = "%wide = arith.extf %res : T to f32\n"
          "%sum = arith.addf %gelu, %wide : f32\n"
          "%y = arith.truncf %sum : f32 to T";
  auto replaceAll = [&](StringRef from, const std::string &to) {
    for (size_t at = 0; (at = text.find(from.str(), at)) != std::string::npos;
         at += to.size())
      text.replace(at, from.size(), to);
  };
  replaceAll("ADD", add);
  replaceAll("xT", "x" + test.type);
  replaceAll(": T", ": " + test.type);
  replaceAll("to T", "to " + test.type);
  replaceAll("xK", "x" + std::to_string(test.k));
  replaceAll("<Kx", "<" + std::to_string(test.k) + "x");
  replaceAll(" K]", " " + std::to_string(test.k) + "]");
  replaceAll("<K>", "<" + std::to_string(test.k) + ">");
  return text;
}

struct PtxKernel : ptx::GpuKernel {
  std::string text;
};

class PtxTest : public testing::Test {
protected:
  PtxTest() {
    DialectRegistry registry;
    ptx::registerPtxDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  FailureOr<PtxKernel> emit(const std::string &text, unsigned sm) {
    module = parseSourceString<ModuleOp>(text, &context);
    if (!module)
      return failure();
    kernel::GemmOp gemm;
    module->walk([&](kernel::GemmOp op) { gemm = op; });
    OwningOpRef<ModuleOp> code = ModuleOp::create(gemm.getLoc());
    FailureOr<ptx::GpuKernel> kernel =
        ptx::addGpuKernel(*code, gemm, sm, "gemm");
    if (failed(kernel))
      return failure();
    FailureOr<std::string> ptx = ptx::emitPtx(*code, sm);
    if (failed(ptx))
      return failure();
    return PtxKernel{std::move(*kernel), std::move(*ptx)};
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

class EmitPtxTest : public PtxTest, public testing::WithParamInterface<Case> {};

INSTANTIATE_TEST_SUITE_P(
    Kernels, EmitPtxTest,
    testing::Values(Case{"f16", 64, 80}, Case{"f16", 64, 90},
                    Case{"f16", 33, 80}, Case{"bf16", 64, 80},
                    Case{"f32", 64, 80}, Case{"f32", 64, 90},
                    Case{"f32", 33, 90}),
    getName);

/// Runs ptxas on PTX; gives what it printed, or an empty string if it failed.
std::string assemble(const std::string &ptxas, const PtxKernel &kernel,
                     unsigned sm) {
  SmallString<128> source, report;
  EXPECT_FALSE(llvm::sys::fs::createTemporaryFile("kernel", "ptx", source));
  EXPECT_FALSE(llvm::sys::fs::createTemporaryFile("ptxas", "txt", report));
  llvm::FileRemover removeSource(source), removeReport(report);
  std::error_code error;
  llvm::raw_fd_ostream(source, error) << kernel.text;
  EXPECT_FALSE(error);
  std::string target = "-arch=sm_" + std::to_string(sm);
  int status = llvm::sys::ExecuteAndWait(
      ptxas, {ptxas, target, "-v", "-o", "/dev/null", source}, std::nullopt,
      {StringRef(), StringRef(report), StringRef(report)});
  auto text = llvm::MemoryBuffer::getFile(report);
  std::string printed = text ? (*text)->getBuffer().str() : std::string();
  EXPECT_EQ(status, 0) << printed;
  return printed;
}

TEST_P(EmitPtxTest, AssemblesWithoutSpills) {
  FailureOr<PtxKernel> kernel = emit(getModule(GetParam()), GetParam().sm);
  ASSERT_TRUE(succeeded(kernel));
  EXPECT_THAT(kernel->text, HasSubstr(".entry gemm("));
  EXPECT_THAT(kernel->text, HasSubstr("mma.sync.aligned.m16n8k"));
  // No function that nothing would define.
  EXPECT_THAT(kernel->text, testing::Not(HasSubstr("\tcall")));
  EXPECT_EQ(kernel->threads, 128);
  ASSERT_EQ(kernel->parameters.size(), 1u);
  EXPECT_EQ(kernel->parameters[0].str(), "M");

  auto ptxas = llvm::sys::findProgramByName("ptxas");
  if (!ptxas)
    ptxas = llvm::sys::findProgramByName("ptxas", {"/usr/local/cuda/bin"});
  if (!ptxas)
    GTEST_SKIP() << "NOT ASSEMBLED: there is no ptxas on PATH nor in "
                    "/usr/local/cuda/bin";
  EXPECT_THAT(assemble(*ptxas, *kernel, GetParam().sm),
              HasSubstr("0 bytes spill stores, 0 bytes spill loads"));
}

/// An array of the test's type in simulated memory, of values that it holds.
/// f32 uses all its bits, which tf32 would not hold.
class DeviceArray {
public:
  DeviceArray(ptxsim::Memory &memory, const std::string &type, int64_t count,
              int seed)
      : type(type), address(memory.allocate(count * getBytes())) {
    for (int64_t i = 0; i < count; ++i) {
      float value = float(int((i * 37 + seed) % 31 - 15)) / 16;
      values.push_back(type == "f32" ? value * 0.987654321f : value);
      set(i, values[i]);
    }
  }
  int64_t getBytes() const { return type == "f32" ? 4 : 2; }
  char *at(int64_t i) const {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the driver's addresses are so.
    return reinterpret_cast<char *>(address) + i * getBytes();
  }
  void set(int64_t i, float value) {
    uint32_t bits = ptxsim::bitCast<uint32_t>(value);
    if (type == "f16")
      bits = ptxsim::toHalf(value).bits;
    else if (type == "bf16")
      bits >>= 16;
    std::memcpy(at(i), &bits, getBytes());
  }
  float get(int64_t i) const {
    uint32_t bits = 0;
    std::memcpy(&bits, at(i), getBytes());
    if (type == "f32")
      return ptxsim::bitCast<float>(bits);
    return type == "f16" ? ptxsim::toFloat(ptxsim::Half{uint16_t(bits)})
                         : ptxsim::toFloat(ptxsim::BFloat{uint16_t(bits)});
  }

  std::string type;
  uint64_t address;
  std::vector<double> values;
};

/// The simulator runs it, with all its checks, in both orders in which copies
/// can arrive, for full tiles and ragged ones.
TEST_P(EmitPtxTest, RunsInTheSimulator) {
  const Case &test = GetParam();
  FailureOr<PtxKernel> kernel = emit(getModule(test), test.sm);
  ASSERT_TRUE(succeeded(kernel));
  constexpr int64_t columns = 96;
  for (int64_t rows : {1, 64, 77}) {
    ptxsim::Memory memory;
    std::string error;
    auto module = ptxsim::LoadedModule::load(kernel->text, memory, error);
    ASSERT_TRUE(module) << error;
    DeviceArray x(memory, test.type, rows * test.k, 1),
        w(memory, test.type, test.k * columns, 5),
        bias(memory, "f32", columns, 9),
        residual(memory, test.type, rows * columns, 3),
        result(memory, test.type, rows * columns, 0);
    for (ptxsim::CopyMode mode :
         {ptxsim::CopyMode::Late, ptxsim::CopyMode::Eager}) {
      ptxsim::LaunchConfig config;
      config.copyMode = mode;
      config.block[0] = kernel->threads;
      // Tiles of 64 x 64.
      config.grid[0] = (rows + 63) / 64;
      config.grid[1] = (columns + 63) / 64;
      for (uint64_t value : {x.address, w.address, bias.address,
                             residual.address, result.address, uint64_t(rows)})
        for (int i = 0; i < 64; i += 8)
          config.parameters.push_back(uint8_t(value >> i));
      ptxsim::Fault fault;
      ptxsim::launch(*module->getKernels()[0], config, memory, nullptr, fault);
      ASSERT_FALSE(fault) << fault.format();
      for (int64_t m = 0; m < rows; ++m)
        for (int64_t n = 0; n < columns; ++n) {
          double sum = bias.values[n], size = 1;
          for (int64_t k = 0; k < test.k; ++k) {
            double term = x.values[m * test.k + k] * w.values[k * columns + n];
            sum += term;
            size += std::fabs(term);
          }
          double expected = 0.5 * sum * (1 + std::erf(sum / std::sqrt(2.0))) +
                            residual.values[m * columns + n];
          // The result's rounding, and the f32 sums and GELU before it.
          double rounding = test.type == "f16"    ? 0x1p-11
                            : test.type == "bf16" ? 0x1p-8
                                                  : 0;
          double bound = rounding * std::fabs(expected) + size * 0x1p-20;
          ASSERT_NEAR(result.get(m * columns + n), expected, bound)
              << "at " << m << ", " << n << " of " << rows;
        }
    }
  }
}

/// A function that has no code on a GPU is refused, not left to the linker.
TEST_F(PtxTest, RefusesUnknownFunctions) {
  std::string message;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    message += diagnostic.str();
    return success();
  });
  std::string text = getModule({"f32", 64, 80});
  size_t at = text.find("math.erf");
  text.replace(at, 8, "math.tan");
  EXPECT_TRUE(failed(emit(text, 80)));
  EXPECT_THAT(message, HasSubstr("a GPU kernel has no code for math.tan"));
}

TEST_F(PtxTest, RefusesUnknownGpus) {
  std::string message;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    message += diagnostic.str();
    return success();
  });
  EXPECT_TRUE(failed(emit(getModule({"f32", 64, 80}), 85)));
  EXPECT_THAT(message, HasSubstr("does not know sm_85"));
}

} // namespace
