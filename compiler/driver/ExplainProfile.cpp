//===- ExplainProfile.cpp - measured times beside predicted ones ---------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/driver/Explain.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace llvm;
using namespace txc;

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static Error addPhase(const json::Value &value, MeasuredProfile &profile) {
  const json::Object *phase = value.getAsObject();
  if (!phase)
    return createStringError("a phase is no object");
  std::optional<int64_t> index = phase->getInteger("phase");
  std::optional<StringRef> kernel = phase->getString("kernel");
  std::optional<double> milliseconds = phase->getNumber("min_ms");
  if (!index || *index < 0 || !kernel || !milliseconds)
    return createStringError("a phase has no index, kernel or time");
  profile.phases[*index] = {kernel->str(), *milliseconds,
                            phase->getInteger("threads").value_or(1)};
  return Error::success();
}

Expected<MeasuredProfile> txc::parseProfile(StringRef text) {
  Expected<json::Value> value = json::parse(text);
  if (!value)
    return value.takeError();
  const json::Object *root = value->getAsObject();
  const json::Array *phases = root ? root->getArray("phases") : nullptr;
  const json::Object *dims = root ? root->getObject("dims") : nullptr;
  if (!phases || !dims)
    return createStringError(
        "it has no phases or dims; 'txc-run MODEL.so --repeat 20 --profile "
        "--json' writes one that has");
  MeasuredProfile profile;
  for (const auto &[name, dim] : *dims) {
    std::optional<int64_t> extent = dim.getAsInteger();
    if (!extent)
      return createStringError("dim " + name.str() + " is no number");
    profile.dims.emplace_back(name.str(), *extent);
  }
  llvm::sort(profile.dims);
  profile.threads = root->getInteger("threads").value_or(1);
  profile.peak = root->getNumber("peak_gflops").value_or(0) * 1e9;
  profile.cacheRate = root->getNumber("l2_gbps").value_or(0) * 1e9;
  profile.memoryRate = root->getNumber("memory_gbps").value_or(0) * 1e9;
  if (profile.threads < 1 || profile.peak <= 0 || profile.cacheRate <= 0 ||
      profile.memoryRate <= 0)
    return createStringError("it doesn't say what the machine can do");
  for (const json::Value &phase : *phases)
    if (Error error = addPhase(phase, profile))
      return error;
  return profile;
}

//===----------------------------------------------------------------------===//
// Adding
//===----------------------------------------------------------------------===//

/// The roofline of Roofline.h at the rates of a real machine.
static ExplainedTime getTime(const MeasuredProfile &profile,
                             const MeasuredProfile::Phase &measured,
                             const ExplainedPhase &phase, int64_t l2Bytes) {
  // A short phase runs on one thread of several.
  double share = static_cast<double>(measured.threads) /
                 static_cast<double>(profile.threads);
  auto flops = static_cast<double>(*phase.flops.value);
  auto bytes = static_cast<double>(*phase.bytes.value);
  bool isInCache = *phase.bytes.value <= l2Bytes;
  double computing =
      flops / (profile.peak * share * static_cast<double>(phase.dotDepth));
  // One thread may well use more than its share of the memory's rate.
  double moving =
      bytes / (isInCache ? profile.cacheRate * share : profile.memoryRate);
  Bound bound = computing >= moving ? Bound::Compute
                : isInCache         ? Bound::Cache
                                    : Bound::Memory;
  return {measured.milliseconds, 1e3 * std::max(computing, moving), bound};
}

Error txc::addProfile(const MeasuredProfile &profile,
                      Explanation &explanation) {
  for (const auto &entry : profile.phases) {
    size_t index = entry.first;
    const MeasuredProfile::Phase &measured = entry.second;
    auto phase = llvm::find_if(explanation.phases, [&](const auto &candidate) {
      return candidate.index == index;
    });
    if (phase == explanation.phases.end() || phase->kernel != measured.kernel)
      return createStringError(
          formatv("it is of another program, whose phase {0} is {1}; explain "
                  "takes the options that the model was compiled with",
                  index, measured.kernel)
              .str());
    if (phase->flops.value && phase->bytes.value)
      phase->measured = getTime(profile, measured, *phase, explanation.l2Bytes);
  }
  explanation.measuredThreads = profile.threads;
  return Error::success();
}
