//===- allocations.h - Counts what is allocated --------------------*- C
//-*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// The whole process' calls of malloc and its relatives and of mmap. A program
/// built with a sanitizer, which has a malloc of its own, does without
/// allocations.c and with COUNT_ALLOCATIONS undefined.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_TEST_PROCESS_ALLOCATIONS_H
#define TXC_TEST_PROCESS_ALLOCATIONS_H

#ifdef COUNT_ALLOCATIONS
long count_allocations(void);
#else
static inline long count_allocations(void) { return 0; }
#endif

#endif // TXC_TEST_PROCESS_ALLOCATIONS_H
