#!/usr/bin/env python3
"""Tests of the harness: each way to fail has to be seen as what it is."""
import contextlib
import io
import pathlib
import sys
import tempfile
import textwrap
import unittest
from unittest import mock

import numpy as np
import onnx
from onnx import TensorProto, helper

import dump_cases
import run_suite

# Answers as told by FAULT, or doubles the input as the model does.
WORKER = """
    import os, pathlib, sys, time
    import numpy as np, onnx
    from onnx import numpy_helper
    fault = sys.argv[1]
    for line in sys.stdin:
        mode, case, out = line.rstrip("\\n").split("\\t")
        source = pathlib.Path(case) / "test_data_set_0/input_0.pb"
        x = numpy_helper.to_array(onnx.TensorProto.FromString(
            source.read_bytes()))
        if fault == "crash": os.abort()
        if fault == "exit": sys.exit(3)
        if fault == "hang": time.sleep(60)
        y = 2 * x
        if fault == "value": y = y * np.float32(1.01)
        if fault == "nan": y[0] = np.nan
        if fault == "shape": y = y[None]
        if fault == "type": y = y.astype(np.float64)
        target = pathlib.Path(out) / "test_data_set_0"
        target.mkdir()
        if fault != "missing":
            (target / "output_0.pb").write_bytes(
                numpy_helper.from_array(y).SerializeToString())
        if fault == "refuse": print("unsupported\\tno Add here", flush=True)
        elif fault == "babble": print("hello", flush=True)
        elif fault == "constants": print("ok\\taxes", flush=True)
        else: print("ok", flush=True)
"""


def make_case(directory):
    shape = [3]
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "x"], ["y"])], "double",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)])
    model = helper.make_model(graph)
    case = directory / "node/test_double"
    case.mkdir(parents=True)
    onnx.save(model, case / "model.onnx")
    onnx.save(dump_cases.without_extents(model), case / "dynamic.onnx")
    x = np.array([1, -2, 3], np.float32)
    dump_cases.write_data_set(case / "test_data_set_0", model, [x], [2 * x])
    row = ("node/test_double", "core", "elementwise", "Add", 13, 1e-3, 1e-7,
           "")
    (directory / "index.tsv").write_text("".join(
        "\t".join(map(str, line)) + "\n"
        for line in (dump_cases.COLUMNS, row)))


class Harness(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = pathlib.Path(scratch.name)
        make_case(self.root)
        self.worker = self.root / "worker.py"
        self.worker.write_text(textwrap.dedent(WORKER))

    def run_with(self, fault, expected="", *options):
        """(exit status, output, statuses by mode) of a run with a fault."""
        (self.root / "expected.txt").write_text(expected)
        results = self.root / "results.tsv"
        argv = ["run_suite.py", str(self.root), "--jobs=1", "--worker",
                f"{sys.executable} {self.worker} {fault}", "--expected",
                str(self.root / "expected.txt"), "--results", str(results),
                *options]
        printed = io.StringIO()
        with mock.patch.object(sys, "argv", argv), \
                contextlib.redirect_stdout(printed):
            code = run_suite.main()
        lines = [l.split("\t") for l in results.read_text().splitlines()[1:]]
        return code, printed.getvalue(), {l[1]: l[4] for l in lines}

    def test_right_outputs_pass_in_every_mode(self):
        code, _, statuses = self.run_with("none")
        self.assertEqual(code, 0)
        self.assertEqual(statuses, dict.fromkeys(run_suite.MODES, "pass"))

    def test_each_fault_is_named(self):
        for fault, status in (("value", "wrong"), ("nan", "wrong"),
                              ("shape", "wrong"), ("type", "wrong"),
                              ("missing", "wrong"), ("crash", "crash"),
                              ("exit", "crash"), ("babble", "error"),
                              ("refuse", "unsupported")):
            with self.subTest(fault):
                code, text, statuses = self.run_with(fault)
                self.assertEqual(code, 1)
                self.assertEqual(set(statuses.values()), {status})
                self.assertIn(f"fails static: {status}", text)

    def test_a_hanging_worker_is_ended(self):
        code, _, statuses = self.run_with("hang", "", "--timeout=0.5",
                                          "--modes=static")
        self.assertEqual((code, statuses), (1, {"static": "timeout"}))

    def test_an_expected_failure_is_no_surprise(self):
        code, _, _ = self.run_with("value", "* node/test_dou* known # why\n")
        self.assertEqual(code, 0)

    def test_an_unexpected_pass_is_a_surprise(self):
        code, text, _ = self.run_with("none", "static node/test_double old\n")
        self.assertEqual(code, 1)
        self.assertIn("passes static, but line 1", text)

    def test_an_expectation_without_case_is_a_surprise(self):
        code, text, _ = self.run_with("none", "* node/test_triple gone\n")
        self.assertEqual(code, 1)
        self.assertIn("matches no case: node/test_triple", text)

    def test_a_line_without_reason_is_refused(self):
        with self.assertRaisesRegex(ValueError, "MODE CASE REASON"):
            self.run_with("none", "static node/test_double\n")

    def test_what_is_written_as_expected_is_expected(self):
        written = self.root / "written.txt"
        for fault, mode in (("refuse", "*"), ("value", "*"), ("crash", "*")):
            with self.subTest(fault):
                self.run_with(fault, "", f"--write-expected={written}")
                text = written.read_text()
                self.assertIn(f"\n{mode:9} node/test_double ", text)
                code, _, _ = self.run_with(fault, text)
                self.assertEqual(code, 0)

    def test_reasons_name_no_node_and_give_no_advice(self):
        self.assertEqual(
            run_suite.expectations.reason_of(
                "unsupported", 'node "a b" (Add, ai.onnx 7): no; try yes'),
            "(Add, ai.onnx 7): no")

    def test_cases_that_needed_constants_are_counted(self):
        _, text, _ = self.run_with("constants")
        self.assertIn("constants: 1 interpret, 1 static, 1 dynamic", text)

    def test_structure_is_what_the_expanded_operator_says(self):
        def model(operator):
            inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT,
                                                    [2, 3]),
                      helper.make_tensor_value_info("axes", TensorProto.INT64,
                                                    [1])]
            return helper.make_model(helper.make_graph(
                [helper.make_node(operator, ["x", "axes"], ["y"])], operator,
                inputs, []))

        for name, operator, text in (("own", "ReduceSum", "axes\n"),
                                     ("sum_expanded", "Custom", "axes\n"),
                                     ("none", "Custom", "")):
            with self.subTest(name):
                models = {"sum": model("ReduceSum"), name: model(operator)}
                dump_cases.write_structure(
                    models[name], dump_cases.operator_model(name, models),
                    self.root)
                self.assertEqual((self.root / "structure.txt").read_text(),
                                 text)

    def test_dynamic_models_know_no_extent_of_data(self):
        model = onnx.load(self.root / "node/test_double/dynamic.onnx")
        for value in [*model.graph.input, *model.graph.output]:
            dims = value.type.tensor_type.shape.dim
            self.assertEqual(len(dims), 1)
            self.assertFalse(dims[0].HasField("dim_value"))


if __name__ == "__main__":
    unittest.main()
