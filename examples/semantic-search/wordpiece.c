//===- wordpiece.c - BERT's tokenizer -------------------------*- C -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "wordpiece.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MaxVocabulary = 65536, MaxWord = 100 };

static int compareTokens(const void *a, const void *b) {
  return strcmp(((const Token *)a)->text, ((const Token *)b)->text);
}

bool readVocabulary(const char *path, Vocabulary *vocabulary) {
  FILE *file = fopen(path, "r");
  if (!file)
    return false;
  vocabulary->tokens = calloc(MaxVocabulary, sizeof(Token));
  vocabulary->count = 0;
  char line[256];
  while (vocabulary->tokens && vocabulary->count < MaxVocabulary &&
         fgets(line, sizeof line, file)) {
    line[strcspn(line, "\r\n")] = '\0';
    Token *token = &vocabulary->tokens[vocabulary->count];
    token->text = malloc(strlen(line) + 1);
    if (!token->text)
      break;
    strcpy(token->text, line);
    token->id = (int64_t)vocabulary->count++;
  }
  fclose(file);
  if (!vocabulary->tokens)
    return false;
  qsort(vocabulary->tokens, vocabulary->count, sizeof(Token), compareTokens);
  return vocabulary->count > 0;
}

void freeVocabulary(Vocabulary *vocabulary) {
  for (size_t i = 0; i < vocabulary->count; ++i)
    free(vocabulary->tokens[i].text);
  free(vocabulary->tokens);
}

/// -1: there is no such token.
static int64_t findToken(const Vocabulary *vocabulary, const char *text) {
  Token key = {(char *)text, 0};
  const Token *found = bsearch(&key, vocabulary->tokens, vocabulary->count,
                               sizeof(Token), compareTokens);
  return found ? found->id : -1;
}

static void append(Sentence *sentence, int64_t id) {
  // The last place is kept for [SEP].
  if (sentence->count < MaxTokens - 1)
    sentence->ids[sentence->count++] = id;
}

static void appendWord(const Vocabulary *vocabulary, Sentence *sentence,
                       const char *word, size_t length) {
  int64_t before = sentence->count;
  for (size_t begin = 0; begin < length;) {
    char piece[MaxWord + 3] = "##";
    int64_t id = -1;
    size_t end = length;
    for (; end > begin && id < 0; --end) {
      memcpy(piece + 2, word + begin, end - begin);
      piece[2 + end - begin] = '\0';
      id = findToken(vocabulary, begin ? piece : piece + 2);
    }
    if (id < 0) { // A word with an unknown piece is unknown as a whole.
      sentence->count = before;
      append(sentence, findToken(vocabulary, "[UNK]"));
      return;
    }
    append(sentence, id);
    begin = end + 1;
  }
}

void tokenize(const Vocabulary *vocabulary, const char *text,
              Sentence *sentence) {
  sentence->count = 0;
  append(sentence, findToken(vocabulary, "[CLS]"));
  char word[MaxWord];
  size_t length = 0;
  for (const unsigned char *c = (const unsigned char *)text;; ++c) {
    bool ends = *c == '\0' || isspace(*c) || ispunct(*c);
    if ((ends || length == MaxWord) && length) {
      appendWord(vocabulary, sentence, word, length);
      length = 0;
    }
    if (*c == '\0')
      break;
    if (!ends)
      word[length++] = (char)tolower(*c);
    else if (ispunct(*c))
      appendWord(vocabulary, sentence, (const char *)c, 1);
  }
  sentence->ids[sentence->count++] = findToken(vocabulary, "[SEP]");
}
