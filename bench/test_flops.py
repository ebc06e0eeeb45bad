#!/usr/bin/env python3
"""Tests the count of operations against sums done by hand."""
import pathlib
import unittest

import numpy as np

import flops

SMALL = pathlib.Path(__file__).resolve().parent.parent / "test/models/small"
BATCH, LENGTH = 3, 5


def bert_inputs():
    ones = np.ones((BATCH, LENGTH), np.int64)
    return {"input_ids": ones, "attention_mask": ones, "token_type_ids": ones}


class Flops(unittest.TestCase):
    def test_bert(self):
        # Two layers, hidden 48, intermediate 96: Q, K, V, output; two dense.
        tokens = BATCH * LENGTH
        dense = 2 * tokens * (4 * 48 * 48 + 2 * 48 * 96)
        attention = 2 * 2 * BATCH * LENGTH * LENGTH * 48
        # The Attention operator of opset 23 stands for two contractions.
        for variant in ("ts17", "dynamo18", "dynamo23"):
            with self.subTest(variant):
                counted = flops.count(SMALL / f"bert-{variant}.onnx",
                                      bert_inputs())
                self.assertEqual(counted, flops.Operations(
                    2 * dense, 2 * attention))

    def test_gemm_and_convolution(self):
        # ViT: 9 patches of 3 * 8 * 8 values, 10 tokens, a head of 10 classes.
        pixels = np.zeros((BATCH, 3, 24, 24), np.float32)
        patches = 2 * BATCH * 9 * 48 * 3 * 8 * 8
        tokens = BATCH * 10
        dense = 2 * 2 * tokens * (4 * 48 * 48 + 2 * 48 * 96)
        attention = 2 * 2 * 2 * BATCH * 10 * 10 * 48
        head = 2 * BATCH * 48 * 10
        counted = flops.count(SMALL / "vit-dynamo18.onnx",
                              {"pixel_values": pixels})
        self.assertEqual(counted, flops.Operations(patches + dense + head,
                                                   attention))


if __name__ == "__main__":
    unittest.main()
