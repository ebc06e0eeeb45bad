//===- Console.cpp - what txc tells people while it works ----------------===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/txc/Console.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace txc::tool;

Console::Console(bool verbose) : verbose(verbose) {
  if (!verbose && errs().is_displayed())
    progress = std::thread([this] { showProgress(); });
}

Console::~Console() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    isEnding = true;
  }
  ended.notify_all();
  if (progress.joinable())
    progress.join();
  eraseLine();
}

void Console::say(StringRef kind, const Twine &message) {
  std::lock_guard<std::mutex> lock(mutex);
  eraseLine();
  errs() << "txc: " << kind << message << '\n';
}

void Console::error(const Twine &message) { say("error: ", message); }
void Console::warning(const Twine &message) { say("warning: ", message); }

void Console::enter(StringRef newStage) {
  if (verbose)
    say("", newStage);
  std::lock_guard<std::mutex> lock(mutex);
  stage = newStage.str();
}

void Console::eraseLine() {
  if (isLineShown)
    errs() << "\r\x1b[K";
  isLineShown = false;
}

void Console::showProgress() {
  std::unique_lock<std::mutex> lock(mutex);
  auto isDone = [&] { return isEnding; };
  if (ended.wait_until(lock, begin + std::chrono::seconds(1), isDone))
    return;
  do {
    double seconds =
        std::chrono::duration<double>(Clock::now() - begin).count();
    eraseLine();
    errs() << "txc: " << stage << format(", %.1f s", seconds);
    isLineShown = true;
  } while (!ended.wait_for(lock, std::chrono::milliseconds(100), isDone));
}
