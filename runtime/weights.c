//===- weights.c - Where a model's weights are ----------------------------===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// See weights.h.
///
//===----------------------------------------------------------------------===//

#include "runtime/weights.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

//===----------------------------------------------------------------------===//
// The .so itself
//===----------------------------------------------------------------------===//

/// The loaded object that has an address.
typedef struct object_search {
  uintptr_t address;
  char path[4096]; ///< Empty: the program itself.
  /// The segment the address is in.
  uintptr_t begin, end;
  uint64_t file_end;
  bool found;
} object_search;

static int visit_object(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  object_search *search = data;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
    uintptr_t begin = info->dlpi_addr + segment->p_vaddr;
    if (segment->p_type != PT_LOAD || search->address < begin ||
        search->address - begin >= segment->p_memsz)
      continue;
    search->found = true;
    search->begin = begin;
    search->end = begin + segment->p_memsz;
    search->file_end = segment->p_offset + segment->p_filesz;
    snprintf(search->path, sizeof search->path, "%s", info->dlpi_name);
    return 1;
  }
  return 0;
}

static bool find_object(const void *address, object_search *search) {
  memset(search, 0, sizeof *search);
  search->address = (uintptr_t)address;
  dl_iterate_phdr(visit_object, search);
  return search->found;
}

static int open_for_reading(const char *path) {
  int file;
  do
    file = open(path, O_RDONLY | O_CLOEXEC);
  while (file < 0 && errno == EINTR);
  return file;
}

/// A .so that was cut short loads without a complaint, and raises SIGBUS when
/// what is missing is read.
static txc_status check_not_truncated(const object_search *object,
                                      txc_message *message) {
  int file =
      open_for_reading(object->path[0] ? object->path : "/proc/self/exe");
  if (file < 0)
    return TXC_OK; // Deleted since it was loaded; its pages live on.
  off_t end = lseek(file, 0, SEEK_END);
  close(file);
  if (end >= 0 && (uint64_t)end < object->file_end)
    return txc_fail(message, TXC_CORRUPT,
                    "%s has %lld bytes, its weights end at byte %llu: the "
                    "file is cut short",
                    object->path, (long long)end,
                    (unsigned long long)object->file_end);
  return TXC_OK;
}

static txc_status find_in_object(const txc_weights_desc *desc,
                                 txc_weights *weights, txc_message *message) {
  weights->data = (const char *)desc + desc->offset;
  object_search object;
  if (!find_object(weights->data, &object) ||
      object.end - (uintptr_t)weights->data < desc->size)
    return txc_fail(message, TXC_CORRUPT,
                    "the weights (%llu bytes) are not in the loaded file: it "
                    "was changed after txc wrote it",
                    (unsigned long long)desc->size);
  return check_not_truncated(&object, message);
}

//===----------------------------------------------------------------------===//
// A file beside
//===----------------------------------------------------------------------===//

/// path, or else desc's file in the folder of the .so that desc is in.
static txc_status weights_path(const txc_weights_desc *desc, const char *given,
                               char *path, size_t size, txc_message *message) {
  object_search object = {0};
  size_t folder = 0;
  const char *name = given ? given : desc->file;
  if (!given && name[0] != '/' && find_object(desc, &object)) {
    const char *slash = strrchr(object.path, '/');
    folder = slash ? (size_t)(slash + 1 - object.path) : 0;
  }
  if ((size_t)snprintf(path, size, "%.*s%s", (int)folder, object.path, name) >=
      size)
    return txc_fail(message, TXC_IO, "the path of the weights is too long: %s",
                    name);
  return TXC_OK;
}

static txc_status check_header(const txc_weights_desc *desc, const char *path,
                               const txc_weights_header *header, uint64_t bytes,
                               txc_message *message) {
  if (bytes < TXC_WEIGHTS_HEADER_BYTES || header->magic != TXC_WEIGHTS_MAGIC)
    return txc_fail(message, TXC_CORRUPT, "%s is no weights file of txc", path);
  if (header->version != 1)
    return txc_fail(message, TXC_INCOMPATIBLE,
                    "%s has version %llu, this model reads version 1", path,
                    (unsigned long long)header->version);
  if (header->size != desc->size || header->checksum != desc->checksum)
    return txc_fail(message, TXC_CORRUPT,
                    "%s has the weights of another model (%llu bytes, checksum "
                    "%016llx; expected %llu, %016llx)",
                    path, (unsigned long long)header->size,
                    (unsigned long long)header->checksum,
                    (unsigned long long)desc->size,
                    (unsigned long long)desc->checksum);
  if (bytes - TXC_WEIGHTS_HEADER_BYTES < desc->size)
    return txc_fail(message, TXC_CORRUPT,
                    "%s has %llu bytes, expected %llu: the file is cut short",
                    path, (unsigned long long)bytes,
                    (unsigned long long)desc->size + TXC_WEIGHTS_HEADER_BYTES);
  return TXC_OK;
}

static txc_status map_file(const txc_weights_desc *desc, const char *given,
                           txc_weights *weights, txc_message *message) {
  char path[4096];
  txc_status status = weights_path(desc, given, path, sizeof path, message);
  if (status != TXC_OK)
    return status;
  int file = open_for_reading(path);
  if (file < 0)
    return txc_fail(message, TXC_IO,
                    "can't open the weights %s (error %d); put the file beside "
                    "the .so, or give weights_path",
                    path, errno);
  off_t end = lseek(file, 0, SEEK_END);
  void *mapping = end > 0
                      ? mmap(NULL, (size_t)end, PROT_READ, MAP_SHARED, file, 0)
                      : MAP_FAILED;
  close(file);
  if (mapping == MAP_FAILED)
    return txc_fail(message, TXC_IO, "can't map the weights %s (%lld bytes)",
                    path, (long long)end);
  weights->mapping = mapping;
  weights->mapping_bytes = (size_t)end;
  weights->data = (const char *)mapping + TXC_WEIGHTS_HEADER_BYTES;
  return check_header(desc, path, mapping, (uint64_t)end, message);
}

//===----------------------------------------------------------------------===//
// Both
//===----------------------------------------------------------------------===//

txc_status txc_map_weights(const txc_weights_desc *desc, const char *path,
                           bool verify, txc_weights *weights,
                           txc_message *message) {
  memset(weights, 0, sizeof *weights);
  if (!desc || desc->size == 0)
    return TXC_OK;
  txc_status status = desc->file ? map_file(desc, path, weights, message)
                                 : find_in_object(desc, weights, message);
  if (status == TXC_OK && verify) {
    uint64_t sum = txc_checksum(TXC_CHECKSUM_SEED, weights->data, desc->size);
    if (sum != desc->checksum)
      status =
          txc_fail(message, TXC_CORRUPT,
                   "the weights have checksum %016llx, expected %016llx: "
                   "the file is damaged",
                   (unsigned long long)sum, (unsigned long long)desc->checksum);
  }
  if (status != TXC_OK)
    txc_unmap_weights(weights);
  return status;
}

void txc_unmap_weights(txc_weights *weights) {
  if (weights->mapping)
    munmap(weights->mapping, weights->mapping_bytes);
  memset(weights, 0, sizeof *weights);
}
