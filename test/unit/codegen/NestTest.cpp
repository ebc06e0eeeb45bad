#include "test/unit/codegen/PhaseHarness.h"
#include "gtest/gtest.h"
using namespace txc::test;
TEST(Nest, Map) {
  for (const TestCpu &cpu : testCpus()) {
    auto program = PhaseProgram::parse(R"(
func.func @main(%a: tensor<?x37xf32, #tx.dims<[N, 37]>>, %b: tensor<37xf32>) -> tensor<?x37xf32, #tx.dims<[N, 37]>> {
  %r = kernel.map [#tx.expr<N>, #tx.expr<37>] ins(%a, %b : tensor<?x37xf32, #tx.dims<[N, 37]>>, tensor<37xf32>)
    maps [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (m, n)>]
    -> tensor<?x37xf32, #tx.dims<[N, 37]>> {
  ^bb0(%x: f32, %y: f32):
    %s = arith.addf %x, %y : f32
    kernel.yield %s : f32
  }
  return %r : tensor<?x37xf32, #tx.dims<[N, 37]>>
})");
    ASSERT_TRUE(bool(program)) << llvm::toString(program.takeError());
    auto phase = CompiledPhase::create(**program, cpu);
    ASSERT_TRUE(bool(phase)) << llvm::toString(phase.takeError());
    if (!cpu.canRun) continue;
    Buffer a(4 * 37 * 5), b(4 * 37), r(4 * 37 * 5);
    float *af = (float *)a.data(), *bf = (float *)b.data(), *rf = (float *)r.data();
    for (int i = 0; i < 37 * 5; ++i) af[i] = i;
    for (int i = 0; i < 37; ++i) bf[i] = 1000 * i;
    (*phase)->run({&a, &b}, {&r}, {{"N", 5}});
    for (int i = 0; i < 37 * 5; ++i)
      ASSERT_EQ(rf[i], i + 1000 * (i % 37));
  }
}
