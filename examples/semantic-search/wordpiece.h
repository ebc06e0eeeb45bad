//===- wordpiece.h - BERT's tokenizer -------------------------*- C -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// WordPiece: the longest token that a word begins with, again and again.
///
//===----------------------------------------------------------------------===//

#ifndef TXC_EXAMPLES_WORDPIECE_H
#define TXC_EXAMPLES_WORDPIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MaxTokens = 128 };

/// Sorted, to be searched.
typedef struct Token {
  char *text;
  int64_t id;
} Token;

typedef struct Vocabulary {
  Token *tokens;
  size_t count;
} Vocabulary;

typedef struct Sentence {
  int64_t ids[MaxTokens];
  int64_t count;
} Sentence;

/// Reads a vocabulary, a token a line; false if there is none at \p path.
bool readVocabulary(const char *path, Vocabulary *vocabulary);
void freeVocabulary(Vocabulary *vocabulary);

/// Lower case, punctuation apart. Text other than ASCII is left as it is; what
/// exceeds MaxTokens is cut off.
void tokenize(const Vocabulary *vocabulary, const char *text,
              Sentence *sentence);

#endif // TXC_EXAMPLES_WORDPIECE_H
