"""Tokens of real text: BERT's WordPiece, as far as plain English needs it.

Devlin et al., arXiv:1810.04805; the vocabulary comes from a tokenizer.json.
"""
import json
import re

import numpy as np


class WordPieces:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.vocabulary = json.load(file)["model"]["vocab"]

    def word(self, word):
        """The longest pieces from the left, those inside with ## before."""
        pieces, begin = [], 0
        while begin < len(word):
            for end in range(len(word), begin, -1):
                piece = ("##" if begin else "") + word[begin:end]
                if piece in self.vocabulary:
                    break
            else:
                return [self.vocabulary["[UNK]"]]
            pieces.append(self.vocabulary[piece])
            begin = end
        return pieces

    def sentence(self, text):
        tokens = [self.vocabulary["[CLS]"]]
        for word in re.findall(r"\w+|[^\w\s]", text.lower()):
            tokens += self.word(word)
        return tokens + [self.vocabulary["[SEP]"]]

    def feeds(self, text):
        """The inputs of a BERT for one sentence."""
        ids = np.array([self.sentence(text)], np.int64)
        return {"input_ids": ids, "attention_mask": np.ones_like(ids),
                "token_type_ids": np.zeros_like(ids)}
