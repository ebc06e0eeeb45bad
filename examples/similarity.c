//===- similarity.c - Which sentences mean the same -----------*- C -*-===//
//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
///
/// \file
/// A whole application around a compiled sentence encoder, in C11: tokenizes
/// its arguments, runs them as one batch, prints how similar each pair is.
///
///     similarity MODEL.so VOCABULARY.txt SENTENCE SENTENCE...
///
/// The model takes input_ids and attention_mask, both [batch, length], and has
/// an output [batch, features]. The vocabulary is BERT's, a token a line.
///
//===----------------------------------------------------------------------===//

#include "txc.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MaxTokens = 128, MaxVocabulary = 65536, MaxWord = 100 };

//===----------------------------------------------------------------------===//
// WordPiece: the longest token that a word begins with, again and again
//===----------------------------------------------------------------------===//

/// Sorted, to be searched.
typedef struct Token {
  char *text;
  int64_t id;
} Token;

typedef struct Vocabulary {
  Token *tokens;
  size_t count;
} Vocabulary;

static int compareTokens(const void *a, const void *b) {
  return strcmp(((const Token *)a)->text, ((const Token *)b)->text);
}

static bool readVocabulary(const char *path, Vocabulary *vocabulary) {
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

static void freeVocabulary(Vocabulary *vocabulary) {
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

typedef struct Sentence {
  int64_t ids[MaxTokens];
  int64_t count;
} Sentence;

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

/// Lower case, punctuation apart. Text other than ASCII is left as it is.
static void tokenize(const Vocabulary *vocabulary, const char *text,
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

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

/// The first output [batch, features] of floats: the sentences' embeddings.
static bool findEmbeddings(const txc_model *model, txc_tensor *output) {
  txc_tensor_info info;
  memset(&info, 0, sizeof info);
  info.size = sizeof info;
  for (size_t i = 0; txc_model_output(model, i, &info) == TXC_OK; ++i)
    if (info.type == TXC_FLOAT32 && info.rank == 2) {
      *output = txc_tensor_borrow(info.name);
      return true;
    }
  return false;
}

static double similarity(const float *a, const float *b, int64_t features) {
  double product = 0, squareA = 0, squareB = 0;
  for (int64_t i = 0; i < features; ++i) {
    product += (double)a[i] * b[i];
    squareA += (double)a[i] * a[i];
    squareB += (double)b[i] * b[i];
  }
  return product / sqrt(squareA * squareB);
}

static void print(const txc_tensor *output, char **texts) {
  const float *rows = output->data;
  int64_t features = output->dims[1];
  for (int64_t i = 0; i < output->dims[0]; ++i)
    for (int64_t j = i + 1; j < output->dims[0]; ++j)
      printf("%6.3f  %s  |  %s\n",
             similarity(rows + i * features, rows + j * features, features),
             texts[i], texts[j]);
}

/// Runs all sentences as one batch, padded to the longest.
static txc_status embed(txc_session *session, const Sentence *sentences,
                        int64_t batch, txc_tensor *output) {
  int64_t length = 0;
  for (int64_t b = 0; b < batch; ++b)
    if (sentences[b].count > length)
      length = sentences[b].count;
  int64_t *ids = calloc((size_t)(batch * length), sizeof *ids);
  int64_t *mask = calloc((size_t)(batch * length), sizeof *mask);
  txc_status status = TXC_OUT_OF_MEMORY;
  if (ids && mask) {
    for (int64_t b = 0; b < batch; ++b)
      for (int64_t i = 0; i < sentences[b].count; ++i) {
        ids[b * length + i] = sentences[b].ids[i];
        mask[b * length + i] = 1;
      }
    const int64_t dims[] = {batch, length};
    const txc_tensor inputs[] = {
        txc_tensor_make("input_ids", TXC_INT64, ids, 2, dims),
        txc_tensor_make("attention_mask", TXC_INT64, mask, 2, dims)};
    status = txc_run(session, inputs, 2, output, 1);
  }
  free(ids);
  free(mask);
  return status;
}

static int run(txc_model *model, const Vocabulary *vocabulary, char **texts,
               int64_t count) {
  txc_message why = {"it has no output [batch, features] of floats"};
  txc_session *session = NULL;
  txc_tensor output;
  Sentence *sentences = calloc((size_t)count, sizeof *sentences);
  bool ready = sentences && findEmbeddings(model, &output) &&
               txc_session_create(model, NULL, &session, &why) == TXC_OK;
  bool done = false;
  if (ready) {
    for (int64_t i = 0; i < count; ++i)
      tokenize(vocabulary, texts[i], &sentences[i]);
    done = embed(session, sentences, count, &output) == TXC_OK;
  }
  if (done)
    print(&output, texts);
  else
    fprintf(stderr, "similarity: error: the model can't be run: %s\n",
            ready ? txc_error(session) : why.text);
  txc_session_destroy(session);
  free(sentences);
  return done ? 0 : 1;
}

int main(int argc, char **argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: similarity MODEL.so VOCABULARY.txt SENTENCE "
                    "SENTENCE...\n");
    return 2;
  }
  Vocabulary vocabulary;
  if (!readVocabulary(argv[2], &vocabulary)) {
    fprintf(stderr, "similarity: error: can't read tokens from %s\n", argv[2]);
    return 1;
  }
  txc_model *model;
  txc_message why;
  int code = 1;
  if (txc_open(argv[1], NULL, &model, &why) == TXC_OK) {
    code = run(model, &vocabulary, argv + 3, argc - 3);
    txc_close(model, NULL);
  } else {
    fprintf(stderr, "similarity: error: %s\n", why.text);
  }
  freeVocabulary(&vocabulary);
  return code;
}
