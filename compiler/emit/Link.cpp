//===- Link.cpp - From objects to a shared object ---------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Runs lld on files in a folder of its own.
///
//===----------------------------------------------------------------------===//

#include "compiler/emit/Link.h"

#include "compiler/emit/CompilerBuiltins.h"
#include "compiler/emit/OutputFile.h"
#include "compiler/emit/StubLibraries.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <mutex>
#include <vector>

LLD_HAS_DRIVER(elf)

using namespace llvm;
using namespace txc;

/// Behind .bss comes nothing else that is loaded. Inserting into lld's own
/// layout keeps that as it is, and works without a .bss too.
static constexpr StringLiteral weightsLayout =
    "SECTIONS { .txc.weights : { KEEP(*(.txc.weights)) } } INSERT AFTER .bss;";

namespace {

/// A folder for the linker's inputs and output, removed at the end.
class LinkFolder {
public:
  LinkFolder() = default;
  LinkFolder(const LinkFolder &) = delete;
  LinkFolder &operator=(const LinkFolder &) = delete;
  ~LinkFolder() {
    if (!path.empty())
      consumeError(errorCodeToError(sys::fs::remove_directories(path)));
  }

  Error create() {
    if (std::error_code error = sys::fs::createUniqueDirectory("txc", path))
      return createFileError("a temporary folder", error);
    return Error::success();
  }

  std::string getPath(const Twine &name) const {
    SmallString<128> file = path;
    sys::path::append(file, name);
    return std::string(file);
  }

  /// Writes a file and returns its path.
  Expected<std::string> add(const Twine &name, ArrayRef<char> bytes) const {
    std::string file = getPath(name);
    Expected<OutputFile> output =
        OutputFile::create(file, OutputFile::Kind::Data);
    if (!output)
      return output.takeError();
    if (Error error = output->write(bytes))
      return error;
    if (Error error = output->commit())
      return error;
    return file;
  }

private:
  SmallString<128> path;
};

} // namespace

/// lld's messages, one line each, without the names of temporary files' folder.
static Error makeLinkError(StringRef messages, StringRef folder) {
  std::string text;
  SmallVector<StringRef> lines;
  messages.split(lines, '\n', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (StringRef line : lines) {
    line.consume_front("ld.lld: ");
    line.consume_front("error: ");
    text += (text.empty() ? "" : "\n") + line.str();
  }
  std::string prefix = folder.str() + "/";
  for (size_t at = text.find(prefix); at != std::string::npos;
       at = text.find(prefix, at))
    text.erase(at, prefix.size());
  return createStringError("can't link: " + text);
}

static Error runLld(ArrayRef<std::string> arguments, StringRef folder) {
  std::vector<const char *> pointers;
  for (const std::string &argument : arguments)
    pointers.push_back(argument.c_str());

  static std::mutex mutex;
  static bool usable = true;
  std::lock_guard<std::mutex> lock(mutex);
  if (!usable)
    return createStringError("can't link: the linker failed before in this "
                             "process and can't run again");
  std::string messages;
  raw_string_ostream stream(messages);
  lld::Result result =
      lld::lldMain(pointers, stream, stream, {{lld::Gnu, &lld::elf::link}});
  usable = result.canRunAgain;
  if (result.retCode != 0)
    return makeLinkError(messages, folder);
  return Error::success();
}

/// Adds the objects to \p folder and their paths to \p arguments.
static Error addObjects(ArrayRef<ArrayRef<char>> objects,
                        const LinkFolder &folder,
                        std::vector<std::string> &arguments) {
  for (auto [index, object] : enumerate(objects)) {
    Expected<std::string> file = folder.add(Twine(index) + ".o", object);
    if (!file)
      return file.takeError();
    arguments.push_back(std::move(*file));
  }
  return Error::success();
}

/// Runs lld with \p arguments and reads what it wrote.
static Expected<SmallVector<char, 0>>
runLldAndRead(const LinkFolder &folder, std::vector<std::string> arguments) {
  std::string output = folder.getPath("output");
  arguments.insert(arguments.end(), {"-o", output});
  if (Error error = runLld(arguments, folder.getPath("")))
    return error;
  ErrorOr<std::unique_ptr<MemoryBuffer>> bytes = MemoryBuffer::getFile(
      output, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!bytes)
    return createFileError(output, bytes.getError());
  StringRef text = (*bytes)->getBuffer();
  return SmallVector<char, 0>(text.begin(), text.end());
}

Expected<SmallVector<char, 0>>
txc::linkSharedObject(ArrayRef<ArrayRef<char>> objects,
                      const LinkOptions &options) {
  LinkFolder folder;
  if (Error error = folder.create())
    return error;
  // Both hash tables: .gnu.hash for the loader, .hash since it tells how many
  // symbols there are, by which txc_open finds the model's.
  std::vector<std::string> arguments = {"ld.lld",
                                        "-shared",
                                        "-m",
                                        "elf_x86_64",
                                        "-soname",
                                        options.soname,
                                        "-z",
                                        "relro",
                                        "-z",
                                        "now",
                                        "-z",
                                        "noexecstack",
                                        "--gc-sections",
                                        "--hash-style=both",
                                        "--build-id=none",
                                        "--as-needed",
                                        "--strip-debug",
                                        "--threads=1",
                                        "-z",
                                        options.allowUndefined ? "undefs"
                                                               : "defs"};
  if (Error error = addObjects(objects, folder, arguments))
    return error;
  Expected<std::string> script = folder.add("weights.lds", weightsLayout);
  if (!script)
    return script.takeError();
  arguments.push_back(std::move(*script));
  Expected<std::string> builtins =
      folder.add("builtins.a", getCompilerBuiltins());
  if (!builtins)
    return builtins.takeError();
  arguments.push_back(std::move(*builtins));
  for (const StubLibrary &library : getStubLibraries()) {
    Expected<std::string> file = folder.add(library.soname, library.image);
    if (!file)
      return file.takeError();
    arguments.push_back(std::move(*file));
  }
  return runLldAndRead(folder, std::move(arguments));
}
