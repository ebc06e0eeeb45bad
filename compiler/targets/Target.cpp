//===- Target.cpp - The machine a model is compiled for ---------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Parsing of `-target=` and the way from a target to LLVM's code generator.
///
//===----------------------------------------------------------------------===//

#include "compiler/targets/Target.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/Threading.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/TargetParser/Host.h"

#include <algorithm>
#include <optional>

using namespace llvm;
using namespace txc;

/// The extensions whose instructions LLVM's x86 code generator may choose by
/// itself or that kernels reach through intrinsics. Left out are those of plain
/// x86-64 and those that only privileged or special-purpose code asks for.
static constexpr StringLiteral instructionSets[] = {"sse3",
                                                    "ssse3",
                                                    "sse4.1",
                                                    "sse4.2",
                                                    "crc32",
                                                    "popcnt",
                                                    "cx16",
                                                    "sahf",
                                                    "sse4a",
                                                    "movbe",
                                                    "lzcnt",
                                                    "bmi",
                                                    "bmi2",
                                                    "tbm",
                                                    "adx",
                                                    "aes",
                                                    "pclmul",
                                                    "sha",
                                                    "avx",
                                                    "f16c",
                                                    "fma",
                                                    "fma4",
                                                    "xop",
                                                    "avx2",
                                                    "vaes",
                                                    "vpclmulqdq",
                                                    "gfni",
                                                    "avxvnni",
                                                    "avxvnniint8",
                                                    "avxifma",
                                                    "avxneconvert",
                                                    "avxvnniint16",
                                                    "avx512f",
                                                    "avx512cd",
                                                    "avx512dq",
                                                    "avx512bw",
                                                    "avx512vl",
                                                    "avx512ifma",
                                                    "avx512vbmi",
                                                    "avx512vbmi2",
                                                    "avx512bitalg",
                                                    "avx512vnni",
                                                    "avx512vpopcntdq",
                                                    "avx512bf16",
                                                    "avx512fp16",
                                                    "avx512vp2intersect",
                                                    "amx-tile",
                                                    "amx-int8",
                                                    "amx-bf16",
                                                    "amx-fp16",
                                                    "avx10.1",
                                                    "avx10.2",
                                                    "egpr",
                                                    "ndd",
                                                    "nf",
                                                    "ccmp",
                                                    "cf",
                                                    "zu",
                                                    "push2pop2",
                                                    "ppx"};

static Error targetError(const Twine &message) {
  return createStringError("target: " + message);
}

/// The candidate with the smallest edit distance to \p word; the first of them
/// in the candidates' order.
template <typename Range>
static StringRef findNearest(StringRef word, const Range &candidates) {
  StringRef nearest;
  unsigned best = ~0U;
  for (StringRef candidate : candidates) {
    unsigned distance = word.edit_distance(candidate);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

/// LLVM's description of x86, or the reason why this LLVM has none.
static Expected<const llvm::Target *> lookupX86() {
  // Registration writes LLVM's global list of targets: once, for all threads.
  static llvm::once_flag registered;
  llvm::call_once(registered, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
  });
  std::string reason;
  const llvm::Target *x86 =
      TargetRegistry::lookupTarget(txc::Target::getTriple(), reason);
  if (!x86)
    return targetError(reason);
  return x86;
}

static std::unique_ptr<MCSubtargetInfo>
createSubtarget(const llvm::Target &x86, StringRef cpu, StringRef features) {
  return std::unique_ptr<MCSubtargetInfo>(
      x86.createMCSubtargetInfo(txc::Target::getTriple(), cpu, features));
}

static StringSet<> getEnabledFeatures(const MCSubtargetInfo &subtarget) {
  StringSet<> enabled;
  for (const SubtargetFeatureKV &feature : subtarget.getAllProcessorFeatures())
    if (subtarget.hasFeature(feature.Value))
      enabled.insert(feature.Key);
  return enabled;
}

/// GPUs that kernels are written for.
static constexpr StringLiteral gpuNames[] = {"sm80", "sm86", "sm89", "sm90"};

/// The CPU beside a GPU: all that such GPUs were built for have AVX2.
static constexpr StringLiteral gpuHost = "x86-64-v3";

/// Whether \p name looks like a GPU's: sm80, sm_90a.
static bool isGpuName(StringRef name) {
  if (!name.consume_front("sm"))
    return false;
  name.consume_front("_");
  return !name.empty() && isDigit(name.front());
}

/// The switches that turn \p cpu into the CPU of this machine: hypervisors and
/// kernels hide features that the CPU's name promises.
static SmallVector<std::string> getHostSwitches(const llvm::Target &x86,
                                                StringRef cpu) {
  StringSet<> promised = getEnabledFeatures(*createSubtarget(x86, cpu, ""));
  StringMap<bool> present = sys::getHostCPUFeatures();
  SmallVector<std::string> switches;
  for (StringRef feature : instructionSets) {
    auto found = present.find(feature);
    if (found == present.end() || found->second == promised.contains(feature))
      continue;
    switches.push_back((found->second ? "+" : "-") + feature.str());
  }
  return switches;
}

static Error checkSwitch(StringRef text) {
  StringRef feature = text;
  if (!feature.consume_front("+") && !feature.consume_front("-"))
    return targetError("feature '" + text + "' needs a sign: write '+" + text +
                       "' to use it or '-" + text + "' to avoid it");
  if (!is_contained(instructionSets, feature))
    return targetError("unknown CPU feature '" + feature +
                       "'; the nearest name is '" +
                       findNearest(feature, instructionSets) + "'");
  return Error::success();
}

static Error checkCpu(const llvm::Target &x86, StringRef cpu) {
  std::unique_ptr<MCSubtargetInfo> plain = createSubtarget(x86, "x86-64", "");
  SmallVector<StringRef> names = {"native"};
  for (const SubtargetSubTypeKV &known : plain->getAllProcessorDescriptions())
    names.push_back(known.Key);
  if (!is_contained(names, cpu))
    return targetError("unknown CPU '" + cpu + "'; the nearest name is '" +
                       findNearest(cpu, names) + "'");
  if (!getEnabledFeatures(*createSubtarget(x86, cpu, "")).contains("64bit"))
    return targetError("CPU '" + cpu +
                       "' has no 64-bit mode; txc compiles for x86-64");
  return Error::success();
}

Triple txc::Target::getTriple() { return Triple("x86_64-unknown-linux-gnu"); }

Expected<txc::Target> txc::Target::parse(StringRef spec) {
  if (spec.contains(','))
    return targetError("'" + spec + "' names several targets; one is needed");
  SmallVector<StringRef> parts;
  spec.split(parts, ':');
  StringRef cpu = parts.front();
  if (cpu.empty())
    return targetError("'" + spec + "' names no CPU; try 'native'");
  Expected<const llvm::Target *> x86 = lookupX86();
  if (!x86)
    return x86.takeError();

  unsigned sm = 0;
  if (isGpuName(cpu)) {
    if (!is_contained(gpuNames, spec))
      return targetError("unknown GPU '" + spec + "'; the known ones are " +
                         join(ArrayRef<StringLiteral>(gpuNames), ", "));
    to_integer(spec.drop_front(2), sm);
    cpu = gpuHost;
  }
  SmallVector<std::string> switches;
  if (cpu == "native") {
    cpu = sys::getHostCPUName();
    switches = getHostSwitches(**x86, cpu);
  }
  if (Error error = checkCpu(**x86, cpu))
    return error;
  for (StringRef text : ArrayRef(parts).drop_front()) {
    if (Error error = checkSwitch(text))
      return error;
    switches.push_back(text.str());
  }

  txc::Target target;
  target.cpu = cpu.str();
  target.featureString = join(switches, ",");
  target.sm = sm;
  target.name = sm ? spec.str() : target.cpu;
  for (const std::string &text : switches)
    target.name += ":" + text;
  target.features = getEnabledFeatures(
      *createSubtarget(**x86, target.cpu, target.featureString));
  return target;
}

Expected<std::vector<txc::Target>> txc::Target::parseList(StringRef spec) {
  std::vector<txc::Target> targets;
  SmallVector<StringRef> parts;
  spec.split(parts, ',');
  for (StringRef part : parts) {
    Expected<txc::Target> target = parse(part);
    if (!target)
      return target.takeError();
    if (any_of(targets, [&](const txc::Target &other) {
          return other.getName() == target->getName();
        }))
      return targetError("'" + spec + "' names " + target->getName() +
                         " twice");
    // A superset of features has more of them.
    auto getRank = [](const txc::Target &t) {
      return std::pair(t.getSm() == 0,
                       t.getSm() + t.getRequiredFeatures().size());
    };
    auto place = find_if(targets, [&](const txc::Target &other) {
      return getRank(other) < getRank(*target);
    });
    targets.insert(place, std::move(*target));
  }
  return targets;
}

std::vector<std::string> txc::Target::getRequiredFeatures() const {
  std::vector<std::string> required;
  for (StringRef feature : instructionSets)
    if (hasFeature(feature))
      required.push_back(feature.str());
  return required;
}

Expected<std::unique_ptr<TargetMachine>>
txc::Target::createTargetMachine(CodeGenOptLevel level) const {
  Expected<const llvm::Target *> x86 = lookupX86();
  if (!x86)
    return x86.takeError();
  TargetOptions options;
  // Sections of their own let the linker drop what a model does not use.
  options.FunctionSections = true;
  options.DataSections = true;
  std::unique_ptr<TargetMachine> machine(
      (*x86)->createTargetMachine(getTriple(), cpu, featureString, options,
                                  Reloc::PIC_, CodeModel::Small, level));
  if (!machine)
    return targetError("LLVM has no code generator for '" + name + "'");
  return machine;
}
