//===- Console.h - what txc tells people while it works --------*- C++ -*-===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
/// \file
/// Errors and progress on standard error. On a terminal, a command that has
/// taken more than a second shows what it is doing; elsewhere it is quiet.
//
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_TXC_CONSOLE_H
#define TXC_TOOLS_TXC_CONSOLE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace txc::tool {

/// Any thread may call it.
class Console {
public:
  /// A verbose one says every stage when it begins, wherever it prints to.
  explicit Console(bool verbose);
  ~Console();
  Console(const Console &) = delete;
  Console &operator=(const Console &) = delete;

  /// "txc: error: MESSAGE", and for a warning likewise.
  void error(const llvm::Twine &message);
  void warning(const llvm::Twine &message);
  /// What is being done from now on.
  void enter(llvm::StringRef newStage);

private:
  using Clock = std::chrono::steady_clock;

  void say(llvm::StringRef kind, const llvm::Twine &message);
  void showProgress();
  void eraseLine();

  bool verbose;
  Clock::time_point begin = Clock::now();
  std::mutex mutex;
  std::condition_variable ended;
  bool isEnding = false;
  std::string stage;
  /// Whether the terminal's last line is ours to overwrite.
  bool isLineShown = false;
  /// Runs on a terminal only.
  std::thread progress;
};

} // namespace txc::tool

#endif // TXC_TOOLS_TXC_CONSOLE_H
