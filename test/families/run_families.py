#!/usr/bin/env python3
"""Compiles exported families and compares them with ONNX Runtime.

  run_families.py MODELS... --txc TXC        files or folders of them

MODELS are .onnx, or .onnx.xz without weights (thin.py). Each runs on the four
sets of shapes of interface.py with one and with two threads. A set that ONNX
Runtime itself can't run is left out; a model of which it runs none is counted
apart.
"""
import argparse
import pathlib
import sys
import tempfile
import time

import numpy as np
import onnx
from onnx import helper

import interface
import thin

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[0] / "models"))
import compare  # noqa: E402

compiled_model = compare.compiled_model
FAILURES = compare.onnxruntime.capi.onnxruntime_pybind11_state
REFUSALS = (FAILURES.Fail, FAILURES.InvalidArgument, FAILURES.RuntimeException)


def read_inputs(model):
    """Name to (type, fixed sizes) of all inputs that are no weights."""
    weights = {i.name for i in model.graph.initializer}
    inputs = {}
    for info in model.graph.input:
        if info.name not in weights:
            tensor = info.type.tensor_type
            dtype = helper.tensor_dtype_to_np_dtype(tensor.elem_type)
            inputs[info.name] = np.dtype(dtype), [
                d.dim_value if d.HasField("dim_value") else None
                for d in tensor.shape.dim]
    return inputs


def run_sets(check, reference, model, name):
    """Compares on the sets that ONNX Runtime takes; returns how many."""
    inputs = read_inputs(model)
    count = 0
    # An exporter may have fixed the lengths that it traced with.
    for number, dims in enumerate([*interface.SETS, interface.EXAMPLE]):
        if dims is interface.EXAMPLE and count:
            break
        feeds = interface.feed(inputs, dims)
        try:
            expected = reference.run(feeds)
        except REFUSALS:
            continue
        check.case(f"{name} set {number}", feeds, expected)
        count += 1
    return count


def check_model(path, scratch, args):
    """(status, sentence) of one model."""
    if path.suffix == ".xz":
        model = thin.load(path)
        path = scratch / path.stem
        onnx.save(model, path)
    else:
        model = onnx.load(path)
    begin = time.monotonic()
    try:
        so = compare.compile_model(args.txc, path, scratch, args.option)
    except SystemExit as error:
        return "refused", str(error)
    seconds = time.monotonic() - begin
    # A set that it can't run is no error here.
    reference = compare.Reference(path, log_severity=4)
    models = {n: compiled_model.CompiledModel(so, n, shim=args.shim)
              for n in compare.THREADS}
    check = compare.Check(models, reference.exact)
    shapes = run_sets(check, reference, model, path.name)
    for compiled in models.values():
        compiled.close()
    if not shapes:
        return "no reference", "ONNX Runtime runs none of the sets"
    return ("wrong" if check.failed else "right",
            f"{shapes} shapes, largest error {check.worst:.1e}, compiled in "
            f"{seconds:.1f} s")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("models", type=pathlib.Path, nargs="+")
    parser.add_argument("--txc", type=pathlib.Path, required=True)
    parser.add_argument("--shim", type=pathlib.Path,
                        default=compiled_model.SHIM)
    parser.add_argument("--option", action="append", default=[])
    args = parser.parse_args()
    files = [f for m in args.models for f in
             (sorted(m.glob("*.onnx*")) if m.is_dir() else [m])]
    counts = {}
    for path in files:
        with tempfile.TemporaryDirectory() as scratch:
            try:
                status, sentence = check_model(path, pathlib.Path(scratch),
                                               args)
            except compiled_model.ModelError as error:
                status, sentence = "refused", str(error)
        counts[status] = counts.get(status, 0) + 1
        print(f"{path.name.partition('.onnx')[0]:28} {status}: {sentence}",
              flush=True)
    print(", ".join(f"{n} {status}" for status, n in counts.items()))
    return 1 if counts.keys() - {"right", "no reference"} or not counts else 0


if __name__ == "__main__":
    sys.exit(main())
