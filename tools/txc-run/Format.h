//===- Format.h - Text ------------------------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// printf into a string, and JSON's strings.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TOOLS_TXC_RUN_FORMAT_H
#define TXC_TOOLS_TXC_RUN_FORMAT_H

#include <string>

namespace txc::run {

std::string format(const char *pattern, ...)
    __attribute__((format(printf, 1, 2)));

/// \p text as a JSON string, in quotes.
std::string quoteJson(const std::string &text);

/// A number as JSON has it: null for infinities and NaN.
std::string formatJson(double number);

} // namespace txc::run

#endif // TXC_TOOLS_TXC_RUN_FORMAT_H
