//===- AttentionPhaseTest.cpp - kernel.attention by its definition -------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/PhaseTest.h"

using namespace txc::test;

namespace {

class AttentionPhaseTest : public PhaseTest {};
TXC_INSTANTIATE_PHASE_TESTS(AttentionPhaseTest);

/// Attention over [B, S, H, D] tensors with two query heads a key head.
struct Variant {
  std::string type = "f32";
  /// Of the queries, keys, values and results, if they differ.
  std::array<std::string, 4> types = {};
  /// Of the mask: type and map's results; none if empty.
  std::string mask, maskMap;
  bool hasLengths = false;
  bool isNarrowed = false;
  std::string attributes = "masked_row = #tx<masked_row uniform>";
};

std::string fillIn(std::string text, const Variant &variant) {
  std::string arguments, operands, map;
  if (!variant.mask.empty()) {
    arguments += ", %mask: " + variant.mask;
    operands += " mask %mask : " + variant.mask;
    map = "affine_map<(b, h, s, t, d, e) -> " + variant.maskMap + ">,";
  }
  if (variant.hasLengths) {
    arguments += ", %lengths: tensor<2xi64>";
    operands += " lengths %lengths : tensor<2xi64>";
  }
  auto replace = [&](const std::string &from, const std::string &to) {
    for (size_t at; (at = text.find(from)) != std::string::npos;)
      text.replace(at, from.size(), to);
  };
  replace("ARGUMENTS", arguments);
  replace("OPERANDS", operands);
  replace("MAP", map);
  replace("ATTRIBUTES", variant.attributes);
  replace("PRECISION", variant.isNarrowed ? "precision bf16" : "");
  for (const auto &[letter, type] : llvm::zip("QKVR", variant.types))
    replace(std::string("TYPE_") + letter, type.empty() ? variant.type : type);
  return text;
}

std::string getText(const Variant &variant) {
  std::string text = R"(
    !q = tensor<2x?x4x24xTYPE_Q, #tx.dims<[2, S, 4, 24]>>
    !k = tensor<2x?x2x24xTYPE_K, #tx.dims<[2, T, 2, 24]>>
    !v = tensor<2x?x2x10xTYPE_V, #tx.dims<[2, T, 2, 10]>>
    !r = tensor<2x?x4x10xTYPE_R, #tx.dims<[2, S, 4, 10]>>
    func.func @main(%q: !q, %k: !k, %v: !v ARGUMENTS) {
      %r = kernel.attention [#tx.expr<2>, #tx.expr<4>, #tx.expr<S>, #tx.expr<T>, #tx.expr<24>, #tx.expr<10>]
          (%q : !q, %k : !k, %v : !v) OPERANDS
          maps [affine_map<(b, h, s, t, d, e) -> (b, s, h, d)>,
                affine_map<(b, h, s, t, d, e) -> (b, t, h floordiv 2, d)>,
                affine_map<(b, h, s, t, d, e) -> (b, t, h floordiv 2, e)>,
                MAP affine_map<(b, h, s, t, d, e) -> (b, s, h, e)>]
          PRECISION {scale = 0.2 : f64, ATTRIBUTES} -> !r
      return
    })";
  return fillIn(text, variant);
}

std::vector<Symbols> someSizes() {
  return {{{"S", 5}, {"T", 9}},
          {{"S", 1}, {"T", 40}},
          {{"S", 19}, {"T", 1}},
          {{"S", 3}, {"T", 0}}};
}

/// Attention of four sequences that lie in T rows [H, D], with two query heads
/// a key head.
std::string getSequencesText(const Variant &variant) {
  std::string text = R"(
    !q = tensor<1x?x4x24xTYPE_Q, #tx.dims<[1, T, 4, 24]>>
    !k = tensor<1x?x2x24xTYPE_K, #tx.dims<[1, T, 2, 24]>>
    !v = tensor<1x?x2x10xTYPE_V, #tx.dims<[1, T, 2, 10]>>
    !r = tensor<1x?x4x10xTYPE_R, #tx.dims<[1, T, 4, 10]>>
    func.func @main(%q: !q, %k: !k, %v: !v ARGUMENTS, %starts: tensor<5xi64>) {
      %r = kernel.attention [#tx.expr<4>, #tx.expr<4>, #tx.expr<N>, #tx.expr<N>, #tx.expr<24>, #tx.expr<10>]
          (%q : !q, %k : !k, %v : !v) OPERANDS starts %starts : tensor<5xi64>
          maps [affine_map<(b, h, s, t, d, e) -> (0, s, h, d)>,
                affine_map<(b, h, s, t, d, e) -> (0, t, h floordiv 2, d)>,
                affine_map<(b, h, s, t, d, e) -> (0, t, h floordiv 2, e)>,
                MAP affine_map<(b, h, s, t, d, e) -> (0, s, h, e)>]
          {scale = 0.2 : f64, ATTRIBUTES} -> !r
      return
    })";
  return fillIn(text, variant);
}

TEST_P(AttentionPhaseTest, EveryType) {
  for (const char *type : {"f32", "f64", "f16", "bf16"}) {
    Variant variant;
    variant.type = type;
    expectDefinition(getText(variant), someSizes());
  }
}

/// What is multiplied as bf16 may be it in memory; rows of 24 and of 10 numbers
/// end within a vector.
TEST_P(AttentionPhaseTest, NarrowOperands) {
  std::vector<Symbols> sizes = {{{"S", 1}, {"T", 9}}, {{"S", 35}, {"T", 27}}};
  for (const std::array<std::string, 4> &types :
       std::initializer_list<std::array<std::string, 4>>{
           {"bf16", "bf16", "bf16", "bf16"},
           {"bf16", "bf16", "bf16", "f32"},
           {"f32", "bf16", "f32", "bf16"},
           {"f32", "f32", "bf16", "f16"}}) {
    Variant variant;
    variant.types = types;
    expectDefinition(getText(variant), sizes);
    variant.isNarrowed = true;
    expectDefinition(getText(variant), sizes);
  }
}

TEST_P(AttentionPhaseTest, BooleanMasks) {
  for (const char *type : {"f32", "f64", "f16"}) {
    for (const char *row : {"uniform", "zero", "nan"}) {
      Variant variant;
      variant.type = type;
      variant.mask = "tensor<2x1x1x?xi1, #tx.dims<[2, 1, 1, T]>>";
      variant.maskMap = "(b, 0, 0, t)";
      variant.attributes =
          std::string("masked_row = #tx<masked_row ") + row + ">";
      expectDefinition(getText(variant), someSizes());
      variant.mask = "tensor<?x?xi1, #tx.dims<[S, T]>>";
      variant.maskMap = "(s, t)";
      expectDefinition(getText(variant), someSizes());
    }
  }
}

TEST_P(AttentionPhaseTest, FloatMasks) {
  for (const char *type : {"f32", "f64"}) {
    Variant variant;
    variant.type = type;
    variant.mask = "tensor<2x4x?x?xf32, #tx.dims<[2, 4, S, T]>>";
    variant.mask.replace(variant.mask.find("f32"), 3, type);
    variant.maskMap = "(b, h, s, t)";
    expectDefinition(getText(variant), someSizes());
  }
}

TEST_P(AttentionPhaseTest, PositionsAndLengths) {
  indexLimit = 12;
  for (const char *type : {"f32", "f64", "bf16"}) {
    Variant variant;
    variant.type = type;
    variant.hasLengths = true;
    expectDefinition(getText(variant), someSizes());
    variant.attributes =
        "causal = #tx.expr<T + S * -1>, masked_row = #tx<masked_row zero>";
    expectDefinition(getText(variant), someSizes());
    variant.attributes = "causal = #tx.expr<2>, window = 3 : i64, "
                         "masked_row = #tx<masked_row uniform>";
    expectDefinition(getText(variant), someSizes());
    variant.mask = "tensor<?x?xi1, #tx.dims<[S, T]>>";
    variant.maskMap = "(s, t)";
    expectDefinition(getText(variant), someSizes());
    variant.attributes =
        "softcap = 0.5 : f64, masked_row = #tx<masked_row uniform>";
    expectDefinition(getText(variant), someSizes());
  }
}

/// More queries and keys than a GPU's block has, heads of full tiles, and
/// factors of several types.
TEST_P(AttentionPhaseTest, SeveralTiles) {
  struct Case {
    const char *type, *attributes, *heads;
  };
  for (const Case &test :
       {Case{"f32", "causal = #tx.expr<T + S * -1>, ", "64"},
        Case{"f32", "", "64"}, Case{"f16", "", "128"},
        Case{"bf16", "causal = #tx.expr<0>, window = 80 : i64, ", "64"},
        Case{"f16", "", "200"}, Case{"f32", "", "80"}}) {
    SCOPED_TRACE(std::string(test.type) + " heads of " + test.heads);
    Variant variant;
    variant.type = test.type;
    variant.hasLengths = true;
    variant.attributes =
        std::string(test.attributes) + "masked_row = #tx<masked_row uniform>";
    indexLimit = 140;
    std::string text = getText(variant);
    auto replace = [&](const std::string &from, const std::string &to) {
      for (size_t at; (at = text.find(from)) != std::string::npos;)
        text.replace(at, from.size(), to);
    };
    for (const char *size : {"x24x", "x10x"})
      replace(size, std::string("x") + test.heads + "x");
    for (const char *size : {" 24]", " 10]"})
      replace(size, std::string(" ") + test.heads + "]");
    for (const char *size : {"<24>", "<10>"})
      replace(size, std::string("<") + test.heads + ">");
    expectDefinition(
        text, {{{"S", isGpu() ? 70 : 18}, {"T", 131}}, {{"S", 2}, {"T", 64}}});
    if (test.type == std::string("f32")) {
      text.insert(text.find("{scale"), "precision bf16 ");
      expectDefinition(text, {{{"S", 17}, {"T", 65}}});
    }
  }
}

/// The values of one query are added up a few keys at a time: a number of keys
/// that ends a vector of weights must end there, too.
TEST_P(AttentionPhaseTest, FewQueriesOfEveryHead) {
  for (int64_t vectors = 1; vectors <= 8; ++vectors) {
    std::string text = getText(Variant());
    auto replace = [&](const std::string &from, const std::string &to) {
      for (size_t at; (at = text.find(from)) != std::string::npos;)
        text.replace(at, from.size(), to);
    };
    std::string head = std::to_string(16 * vectors - 1);
    replace("x10x", "x" + head + "x");
    replace(" 10]", " " + head + "]");
    replace("<10>", "<" + head + ">");
    expectDefinition(
        text,
        {{{"S", 1}, {"T", 40}}, {{"S", 2}, {"T", 16}}, {{"S", 1}, {"T", 256}}});
  }
}

/// Sequences of one token, of none, of few and of more than a block has.
class SequencesPhaseTest : public AttentionPhaseTest {
protected:
  void expectSequences(const Variant &variant) {
    static constexpr std::array<int64_t, 4> few = {1, 0, 5, 3}, none = {},
                                            more = {66, 2, 0, 5};
    // How many rows there are tells which.
    adjustOperands = [](std::vector<NumberTensor> &operands) {
      int64_t rows = operands.front().dims[1], start = 0;
      std::vector<BoundedNumber> starts = {BoundedNumber::ofInteger(0)};
      for (int64_t length : rows == 73 ? more : rows == 9 ? few : none)
        starts.push_back(BoundedNumber::ofInteger(start += length));
      operands.back().elements = starts;
    };
    expectDefinition(getSequencesText(variant), {{{"T", 9}, {"N", 5}},
                                                 {{"T", 9}, {"N", 80}},
                                                 {{"T", 73}, {"N", 66}},
                                                 {{"T", 0}, {"N", 0}}});
  }
};
TXC_INSTANTIATE_PHASE_TESTS(SequencesPhaseTest);

TEST_P(SequencesPhaseTest, EveryType) {
  for (const char *type : {"f32", "f64"}) {
    Variant variant;
    variant.type = type;
    expectSequences(variant);
  }
}

TEST_P(SequencesPhaseTest, KeyMasks) {
  Variant variant;
  variant.mask = "tensor<1x1x1x?xi1, #tx.dims<[1, 1, 1, T]>>";
  variant.maskMap = "(0, 0, 0, t)";
  for (const char *type : {"f32", "f64"}) {
    variant.type = type;
    expectSequences(variant);
  }
  variant.type = "f32";
  for (const char *row : {"zero", "nan"}) {
    variant.attributes =
        std::string("masked_row = #tx<masked_row ") + row + ">";
    expectSequences(variant);
  }
}

TEST_P(SequencesPhaseTest, PlacesCountFromTheFirstRow) {
  for (const char *type : {"f32", "f64"}) {
    Variant variant;
    variant.type = type;
    variant.attributes += ", causal = #tx.expr<0>";
    expectSequences(variant);
    variant.attributes += ", window = 3 : i64";
    expectSequences(variant);
  }
}

TEST_P(SequencesPhaseTest, MasksOfQueries) {
  Variant variant;
  variant.mask = "tensor<?x?xf32, #tx.dims<[T, T]>>";
  variant.maskMap = "(s, t)";
  expectSequences(variant);
}

} // namespace
