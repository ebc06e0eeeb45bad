#!/usr/bin/env python3
"""Tests of the comparison: what is wrong has to be found, what is right not."""
import contextlib
import io
import pathlib
import unittest

import numpy as np
import onnx
import onnxruntime

import compare
import double_model
from compare import feeds, generation

SMALL = pathlib.Path(__file__).resolve().parent / "small"
BERT = SMALL / "bert-dynamo18.onnx"
PAST = SMALL / "gpt2-past-dynamo18.onnx"


class OrtModel:
    """Stands for a compiled model; spoils what ONNX Runtime computes."""

    def __init__(self, spoil=lambda array: array):
        self.session = onnxruntime.InferenceSession(BERT)
        self.inputs = {i.name for i in self.session.get_inputs()}
        self.spoil = spoil

    def run(self, inputs):
        output, = self.session.run(None, inputs)
        return {"last_hidden_state": self.spoil(output.copy())}


class OrtDecoder:
    """A decoder that keeps its cache, and may lose its last entry."""
    inputs = {"input_ids", "attention_mask", "position_ids"}

    def __init__(self, loses_entry):
        self.session = onnxruntime.InferenceSession(PAST)
        self.loses_entry = loses_entry

    def reset(self):
        self.cache = {k: np.zeros((0, 0, 0, 0), np.float32)
                      for k in generation.cache_shapes(PAST)}

    def run(self, inputs):
        batch = len(inputs["input_ids"])
        for name, (_, heads, _, size) in generation.cache_shapes(PAST).items():
            if not self.cache[name].size:
                self.cache[name] = np.zeros((batch, heads, 0, size), np.float32)
        names = [o.name for o in self.session.get_outputs()]
        results = dict(zip(names, self.session.run(None, inputs | self.cache)))
        self.cache = {k: results[k.replace("past_key_values", "present")]
                      for k in self.cache}
        if self.loses_entry:
            for array in self.cache.values():
                array[:, :, -1] = 0
        return {"logits": results["logits"]}


def decoder_failures(loses_entry):
    reference = compare.Reference(PAST)
    check = compare.Check({1: OrtDecoder(loses_entry)}, reference.exact)
    with contextlib.redirect_stdout(io.StringIO()):
        generation.check(check, reference, PAST, [2])
    return check.failed


def failures(models):
    reference = compare.Reference(BERT)
    check = compare.Check(models, reference.exact)
    with contextlib.redirect_stdout(io.StringIO()):
        compare.check_shapes(check, reference, BERT, [3], [5])
    return check.failed


def add_at(index, value):
    def spoil(array):
        array[index] += value
        return array
    return spoil


class Compare(unittest.TestCase):
    def test_equal_outputs_are_right(self):
        self.assertEqual(failures({1: OrtModel(), 2: OrtModel()}), 0)

    def test_one_wrong_element_is_found(self):
        spoiled = OrtModel(add_at((2, 4, 47), 1e-3))
        self.assertEqual(failures({1: spoiled}), 1)

    def test_error_within_the_tolerance_is_right(self):
        spoiled = OrtModel(add_at((2, 4, 47), 2e-5))
        self.assertEqual(failures({1: spoiled}), 0)

    def test_nan_is_found(self):
        self.assertEqual(failures({1: OrtModel(add_at((0, 0, 0), np.nan))}), 1)

    def test_other_shape_and_type_are_found(self):
        for spoil in (lambda a: a[:2], lambda a: a.astype(np.float64)):
            self.assertEqual(failures({1: OrtModel(spoil)}), 1)

    def test_threads_with_other_bits_are_found(self):
        models = {1: OrtModel(), 2: OrtModel(add_at((0, 0, 0), 1e-6))}
        self.assertEqual(failures(models), 1)

    def test_infinities_have_to_be_in_their_places(self):
        expected = np.array([np.inf, 1, -np.inf, np.nan], np.float32)
        self.assertEqual(compare.relative_error(expected, expected), 0)
        for i in range(4):
            found = expected.copy()
            found[i] = 0
            self.assertGreater(compare.relative_error(found, expected), 0.5)

    def test_state_that_is_kept_is_right(self):
        self.assertEqual(decoder_failures(loses_entry=False), 0)

    def test_state_that_loses_an_entry_is_found(self):
        # All steps but the first of each of the two sequences.
        self.assertEqual(decoder_failures(loses_entry=True), 6)

    def test_state_is_seen_by_its_missing_inputs(self):
        names = set(generation.cache_shapes(PAST))
        self.assertTrue(generation.has_state(PAST, {"input_ids"}))
        self.assertFalse(generation.has_state(PAST, names | {"input_ids"}))
        self.assertFalse(generation.has_state(BERT, {"input_ids"}))

    def test_float64_evaluation_agrees_with_torch(self):
        wide = double_model.evaluator(BERT)
        for label, inputs, outputs in compare.recorded_sets(
                SMALL / "bert.npz"):
            with self.subTest(label):
                exact = wide(inputs)["last_hidden_state"].astype(np.float32)
                # Both evaluate in float64 and round once.
                np.testing.assert_allclose(
                    exact, outputs["last_hidden_state"], rtol=0, atol=1e-6)

    def test_inputs_are_in_range_and_ragged(self):
        inputs = feeds.Generator(onnx.load(BERT)).make(8, 31)
        self.assertLess(inputs["input_ids"].max(), 160)
        self.assertLess(inputs["token_type_ids"].max(), 2)
        lengths = inputs["attention_mask"].sum(axis=1)
        self.assertEqual((lengths[0], lengths[-1]), (31, 1))
        self.assertGreater(len(set(lengths)), 3)


if __name__ == "__main__":
    unittest.main()
