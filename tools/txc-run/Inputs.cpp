//===- Inputs.cpp - The tensors to run on -----------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See Inputs.h.
///
//===----------------------------------------------------------------------===//

#include "tools/txc-run/Inputs.h"

#include "tools/txc-run/Files.h"

#include <algorithm>
#include <cstdlib>
#include <map>

using namespace txc::run;

namespace {

/// What the model says of itself, gathered once.
struct Interface {
  std::vector<txc_tensor_info> inputs;
  std::vector<txc_symbol_info> symbols;
};

Interface describe(txc_model *model) {
  Interface result;
  txc_tensor_info input = {};
  input.size = sizeof input;
  for (size_t i = 0; txc_model_input(model, i, &input) == TXC_OK; ++i)
    result.inputs.push_back(input);
  txc_symbol_info symbol = {};
  symbol.size = sizeof symbol;
  for (size_t i = 0; txc_model_symbol(model, i, &symbol) == TXC_OK; ++i)
    result.symbols.push_back(symbol);
  return result;
}

template <typename Info>
Failure unknownName(const char *what, const std::string &name,
                    const std::vector<Info> &known) {
  std::vector<std::string> names;
  std::string list;
  for (const Info &info : known) {
    names.emplace_back(info.name);
    list += (list.empty() ? "" : ", ") + names.back();
  }
  std::string nearest = findNearest(name, names);
  return {Failure::Usage,
          std::string("the model has no ") + what + " \"" + name + "\"; " +
              (nearest.empty() ? "it has " + (list.empty() ? "none" : list)
                               : "did you mean \"" + nearest + "\"?")};
}

template <typename Info>
size_t findName(const std::vector<Info> &infos, const std::string &name) {
  return static_cast<size_t>(
      std::find_if(infos.begin(), infos.end(),
                   [&](const Info &info) { return name == info.name; }) -
      infos.begin());
}

/// "random" or "random:SEED".
bool parseRandom(const std::string &source, uint64_t &seed) {
  if (source.compare(0, 6, "random") != 0)
    return false;
  if (source.size() == 6)
    return true;
  char *end;
  seed = strtoull(source.c_str() + 7, &end, 10);
  return source[6] == ':' && source.size() > 7 && *end == '\0';
}

/// Reads the files; seeds has an entry for each input that is filled.
Failure readInputs(const Interface &model, const Options &options,
                   std::vector<Array> &inputs,
                   std::map<size_t, uint64_t> &seeds) {
  for (size_t i = 0; i < model.inputs.size(); ++i)
    seeds[i] = 0;
  for (const auto &[name, source] : options.inputs) {
    size_t index = findName(model.inputs, name);
    if (index == model.inputs.size())
      return unknownName("input", name, model.inputs);
    uint64_t seed = 0;
    if (parseRandom(source, seed)) {
      seeds[index] = seed;
      continue;
    }
    std::string error;
    if (!readTensor(source, inputs[index], error))
      return {Failure::Io,
              std::string("input \"").append(name).append("\": ") + error};
    seeds.erase(index);
  }
  return {};
}

/// The dim that the axis gives a symbol.
void bindSymbol(std::vector<int64_t> &extents, const txc_dim &dim,
                int64_t extent) {
  if (dim.kind == TXC_DIM_SYMBOL && extents[static_cast<size_t>(dim.value)] < 0)
    extents[static_cast<size_t>(dim.value)] = extent;
}

Failure chooseDims(const Interface &model, const Options &options,
                   const std::vector<Array> &inputs,
                   const std::map<size_t, uint64_t> &seeds,
                   std::vector<txc_dim_value> &dims) {
  std::vector<int64_t> extents(model.symbols.size(), -1);
  for (const auto &[name, extent] : options.dims) {
    size_t index = findName(model.symbols, name);
    if (index == model.symbols.size())
      return unknownName("dim", name, model.symbols);
    extents[index] = extent;
  }
  for (size_t i = 0; i < inputs.size(); ++i)
    for (size_t axis = 0; !seeds.count(i) && axis < inputs[i].dims.size() &&
                          axis < static_cast<size_t>(model.inputs[i].rank);
         ++axis)
      bindSymbol(extents, model.inputs[i].dims[axis], inputs[i].dims[axis]);
  auto clamp = [&](const txc_dim &dim, int64_t extent) {
    if (dim.kind != TXC_DIM_SYMBOL)
      return extent;
    const txc_symbol_info &symbol =
        model.symbols[static_cast<size_t>(dim.value)];
    return std::min(std::max(extent, symbol.lower), symbol.upper);
  };
  for (const txc_tensor_info &input : model.inputs)
    for (int32_t axis = 0; axis < input.rank; ++axis)
      bindSymbol(extents, input.dims[axis],
                 clamp(input.dims[axis], axis == 0 ? 1 : 8));
  for (size_t i = 0; i < extents.size(); ++i)
    if (extents[i] >= 0 && model.symbols[i].source == TXC_SYMBOL_INPUT)
      dims.push_back({model.symbols[i].name, extents[i]});
  return {};
}

//===----------------------------------------------------------------------===//
// Random numbers
//===----------------------------------------------------------------------===//

/// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
/// Generators, 2014): the same on every machine, unlike std::distributions.
class Random {
public:
  Random(uint64_t seed, const char *name) : state(seed) {
    for (const char *at = name; *at; ++at)
      state = (state ^ static_cast<unsigned char>(*at)) * 0x100000001b3u;
  }

  uint64_t next() {
    state += 0x9e3779b97f4a7c15u;
    uint64_t z = state;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
  }

  /// In [0, 1).
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

  /// N(0, 1) as the sum of twelve uniforms (variance 1/12 each): no libm, so
  /// the bits don't depend on its version; nothing is beyond 6.
  double normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i)
      sum += uniform();
    return sum;
  }

private:
  uint64_t state;
};

/// One element of a type that setElement knows.
double drawNumber(const txc_tensor_info &info, Random &random) {
  if (info.type == TXC_BOOL ||
      std::string(info.name).find("mask") != std::string::npos)
    return 1;
  if (isFloat(info.type))
    return random.normal();
  int64_t low = 0, high = 2;
  if (info.low != info.high) {
    low = info.low;
    high = info.high;
  } else if (info.type == TXC_UINT8) {
    high = 256;
  } else if (info.type == TXC_INT8) {
    low = -128;
    high = 128;
  }
  auto range = static_cast<uint64_t>(high - low);
  return static_cast<double>(low + static_cast<int64_t>(random.next() % range));
}

} // namespace

void txc::run::fillRandom(const txc_tensor_info &info, uint64_t seed,
                          Array &array) {
  Random random(seed, info.name);
  int64_t count = countElements(array.dims);
  array.data.resize(static_cast<size_t>(countBytes(array.type, count)));
  bool isComplex = array.type == TXC_COMPLEX64 || array.type == TXC_COMPLEX128;
  if (isComplex) {
    int32_t part = array.type == TXC_COMPLEX64 ? TXC_FLOAT32 : TXC_FLOAT64;
    for (int64_t i = 0; i < 2 * count; ++i)
      setElement(part, array.data.data(), i, random.normal());
  } else if (getTypeBits(array.type) < 8 ||
             (getTypeBits(array.type) == 8 && isFloat(array.type))) {
    // Any bits, but not the exponent's highest (infinities and NaN), and not
    // the sign alone (NaN where there is no negative zero).
    for (char &octet : array.data)
      octet = static_cast<char>((random.next() & 0xbf) | 1);
  } else {
    for (int64_t i = 0; i < count; ++i)
      setElement(array.type, array.data.data(), i, drawNumber(info, random));
  }
}

Failure txc::run::makeInputs(txc_model *model, txc_session *session,
                             const Options &options,
                             std::vector<Array> &inputs) {
  Interface interface = describe(model);
  inputs.assign(interface.inputs.size(), Array());
  std::map<size_t, uint64_t> seeds;
  if (Failure failure = readInputs(interface, options, inputs, seeds))
    return failure;
  std::vector<txc_dim_value> dims;
  if (Failure failure = chooseDims(interface, options, inputs, seeds, dims))
    return failure;
  std::vector<txc_tensor> shapes(inputs.size(), txc_tensor_borrow(nullptr));
  if (txc_infer_inputs(session, dims.data(), dims.size(), shapes.data(),
                       shapes.size()) != TXC_OK)
    return {Failure::Model, txc_error(session)};
  for (const auto &[index, seed] : seeds) {
    Array &array = inputs[index];
    const txc_tensor &shape = shapes[index];
    array.type = shape.type;
    array.dims.assign(shape.dims, shape.dims + shape.rank);
    if (countElements(array.dims) < 0 ||
        countBytes(array.type, countElements(array.dims)) < 0)
      return {Failure::Model, std::string("input \"") +
                                  interface.inputs[index].name +
                                  "\" has more elements than fit in memory"};
    fillRandom(interface.inputs[index], seed, array);
  }
  return {};
}
