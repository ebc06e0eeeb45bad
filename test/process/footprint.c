//===- footprint.c - Memory of a process with a model --------------*- C
//-*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Runs a model in a process that does nothing else:
///
///     footprint SIZE MODEL.so
///
/// where SIZE is what all dims of the inputs are, as far as their bounds allow.
/// What is resident has to be at most 5 MB above weights and session, what is
/// anonymous of it at most 5 MB above the session, and no run after the first
/// may allocate.
///
//===----------------------------------------------------------------------===//

#include "test/process/allocations.h"
#include "test/process/tested_model.h"

#include <stdlib.h>

enum { Rounds = 5 };
static const double allowance = 5e6;

/// A line of /proc/self/smaps_rollup, in bytes.
static double read_memory(const char *key) {
  FILE *file = fopen("/proc/self/smaps_rollup", "r");
  if (!file)
    fail("/proc/self/smaps_rollup", "not read", "the kernel has none");
  char line[256];
  double kilobytes = 0;
  while (fgets(line, sizeof line, file))
    if (strncmp(line, key, strlen(key)) == 0)
      kilobytes = strtod(line + strlen(key), NULL);
  fclose(file);
  return kilobytes * 1024;
}

int main(int argc, char **argv) {
  int64_t sizes[] = {argc == 3 ? strtoll(argv[1], NULL, 10) : 0, 0};
  if (sizes[0] <= 0) {
    fprintf(stderr, "usage: footprint SIZE MODEL.so\n");
    return 2;
  }
  tested_model model;
  open_model(argv[2], sizes, &model);
  txc_session *session = make_session(&model, NULL);
  run_and_compare(&model, session, 0, "first run");
  double first = read_memory("Rss:");
  long before = count_allocations();
  for (int round = 0; round < Rounds; ++round)
    run_and_compare(&model, session, 0, "later run");
  long made = count_allocations() - before;
  double resident = read_memory("Rss:");
  double anonymous = read_memory("Anonymous:");

  txc_model_info info = {.size = sizeof info};
  txc_model_describe(model.handle, &info);
  txc_session_info memory = {.size = sizeof memory};
  txc_session_describe(session, &memory);
  double weights = (double)info.weight_bytes;
  double used = (double)memory.arena_bytes + (double)memory.scratch_bytes +
                (double)memory.state_bytes;
  // Of this program: inputs, expected outputs.
  for (size_t i = 0; i < model.input_count; ++i)
    used += (double)model.samples[0].inputs[i].bytes;
  for (size_t i = 0; i < model.output_count; ++i)
    used += (double)model.samples[0].outputs[i].bytes;
  printf("resident %.2f MB, %.2f of it anonymous: weights up to %.2f, session "
         "and tensors %.2f; later runs added %.2f MB and %ld allocations\n",
         resident / 1e6, anonymous / 1e6, weights / 1e6, used / 1e6,
         (resident - first) / 1e6, made);
  if (made)
    fail(argv[2], "memory", "allocations at a shape that was seen");
  // Weights that no run reads are not resident: each by itself.
  if (resident > weights + used + allowance || anonymous > used + allowance)
    fail(argv[2], "memory", "more than 5 MB above weights and session");
  txc_session_destroy(session);
  close_model(&model);
  return 0;
}
