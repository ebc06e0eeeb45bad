//===- ElfWeights.cpp - Weights at the end of a shared object ---*- C++ -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// Editing of the headers of a linked ELF file.
///
//===----------------------------------------------------------------------===//

#include "compiler/emit/ElfWeights.h"

#include "compiler/emit/Link.h"
#include "compiler/emit/Weights.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ELF.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using namespace txc;

using ElfFile = object::ELFFile<object::ELF64LE>;
using Section = ElfFile::Elf_Shdr;
using Segment = ElfFile::Elf_Phdr;

static Error elfError(const Twine &message) {
  return createStringError("can't place weights: " + message);
}

static Expected<ElfFile> openElf(ArrayRef<char> image) {
  return ElfFile::create(StringRef(image.data(), image.size()));
}

/// The header of the section for the weights.
static Expected<const Section *> findWeightsSection(const ElfFile &elf) {
  Expected<ArrayRef<Section>> sections = elf.sections();
  if (!sections)
    return sections.takeError();
  for (const Section &section : *sections) {
    Expected<StringRef> name = elf.getSectionName(section);
    if (!name)
      return name.takeError();
    if (*name == weightsSectionName)
      return &section;
  }
  return elfError("the linked file has no section " + weightsSectionName);
}

/// The header of the segment that holds \p section and nothing else. Fails when
/// anything is loaded behind it: growing it would overlap that.
static Expected<const Segment *> findWeightsSegment(const ElfFile &elf,
                                                    const Section &section) {
  Expected<ArrayRef<Segment>> segments = elf.program_headers();
  if (!segments)
    return segments.takeError();
  const Segment *own = nullptr;
  for (const Segment &segment : *segments) {
    if (segment.p_type != ELF::PT_LOAD)
      continue;
    if (segment.p_vaddr == section.sh_addr &&
        segment.p_memsz == section.sh_size)
      own = &segment;
    else if (segment.p_vaddr + segment.p_memsz > section.sh_addr)
      return elfError("a segment is loaded behind " + weightsSectionName);
  }
  if (!own)
    return elfError(weightsSectionName + " has no segment of its own");
  return own;
}

/// The header at \p header in \p image, which may be written.
template <typename Header>
static Header &getMutable(MutableArrayRef<char> image, const Header *header) {
  size_t offset = reinterpret_cast<const char *>(header) - image.data();
  return *reinterpret_cast<Header *>(image.data() + offset);
}

Expected<uint64_t> txc::reserveWeights(MutableArrayRef<char> image,
                                       uint64_t size) {
  Expected<ElfFile> elf = openElf(image);
  if (!elf)
    return elf.takeError();
  Expected<const Section *> section = findWeightsSection(*elf);
  if (!section)
    return section.takeError();
  Expected<const Segment *> segment = findWeightsSegment(*elf, **section);
  if (!segment)
    return segment.takeError();

  // The address is a multiple of the page size, and so must the offset be.
  uint64_t offset = alignTo(image.size(), WeightsImage::pageSize);
  Section &newSection = getMutable(image, *section);
  newSection.sh_offset = offset;
  newSection.sh_size = size;
  Segment &newSegment = getMutable(image, *segment);
  newSegment.p_offset = offset;
  newSegment.p_filesz = size;
  newSegment.p_memsz = size;
  return offset;
}

/// The offset in the file of \p size bytes that are loaded at \p address.
static Expected<uint64_t> getFileOffset(const ElfFile &elf, uint64_t address,
                                        uint64_t size) {
  Expected<ArrayRef<Segment>> segments = elf.program_headers();
  if (!segments)
    return segments.takeError();
  for (const Segment &segment : *segments)
    if (segment.p_type == ELF::PT_LOAD && address >= segment.p_vaddr &&
        address + size <= segment.p_vaddr + segment.p_filesz)
      return address - segment.p_vaddr + segment.p_offset;
  return elfError("no bytes of the file are loaded at address " +
                  Twine(address));
}

Expected<uint64_t> txc::findSymbol(ArrayRef<char> image, StringRef name,
                                   uint64_t size) {
  Expected<ElfFile> elf = openElf(image);
  if (!elf)
    return elf.takeError();
  Expected<ArrayRef<Section>> sections = elf->sections();
  if (!sections)
    return sections.takeError();
  const Section *table = find_if(*sections, [](const Section &section) {
    return section.sh_type == ELF::SHT_SYMTAB;
  });
  if (table == sections->end())
    return elfError("the linked file has no symbol table");
  Expected<StringRef> names = elf->getStringTableForSymtab(*table);
  if (!names)
    return names.takeError();
  auto symbols = elf->symbols(table);
  if (!symbols)
    return symbols.takeError();
  for (const auto &symbol : *symbols) {
    Expected<StringRef> found = symbol.getName(*names);
    if (!found)
      return found.takeError();
    if (*found != name)
      continue;
    if (symbol.st_size < size)
      return elfError("symbol " + name + " has " + Twine(symbol.st_size) +
                      " bytes, fewer than " + Twine(size));
    return getFileOffset(*elf, symbol.st_value, size);
  }
  return elfError("the linked file has no symbol " + name);
}
