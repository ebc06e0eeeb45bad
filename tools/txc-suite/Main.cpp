//===- Main.cpp - the worker of ONNX's backend tests ---------------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
///   txc-suite [--sanitize=address|thread] [--threads=N] [--target=TARGET]
///
/// Answers requests from standard input, a line each; see test/suite/README.md.
//
//===----------------------------------------------------------------------===//

#include "tools/txc-suite/Worker.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/raw_ostream.h"
#include <iostream>

using namespace llvm;
using namespace txc::suite;

static bool parseOption(StringRef argument, WorkerOptions &options) {
  if (argument.consume_front("--threads="))
    return !argument.getAsInteger(10, options.numThreads) &&
           options.numThreads > 0;
  if (argument.consume_front("--target=")) {
    options.target = argument.str();
    return true;
  }
  if (argument == "--sanitize=address")
    options.sanitizer = txc::Sanitizer::Address;
  else if (argument == "--sanitize=thread")
    options.sanitizer = txc::Sanitizer::Thread;
  else
    return false;
  return true;
}

static Answer handle(const WorkerOptions &options, StringRef request) {
  SmallVector<StringRef, 3> fields;
  request.split(fields, '\t');
  if (fields.size() != 3)
    return {Answer::Error, "a request is MODE, CASE_DIR and OUT_DIR"};
  return runCase(options, fields[0], fields[1], fields[2]);
}

static void print(const Answer &answer) {
  static constexpr StringLiteral kinds[] = {"ok", "unsupported", "error"};
  outs() << kinds[answer.kind];
  if (!answer.sentence.empty()) {
    outs() << '\t';
    for (char c : answer.sentence)
      outs() << (c == '\n' || c == '\t' ? ' ' : c);
  }
  outs() << '\n';
  outs().flush();
}

int main(int argc, char **argv) {
  WorkerOptions options;
  for (int i = 1; i < argc; ++i) {
    if (parseOption(argv[i], options))
      continue;
    errs() << "txc-suite: error: unknown option " << argv[i] << '\n';
    return 2;
  }
  std::string request;
  while (std::getline(std::cin, request))
    print(handle(options, request));
}
