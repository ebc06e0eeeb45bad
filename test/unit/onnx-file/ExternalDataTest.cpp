//===- ExternalDataTest.cpp - External data ---------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Files beside the model: which are taken, which are refused, and why.
///
//===----------------------------------------------------------------------===//

#include "test/unit/onnx-file/OnnxFileTesting.h"
#include <sys/stat.h>
#include <unistd.h>

using namespace txc::onnx;
using ::testing::HasSubstr;

namespace {
using Entries = std::vector<std::pair<std::string, std::string>>;

class ExternalData : public ::testing::Test {
protected:
  /// Opens a model with one tensor of two floats for each of \p tensors.
  std::unique_ptr<OnnxFile> open(const std::vector<Entries> &tensors) {
    GraphParts parts;
    for (const Entries &entries : tensors)
      parts.initializers.push_back(externalTensor(
          "w" + std::to_string(parts.initializers.size()), 1, {2}, entries));
    directory.write("m.onnx", model(graph(parts)).bytes());
    return openWritten();
  }
  std::unique_ptr<OnnxFile> openWritten() {
    llvm::Expected<std::unique_ptr<OnnxFile>> file =
        OnnxFile::open(directory / "m.onnx");
    if (file)
      return std::move(*file);
    error = llvm::toString(file.takeError());
    return nullptr;
  }
  std::string errorAt(const std::string &location) {
    EXPECT_EQ(open({{{"location", location}}}), nullptr) << location;
    return error;
  }
  static std::string elements(const OnnxFile &file, unsigned index) {
    return readElements(file, file.model().graph.initializers[index]);
  }

  TemporaryDirectory directory;
  std::string error;
};
} // namespace

TEST_F(ExternalData, DefaultsToTheWholeFile) {
  directory.write("w.bin", bytesOf({1.0f, 2.0f}));
  std::unique_ptr<OnnxFile> file = open({{{"location", "w.bin"}}});
  ASSERT_TRUE(file) << error;
  EXPECT_EQ(elements(*file, 0), bytesOf({1.0f, 2.0f}));
  EXPECT_EQ(file->numFiles(), 2u);
  EXPECT_TRUE(file->filePath(1).ends_with("/w.bin"));
}

TEST_F(ExternalData, IsMappedOnceWhateverItsName) {
  directory.write("w.bin", bytesOf({1.0f, 2.0f, 3.0f, 4.0f}));
  ASSERT_EQ(link((directory / "w.bin").c_str(), (directory / "l.bin").c_str()),
            0);
  std::unique_ptr<OnnxFile> file =
      open({{{"location", "w.bin"}, {"length", "8"}},
            {{"location", "./w.bin"}, {"offset", "8"}, {"length", "8"}},
            {{"location", "l.bin"}, {"offset", "4"}, {"length", "8"}},
            {{"location", "w.bin"}, {"offset", "8"}, {"checksum", "00"}}});
  ASSERT_TRUE(file) << error;
  EXPECT_EQ(file->numFiles(), 2u);
  EXPECT_EQ(elements(*file, 0), bytesOf({1.0f, 2.0f}));
  EXPECT_EQ(elements(*file, 1), bytesOf({3.0f, 4.0f}));
  EXPECT_EQ(elements(*file, 2), bytesOf({2.0f, 3.0f}));
  EXPECT_EQ(elements(*file, 3), bytesOf({3.0f, 4.0f}));
}

TEST_F(ExternalData, MayBeInASubdirectory) {
  ASSERT_FALSE(llvm::sys::fs::create_directory(directory / "data"));
  directory.write("data/w.bin", bytesOf({1.0f, 2.0f}));
  EXPECT_TRUE(open({{{"location", "data/w.bin"}}})) << error;
}

TEST_F(ExternalData, MayNotLeaveTheDirectory) {
  directory.write("w.bin", bytesOf({1.0f, 2.0f}));
  EXPECT_THAT(errorAt("../w.bin"), HasSubstr("has \"..\" in its path"));
  EXPECT_THAT(errorAt("a/../w.bin"), HasSubstr("has \"..\" in its path"));
  EXPECT_THAT(errorAt("a\\..\\w.bin"), HasSubstr("has \"..\" in its path"));
  EXPECT_THAT(errorAt(".."), HasSubstr("has \"..\" in its path"));
  EXPECT_THAT(errorAt(directory / "w.bin"), HasSubstr("is an absolute path"));
  EXPECT_THAT(errorAt("C:\\w.bin"), HasSubstr("is an absolute path"));
  EXPECT_THAT(errorAt(""), HasSubstr("has no valid location"));
  EXPECT_THAT(errorAt(std::string("w.bin\0x", 7)),
              HasSubstr("has no valid location"));
}

TEST_F(ExternalData, SymbolicLinksMayNotLeaveTheDirectory) {
  TemporaryDirectory other;
  std::string outside = other.write("w.bin", bytesOf({1.0f, 2.0f}));
  ASSERT_EQ(symlink(outside.c_str(), (directory / "out.bin").c_str()), 0);
  ASSERT_EQ(symlink(other.path.c_str(), (directory / "dir").c_str()), 0);
  directory.write("in.bin", bytesOf({1.0f, 2.0f}));
  ASSERT_EQ(symlink("in.bin", (directory / "link.bin").c_str()), 0);
  EXPECT_THAT(errorAt("out.bin"), HasSubstr("is a symbolic link to"));
  EXPECT_THAT(errorAt("dir/w.bin"), HasSubstr("outside the model's directory"));
  EXPECT_TRUE(open({{{"location", "link.bin"}}})) << error;
}

TEST_F(ExternalData, ADirectoryWhoseNameBeginsAlikeIsOutside) {
  std::string twin = directory.path.str().str() + "-twin";
  ASSERT_FALSE(llvm::sys::fs::create_directory(twin));
  std::error_code ec;
  llvm::raw_fd_ostream(twin + "/w.bin", ec) << bytesOf({1.0f, 2.0f});
  ASSERT_EQ(symlink((twin + "/w.bin").c_str(), (directory / "w.bin").c_str()),
            0);
  EXPECT_THAT(errorAt("w.bin"), HasSubstr("outside the model's directory"));
  EXPECT_FALSE(llvm::sys::fs::remove_directories(twin));
}

TEST_F(ExternalData, MustBeARegularFile) {
  ASSERT_EQ(mkfifo((directory / "fifo").c_str(), 0600), 0);
  EXPECT_THAT(errorAt("fifo"), HasSubstr("is not a regular file"));
  EXPECT_THAT(errorAt("."), HasSubstr("is a directory"));
  EXPECT_THAT(errorAt("missing.bin"),
              HasSubstr("external data \"missing.bin\" can't be read: No such "
                        "file or directory"));
}

TEST_F(ExternalData, MustHaveTheTensorsSize) {
  directory.write("w.bin", bytesOf({1.0f, 2.0f, 3.0f}));
  auto errorOf = [&](const Entries &entries) {
    EXPECT_EQ(open({entries}), nullptr);
    return error;
  };
  EXPECT_THAT(errorOf({{"location", "w.bin"}}),
              HasSubstr("dims [2] of FLOAT take 8 bytes, but external data "
                        "\"w.bin\" gives 12 at byte 0"));
  EXPECT_THAT(errorOf({{"location", "w.bin"}, {"length", "4"}}),
              HasSubstr("gives 4 at byte 0"));
  EXPECT_THAT(
      errorOf({{"location", "w.bin"}, {"offset", "8"}, {"length", "8"}}),
      HasSubstr("is 12 bytes long, but the tensor lies at byte 8 and has 8"));
  EXPECT_THAT(errorOf({{"location", "w.bin"},
                       {"offset", "18446744073709551612"},
                       {"length", "8"}}),
              HasSubstr("is 12 bytes long"));
  EXPECT_THAT(errorOf({{"location", "w.bin"}, {"offset", "-4"}}),
              HasSubstr("offset \"-4\", which is no number of bytes"));
  EXPECT_THAT(errorOf({{"location", "w.bin"}, {"length", "8 "}}),
              HasSubstr("length \"8 \", which is no number of bytes"));
  directory.write("empty.bin", "");
  EXPECT_THAT(errorOf({{"location", "empty.bin"}, {"length", "8"}}),
              HasSubstr("is 0 bytes long"));
}

TEST_F(ExternalData, IsNotForModelsInMemory) {
  ParsedModel m(model(graph(
      {{}, {externalTensor("w", 1, {2}, {{"location", "w.bin"}})}, {}, {}})));
  EXPECT_THAT(m.error, HasSubstr("can't be had by a model in memory"));
}

/// A length of 3 GiB that no process here can or should read: a sparse file.
TEST_F(ExternalData, MayBeLargerThanTwoGiB) {
  constexpr uint64_t size = uint64_t(3) << 30;
  directory.write("w.bin", "");
  ASSERT_EQ(truncate((directory / "w.bin").c_str(), size), 0);
  Wire large = externalTensor("w", 2, {3, 1 << 30}, {{"location", "w.bin"}});
  directory.write("m.onnx", model(graph({{}, {large}, {}, {}})).bytes());
  std::unique_ptr<OnnxFile> file = openWritten();
  ASSERT_TRUE(file) << error;
  llvm::Expected<TensorData> data =
      file->read(file->model().graph.initializers[0]);
  ASSERT_TRUE(bool(data));
  EXPECT_EQ(data->bytes().size(), size);
  EXPECT_EQ(data->bytes().back(), 0);
}

/// The same inside the model: the lengths around the payload have five bytes.
TEST_F(ExternalData, AModelMayItselfBeLargerThanTwoGiB) {
  constexpr uint64_t size = (uint64_t(5) << 29) + 3;
  auto header = [](uint32_t field, uint64_t length) {
    return Wire().raw(field << 3 | 2).raw(length);
  };
  Wire tensorHead = tensor("w", 2, {int64_t(size)}).append(header(9, size));
  uint64_t tensorSize = tensorHead.bytes().size() + size;
  Wire graphHead = header(5, tensorSize);
  // After the payload, where nothing finds it that cut lengths to 32 bits.
  Wire graphTail = Wire().message(12, Wire().string(1, "w"));
  uint64_t graphSize =
      graphHead.bytes().size() + tensorSize + graphTail.bytes().size();
  Wire head = Wire()
                  .varint(1, 10)
                  .message(8, opsetImport("", 21))
                  .append(header(7, graphSize))
                  .append(graphHead)
                  .append(tensorHead);
  std::string path = directory.write("m.onnx", head.bytes());
  ASSERT_EQ(truncate(path.c_str(), head.bytes().size() + size), 0);
  std::error_code ec;
  llvm::raw_fd_ostream(path, ec, llvm::sys::fs::OF_Append) << graphTail.bytes();
  ASSERT_FALSE(ec);

  std::unique_ptr<OnnxFile> file = openWritten();
  ASSERT_TRUE(file) << error;
  const Graph &graph = file->model().graph;
  EXPECT_EQ(graph.initializers[0].length, size);
  ASSERT_EQ(graph.outputs.size(), 1u);
  EXPECT_EQ(graph.outputs[0].name, "w");
}
