//===- SharedObject.cpp - From LLVM IR to MODEL.so --------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Puts the parts of emission into their order.
///
//===----------------------------------------------------------------------===//

#include "compiler/emit/SharedObject.h"

#include "compiler/emit/ElfWeights.h"
#include "compiler/emit/Link.h"
#include "compiler/emit/ModelHeader.h"
#include "compiler/emit/ModelTable.h"
#include "compiler/emit/OutputFile.h"
#include "runtime/RuntimeObject.h"
#include "runtime/abi.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/Path.h"
#include "llvm/Target/TargetMachine.h"

#include <cstddef>
#include <optional>
#include <vector>

using namespace llvm;
using namespace txc;

static WeightsPlacement placeWeights(const WeightsImage &weights,
                                     StringRef path) {
  WeightsPlacement placement;
  placement.file = sys::path::filename(path).str();
  placement.size = weights.getSize();
  placement.numTensors = weights.getNumEntries();
  return placement;
}

/// Adds the tables to \p module, in the data layout of \p target.
static Error addTable(Module &module, const ModelDescription &description,
                      const WeightsPlacement &placement,
                      const txc::Target &target, ProgramPlace place = {}) {
  Expected<std::unique_ptr<TargetMachine>> machine =
      target.createTargetMachine();
  if (!machine)
    return machine.takeError();
  module.setDataLayout((*machine)->createDataLayout());
  return addModelTable(module, description, placement, target, place);
}

/// Compiles the programs with their tables.
static Expected<std::vector<ObjectBytes>>
compilePrograms(MutableArrayRef<ProgramCode> programs,
                const WeightsPlacement &placement,
                const CodeGenOptions &options) {
  std::vector<ObjectBytes> objects;
  ProgramPlace place = {0, static_cast<unsigned>(programs.size())};
  for (ProgramCode &program : programs) {
    if (Error error = addTable(*program.module, *program.description, placement,
                               *program.target, place))
      return error;
    Expected<std::vector<ObjectBytes>> compiled =
        compileModel(std::move(program.module), *program.target, options);
    if (!compiled)
      return compiled.takeError();
    objects.insert(objects.end(), std::make_move_iterator(compiled->begin()),
                   std::make_move_iterator(compiled->end()));
    ++place.number;
  }
  return objects;
}

static ArrayRef<char> getRuntime(Sanitizer sanitizer) {
  switch (sanitizer) {
  case Sanitizer::None:
    return getRuntimeObject();
  case Sanitizer::Address:
    return getAddressSanitizedRuntimeObject();
  case Sanitizer::Thread:
    return getThreadSanitizedRuntimeObject();
  }
  llvm_unreachable("there is a runtime for every sanitizer");
}

/// Links a model's objects with the runtime.
static Expected<ObjectBytes> linkModel(ArrayRef<ObjectBytes> objects,
                                       const EmitOptions &options) {
  Sanitizer sanitizer = options.codeGen.sanitizer;
  SmallVector<ArrayRef<char>> inputs(objects.begin(), objects.end());
  inputs.push_back(getRuntime(sanitizer));
  LinkOptions linkOptions;
  linkOptions.soname = sys::path::filename(options.outputPath).str();
  linkOptions.allowUndefined = sanitizer != Sanitizer::None;
  return linkSharedObject(inputs, linkOptions);
}

/// Streams \p weights to the end of \p file and returns their checksum.
static Expected<uint64_t> writeWeights(OutputFile &file,
                                       WeightsImage &weights) {
  uint64_t checksum = TXC_CHECKSUM_SEED;
  static_assert(WeightsImage::alignment % sizeof checksum == 0,
                "pieces of the checksum have to be whole words");
  Error error = weights.write([&](ArrayRef<char> bytes) {
    checksum = txc_checksum(checksum, bytes.data(), bytes.size());
    return file.write(bytes);
  });
  if (error)
    return error;
  return checksum;
}

/// Writes the weights to a file of their own, behind its header.
static Expected<uint64_t> writeWeightsFile(OutputFile &file,
                                           WeightsImage &weights) {
  if (Error error = file.padTo(TXC_WEIGHTS_HEADER_BYTES))
    return error;
  Expected<uint64_t> checksum = writeWeights(file, weights);
  if (!checksum)
    return checksum.takeError();
  txc_weights_header header = {TXC_WEIGHTS_MAGIC, /*version=*/1,
                               weights.getSize(), *checksum};
  if (Error error = file.overwrite(
          0, ArrayRef(reinterpret_cast<const char *>(&header), sizeof header)))
    return error;
  return checksum;
}

/// A 64-bit field of a table in the linked file that is known only at the end.
static Error patchField(OutputFile &file, ArrayRef<char> image,
                        StringRef symbol, size_t symbolSize, size_t fieldOffset,
                        uint64_t value) {
  Expected<uint64_t> offset = findSymbol(image, symbol, symbolSize);
  if (!offset)
    return offset.takeError();
  char bytes[sizeof value];
  support::endian::write64le(bytes, value);
  return file.overwrite(*offset + fieldOffset, bytes);
}

/// Fills in the weights' checksum, and the model's fingerprint: a checksum of
/// all code and tables continued over that of the weights.
static Error patchTables(OutputFile &file, ArrayRef<char> image,
                         unsigned numPrograms, uint64_t checksum) {
  if (Error error =
          patchField(file, image, weightsDescSymbol, sizeof(txc_weights_desc),
                     offsetof(txc_weights_desc, checksum), checksum))
    return error;
  uint64_t fingerprint =
      txc_checksum(TXC_CHECKSUM_SEED, image.data(), image.size());
  fingerprint = txc_checksum(fingerprint, &checksum, sizeof checksum);
  for (unsigned number = 0; number < numPrograms; ++number)
    if (Error error = patchField(
            file, image, getProgramSymbol(number), sizeof(txc_program),
            offsetof(txc_program, fingerprint), fingerprint + number))
      return error;
  return Error::success();
}

/// Writes \p image to \p program and the weights behind it or, when there is
/// one, to \p weightsFile.
static Error writeFiles(OutputFile &program,
                        std::optional<OutputFile> &weightsFile,
                        MutableArrayRef<char> image, unsigned numPrograms,
                        WeightsImage &weights) {
  bool inside = !weightsFile && !weights.empty();
  uint64_t weightsOffset = 0;
  if (inside) {
    Expected<uint64_t> reserved = reserveWeights(image, weights.getSize());
    if (!reserved)
      return reserved.takeError();
    weightsOffset = *reserved;
  }
  if (Error error = program.write(image))
    return error;
  if (inside)
    if (Error error = program.padTo(weightsOffset))
      return error;
  Expected<uint64_t> checksum = weightsFile
                                    ? writeWeightsFile(*weightsFile, weights)
                                    : writeWeights(program, weights);
  if (!checksum)
    return checksum.takeError();
  return patchTables(program, image, numPrograms, *checksum);
}

/// Begins a file unless \p path is empty.
static Error createIfNamed(std::optional<OutputFile> &file, StringRef path) {
  if (path.empty())
    return Error::success();
  Expected<OutputFile> created =
      OutputFile::create(path, OutputFile::Kind::Data);
  if (!created)
    return created.takeError();
  file.emplace(std::move(*created));
  return Error::success();
}

/// What a header says that it was made for.
static std::string joinNames(ArrayRef<ProgramCode> programs) {
  return join(map_range(programs,
                        [](const ProgramCode &program) {
                          return program.target->getName();
                        }),
              ",");
}

Error txc::emitSharedObject(MutableArrayRef<ProgramCode> programs,
                            WeightsImage &weights, const EmitOptions &options) {
  Expected<std::vector<ObjectBytes>> objects = compilePrograms(
      programs, placeWeights(weights, options.weightsPath), options.codeGen);
  if (!objects)
    return objects.takeError();
  Expected<ObjectBytes> image = linkModel(*objects, options);
  if (!image)
    return image.takeError();
  objects->clear();

  Expected<OutputFile> program =
      OutputFile::create(options.outputPath, OutputFile::Kind::Program);
  if (!program)
    return program.takeError();
  std::optional<OutputFile> weightsFile;
  if (Error error = createIfNamed(weightsFile, options.weightsPath))
    return error;
  std::optional<OutputFile> header;
  if (Error error = createIfNamed(header, options.headerPath))
    return error;

  if (Error error = writeFiles(*program, weightsFile, *image,
                               static_cast<unsigned>(programs.size()), weights))
    return error;
  if (header)
    if (Error error = header->write(makeModelHeader(
            *programs.front().description, joinNames(programs))))
      return error;
  // Everything is on disk: only renaming can fail now. The .so comes last,
  // since it is what makes the others useful.
  if (weightsFile)
    if (Error error = weightsFile->commit())
      return error;
  if (header)
    if (Error error = header->commit())
      return error;
  return program->commit();
}

Error txc::emitCode(std::unique_ptr<Module> module,
                    const ModelDescription &description,
                    const WeightsImage &weights, const txc::Target &target,
                    CodeKind kind, StringRef path,
                    const CodeGenOptions &options) {
  if (Error error =
          addTable(*module, description, placeWeights(weights, ""), target))
    return error;
  Expected<ObjectBytes> bytes =
      compileModule(*module, target, kind, options.sanitizer);
  if (!bytes)
    return bytes.takeError();
  Expected<OutputFile> file = OutputFile::create(path, OutputFile::Kind::Data);
  if (!file)
    return file.takeError();
  if (Error error = file->write(*bytes))
    return error;
  return file->commit();
}
