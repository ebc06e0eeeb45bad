//===- Options.h - the command line of txc ---------------------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// `txc [COMMAND] MODEL.onnx OPTIONS…` as a struct. Options.td lists the
/// options, and which command knows which.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_TXC_OPTIONS_H
#define TXC_TOOLS_TXC_OPTIONS_H

#include "compiler/driver/Compilation.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

namespace txc::tool {

enum class Command { Compile, Check, Explain, Verify, Help, Version };

/// Where `-emit` stops.
enum class Stage {
  Tx,
  Kernel,
  Loops,
  LLVM,
  Assembly,
  Ptx,
  Object,
  SharedObject
};

struct Options {
  Command command = Command::Compile;
  std::string inputPath;

  /// Empty: see getOutputPath.
  std::string outputPath;
  Stage stage = Stage::SharedObject;
  std::string weightsPath;
  /// Empty: made of the model's file name.
  std::string name;
  std::string stagesPath;

  std::string target = "native";
  std::vector<DimOption> dims;
  /// Names of inputs that become constants, each with a file or one number.
  std::vector<std::pair<std::string, std::string>> constants;
  /// Their elements, once read.
  std::vector<ConstantInput> constantInputs;
  /// `-precision=exact`: no rewrite that rounds other than the ONNX ops do.
  bool exact = false;
  /// `-precision=bf16` or `int8`: what products with weights multiply.
  std::optional<kernel::Precision> precision;
  /// `-calibrate`: a folder of samples; empty: none.
  std::string calibrationPath;
  /// What was measured on them.
  std::vector<std::vector<float>> channelMaxima;
  /// `-state=kv`: past/present pairs become state of the session.
  bool cacheToState = false;
  PaddingMode padding = PaddingMode::drop;

  bool json = false;
  std::string htmlPath;
  std::string profilePath;
  /// Names of inputs and files for them.
  std::vector<std::pair<std::string, std::string>> inputs;

  CodeGenOptions codeGen;
  bool timeReport = false;
  bool verbose = false;
  /// Command::Help: with the options that it leaves out otherwise.
  bool helpHidden = false;
};

/// Parses what follows the program's name. An error is a sentence about wrong
/// usage, with the nearest option where one is misspelt.
llvm::Expected<Options> parseOptions(llvm::ArrayRef<const char *> arguments);

/// What the command writes: `-o`, or a file in the current directory named
/// after the model, with the suffix of the stage.
std::string getOutputPath(const Options &options);

void printHelp(llvm::raw_ostream &os, bool showHidden);

} // namespace txc::tool

#endif // TXC_TOOLS_TXC_OPTIONS_H
