//===- weights.h - Where a model's weights are --------------------*- C -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Finds, maps and checks weights, in the .so or in a file beside it.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_RUNTIME_WEIGHTS_H
#define TXC_RUNTIME_WEIGHTS_H

#include "runtime/support.h"

/// Read-only weights. mapping is what txc_unmap_weights returns to the system;
/// NULL when the loader mapped them with the .so.
typedef struct txc_weights {
  const char *data;
  void *mapping;
  size_t mapping_bytes;
} txc_weights;

/// path: where the file is, NULL for the name in desc. verify: read everything
/// and compare the checksum. Errors: IO, CORRUPT.
txc_status txc_map_weights(const txc_weights_desc *desc, const char *path,
                           bool verify, txc_weights *weights,
                           txc_message *message);

void txc_unmap_weights(txc_weights *weights);

#endif // TXC_RUNTIME_WEIGHTS_H
