//===- ObjectCache.h - Compiled code, kept on disk --------------*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Optimizing kernels and making machine code of them is most of the time that
/// a compile takes, and the same for every model that has the same kernels.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_EMIT_OBJECTCACHE_H
#define TXC_COMPILER_EMIT_OBJECTCACHE_H

#include "compiler/emit/ObjectFile.h"

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"

#include <string>

namespace txc {

/// A folder of object files, each named after all that it was made of: the
/// bitcode, the target, the sanitizer, the versions of txc and LLVM, and the
/// size and time of the program that compiles. So an entry is never stale, and
/// the folder may be deleted, copied or shared by processes at any time.
///
/// May be used by many threads at once.
class ObjectCache {
public:
  /// \p folder is created when there is something to keep. Empty: nothing is
  /// kept.
  explicit ObjectCache(llvm::StringRef folder) : folder(folder.str()) {}

  /// The object that was kept for these arguments, or else the one that
  /// \p compile makes, which is kept then. A damaged entry counts as none.
  /// Errors: those of \p compile, and llvm::FileError where an entry can't be
  /// written.
  llvm::Expected<ObjectBytes>
  get(llvm::ArrayRef<char> bitcode, const Target &target, Sanitizer sanitizer,
      llvm::function_ref<llvm::Expected<ObjectBytes>()> compile) const;

private:
  std::string folder;
};

} // namespace txc

#endif // TXC_COMPILER_EMIT_OBJECTCACHE_H
