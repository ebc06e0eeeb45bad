//===- Harness.h - Runs a few lines of PTX ----------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
///
/// \file
/// One warp runs some instructions between loads of its inputs and stores of
/// its outputs. Expected values are the tests' own arithmetic.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TEST_UNIT_PTXSIM_HARNESS_H
#define TXC_TEST_UNIT_PTXSIM_HARNESS_H

#include "tools/ptxsim/Launch.h"
#include "tools/ptxsim/LoadedModule.h"
#include "gtest/gtest.h"
#include <cstring>

namespace ptxsim::test {

/// A 64-bit value for each lane.
using Lanes = std::vector<uint64_t>;

template <typename To, typename From> To castBits(From from) {
  To to = 0;
  std::memcpy(&to, &from, std::min(sizeof(To), sizeof(From)));
  return to;
}
inline uint64_t bits(float value) { return castBits<uint32_t>(value); }
inline uint64_t bits(double value) { return castBits<uint64_t>(value); }
inline float asFloat(uint64_t value) {
  return castBits<float>(static_cast<uint32_t>(value));
}
inline double asDouble(uint64_t value) { return castBits<double>(value); }

/// Device memory, with arrays that tests look into.
class Device {
public:
  template <typename T> T *allocate(size_t count, const T *from = nullptr) {
    auto *pointer = reinterpret_cast<T *>(memory.allocate(count * sizeof(T)));
    if (from)
      std::memcpy(pointer, from, count * sizeof(T));
    return pointer;
  }
  Memory memory;
};

/// Parameters of a kernel, each at its place.
class Parameters {
public:
  template <typename T> Parameters &add(T value) {
    size_t offset = (bytes.size() + sizeof(T) - 1) / sizeof(T) * sizeof(T);
    bytes.resize(offset + sizeof(T));
    std::memcpy(bytes.data() + offset, &value, sizeof(T));
    return *this;
  }
  std::vector<uint8_t> bytes;
};

/// The lines of `text`, with a header.
inline std::string makeModule(const std::string &text) {
  return ".version 8.6\n.target sm_90a\n.address_size 64\n" + text;
}

/// The fault of a launch of the module's first kernel.
inline Fault runKernel(Device &device, const std::string &text,
                       LaunchConfig config, Counters *counters = nullptr) {
  std::string error;
  auto module = LoadedModule::load(text, device.memory, error);
  EXPECT_TRUE(module) << error << "\n" << text;
  Fault fault;
  if (module && !module->getKernels().empty())
    launch(*module->getKernels()[0], config, device.memory, counters, fault);
  return fault;
}

/// What `text` is refused for.
inline std::string getError(const std::string &text) {
  Device device;
  std::string error;
  LoadedModule::load(text, device.memory, error);
  return error;
}

/// Registers of a snippet: %h0-9 b16, %r0-19 b32, %f0-19 f32, %d0-9 f64, %l0-9
/// b64, %p0-9. Inputs are loaded to the registers that are named, outputs
/// stored from them, by all 32 lanes.
struct Snippet {
  std::string code;
  std::vector<std::pair<std::string, Lanes>> inputs;
  std::vector<std::string> outputs;

  static int getBytes(const std::string &name) {
    return name[1] == 'h' ? 2 : name[1] == 'd' || name[1] == 'l' ? 8 : 4;
  }
  std::string getText() const {
    std::string text = makeModule(".visible .entry k(.param .u64 in, .param "
                                  ".u64 out) {\n"
                                  ".reg .b16 %h<10>; .reg .b32 %r<20>; .reg "
                                  ".f32 %f<20>; .reg .f64 %d<10>; .reg .b64 "
                                  "%l<10>; .reg .pred %p<10>;\n"
                                  ".reg .b64 %at, %to; .reg .b32 %lane;\n"
                                  "mov.u32 %lane, %tid.x;\n"
                                  "ld.param.u64 %at, [in];\n"
                                  "ld.param.u64 %to, [out];\n"
                                  "mad.wide.u32 %at, %lane, 8, %at;\n"
                                  "mad.wide.u32 %to, %lane, 8, %to;\n");
    int number = 0;
    for (auto &[name, values] : inputs)
      text += "ld.global.b" + std::to_string(getBytes(name) * 8) + " " + name +
              ", [%at+" + std::to_string(256 * number++) + "];\n";
    text += code + "\n";
    number = 0;
    for (const std::string &name : outputs) {
      std::string place = "[%to+" + std::to_string(256 * number++) + "]";
      if (name[1] == 'p')
        text += "selp.b32 %r19, 1, 0, " + name + ";\nst.global.b32 " + place +
                ", %r19;\n";
      else
        text += "st.global.b" + std::to_string(getBytes(name) * 8) + " " +
                place + ", " + name + ";\n";
    }
    return text + "ret;\n}\n";
  }
  /// One for each output.
  std::vector<Lanes> run() const {
    Device device;
    auto *in = device.allocate<uint64_t>(32 * (inputs.size() + 1));
    auto *out = device.allocate<uint64_t>(32 * (outputs.size() + 1));
    std::memset(out, 0, 256 * outputs.size());
    for (size_t i = 0; i < inputs.size(); ++i)
      for (size_t lane = 0; lane < 32; ++lane)
        in[i * 32 + lane] = inputs[i].second[lane % inputs[i].second.size()];
    LaunchConfig config;
    config.block[0] = 32;
    config.parameters = Parameters().add(in).add(out).bytes;
    Fault fault = runKernel(device, getText(), config);
    EXPECT_FALSE(fault) << fault.format();
    std::vector<Lanes> results;
    for (size_t i = 0; i < outputs.size(); ++i)
      results.emplace_back(out + i * 32, out + i * 32 + 32);
    return results;
  }
};

/// `code` reads %X1, %X2 … of the inputs' kind and writes %X0, or %p0 or
/// another that `to` names.
inline Lanes run(const std::string &code,
                 const std::vector<std::pair<std::string, Lanes>> &inputs,
                 const std::string &to) {
  return Snippet{code, inputs, {to}}.run()[0];
}

} // namespace ptxsim::test

#endif // TXC_TEST_UNIT_PTXSIM_HARNESS_H
