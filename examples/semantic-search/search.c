//===- search.c - Passages by what they mean ------------------*- C -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// A whole application around a compiled sentence encoder, in C11. It links the
/// model and needs nothing else at run time:
///
///     search VOCABULARY.txt PASSAGES.txt [QUERY...]
///
/// Each line of PASSAGES.txt is a passage. Queries come from the arguments or,
/// without any, a line each from standard input. The best passages are printed
/// with the cosine of their embedding and the query's.
///
//===----------------------------------------------------------------------===//

#define _POSIX_C_SOURCE 200809L

#include "minilm.h"
#include "wordpiece.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { Features = 384, MaxPassages = 1000, MaxLine = 1024, Shown = 3 };

typedef struct Passage {
  char text[MaxLine];
  float embedding[Features];
  double score;
} Passage;

typedef struct Search {
  Vocabulary vocabulary;
  txc_session *session;
  Passage *passages;
  size_t count;
} Search;

/// The sentence's embedding with length 1; false after an error message.
static bool embed(Search *search, const char *text, float *embedding) {
  Sentence sentence;
  tokenize(&search->vocabulary, text, &sentence);
  int64_t mask[MaxTokens];
  for (int64_t i = 0; i < sentence.count; ++i)
    mask[i] = 1;
  if (minilm_run(search->session, 1, sentence.count, sentence.ids, mask, NULL,
                 NULL, NULL, embedding) != TXC_OK) {
    fprintf(stderr, "search: error: %s\n", txc_error(search->session));
    return false;
  }
  double square = 0;
  for (int i = 0; i < Features; ++i)
    square += (double)embedding[i] * embedding[i];
  for (int i = 0; i < Features; ++i)
    embedding[i] /= (float)sqrt(square);
  return true;
}

static bool readPassages(Search *search, const char *path) {
  FILE *file = fopen(path, "r");
  search->passages = calloc(MaxPassages, sizeof(Passage));
  if (!file || !search->passages) {
    fprintf(stderr, "search: error: can't read passages from %s\n", path);
    if (file)
      fclose(file);
    return false;
  }
  bool good = true;
  while (good && search->count < MaxPassages) {
    Passage *passage = &search->passages[search->count];
    if (!fgets(passage->text, MaxLine, file))
      break;
    passage->text[strcspn(passage->text, "\r\n")] = '\0';
    if (passage->text[0] == '\0')
      continue;
    good = embed(search, passage->text, passage->embedding);
    ++search->count;
  }
  fclose(file);
  return good;
}

static int compareScores(const void *a, const void *b) {
  double difference = ((const Passage *)b)->score - ((const Passage *)a)->score;
  return (difference > 0) - (difference < 0);
}

static bool answer(Search *search, const char *query) {
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  float embedding[Features];
  if (!embed(search, query, embedding))
    return false;
  for (size_t p = 0; p < search->count; ++p) {
    Passage *passage = &search->passages[p];
    passage->score = 0;
    for (int i = 0; i < Features; ++i)
      passage->score += (double)embedding[i] * passage->embedding[i];
  }
  qsort(search->passages, search->count, sizeof(Passage), compareScores);
  clock_gettime(CLOCK_MONOTONIC, &end);
  double ms = (double)(end.tv_sec - begin.tv_sec) * 1e3 +
              (double)(end.tv_nsec - begin.tv_nsec) / 1e6;
  printf("\n%s   (%.2f ms)\n", query, ms);
  for (size_t p = 0; p < search->count && p < Shown; ++p)
    printf("  %zu. %6.3f  %s\n", p + 1, search->passages[p].score,
           search->passages[p].text);
  return true;
}

static bool answerAll(Search *search, int count, char **queries) {
  for (int i = 0; i < count; ++i)
    if (!answer(search, queries[i]))
      return false;
  if (count)
    return true;
  char line[MaxLine];
  for (;;) {
    if (isatty(STDIN_FILENO))
      printf("\nquery (empty to end): ");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin))
      return true;
    line[strcspn(line, "\r\n")] = '\0';
    if (line[0] == '\0')
      return true;
    if (!answer(search, line))
      return false;
  }
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: search VOCABULARY.txt PASSAGES.txt [QUERY...]\n");
    return 2;
  }
  Search search;
  memset(&search, 0, sizeof search);
  if (!readVocabulary(argv[1], &search.vocabulary)) {
    fprintf(stderr, "search: error: can't read tokens from %s\n", argv[1]);
    return 1;
  }
  txc_model *model = NULL;
  txc_message why;
  bool good = minilm_open(NULL, &model, &why) == TXC_OK &&
              txc_session_create(model, NULL, &search.session, &why) == TXC_OK;
  if (!good)
    fprintf(stderr, "search: error: %s\n", why.text);
  good = good && readPassages(&search, argv[2]) &&
         answerAll(&search, argc - 3, argv + 3);
  txc_session_destroy(search.session);
  if (model)
    txc_close(model, NULL);
  free(search.passages);
  freeVocabulary(&search.vocabulary);
  return good ? 0 : 1;
}
