//===- TensorTest.cpp - Tensors as handles ----------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Where elements are found, how they are decoded, and which sizes are refused.
///
//===----------------------------------------------------------------------===//

#include "test/unit/onnx-file/OnnxFileTesting.h"

using namespace txc::onnx;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Numbers of TensorProto.DataType, written out again on purpose.
enum DataType : int64_t {
  FLOAT = 1,
  UINT8 = 2,
  INT8 = 3,
  INT16 = 5,
  INT32 = 6,
  INT64 = 7,
  STRING = 8,
  BOOL = 9,
  FLOAT16 = 10,
  DOUBLE = 11,
  UINT32 = 12,
  UINT64 = 13,
  COMPLEX64 = 14,
  INT4 = 22,
  INT2 = 26,
  FLOAT6E2M3 = 27,
};

static ParsedModel withTensor(const Wire &tensor) {
  return ParsedModel(model(graph({{}, {tensor}, {}, {}})));
}

static std::string elementsOf(const Wire &tensor) {
  ParsedModel m = withTensor(tensor);
  if (!m.file)
    return m.error;
  return readElements(*m.file, m.graph().initializers[0]);
}

static std::string errorOf(const Wire &tensor) {
  return withTensor(tensor).error;
}

TEST(Tensor, RawDataIsAViewOfTheFile) {
  std::string elements = bytesOf({1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f});
  ParsedModel m = withTensor(tensor("w", FLOAT, {2, 3}).string(9, elements));
  ASSERT_EQ(m.error, "");
  const TensorRef &w = m.graph().initializers[0];
  EXPECT_EQ(w.name, "w");
  EXPECT_THAT(w.dims, ElementsAre(2, 3));
  EXPECT_EQ(w.elementType, ElementType::Float);
  EXPECT_EQ(w.encoding, TensorRef::Encoding::Dense);
  EXPECT_EQ(w.file, 0u);
  EXPECT_EQ(m.contents.substr(w.offset, w.length), elements);
  llvm::Expected<TensorData> data = m.file->read(w);
  ASSERT_TRUE(bool(data));
  EXPECT_TRUE(data->isMapped());
  EXPECT_EQ(data->bytes().data(),
            reinterpret_cast<const uint8_t *>(m.contents.data()) + w.offset);
}

TEST(Tensor, PackedFloatsAreAViewToo) {
  Wire floats = Wire().plain(1.5f).plain(-2.0f);
  ParsedModel m = withTensor(tensor("w", FLOAT, {2}).message(4, floats));
  ASSERT_EQ(m.error, "");
  EXPECT_EQ(m.graph().initializers[0].encoding, TensorRef::Encoding::Dense);
  EXPECT_EQ(elementsOf(tensor("w", FLOAT, {2}).message(4, floats)),
            bytesOf({1.5f, -2.0f}));
}

TEST(Tensor, TypedFieldsMayBeUnpackedOrInPieces) {
  EXPECT_EQ(elementsOf(tensor("w", FLOAT, {3})
                           .fixed32(4, 1)
                           .message(4, Wire().plain(2.0f))
                           .fixed32(4, 3)),
            bytesOf({1.0f, 2.0f, 3.0f}));
  EXPECT_EQ(elementsOf(tensor("w", DOUBLE, {2}).fixed64(10, 1).fixed64(10, 2)),
            bytesOf({1.0, 2.0}));
  EXPECT_EQ(
      elementsOf(
          tensor("w", INT64, {3}).varint(7, 300).packed(7, {-1, 1ll << 40})),
      bytesOf<int64_t>({300, -1, 1ll << 40}));
}

TEST(Tensor, IntegersAreNarrowed) {
  EXPECT_EQ(elementsOf(tensor("w", INT8, {3}).packed(5, {-128, 127, -1})),
            bytesOf<int8_t>({-128, 127, -1}));
  EXPECT_EQ(elementsOf(tensor("w", UINT8, {2}).packed(5, {0, 255})),
            bytesOf<uint8_t>({0, 255}));
  EXPECT_EQ(elementsOf(tensor("w", INT16, {2}).packed(5, {-32768, 5})),
            bytesOf<int16_t>({-32768, 5}));
  EXPECT_EQ(elementsOf(tensor("w", INT32, {1}).packed(5, {INT32_MIN})),
            bytesOf<int32_t>({INT32_MIN}));
  EXPECT_EQ(elementsOf(tensor("w", BOOL, {2}).packed(5, {1, 0})),
            bytesOf<uint8_t>({1, 0}));
  EXPECT_EQ(elementsOf(tensor("w", FLOAT16, {2}).packed(5, {0x3c00, 0xfc00})),
            bytesOf<uint16_t>({0x3c00, 0xfc00}));
  EXPECT_EQ(elementsOf(tensor("w", UINT32, {1}).packed(11, {0xffffffff})),
            bytesOf<uint32_t>({0xffffffff}));
  EXPECT_EQ(elementsOf(tensor("w", UINT64, {1}).packed(11, {-1})),
            bytesOf<uint64_t>({UINT64_MAX}));
}

TEST(Tensor, NarrowIntegersThatDoNotFitAreRefused) {
  EXPECT_EQ(elementsOf(tensor("w", INT8, {2}).packed(5, {1, 300})),
            "m.onnx: tensor \"w\": int32_data has 300, which is no INT8");
  EXPECT_THAT(elementsOf(tensor("w", FLOAT16, {1}).packed(5, {1 << 16})),
              HasSubstr("65536"));
}

TEST(Tensor, SmallElementsArePacked) {
  // Three elements of 4 bits in two entries, five of 2 bits likewise.
  EXPECT_EQ(elementsOf(tensor("w", INT4, {3}).packed(5, {0x21, 0x0f})),
            bytesOf<uint8_t>({0x21, 0x0f}));
  EXPECT_EQ(elementsOf(tensor("w", INT2, {5}).packed(5, {0xe4, 0x01})),
            bytesOf<uint8_t>({0xe4, 0x01}));
  // 6-bit elements have an entry each: x0 | x1 << 6 | x2 << 12 | x3 << 18.
  EXPECT_EQ(
      elementsOf(tensor("w", FLOAT6E2M3, {5}).packed(5, {1, 2, 3, 63, 33})),
      bytesOf<uint8_t>({0x81, 0x30, 0xfc, 0x21}));
}

TEST(Tensor, ComplexNumbersTakeTwoEntries) {
  EXPECT_EQ(elementsOf(tensor("w", COMPLEX64, {1})
                           .message(4, Wire().plain(1.0f).plain(2.0f))),
            bytesOf({1.0f, 2.0f}));
  EXPECT_THAT(
      errorOf(tensor("w", COMPLEX64, {1}).message(4, Wire().plain(1.0f))),
      HasSubstr("2 entries of float_data, but there are 1"));
}

TEST(Tensor, ScalarsAndEmptyTensors) {
  EXPECT_EQ(elementsOf(tensor("w", INT64, {}).varint(7, 5)),
            bytesOf<int64_t>({5}));
  EXPECT_EQ(elementsOf(tensor("w", FLOAT, {3, 0})), "");
  EXPECT_EQ(elementsOf(tensor("w", FLOAT, {0}).string(9, "")), "");
  // Zero elements even where the other dims would overflow.
  EXPECT_EQ(elementsOf(tensor("w", FLOAT, {INT64_MAX, INT64_MAX, 0})), "");
}

TEST(Tensor, SizesMustMatch) {
  EXPECT_EQ(errorOf(tensor("w", FLOAT, {2, 3}).string(9, "1234567")),
            "m.onnx: tensor \"w\": dims [2, 3] of FLOAT take 24 bytes, but "
            "raw_data has 7");
  EXPECT_EQ(errorOf(tensor("w", INT64, {3}).packed(7, {1, 2})),
            "m.onnx: tensor \"w\": dims [3] of INT64 take 24 bytes in 3 "
            "entries of int64_data, but there are 2");
  EXPECT_THAT(errorOf(tensor("w", FLOAT, {2})),
              HasSubstr("2 entries of float_data, but there are 0"));
}

TEST(Tensor, DimsThatOverflowAreRefused) {
  for (const std::vector<int64_t> &dims :
       {std::vector<int64_t>{1ll << 32, 1ll << 32},
        {INT64_MAX},
        {1ll << 31, 1ll << 31, 4},
        {1ll << 62, 4, 1}})
    EXPECT_THAT(errorOf(tensor("w", FLOAT, dims).string(9, "")),
                HasSubstr("tensor \"w\": dims overflow"));
  EXPECT_THAT(errorOf(tensor("w", FLOAT, {-1}).string(9, "")),
              HasSubstr("dimension -1 is negative"));
}

TEST(Tensor, ElementsAreWhereTheirTypeSays) {
  EXPECT_EQ(errorOf(tensor("w", FLOAT, {1}).packed(5, {1})),
            "m.onnx: tensor \"w\": elements of type FLOAT belong in "
            "float_data, but int32_data has 1");
  EXPECT_THAT(
      errorOf(tensor("w", INT64, {1}).varint(7, 1).string(9, "12345678")),
      HasSubstr("has its elements twice"));
  EXPECT_THAT(errorOf(tensor("w", 29, {1}).string(9, "1")),
              HasSubstr("element type 29 is none that"));
  EXPECT_THAT(errorOf(tensor("w", 0, {1}).string(9, "1")),
              HasSubstr("has no element type"));
  EXPECT_THAT(errorOf(tensor("w", FLOAT, {1}).message(3, Wire())),
              HasSubstr("is a segment"));
}

TEST(Tensor, StringsAreRefusedOnlyWhenRead) {
  ParsedModel m =
      withTensor(tensor("w", STRING, {2}).string(6, "a").string(6, "b"));
  ASSERT_EQ(m.error, "");
  EXPECT_EQ(readElements(*m.file, m.graph().initializers[0]),
            "m.onnx: tensor \"w\": holds strings, which are not supported");
  EXPECT_THAT(errorOf(tensor("w", STRING, {2}).string(6, "a")),
              HasSubstr("take 2 strings in 2 entries of string_data"));
  EXPECT_THAT(errorOf(tensor("w", STRING, {1}).string(9, "a")),
              HasSubstr("strings can't be in raw_data"));
}

static std::string sparseError(const std::vector<int64_t> &indices,
                               int64_t indexType = INT64) {
  Wire index = tensor("i", indexType, indices);
  for (int64_t i = 0; i < 4; ++i)
    index.varint(indexType == INT64 ? 7 : 5, 0);
  Wire values = tensor("s", FLOAT, {4}).string(9, std::string(16, 0));
  Wire sparse = Wire().message(1, values).message(2, index);
  sparse.varint(3, 2).varint(3, 8);
  return ParsedModel(model(graph({}).message(15, sparse))).error;
}

TEST(Tensor, SparsePartsBelongTogether) {
  EXPECT_EQ(sparseError({4}), "");
  EXPECT_THAT(sparseError({2, 2}),
              HasSubstr("sparse tensor \"s\": values and indices do not"));
  EXPECT_THAT(sparseError({4, 1}), HasSubstr("do not belong together"));
  EXPECT_THAT(sparseError({4}, INT32),
              HasSubstr("indices are of type INT32 instead of INT64"));
}

static ParsedModel withAttribute(const Wire &attribute) {
  return ParsedModel(
      model(graph({{node("Op", {}, {"y"}, {attribute}, "n")}, {}, {}, {"y"}})));
}

static const Attribute &attributeOf(const ParsedModel &m) {
  return m.graph().nodes[0].attributes[0];
}

TEST(Attributes, OfEveryListKind) {
  ParsedModel ints = withAttribute(
      Wire().string(1, "a").packed(8, {1, -2}).varint(8, 3).varint(20, 7));
  ASSERT_EQ(ints.error, "");
  EXPECT_THAT(attributeOf(ints).ints, ElementsAre(1, -2, 3));
  ParsedModel floats = withAttribute(Wire()
                                         .string(1, "a")
                                         .fixed32(7, 0.5)
                                         .message(7, Wire().plain(2.0f))
                                         .varint(20, 6));
  ASSERT_EQ(floats.error, "");
  EXPECT_THAT(attributeOf(floats).floats, ElementsAre(0.5f, 2.0f));
  ParsedModel strings = withAttribute(
      Wire().string(1, "a").string(9, "x").string(9, "").varint(20, 8));
  ASSERT_EQ(strings.error, "");
  EXPECT_THAT(attributeOf(strings).strings, ElementsAre("x", ""));
}

TEST(Attributes, KindIsInferredWhereTheFileHasNone) {
  ParsedModel m = withAttribute(Wire().string(1, "a").varint(3, 7));
  ASSERT_EQ(m.error, "");
  EXPECT_EQ(attributeOf(m).kind, Attribute::Kind::Int);
  EXPECT_EQ(attributeOf(m).i, 7);
}

TEST(Attributes, ContradictionsAreRefused) {
  EXPECT_EQ(
      withAttribute(Wire().string(1, "a").varint(3, 7).varint(20, 1)).error,
      "m.onnx: node \"n\" (Op): attribute \"a\": is of type FLOAT but holds "
      "INT");
  EXPECT_THAT(
      withAttribute(Wire().string(1, "a").varint(3, 7).fixed32(2, 1)).error,
      HasSubstr("holds both INT and FLOAT"));
  EXPECT_THAT(withAttribute(Wire().string(1, "a").varint(20, 4)).error,
              HasSubstr("is of type TENSOR but holds no value"));
  EXPECT_THAT(withAttribute(Wire().string(1, "a").varint(20, 15)).error,
              HasSubstr("attribute type 15 is unknown"));
  Wire a = Wire().string(1, "a").varint(3, 7);
  EXPECT_THAT(
      ParsedModel(
          model(graph({{node("Op", {}, {"y"}, {a, a})}, {}, {}, {"y"}})))
          .error,
      HasSubstr("node #0 (Op): has two attributes called \"a\""));
}
