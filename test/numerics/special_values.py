#!/usr/bin/env python3
"""Compares compiled operators with onnx.reference on NaN, infinities, zeros of
both signs, denormals and the ends of f32.

  special_values.py --txc build/bin/txc

What docs/numerics.md lists as a deviation has to deviate, all else has to
agree: NaN where NaN is, the same infinities, the same signs of zeros, numbers
within a few ulp or the least denormals.
"""
import argparse
import itertools
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from compiled_model import CompiledModel  # noqa: E402

PAGE = HERE.parents[1] / "docs/numerics.md"
TARGETS = ["x86-64-v2", "x86-64-v3", "x86-64-v4", "native"]
INF, NAN = np.inf, np.nan
# Every lane of a vector sees each of them: their number is odd.
VALUES = np.array(
    [0.0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 3, INF, -INF, NAN, 3.4e38,
     -3.4e38, 1e-40, -1e-40, 1.4e-45, -1.4e-45, 1.1754944e-38, 88.5, 89, -88,
     -103, -104, 1e10, -1e10, 2.0**23 + 1, -(2.0**24)], np.float32)
UNARY = """Abs Acos Acosh Asin Asinh Atan Atanh Ceil Celu Cos Cosh Elu Erf Exp
    Floor Gelu HardSigmoid HardSwish IsInf IsNaN LeakyRelu Log Mish Neg
    Reciprocal Relu Round Selu Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Tan
    Tanh ThresholdedRelu""".split()
BINARY = """Add Sub Mul Div Pow Max Min Equal Less LessOrEqual Greater
    GreaterOrEqual""".split()
REDUCTIONS = """ReduceMax ReduceMin ReduceSum ReduceMean ReduceProd ReduceL1
    ReduceL2 ReduceSumSquare ReduceLogSum ReduceLogSumExp""".split()


class Case:
    """Nodes with one output each, which is named after what it tests."""

    def __init__(self, feeds, has_rows=False):
        self.feeds = feeds
        # Rounding is relative to the largest element of a row.
        self.has_rows = has_rows
        self.nodes, self.constants, self.outputs = [], [], []

    def add(self, name, operator, inputs, constants=(), **attributes):
        for i, value in enumerate(constants):
            self.constants.append(
                numpy_helper.from_array(np.asarray(value), f"{name}.{i}"))
            inputs = [f"{name}.{i}" if x == i else x for x in inputs]
        self.nodes.append(
            helper.make_node(operator, inputs, [name], **attributes))
        self.outputs.append(name)

    def make(self):
        values = [helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
            for name, x in self.feeds.items()]
        graph = helper.make_graph(
            self.nodes, "special", values,
            [onnx.ValueInfoProto(name=name) for name in self.outputs],
            self.constants)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 23)])
        return onnx.shape_inference.infer_shapes(model)


def make_elementwise():
    case = Case({"x": VALUES})
    for operator in UNARY:
        case.add(operator, operator, ["x"])
    case.add("Gelu tanh", "Gelu", ["x"], approximate="tanh")
    case.add("Clip", "Clip", ["x", 0, 1],
             [np.float32(-1), np.float32(2)])
    for kind in ["FLOAT16", "BFLOAT16", "DOUBLE", "BOOL"]:
        case.add(f"Cast to {kind.lower()}", "Cast", ["x"],
                 to=getattr(onnx.TensorProto, kind))
    yield case
    pairs = np.array(list(itertools.product(VALUES, VALUES)), np.float32)
    case = Case({"a": pairs[:, 0].copy(), "b": pairs[:, 1].copy()})
    for operator in BINARY:
        case.add(operator, operator, ["a", "b"])
    case.add("Mod fmod", "Mod", ["a", "b"], fmod=1)
    case.add("PRelu", "PRelu", ["a", "b"])
    yield case


def make_rows():
    """One special value at each place of a row, alone and among others."""
    random = np.random.default_rng(1)
    rows = []
    for value in VALUES:
        # Which sums overflow on the way depends on their order.
        if np.isfinite(value):
            value = np.clip(value, -1e30, 1e30)
        for others in [np.zeros(20), random.normal(size=20)]:
            others[random.integers(20)] = value
            rows.append(others)
        # Of equal numbers that are large or tiny a norm is mere rounding.
        if not np.isfinite(value) or abs(value) in [0, 1, 3]:
            rows.append(np.full(20, value))
    x = np.array(rows, np.float32)
    case = Case({"x": x}, has_rows=True)
    axes = np.array([-1], np.int64)
    for operator in REDUCTIONS:
        case.add(operator, operator, ["x", 0], [axes], keepdims=0)
    for operator in ["Softmax", "LogSoftmax"]:
        case.add(operator, operator, ["x"], axis=-1)
    for operator in ["ArgMax", "ArgMin"]:
        case.add(operator, operator, ["x"], axis=-1)
    case.add("CumSum", "CumSum", ["x", 0], [np.int64(1)])
    ones = np.ones(20, np.float32)
    case.add("LayerNormalization", "LayerNormalization", ["x", 0, 1],
             [ones, ones])
    case.add("RMSNormalization", "RMSNormalization", ["x", 0], [ones])
    weight = random.normal(size=(20, 18)).astype(np.float32)
    case.add("MatMul", "MatMul", ["x", 0], [weight])
    case.add("Gemm", "Gemm", ["x", 0, 1], [weight, weight[0]])
    yield case


def make_attention():
    """Some rows see one key, some none."""
    random = np.random.default_rng(2)
    q, k, v = (random.normal(size=(2, 3, 5, 16)).astype(np.float32)
               for _ in range(3))
    seen = random.integers(0, 2, (5, 5)).astype(bool)
    seen[1], seen[2] = False, [False, False, True, False, False]
    bias = np.where(seen, 0, -INF).astype(np.float32)
    case = Case({"q": q, "k": k, "v": v}, has_rows=True)
    case.add("Attention boolean mask", "Attention", ["q", "k", "v", 0], [seen])
    case.add("Attention float mask", "Attention", ["q", "k", "v", 0], [bias])
    lowest = np.where(seen, 0, np.finfo(np.float32).min).astype(np.float32)
    case.add("Attention lowest mask", "Attention", ["q", "k", "v", 0],
             [lowest])
    case.add("Attention causal mask", "Attention", ["q", "k", "v", 0],
             [bias], is_causal=1)
    yield case
    for name, tensor in {"q": q, "k": k, "v": v}.items():
        for value in [NAN, INF]:
            special = tensor.copy()
            special[0, 1, 2, 3] = value
            case = Case({"q": q, "k": k, "v": v} | {name: special},
                        has_rows=True)
            case.add(f"Attention {value} in {name}", "Attention",
                     ["q", "k", "v"])
            yield case


def find_difference(got, expected, has_rows):
    """The first place where arrays differ, or None."""
    if got.shape != expected.shape:
        return (), f"shape {got.shape}, not {expected.shape}"
    wide, exact = got.astype(np.float64), expected.astype(np.float64)
    # Denormals as close as they get; a half has its own.
    least = {np.dtype(np.float32): 2.0**-149, np.dtype(np.float64): 0}.get(
        expected.dtype, 2.0**-24)
    with np.errstate(invalid="ignore"):
        tolerance = 2e-5 * np.abs(exact) + 4 * least
        if has_rows and exact.ndim > 1:
            tolerance += 1e-6 * np.abs(exact).max(
                axis=-1, keepdims=True, initial=0, where=np.isfinite(exact))
        close = np.abs(wide - exact) <= tolerance
    same = close | (wide == exact) | (np.isnan(wide) & np.isnan(exact))
    same &= (wide != 0) | (exact != 0) | (np.signbit(wide) ==
                                          np.signbit(exact))
    if same.all():
        return None
    at = tuple(int(i) for i in np.argwhere(~same)[0])
    return at, f"{(~same).sum()} differ, {at}: {got[at]}, not {expected[at]}"


def read_deviations():
    section = PAGE.read_text().split("## Deviations", 1)[-1]
    return re.findall(r"(?m)^\| `([^`]+)` \|", section)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--txc", required=True)
    txc = parser.parse_args().txc
    listed, deviating, count = set(read_deviations()), set(), 0
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        cases = [*make_elementwise(), *make_rows(), *make_attention()]
        for number, case in enumerate(cases):
            model = case.make()
            path = pathlib.Path(folder) / f"{number}.onnx"
            onnx.save(model, path)
            with np.errstate(all="ignore"):
                expected = ReferenceEvaluator(model).run(None, case.feeds)
            for target in TARGETS:
                so = pathlib.Path(folder) / f"{number}-{target}.so"
                subprocess.run([txc, path, f"-target={target}", "-o", so],
                               check=True)
                compiled = CompiledModel(so)
                got = compiled.run(case.feeds)
                compiled.close()
                for name, exact in zip(case.outputs, expected):
                    count += 1
                    difference = find_difference(
                        got[name], np.asarray(exact), case.has_rows)
                    if difference is None:
                        continue
                    deviating.add(name)
                    if name not in listed:
                        wrong += 1
                        at, text = difference
                        inputs = [x[at] for x in case.feeds.values()
                                  if x.shape == np.asarray(exact).shape]
                        print(f"{name}, {target}: {text} {inputs}")
    for name in sorted(listed - deviating):
        wrong += 1
        print(f"{name} agrees; docs/numerics.md lists a deviation")
    print(f"{count} outputs, {len(deviating)} operators deviate as listed, "
          f"{wrong} failures")
    return 1 if wrong or not count else 0


if __name__ == "__main__":
    sys.exit(main())
