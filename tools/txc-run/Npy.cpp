//===- Npy.cpp - NumPy's array files ----------------------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See Files.h. An .npy file is a magic string, a version, the length of a
/// header, the header (a Python dict literal with the keys descr,
/// fortran_order and shape), and the elements.
///
//===----------------------------------------------------------------------===//

#include "tools/txc-run/Files.h"

#include "runtime/txc.h"

#include <cctype>
#include <cstdlib>

using namespace txc::run;

namespace {

struct NpyType {
  int32_t type;
  const char *descr;
};
constexpr NpyType npyTypes[] = {
    {TXC_FLOAT32, "<f4"},   {TXC_UINT8, "|u1"},       {TXC_INT8, "|i1"},
    {TXC_UINT16, "<u2"},    {TXC_INT16, "<i2"},       {TXC_INT32, "<i4"},
    {TXC_INT64, "<i8"},     {TXC_BOOL, "|b1"},        {TXC_FLOAT16, "<f2"},
    {TXC_FLOAT64, "<f8"},   {TXC_UINT32, "<u4"},      {TXC_UINT64, "<u8"},
    {TXC_COMPLEX64, "<c8"}, {TXC_COMPLEX128, "<c16"},
};

/// The text behind the key, from its value on; empty when it is missing.
std::string_view findValue(std::string_view header, std::string_view key) {
  for (char quote : {'\'', '"'}) {
    std::string quoted = quote + std::string(key) + quote;
    size_t at = header.find(quoted);
    if (at == std::string_view::npos)
      continue;
    at = header.find(':', at + quoted.size());
    if (at == std::string_view::npos)
      return {};
    at = header.find_first_not_of(' ', at + 1);
    return at == std::string_view::npos ? "" : header.substr(at);
  }
  return {};
}

bool parseDescr(std::string_view text, int32_t &type, std::string &error) {
  size_t end = text.size() > 1 ? text.find(text[0], 1) : std::string_view::npos;
  std::string_view descr = end == std::string_view::npos || text[0] == '['
                               ? text.substr(0, 20)
                               : text.substr(1, end - 1);
  for (const NpyType &known : npyTypes)
    // "<" and "|" are the same where there is one octet, "=" was never written.
    if (descr.size() > 1 && descr.substr(1) == known.descr + 1 &&
        (descr[0] == '<' || descr[0] == '|')) {
      type = known.type;
      return true;
    }
  error = "dtype " + std::string(descr) +
          " is not supported; save a little-endian number or bool";
  return false;
}

bool parseShape(std::string_view text, std::vector<int64_t> &dims,
                std::string &error) {
  size_t end = text.find(')');
  if (text.empty() || text[0] != '(' || end == std::string_view::npos) {
    error = "the header has no shape";
    return false;
  }
  std::string list(text.substr(1, end - 1));
  dims.clear();
  for (const char *at = list.c_str(); *at;) {
    if (!isdigit(static_cast<unsigned char>(*at))) {
      ++at;
      continue;
    }
    char *next;
    dims.push_back(strtoll(at, &next, 10));
    at = next;
  }
  return true;
}

} // namespace

bool txc::run::parseNpy(std::string_view bytes, Array &array,
                        std::string &error) {
  if (bytes.size() < 10 || bytes.substr(0, 6) != "\x93NUMPY") {
    error = "not an .npy file";
    return false;
  }
  unsigned version = static_cast<unsigned char>(bytes[6]);
  size_t lengthBytes = version == 1 ? 2 : 4;
  if (version < 1 || version > 3 || bytes.size() < 8 + lengthBytes) {
    error = ".npy version " + std::to_string(version) + " is not supported";
    return false;
  }
  size_t length = 0;
  for (size_t i = lengthBytes; i-- > 0;)
    length = length << 8 | static_cast<unsigned char>(bytes[8 + i]);
  size_t begin = 8 + lengthBytes;
  if (bytes.size() - begin < length) {
    error = "the file is cut short";
    return false;
  }
  std::string_view header = bytes.substr(begin, length);
  if (!parseDescr(findValue(header, "descr"), array.type, error) ||
      !parseShape(findValue(header, "shape"), array.dims, error))
    return false;
  if (findValue(header, "fortran_order").substr(0, 5) != "False" &&
      array.dims.size() > 1) {
    error = "the array is in Fortran order; save numpy.ascontiguousarray of it";
    return false;
  }
  int64_t elements = countElements(array.dims);
  int64_t expected = elements < 0 ? -1 : countBytes(array.type, elements);
  std::string_view data = bytes.substr(begin + length);
  if (expected < 0 || static_cast<uint64_t>(expected) != data.size()) {
    error = "shape " + formatDims(array.dims) + " needs " +
            std::to_string(expected) + " bytes, the file has " +
            std::to_string(data.size());
    return false;
  }
  array.data.assign(data.begin(), data.end());
  return true;
}

bool txc::run::hasNpyType(int32_t type) {
  for (const NpyType &known : npyTypes)
    if (known.type == type)
      return true;
  return false;
}

std::string txc::run::formatNpy(const Array &array) {
  std::string header = "{'descr': '";
  for (const NpyType &known : npyTypes)
    if (known.type == array.type)
      header += known.descr;
  header += "', 'fortran_order': False, 'shape': (";
  for (int64_t dim : array.dims)
    header += std::to_string(dim) + ",";
  header += "), }";
  // The elements begin at a multiple of 64.
  size_t padded = (10 + header.size() + 1 + 63) / 64 * 64 - 10;
  header.resize(padded - 1, ' ');
  header += '\n';
  std::string bytes = "\x93NUMPY\x01";
  bytes += '\0';
  bytes += static_cast<char>(padded & 0xff);
  bytes += static_cast<char>(padded >> 8);
  return bytes + header + std::string(array.data.begin(), array.data.end());
}
