//===- cpu.c - What the machine has ---------------------------------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See cpu.h.
///
//===----------------------------------------------------------------------===//

#include "runtime/cpu.h"

#include <cpuid.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

//===----------------------------------------------------------------------===//
// Features
//===----------------------------------------------------------------------===//

/// There when `mask` of the register, shifted, is at least `least`.
typedef struct feature {
  const char *name;
  uint32_t leaf, subleaf, reg, shift, mask, least, state;
} feature;

static const feature features[] = {
#define TXC_CPU_FEATURE(name, leaf, subleaf, reg, bit, state)                  \
  {name, leaf, subleaf, reg, bit, 1, 1, state},
#define TXC_CPU_VERSION(name, leaf, subleaf, reg, least, state)                \
  {name, leaf, subleaf, reg, 0, 0xff, least, state},
#include "runtime/CpuFeatures.def"
};

/// XCR0: the register states the operating system saves; 0 without XGETBV.
static uint32_t saved_state(void) {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1))
    return 0;
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

/// Linux gives the tile registers only to a process that asks for them.
static bool request_tiles(void) {
  enum { ArchReqXcompPerm = 0x1023, XfeatureXtileData = 18 };
  return syscall(SYS_arch_prctl, ArchReqXcompPerm, XfeatureXtileData) == 0;
}

static bool has_feature(const char *name, size_t length) {
  for (size_t i = 0; i < sizeof features / sizeof *features; ++i) {
    const feature *f = &features[i];
    if (strlen(f->name) != length || memcmp(f->name, name, length) != 0)
      continue;
    uint32_t reg[4];
    if (!__get_cpuid_count(f->leaf, f->subleaf, &reg[0], &reg[1], &reg[2],
                           &reg[3]))
      return false;
    if ((reg[f->reg] >> f->shift & f->mask) < f->least ||
        (saved_state() & f->state) != f->state)
      return false;
    return strncmp(name, "amx-", 4) != 0 || request_tiles();
  }
  return false;
}

txc_status txc_check_cpu(const char *required, const char *target,
                         txc_message *message) {
  char missing[256] = "";
  size_t used = 0;
  for (const char *at = required; at && *at;) {
    size_t length = strcspn(at, " ");
    if (length && !has_feature(at, length) && used < sizeof missing)
      used += (size_t)snprintf(missing + used, sizeof missing - used, " %.*s",
                               (int)length, at);
    at += length + (at[length] == ' ');
  }
  if (!used)
    return TXC_OK;
  return txc_fail(message, TXC_UNSUPPORTED_CPU,
                  "this CPU lacks%s%s, which the model was compiled for "
                  "(target %s); compile it for the name of this CPU, or for "
                  "several levels with -target=x86-64-v4,x86-64-v3,x86-64-v2",
                  missing, used >= sizeof missing ? " …" : "", target);
}

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

/// Up to size - 1 bytes of a small file; false when it can't be read.
static bool read_small_file(const char *path, char *text, size_t size) {
  FILE *file = fopen(path, "r");
  if (!file)
    return false;
  size_t got = fread(text, 1, size - 1, file);
  text[got] = '\0';
  fclose(file);
  return got > 0;
}

/// Reads a decimal number and moves *text behind it; -1 when there is none.
/// (strtol would be another symbol, with another version, in new C libraries.)
static int64_t read_number(const char **text) {
  while (**text == ' ')
    ++*text;
  int64_t number = **text >= '0' && **text <= '9' ? 0 : -1;
  for (; **text >= '0' && **text <= '9' && number < INT32_MAX; ++*text)
    number = number * 10 + (**text - '0');
  return number;
}

/// CPUs' worth of time that the container may use; INT32_MAX without a limit.
static int32_t cpu_quota(void) {
  char text[64];
  if (!read_small_file("/sys/fs/cgroup/cpu.max", text, sizeof text))
    return INT32_MAX;
  // "200000 100000", or "max 100000".
  const char *at = text;
  int64_t quota = read_number(&at);
  int64_t period = read_number(&at);
  if (quota <= 0 || period <= 0)
    return INT32_MAX;
  return (int32_t)((quota + period - 1) / period);
}

/// Whether cpu is the first of its core's hyper-threads in the mask.
static bool leads_core(int cpu, const cpu_set_t *mask, size_t mask_bytes) {
  char path[96], text[64];
  snprintf(path, sizeof path,
           "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
  if (!read_small_file(path, text, sizeof text))
    return true;
  const char *at = text;
  int64_t first = read_number(&at);
  return first < 0 || first == cpu ||
         !CPU_ISSET_S((size_t)first, mask_bytes, mask);
}

int32_t txc_default_threads(void) {
  enum { MaxCpus = 8192 };
  union {
    cpu_set_t set;
    char bytes[MaxCpus / 8];
  } mask;
  memset(&mask, 0, sizeof mask);
  if (sched_getaffinity(0, sizeof mask, &mask.set) != 0)
    return 1;
  int32_t cores = 0;
  for (int cpu = 0; cpu < MaxCpus; ++cpu)
    if (CPU_ISSET_S((size_t)cpu, sizeof mask, &mask.set))
      cores += leads_core(cpu, &mask.set, sizeof mask);
  int32_t quota = cpu_quota();
  if (cores > quota)
    cores = quota;
  return cores > 0 ? cores : 1;
}
