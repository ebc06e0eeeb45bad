//===- DamageTest.cpp - Files that are broken or something else -*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Truncated and altered files, files of other formats, and memory bounds.
///
//===----------------------------------------------------------------------===//

#include "test/unit/onnx-file/OnnxFileTesting.h"
#include <random>

using namespace txc::onnx;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

/// A model that has something of everything.
static Wire richModel() {
  Wire branch = graph({{node("Neg", {"x"}, {"r"}, {}, "inner")},
                       {tensor("c", 6, {2}).packed(5, {1, 2})},
                       {},
                       {"r"}});
  Wire type = Wire().message(
      1,
      Wire().varint(1, 1).message(2, Wire()
                                         .message(1, Wire().string(2, "batch"))
                                         .message(1, Wire().varint(1, 3))));
  Wire main = graph(
      {{node("If", {"b"}, {"y"}, {graphAttribute("then_branch", branch)}, "if"),
        node("Op", {"x", "w"}, {"z"},
             {Wire().string(1, "ints").packed(8, {1, 2, 3}).varint(20, 7)})},
       {tensor("w", 1, {2}).string(9, bytesOf({1.0f, 2.0f}))},
       {"x", "b"},
       {"y", "z"}});
  main.message(13, Wire().string(1, "y").message(2, type));
  Wire function = Wire()
                      .string(1, "F")
                      .string(4, "x")
                      .string(5, "y")
                      .message(7, node("Neg", {"x"}, {"y"}))
                      .message(9, opsetImport("", 21))
                      .string(10, "local");
  return model(main).message(25, function).message(14, stringPair("k", "v"));
}

TEST(Damage, EveryTruncationIsAnError) {
  std::string whole = richModel().bytes();
  ASSERT_EQ(ParsedModel(whole).error, "");
  // The last two fields may be cut off as a whole.
  size_t core = model(Wire()).bytes().size();
  unsigned opened = 0;
  for (size_t length = 0; length < whole.size(); ++length) {
    ParsedModel m(whole.substr(0, length));
    opened += m.error.empty();
    if (!m.error.empty()) {
      EXPECT_THAT(m.error, MatchesRegex("m\\.onnx: [^\n]*"));
    }
  }
  EXPECT_GT(whole.size(), core);
  // Before the function, and before the metadata.
  EXPECT_EQ(opened, 2u);
}

TEST(Damage, FlippedBitsAreAnErrorOrAModel) {
  std::string whole = richModel().bytes();
  for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string altered = whole;
    altered[bit / 8] = static_cast<char>(altered[bit / 8] ^ (1 << bit % 8));
    ParsedModel m(altered);
    EXPECT_NE(m.file == nullptr, m.error.empty());
    EXPECT_EQ(m.error.find('\n'), std::string::npos);
  }
}

TEST(Damage, SplicedFilesAreAnErrorOrAModel) {
  std::string whole = richModel().bytes();
  // NOLINTNEXTLINE(bugprone-random-generator-seed): the same files each time.
  std::mt19937 random(1);
  auto position = [&] { return random() % (whole.size() + 1); };
  for (unsigned round = 0; round < 2000; ++round) {
    std::string altered = whole.substr(0, position());
    size_t from = position();
    altered += whole.substr(from, position());
    altered += whole.substr(position());
    ParsedModel m(altered);
    EXPECT_NE(m.file == nullptr, m.error.empty());
  }
}

TEST(Damage, ErrorsSayWhere) {
  Wire broken = node("MatMul", {"a"}, {"b"}, {}, "layer.0").varint(5, 1);
  EXPECT_EQ(ParsedModel(model(graph({{broken}, {}, {}, {}}))).error,
            "m.onnx: node \"layer.0\" (MatMul): damaged or truncated: byte 29 "
            "has field 5 with wire type 0 instead of 2; fetch the file again");
  EXPECT_THAT(
      ParsedModel(Wire().varint(1, 10).append(Wire().raw(7 << 3 | 2).raw(1000)))
          .error,
      HasSubstr("byte 2 asks for 1000 bytes where 0 are left"));
  // No allocation may follow from a length near 2^64.
  EXPECT_THAT(ParsedModel(Wire().varint(1, 10).append(
                              Wire().raw(7 << 3 | 2).raw(UINT64_MAX)))
                  .error,
              HasSubstr("asks for 18446744073709551615 bytes"));
  EXPECT_THAT(
      ParsedModel(Wire().varint(1, 10).append(Wire().raw(9 << 3 | 3))).error,
      HasSubstr("field 9 of unknown wire type 3"));
  EXPECT_THAT(ParsedModel(std::string(12, '\xff')).error,
              HasSubstr("a number longer than 64 bits"));
  EXPECT_THAT(ParsedModel(model(graph({})).message(7, graph({}))).error,
              HasSubstr("has two graphs"));
  EXPECT_THAT(ParsedModel(Wire().varint(1, 10)).error,
              HasSubstr("has no graph"));
  EXPECT_THAT(
      ParsedModel(model(graph({{Wire().string(1, "x")}, {}, {}, {}}))).error,
      HasSubstr("has no op_type"));
}

TEST(Damage, UnknownFieldsAreSkipped) {
  Wire main = graph({{node("Neg", {"x"}, {"y"})
                          .varint(1000, 1)
                          .string(1001, "new")
                          .fixed32(1002, 1)
                          .fixed64(1003, 1)},
                     {},
                     {"x"},
                     {"y"}});
  EXPECT_EQ(ParsedModel(model(main).string(2000, "new")).error, "");
}

TEST(Damage, StructureMayNotTakeMoreMemoryThanTheLimit) {
  // 2 bytes of file for 48 of tree: 24 MiB that would become 576.
  std::string dims;
  for (unsigned i = 0; i < 12u << 20; ++i)
    dims += std::string("\x0a\x00", 2);
  Wire type = Wire().message(1, Wire().string(2, dims));
  ParsedModel m(
      model(Wire().message(11, Wire().string(1, "x").message(2, type))));
  EXPECT_THAT(m.error, HasSubstr("takes more than 512 MiB of memory"));
}

TEST(Damage, MessagesStayShort) {
  std::string name(100000, 'n');
  Wire dims = tensor(name, 1, std::vector<int64_t>(1000, 2)).string(9, "");
  EXPECT_LT(ParsedModel(model(graph({{}, {dims}, {}, {}}))).error.size(), 500u);
  Wire zeros = tensor(name, 1, std::vector<int64_t>(1000, 1)).string(9, "");
  EXPECT_THAT(ParsedModel(model(graph({{}, {zeros}, {}, {}}))).error,
              HasSubstr("dims [1, 1, 1, 1, 1, 1, 1, 1, …] of FLOAT take 4"));
  Wire lost = node(name, {name}, {name}, {}, name);
  EXPECT_LT(ParsedModel(model(graph({{lost}, {}, {}, {}}))).error.size(), 800u);
}

static std::string foreign(const std::string &contents) {
  return ParsedModel(contents).error;
}

TEST(Damage, OtherFormatsAreNamed) {
  EXPECT_EQ(foreign(""), "m.onnx: is no ONNX model but an empty file; fetch it "
                         "again");
  EXPECT_THAT(foreign("version https://git-lfs.github.com/spec/v1\noid sha256"),
              HasSubstr("a Git LFS pointer"));
  EXPECT_THAT(foreign("\n<!DOCTYPE html><html>"), HasSubstr("a web page"));
  EXPECT_THAT(foreign("<HTML>"), HasSubstr("a web page"));
  EXPECT_THAT(foreign(Wire().plain<uint64_t>(8).bytes() + "{\"a\":{}}"),
              HasSubstr("a safetensors file"));
  EXPECT_THAT(foreign("GGUF\x03"), HasSubstr("a GGUF file"));
  EXPECT_THAT(foreign("PK\x03\x04zip"), HasSubstr("a zip archive"));
  EXPECT_THAT(foreign("\x1f\x8b\x08"), HasSubstr("a gzip archive"));
  EXPECT_THAT(foreign(std::string("\x08\0\0\0ORTM", 8)),
              HasSubstr("ONNX Runtime's ORT format"));
  EXPECT_THAT(foreign(std::string("\x1c\0\0\0TFL3", 8)),
              HasSubstr("a TensorFlow Lite model"));
  EXPECT_THAT(foreign("{\"graph\": {}}"), HasSubstr("a JSON file"));
  EXPECT_THAT(foreign("<ir_version: 7>"), HasSubstr("an ONNX model as text"));
}

TEST(Damage, FilesThatCannotBeOpened) {
  TemporaryDirectory directory;
  auto errorOf = [](const std::string &path) {
    llvm::Expected<std::unique_ptr<OnnxFile>> file = OnnxFile::open(path);
    return file ? "" : llvm::toString(file.takeError());
  };
  EXPECT_EQ(errorOf("/no/such/m.onnx"),
            "'/no/such/m.onnx': can't be read: No such file or directory");
  EXPECT_THAT(errorOf(directory.path.str().str()),
              HasSubstr("is a directory, not a file"));
  EXPECT_THAT(errorOf("/dev/null"), HasSubstr("is not a regular file"));
  EXPECT_EQ(errorOf(directory.write("m.onnx", richModel().bytes())), "");
}
