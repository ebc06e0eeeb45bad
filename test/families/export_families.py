#!/usr/bin/env python3
"""Exports families of catalogue.py with torch: DIR/FAMILY-EXPORTER.onnx.

  export_families.py DIR [--exporter ts,dynamo] [--match REGULAR_EXPRESSION]
  export_families.py graphs --thin --match ...         for test/families/graphs

Needs the packages of test/models/export/requirements.txt. What can't be made,
exported, or run by ONNX Runtime as torch runs it, is listed with the reason.
"""
import argparse
import gc
import pathlib
import re
import signal
import sys
import tempfile

import onnx
import onnxruntime
import torch

import catalogue
import kinds
import thin

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[0] / "models" / "export"))
sys.path.insert(0, str(HERE.parents[0] / "support"))
import exporters  # noqa: E402
from accuracy import relative_error  # noqa: E402

OPSETS = {"ts": 17, "dynamo": 18}
TOLERANCE = 1e-3
SECONDS = 150


def run_out(*_):
    raise TimeoutError(f"more than {SECONDS} s")


def compare(path, family):
    """Says where ONNX Runtime and torch don't agree."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(path, options)
    known = {i.name for i in session.get_inputs()}
    for label, arguments in family.sets.items():
        feeds = {n: a.numpy() for n, a in zip(family.inputs, arguments)
                 if n in known}
        with torch.no_grad():
            expected = family.call(family.module,
                                   *[a.clone() for a in arguments])
        for name, found, want in zip(family.outputs,
                                     session.run(list(family.outputs), feeds),
                                     expected):
            error = relative_error(found, want.numpy())
            if not error <= TOLERANCE:
                return f"set {label}: {name} is off by {error:.1e}"
    return None


def first_line(error):
    """Of the first cause: exporters wrap it in advice."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__
    lines = [line for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:160]


def export(name, exporter, directory, is_thin):
    """Writes one model; returns what is wrong with it, if anything."""
    family = kinds.make(catalogue.FAMILIES[name])
    with tempfile.TemporaryDirectory() as scratch:
        path = f"{scratch}/{name}.onnx"
        exporters.export(family, path, exporter, OPSETS[exporter])
        try:
            remark = compare(path, family)
        except Exception as error:  # Whatever ONNX Runtime throws.
            remark = "ONNX Runtime: " + first_line(error)
        model = onnx.load(path)
    if is_thin:
        thin.remove_weights(model)
        thin.save(model, directory / f"{name}-{exporter}.onnx.xz")
    else:
        onnx.save(model, directory / f"{name}-{exporter}.onnx")
    return remark


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--exporter", default="ts,dynamo")
    parser.add_argument("--match", default="")
    parser.add_argument("--thin", action="store_true")
    args = parser.parse_args()
    args.directory.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGALRM, run_out)
    for name in catalogue.FAMILIES:
        if not re.search(args.match, name):
            continue
        for exporter in args.exporter.split(","):
            signal.alarm(SECONDS)
            try:
                remark = export(name, exporter, args.directory, args.thin)
            except Exception as error:  # Whatever transformers and torch throw.
                remark = "not exported: " + first_line(error)
            signal.alarm(0)
            gc.collect()
            print(f"{name}-{exporter}: {remark or 'exported'}", flush=True)


if __name__ == "__main__":
    main()
