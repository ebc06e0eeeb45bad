#!/usr/bin/env python3
"""Tests that Python reaches the runtime: test_compiled_model.py SHIM MODEL.so"""
import pathlib
import sys
import unittest

import numpy as np

from compiled_model import CompiledModel, ModelError

SHIM, MODEL = map(pathlib.Path, sys.argv[1:3])


class Compiled(unittest.TestCase):
    def setUp(self):
        self.model = CompiledModel(MODEL, threads=2, shim=SHIM)
        self.addCleanup(self.model.close)

    def test_describes_the_model(self):
        self.assertEqual(self.model.inputs, {"x": np.dtype(np.float32)})
        self.assertEqual(self.model.outputs, {"y": np.dtype(np.float32)})

    def test_runs_at_every_shape(self):
        for n in (1, 100, 0, 7):
            x = np.arange(n, dtype=np.float32)
            y = self.model.run({"x": x})["y"]
            np.testing.assert_array_equal(y, 2 * x)

    def test_takes_arrays_that_are_not_contiguous(self):
        x = np.arange(20, dtype=np.float32)[::2]
        np.testing.assert_array_equal(self.model.run({"x": x})["y"], 2 * x)

    def test_passes_errors_on(self):
        for x, sentence in ((np.zeros(3), "x"),
                            (np.zeros(101, np.float32), "100")):
            with self.assertRaisesRegex(ModelError, sentence):
                self.model.run({"x": x})

    def test_says_why_a_file_is_no_model(self):
        with self.assertRaisesRegex(ModelError, "no model compiled by txc"):
            CompiledModel(SHIM, shim=SHIM)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
