//===- FilesTest.cpp - Tensors in files, and their elements -----*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Files as NumPy and ONNX write them, given by their bytes.
///
//===----------------------------------------------------------------------===//

#include "tools/txc-run/Files.h"
#include "tools/txc-run/Inputs.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace txc::run;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

std::vector<double> getElements(const Array &array) {
  std::vector<double> elements;
  elements.reserve(countElements(array.dims));
  for (int64_t i = 0; i < countElements(array.dims); ++i)
    elements.push_back(getElement(array.type, array.data.data(), i));
  return elements;
}

//===----------------------------------------------------------------------===//
// .npy
//===----------------------------------------------------------------------===//

std::string npy(int version, const std::string &header,
                const std::string &data) {
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(version);
  bytes += '\0';
  bytes += static_cast<char>(header.size());
  bytes += std::string(version == 1 ? 1 : 3, '\0');
  return bytes + header + data;
}

const std::string twoShorts("\x01\x00\xfe\xff", 4);

TEST(NpyTest, ReadsAllVersions) {
  for (int version : {1, 2, 3}) {
    Array array;
    std::string error;
    ASSERT_TRUE(parseNpy(npy(version,
                             "{'descr': '<i2', 'fortran_order': False, "
                             "'shape': (1, 2), }   \n",
                             twoShorts),
                         array, error))
        << error;
    EXPECT_EQ(array.type, TXC_INT16);
    EXPECT_THAT(array.dims, ElementsAre(1, 2));
    EXPECT_THAT(getElements(array), ElementsAre(1, -2));
  }
}

TEST(NpyTest, RefusesWhatItCannotRead) {
  auto read = [](const std::string &bytes) {
    Array array;
    std::string error;
    EXPECT_FALSE(parseNpy(bytes, array, error));
    return error;
  };
  std::string good =
      "{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }";
  EXPECT_EQ(read("PK"), "not an .npy file");
  EXPECT_THAT(read(npy(4, good, twoShorts)), HasSubstr("version 4"));
  EXPECT_THAT(read(npy(1, good, "abc")),
              HasSubstr("needs 4 bytes, the file has 3"));
  EXPECT_THAT(read(npy(1, good, "").substr(0, 30)), HasSubstr("cut short"));
  EXPECT_THAT(
      read(npy(1, "{'descr': '>i2', 'fortran_order': False, 'shape': (2,)}",
               twoShorts)),
      HasSubstr("dtype >i2 is not supported"));
  EXPECT_THAT(
      read(npy(1, "{'descr': '<i2', 'fortran_order': True, 'shape': (1, 2)}",
               twoShorts)),
      HasSubstr("Fortran order"));
  EXPECT_THAT(read(npy(1, "{'descr': '<i2', 'fortran_order': False}", "")),
              HasSubstr("no shape"));
  EXPECT_THAT(read(npy(1, "{'descr': [('a', '<i2')], 'shape': (1,)}", "")),
              HasSubstr("not supported"));
  EXPECT_THAT(read(npy(1,
                       "{'descr': '<i2', 'fortran_order': False, 'shape': "
                       "(4611686018427387904, 4)}",
                       "")),
              HasSubstr("the file has 0"));
}

TEST(NpyTest, WritesWhatNumPyReads) {
  Array array = {TXC_INT16, {2}, {1, 0, -2, -1}};
  std::string bytes = formatNpy(array);
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  EXPECT_EQ((bytes.size() - 4) % 64, 0u);
  EXPECT_EQ(static_cast<unsigned char>(bytes[8]), bytes.size() - 4 - 10);
  EXPECT_THAT(bytes, HasSubstr("{'descr': '<i2', 'fortran_order': False, "
                               "'shape': (2,), }"));
  EXPECT_EQ(bytes[bytes.size() - 5], '\n');
  Array scalar = {TXC_BOOL, {}, {1}};
  EXPECT_THAT(formatNpy(scalar), HasSubstr("'|b1', 'fortran_order': False, "
                                           "'shape': (), }"));
}

//===----------------------------------------------------------------------===//
// TensorProto
//===----------------------------------------------------------------------===//

Array parse(const std::string &bytes) {
  Array array;
  std::string error;
  EXPECT_TRUE(parseTensorProto(bytes, array, error)) << error;
  return array;
}

TEST(TensorProtoTest, ReadsEveryField) {
  // dims 2 (unpacked), type, then the elements.
  EXPECT_THAT(getElements(parse(std::string("\x08\x02\x10\x01\x4a\x08"
                                            "\0\0\x80\x3f\0\0\0\xc0",
                                            14))),
              ElementsAre(1, -2)); // raw_data, float32
  EXPECT_THAT(getElements(parse(std::string("\x08\x02\x10\x01\x22\x08"
                                            "\0\0\x80\x3f\0\0\0\xc0",
                                            14))),
              ElementsAre(1, -2)); // float_data
  // dims packed; int32_data packed, with -1 as ten octets.
  EXPECT_THAT(getElements(parse(std::string("\x0a\x01\x02\x10\x03\x2a\x0b\x05"
                                            "\xff\xff\xff\xff\xff\xff\xff\xff"
                                            "\xff\x01",
                                            18))),
              ElementsAre(5, -1)); // int8
  EXPECT_THAT(getElements(parse("\x08\x01\x10\x07\x3a\x02\xac\x02")),
              ElementsAre(300)); // int64_data
  EXPECT_THAT(getElements(parse("\x08\x01\x10\x0d\x5a\x02\xac\x02")),
              ElementsAre(300)); // uint64_data, uint32
  EXPECT_THAT(getElements(parse(std::string("\x08\x01\x10\x0b\x52\x08"
                                            "\0\0\0\0\0\0\xf8\xbf",
                                            14))),
              ElementsAre(-1.5)); // double_data
  // A name, which is skipped, and a scalar of int32_data, unpacked.
  EXPECT_THAT(getElements(parse("\x42\x01x\x10\x06\x28\x07")), ElementsAre(7));
  // Three int4 in two octets: 1, -1, 7.
  EXPECT_THAT(getElements(parse("\x08\x03\x10\x16\x4a\x02\xf1\x07")),
              ElementsAre(1, -1, 7));
}

TEST(TensorProtoTest, RefusesWhatItCannotRead) {
  auto read = [](const std::string &bytes) {
    Array array;
    std::string error;
    EXPECT_FALSE(parseTensorProto(bytes, array, error));
    return error;
  };
  EXPECT_THAT(read("\x08\x02\x10\x01\x4a\x08"), HasSubstr("cut short"));
  EXPECT_THAT(read("\x4a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
              HasSubstr("cut short"));
  EXPECT_THAT(read("\x0b"), HasSubstr("not a TensorProto"));
  EXPECT_THAT(read("\x08\x02\x10\x08"), HasSubstr("element type 8"));
  EXPECT_THAT(read("\x08\x02\x10\x01\x70\x01"), HasSubstr("another file"));
  EXPECT_THAT(read("\x08\x02\x10\x06\x28\x07"),
              HasSubstr("needs 8 bytes, the file has 4"));
}

TEST(TensorProtoTest, ReadsWhatItWrites) {
  Array array = {TXC_BFLOAT16, {1, 300}, std::vector<char>(600, 7)};
  Array again = parse(formatTensorProto(array, "x/y"));
  EXPECT_EQ(again.type, array.type);
  EXPECT_EQ(again.dims, array.dims);
  EXPECT_EQ(again.data, array.data);
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

double decode(int32_t type, unsigned bits) {
  char data[2] = {static_cast<char>(bits), static_cast<char>(bits >> 8)};
  return getElement(type, data, 0);
}

TEST(ElementTest, DecodesSmallFloats) {
  // From the tables of the formats' papers.
  EXPECT_EQ(decode(TXC_FLOAT16, 0x3555), 0x1.554p-2);
  EXPECT_EQ(decode(TXC_FLOAT16, 0x0001), 0x1p-24);
  EXPECT_EQ(decode(TXC_FLOAT16, 0xfc00), -INFINITY);
  EXPECT_TRUE(std::isnan(decode(TXC_FLOAT16, 0x7e00)));
  EXPECT_EQ(decode(TXC_BFLOAT16, 0xc049), -3.140625);
  EXPECT_EQ(decode(TXC_FLOAT8E4M3FN, 0x7e), 448);
  EXPECT_TRUE(std::isnan(decode(TXC_FLOAT8E4M3FN, 0x7f)));
  EXPECT_EQ(decode(TXC_FLOAT8E4M3FNUZ, 0x7f), 240);
  EXPECT_TRUE(std::isnan(decode(TXC_FLOAT8E4M3FNUZ, 0x80)));
  EXPECT_EQ(decode(TXC_FLOAT8E5M2, 0x7b), 57344);
  EXPECT_EQ(decode(TXC_FLOAT8E5M2, 0x7c), INFINITY);
  EXPECT_EQ(decode(TXC_FLOAT8E5M2FNUZ, 0x01), 0x1p-17);
  EXPECT_EQ(decode(TXC_FLOAT8E8M0, 0x80), 2);
  EXPECT_EQ(decode(TXC_FLOAT4E2M1, 0x07), 6);
  EXPECT_EQ(decode(TXC_FLOAT4E2M1, 0x09), -0.5);
  EXPECT_EQ(decode(TXC_INT2, 0x02), -2);
}

TEST(ElementTest, StoresEvery16BitFloatAsItWas) {
  for (int32_t type : {TXC_FLOAT16, TXC_BFLOAT16})
    for (unsigned bits = 0; bits < 65536; ++bits) {
      char data[2];
      double number = decode(type, bits);
      if (!std::isfinite(number))
        continue;
      setElement(type, data, 0, number);
      ASSERT_EQ(static_cast<unsigned char>(data[0]) |
                    static_cast<unsigned char>(data[1]) << 8,
                bits);
    }
}

TEST(ElementTest, RoundsToNearestEven) {
  char data[2];
  setElement(TXC_FLOAT16, data, 0, 1 + 0x1p-11);
  EXPECT_EQ(getElement(TXC_FLOAT16, data, 0), 1);
  setElement(TXC_FLOAT16, data, 0, 1 + 3 * 0x1p-11);
  EXPECT_EQ(getElement(TXC_FLOAT16, data, 0), 1 + 0x1p-9);
  setElement(TXC_FLOAT16, data, 0, 2 - 0x1p-12);
  EXPECT_EQ(getElement(TXC_FLOAT16, data, 0), 2);
}

//===----------------------------------------------------------------------===//
// Filling
//===----------------------------------------------------------------------===//

std::vector<double> fill(const char *name, int32_t type, uint64_t seed,
                         int64_t low = 0, int64_t high = 0) {
  txc_tensor_info info = {};
  info.name = name;
  info.type = type;
  info.low = low;
  info.high = high;
  Array array = {type, {4000}, {}};
  fillRandom(info, seed, array);
  return getElements(array);
}

TEST(FillTest, DrawsFromTheNormalDistribution) {
  std::vector<double> x = fill("x", TXC_FLOAT32, 0);
  double sum = 0, squares = 0;
  for (double element : x) {
    sum += element;
    squares += element * element;
  }
  // Five standard errors: 1 / sqrt(n), and sqrt(2 / n) for the variance.
  EXPECT_NEAR(sum / 4000, 0, 5 / std::sqrt(4000.0));
  EXPECT_NEAR(squares / 4000, 1, 5 * std::sqrt(2 / 4000.0));
  EXPECT_EQ(x, fill("x", TXC_FLOAT32, 0));
  EXPECT_NE(x, fill("x", TXC_FLOAT32, 1));
  EXPECT_NE(x, fill("y", TXC_FLOAT32, 0));
}

TEST(FillTest, StaysInTheVocabulary) {
  std::vector<double> ids = fill("ids", TXC_INT64, 0, 10, 13);
  EXPECT_THAT(ids,
              testing::Each(testing::AllOf(testing::Ge(10), testing::Lt(13))));
  EXPECT_THAT(ids, testing::Contains(12));
  EXPECT_THAT(fill("ids", TXC_INT32, 0), testing::Each(testing::AnyOf(0, 1)));
}

TEST(FillTest, FillsMasksWithOnes) {
  EXPECT_THAT(fill("attention_mask", TXC_INT64, 0), testing::Each(1));
  EXPECT_THAT(fill("flags", TXC_BOOL, 0), testing::Each(1));
}

TEST(FillTest, SmallTypesAreFinite) {
  for (int32_t type : {TXC_FLOAT8E4M3FN, TXC_FLOAT8E5M2, TXC_FLOAT8E5M2FNUZ,
                       TXC_FLOAT4E2M1, TXC_FLOAT16, TXC_COMPLEX64})
    EXPECT_THAT(fill("x", type, 0), testing::Each(testing::Truly([](double x) {
                  return std::isfinite(x);
                })))
        << type;
}

} // namespace
