//===- ElfWeights.h - Weights at the end of a shared object -----*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Makes room for weights in a linked file without having the linker copy them.
///
/// The model's code is linked with a small `.txc.weights` section, the last one
/// that is loaded and alone in its segment. Afterwards section and segment are
/// moved behind the end of the file and given their real size. They stay an
/// ordinary part of the file, with headers that tell the truth: strip and
/// objcopy keep them. Nothing lies behind the section in memory, so its growth
/// moves no other address, and it is reached through a 64-bit pointer, so it
/// may be larger than 4 GiB.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_COMPILER_EMIT_ELFWEIGHTS_H
#define TXC_COMPILER_EMIT_ELFWEIGHTS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>

namespace txc {

/// Rewrites the headers of \p image, a shared object for x86-64, so that its
/// `.txc.weights` section has \p size bytes. Returns the offset in the file, at
/// or behind the end of \p image, where these bytes have to be written. The
/// error says what in the image is not as described above.
llvm::Expected<uint64_t> reserveWeights(llvm::MutableArrayRef<char> image,
                                        uint64_t size);

/// Where the bytes of the symbol \p name, local or not, are in \p image.
/// The symbol must have at least \p size bytes there.
llvm::Expected<uint64_t> findSymbol(llvm::ArrayRef<char> image,
                                    llvm::StringRef name, uint64_t size);

} // namespace txc

#endif // TXC_COMPILER_EMIT_ELFWEIGHTS_H
