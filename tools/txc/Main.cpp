//===- Main.cpp - the compiler's command line tool -----------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// `txc`: parses the command line and hands over to the command. Exit codes are
/// those of Outcome.
//
//===----------------------------------------------------------------------===//

#include "compiler/emit/ModelTable.h"
#include "tools/txc/Commands.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace txc;
using namespace txc::tool;

static Outcome run(const Options &options, Console &console) {
  switch (options.command) {
  case Command::Help:
    printHelp(outs(), options.helpHidden);
    return Outcome::success;
  case Command::Version:
    outs() << "txc " << getTxcVersion() << ", LLVM " << LLVM_VERSION_STRING
           << '\n';
    return Outcome::success;
  case Command::Compile:
    return compileModel(options, console);
  case Command::Check:
    return checkModel(options, console);
  case Command::Explain:
    return explainModel(options, console);
  case Command::Verify:
    return verifyModel(options, console);
  }
  llvm_unreachable("all commands are listed");
}

/// A full disk or closed pipe must not abort the process when it ends.
static Outcome flushOutput(Console &console, Outcome outcome) {
  outs().flush();
  if (!outs().has_error())
    return outcome;
  console.error("standard output: " + outs().error().message());
  outs().clear_error();
  return Outcome::ioFailure;
}

int main(int argc, char **argv) {
  Expected<Options> options =
      parseOptions(ArrayRef(argv, argc).drop_front(argc > 0));
  if (!options) {
    errs() << "txc: error: " << toString(options.takeError()) << '\n';
    return static_cast<int>(Outcome::wrongUsage);
  }
  Console console(options->verbose);
  Outcome outcome = readConstants(*options, console);
  if (outcome == Outcome::success)
    outcome = calibrate(*options, console);
  if (outcome == Outcome::success)
    outcome = run(*options, console);
  return static_cast<int>(flushOutput(console, outcome));
}
