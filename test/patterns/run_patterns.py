#!/usr/bin/env python3
"""Compiles graphs drawn at random and compares them with ONNX Runtime.

  run_patterns.py --worker build/bin/txc-suite
  run_patterns.py --worker … --family attention --seeds 1000:2000 --keep DIR

The graphs are what exporters write for attention, norms and activations, and
what only resembles that, which the compiler must leave as it is. Exits 0 when
no graph came out wrong and at most one in ten was refused.
"""
import argparse
import pathlib
import shlex
import sys
import tempfile
import time

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

import activations
import attention
import graphs
import indexing
import norms
import rotary

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "suite"))
import workers  # noqa: E402

FAMILIES = {"attention": attention, "norms": norms,
            "activations": activations, "rotary": rotary,
            "indexing": indexing}


def reference(model):
    """Evaluates inputs in ONNX Runtime without its optimizations."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = (
        onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL)
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options,
            providers=["CPUExecutionProvider"])
    except onnxruntime.capi.onnxruntime_pybind11_state.NotImplemented:
        session = ReferenceEvaluator(model)
    return lambda feed: session.run(None, feed)


def write_case(graph, model, directory):
    """As test/suite/README.md describes; returns what is expected."""
    directory.mkdir()
    onnx.save(model, directory / "model.onnx")
    (directory / "structure.txt").touch()  # No input says how to compute.
    evaluate = reference(model)
    expected = []
    for which, feed in enumerate(graph.feeds):
        folder = directory / f"test_data_set_{which}"
        folder.mkdir()
        for i, value in enumerate(feed.values()):
            (folder / f"input_{i}.pb").write_bytes(
                numpy_helper.from_array(value).SerializeToString())
        expected.append(evaluate(feed))
    return expected


def difference(found, expected, tolerance):
    if found.shape != expected.shape:
        return f"shape {found.shape}, expected {expected.shape}"
    found, expected = found.astype(np.float64), expected.astype(np.float64)
    largest = np.abs(expected[np.isfinite(expected)]).max(initial=1)
    close = np.isclose(found, expected, rtol=0, atol=tolerance * largest,
                       equal_nan=True)
    if close.all():
        return None
    first = tuple(int(i) for i in np.argwhere(~close)[0])
    return (f"{(~close).sum()} of {close.size} differ, {first}: "
            f"{found[first]}, expected {expected[first]}")


def compare(out, expected, tolerance):
    for which, arrays in enumerate(expected):
        for i, array in enumerate(arrays):
            path = out / f"test_data_set_{which}" / f"output_{i}.pb"
            found = numpy_helper.to_array(
                onnx.TensorProto.FromString(path.read_bytes()))
            if what := difference(found, array, tolerance):
                return f"set {which} output {i}: {what}"
    return None


def run(worker, family, seed, directory):
    """(status, detail) of one graph."""
    graph = FAMILIES[family].build(graphs.Draw(f"{family} {seed}"))
    model = graph.model()
    case, out = (directory / f"{family}-{seed}",
                 directory / f"{family}-{seed}-out")
    try:
        expected = write_case(graph, model, case)
    except Exception as error:  # A graph the reference refuses tells nothing.
        return "no reference", str(error).replace("\n", " ")[:200]
    status, detail = worker.ask("static", case, out)
    if status == "ok":
        what = compare(out, expected, graph.tolerance)
        return ("wrong", what) if what else ("ok", "")
    return status, detail


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--worker", required=True, type=shlex.split)
    parser.add_argument("--family", action="append", choices=FAMILIES)
    parser.add_argument("--seeds", type=workers.seed_range, default=range(100))
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--keep", type=pathlib.Path,
                        help="a folder for the graphs and outputs")
    return parser.parse_args()


def main():
    args = parse_arguments()
    start = time.monotonic()
    counts = {}
    worker = workers.Worker(args.worker, None, timeout=60)
    with tempfile.TemporaryDirectory() as scratch:
        directory = args.keep or pathlib.Path(scratch)
        directory.mkdir(exist_ok=True)
        for seed in args.seeds:
            for family in args.family or FAMILIES:
                if time.monotonic() - start > args.seconds:
                    break
                status, detail = run(worker, family, seed, directory)
                counts[status] = counts.get(status, 0) + 1
                if status != "ok":
                    print(f"{family} {seed}: {status}: {detail}", flush=True)
        worker.stop()
    print(", ".join(f"{n} {status}" for status, n in sorted(counts.items())),
          f"in {time.monotonic() - start:.0f} s")
    total = sum(counts.values()) - counts.get("no reference", 0)
    refused = counts.get("unsupported", 0)
    all_right = counts.get("ok", 0) + refused == total
    return 0 if total and all_right and refused <= total / 10 else 1


if __name__ == "__main__":
    sys.exit(main())
