//===- HostTensorTest.cpp - tensors and element formats -------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Expected codes: ml_dtypes.
//
//===----------------------------------------------------------------------===//

#include "mlir/AsmParser/AsmParser.h"
#include "test/unit/reference/ReferenceTesting.h"

using namespace mlir;
using namespace txc;
using namespace txc::test;

using HostTensorTest = ReferenceTest;

/// Numbers at which narrow formats round, overflow or become subnormal.
static const double kHard[] = {
    0.0,    -0.0,    1.0,       -1.5,    0.1,    3.14159, 1.0 / 3, 448.,
    464.,   465.,    480.,      -1e9,    65504., 65519.9, 65520.,  1e-3,
    0x1p-9, 0x1p-10, 0x1.8p-10, 0x1p-17, 1e-8,   0x1p-25, 57344.,  61440.,
    61439., 240.,    248.,      247.9,   kInf,   -kInf,   kNan};

TEST_F(HostTensorTest, StoresNarrowFloatsAsMlDtypes) {
  const std::pair<StringRef, std::vector<uint64_t>> cases[] = {
      {"f16", {0x0,    0x8000, 0x3c00, 0xbe00, 0x2e66, 0x4248, 0x3555, 0x5f00,
               0x5f40, 0x5f44, 0x5f80, 0xfc00, 0x7bff, 0x7bff, 0x7c00, 0x1419,
               0x1800, 0x1400, 0x1600, 0x80,   0x0,    0x0,    0x7b00, 0x7b80,
               0x7b80, 0x5b80, 0x5bc0, 0x5bbf, 0x7c00, 0xfc00, 0x7e00}},
      {"bf16", {0x0,    0x8000, 0x3f80, 0xbfc0, 0x3dcd, 0x4049, 0x3eab, 0x43e0,
                0x43e8, 0x43e8, 0x43f0, 0xce6e, 0x4780, 0x4780, 0x4780, 0x3a83,
                0x3b00, 0x3a80, 0x3ac0, 0x3700, 0x322c, 0x3300, 0x4760, 0x4770,
                0x4770, 0x4370, 0x4378, 0x4378, 0x7f80, 0xff80, 0x7fc0}},
      {"f8E4M3FN",
       {0x0,  0x80, 0x38, 0xbc, 0x1d, 0x45, 0x2b, 0x7e, 0x7e, 0x7f, 0x7f,
        0xff, 0x7f, 0x7f, 0x7f, 0x1,  0x1,  0x0,  0x1,  0x0,  0x0,  0x0,
        0x7f, 0x7f, 0x7f, 0x77, 0x78, 0x77, 0x7f, 0xff, 0x7f}},
      {"f8E5M2",
       {0x0,  0x80, 0x3c, 0xbe, 0x2e, 0x42, 0x35, 0x5f, 0x5f, 0x5f, 0x60,
        0xfc, 0x7c, 0x7c, 0x7c, 0x14, 0x18, 0x14, 0x16, 0x0,  0x0,  0x0,
        0x7b, 0x7c, 0x7b, 0x5c, 0x5c, 0x5c, 0x7c, 0xfc, 0x7e}},
      {"f8E4M3FNUZ",
       {0x0,  0x0,  0x40, 0xc4, 0x25, 0x4d, 0x33, 0x80, 0x80, 0x80, 0x80,
        0x80, 0x80, 0x80, 0x80, 0x1,  0x2,  0x1,  0x2,  0x0,  0x0,  0x0,
        0x80, 0x80, 0x80, 0x7f, 0x80, 0x7f, 0x80, 0x80, 0x80}},
      {"f8E5M2FNUZ",
       {0x0,  0x0,  0x40, 0xc2, 0x32, 0x46, 0x39, 0x63, 0x63, 0x63, 0x64,
        0x80, 0x80, 0x80, 0x80, 0x18, 0x1c, 0x18, 0x1a, 0x1,  0x0,  0x0,
        0x7f, 0x80, 0x7f, 0x60, 0x60, 0x60, 0x80, 0x80, 0x80}},
  };
  for (const auto &[type, codes] : cases) {
    HostTensor x = vector(type, kHard);
    ASSERT_EQ(codes.size(), std::size(kHard));
    for (auto [place, code] : llvm::enumerate(codes)) {
      uint64_t stored = 0;
      std::memcpy(&stored, x.getBytes().data() + place * x.getElementSize(),
                  x.getElementSize());
      EXPECT_EQ(stored, code) << type.str() << " of " << kHard[place];
    }
  }
}

TEST_F(HostTensorTest, EveryCodeReadsAsApfloatDoesAndIsStoredAgain) {
  FloatType types[] = {
      Float16Type::get(&context),        BFloat16Type::get(&context),
      Float8E4M3FNType::get(&context),   Float8E5M2Type::get(&context),
      Float8E4M3FNUZType::get(&context), Float8E5M2FNUZType::get(&context),
      Float4E2M1FNType::get(&context)};
  for (FloatType type : types) {
    ElementFormat format = *ElementFormat::get(type);
    for (uint64_t code = 0; code < (uint64_t(1) << type.getWidth()); ++code) {
      char bytes[8] = {}, again[8] = {};
      std::memcpy(bytes, &code, sizeof(code));
      double value = format.loadDouble(bytes);
      APFloat expected(type.getFloatSemantics(), APInt(type.getWidth(), code));
      ASSERT_THAT(std::vector<double>{value},
                  same({expected.convertToDouble()}))
          << code;
      format.storeDouble(again, value);
      if (!std::isnan(value))
        ASSERT_EQ(std::memcmp(bytes, again, format.getByteSize()), 0) << code;
    }
  }
}

TEST_F(HostTensorTest, NarrowIntegersTakeAByte) {
  HostTensor x = vector("i4", {-8, 7, -1});
  EXPECT_EQ(x.getBytes().size(), 3u);
  EXPECT_EQ(x.getInt(0), -8);
  x.setInt(1, 9);
  EXPECT_EQ(x.getInt(1), -7);
  HostTensor y = vector("ui4", {16, -1, 15});
  EXPECT_THAT(toDoubles(y), same({15, 0, 15}));
}

// ONNX's Cast to FLOAT8E8M0 with the round_mode "up", and to FLOAT4E2M1.
TEST_F(HostTensorTest, RoundsToScalesAndToFourBits) {
  double values[] = {0, 0x1p-127, 0x1.8p-127, 0.124, 0.125, 1.1, 0x1p127, 1e39};
  double up[] = {0x1p-127, 0x1p-127, 0x1p-126, 0.125,
                 0.125,    2,        0x1p127,  std::nan("")};
  auto roundTrip = [](ElementFormat format, double value, Overflow overflow) {
    char bytes[8] = {};
    format.storeDouble(bytes, value, overflow);
    return format.loadDouble(bytes);
  };
  ElementFormat scale = *ElementFormat::get(Float8E8M0FNUType::get(&context));
  for (auto [value, expected] : llvm::zip(values, up))
    EXPECT_THAT(std::vector<double>{roundTrip(scale, value, Overflow::Ieee)},
                same({expected}))
        << value;
  EXPECT_EQ(roundTrip(scale, 1e39, Overflow::Saturate), 0x1p127);
  ElementFormat four = *ElementFormat::get(Float4E2M1FNType::get(&context));
  EXPECT_EQ(roundTrip(four, 1e9, Overflow::Ieee), 6);
  EXPECT_EQ(roundTrip(four, -2.5, Overflow::Ieee), -2);
  double nan = roundTrip(four, std::nan(""), Overflow::Ieee);
  EXPECT_TRUE(nan == 0 && std::signbit(nan)) << nan;
}

TEST_F(HostTensorTest, UnpacksIntegersOfAnOnnxFile) {
  Type i4 = IntegerType::get(&context, 4);
  const char packed[] = {'\x8f', '\x07'};
  EXPECT_THAT(toDoubles(llvm::cantFail(HostTensor::unpack(i4, {3}, packed))),
              same({-1, -8, 7}));
  EXPECT_EQ(llvm::toString(HostTensor::unpack(i4, {5}, packed).takeError()),
            "expected 3 bytes for a packed tensor of 5xi4, found 2");
  Type f4 = Float4E2M1FNType::get(&context);
  EXPECT_THAT(toDoubles(llvm::cantFail(HostTensor::unpack(f4, {3}, packed))),
              same({-6, -0.0, 6}));
  HostTensor bytes = llvm::cantFail(
      HostTensor::unpack(IntegerType::get(&context, 8), {2}, packed));
  EXPECT_EQ(bytes.getBytes().data(), packed) << "a copy without need";
}

TEST_F(HostTensorTest, ReadsRowsWithAStep) {
  HostTensor x = counting("i16", {2, 3});
  std::vector<double> column(2);
  x.read<double>(1, 3, column);
  EXPECT_THAT(column, same({1, 4}));
  std::vector<int64_t> repeated(3);
  x.read<int64_t>(5, 0, repeated);
  EXPECT_THAT(repeated, ::testing::ElementsAre(5, 5, 5));
  HostTensor y = vector("f32", {-2.5, 7.25});
  std::vector<int64_t> truncated(2);
  y.read<int64_t>(0, 1, truncated);
  EXPECT_THAT(truncated, ::testing::ElementsAre(-2, 7));
}

/// Rows are written by loops of their own.
TEST_F(HostTensorTest, RowsAreStoredAsSingleNumbers) {
  std::vector<double> values(std::begin(kHard), std::end(kHard));
  // Each bfloat16, and what lies just beside and on the tie above it: a double
  // that is no float is rounded once.
  for (uint32_t code = 0; code < 0x10000; code += 7) {
    double here = llvm::bit_cast<float>(code << 16);
    double tie = llvm::bit_cast<float>(code << 16 | 0x8000);
    llvm::append_values(values, here, tie, tie * (1 + 0x1p-40),
                        tie * (1 - 0x1p-40));
  }
  // The limits of integers, and a little more and less.
  for (int power : {7, 8, 15, 16, 31, 32, 63, 64})
    for (double offset : {-1.0, -0.5, 0.0, 0.5, 1.0})
      llvm::append_values(values, std::ldexp(1.0, power) + offset,
                          -std::ldexp(1.0, power) + offset);
  for (StringRef type : {"f64", "f32", "f16", "bf16", "f8E4M3FN", "i64", "ui64",
                         "i32", "ui32", "i16", "ui16", "i8", "ui8", "i1"}) {
    SCOPED_TRACE(type.str());
    auto size = static_cast<int64_t>(values.size());
    Type elementType = parseType(type, &context);
    HostTensor rows = llvm::cantFail(HostTensor::allocate(elementType, size));
    HostTensor single = llvm::cantFail(HostTensor::allocate(elementType, size));
    rows.write<double>(0, 1, values);
    for (int64_t i = 0; i < size; ++i)
      single.setDouble(i, values[i]);
    EXPECT_EQ(rows.getBytes(), single.getBytes());
  }
}

TEST_F(HostTensorTest, WritingACopyLeavesTheOriginal) {
  HostTensor x = vector("f32", {1, 2, 3, 4});
  HostTensor y = x.withDims({2, 2});
  EXPECT_EQ(x.getBytes().data(), y.getBytes().data());
  y = llvm::cantFail(y.copy());
  y.setDouble(0, 9);
  EXPECT_EQ(x.getDouble(0), 1);
  EXPECT_EQ(y.getDouble(0), 9);
  EXPECT_EQ(y.getDouble(3), 4);
}

TEST_F(HostTensorTest, BorrowedBytesAreNeverWritten) {
  const float numbers[] = {1, 2};
  ArrayRef<char> bytes(reinterpret_cast<const char *>(numbers),
                       sizeof(numbers));
  HostTensor x = llvm::cantFail(
      HostTensor::borrow(Float32Type::get(&context), {2}, bytes));
  EXPECT_EQ(x.getBytes().data(), bytes.data());
  x = llvm::cantFail(x.copy());
  x.setDouble(1, 5);
  EXPECT_EQ(numbers[1], 2);
  EXPECT_EQ(x.getDouble(1), 5);
}

TEST_F(HostTensorTest, RefusesWhatItCannotHold) {
  Type f32 = Float32Type::get(&context);
  auto message = [](llvm::Expected<HostTensor> tensor) {
    return llvm::toString(tensor.takeError());
  };
  EXPECT_EQ(message(HostTensor::borrow(f32, {3}, ArrayRef<char>("1234", 4))),
            "expected 12 bytes for a tensor of 3xf32, found 4");
  EXPECT_EQ(message(HostTensor::allocate(f32, {int64_t(1) << 40, 1 << 30})),
            "a tensor of 1099511627776x1073741824xf32 has no size in bytes");
  EXPECT_THAT(
      message(HostTensor::allocate(IntegerType::get(&context, 128), {})),
      ::testing::HasSubstr("tensors of i128 are not supported"));
}

TEST_F(HostTensorTest, AttributesRoundTrip) {
  for (StringRef type : {"f64", "f32", "f16", "bf16", "f8E4M3FN", "i64", "i8",
                         "ui16", "i4", "i1"}) {
    SCOPED_TRACE(type.str());
    HostTensor x = tensor(type, {2, 2}, {1, 0, 1, 1});
    DenseElementsAttr attr = x.toAttr();
    EXPECT_EQ(attr.getType(), x.getType());
    HostTensor again = llvm::cantFail(HostTensor::fromAttr(attr));
    EXPECT_THAT(toDoubles(again), same({1, 0, 1, 1}));
  }
  auto splat = DenseElementsAttr::get(
      RankedTensorType::get({3}, IntegerType::get(&context, 1)), true);
  EXPECT_THAT(toDoubles(llvm::cantFail(HostTensor::fromAttr(splat))),
              same({1, 1, 1}));
}
