#!/usr/bin/env python3
"""Checks a compiled model against ONNX Runtime, or against recorded outputs.

  compare.py MODEL.onnx --so MODEL.so                  many shapes
  compare.py MODEL.onnx --txc TXC --sets MODEL.npz     recorded inputs

One shared object serves all shapes: every batch with every length, ragged
masks included, with one and with two threads, whose results must have the same
bits. A model whose cache became state goes through sequences of tokens instead,
since recorded caches can't be put into it. An output is right when its largest
error is at most 1e-4 of the output's RMS, or at most twice ONNX Runtime's own
error, both against an evaluation in float64. Where a model rounds to integers
between its layers, which sums end near one half is chance: with --pooled it is
the largest errors on all shapes that are compared. With --cosine, for models whose factors
were made narrower, it is right when it points the same way.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

import double_model

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import compiled_model  # noqa: E402
import feeds  # noqa: E402
import generation  # noqa: E402
from accuracy import cosine, relative_error  # noqa: E402

TOLERANCE = 1e-4
THREADS = (1, 2)


class Reference:
    """ONNX Runtime, and float64 where it leaves doubts."""

    def __init__(self, path, log_severity=3):
        self.path = path
        options = onnxruntime.SessionOptions()
        options.log_severity_level = log_severity
        self.session = onnxruntime.InferenceSession(path, options)
        self.wide = None
        self.evaluated = None

    def run(self, inputs):
        names = [o.name for o in self.session.get_outputs()]
        return dict(zip(names, self.session.run(names, inputs)))

    def exact(self, inputs):
        """The outputs, evaluated in float64."""
        if self.wide is None:
            self.wide = double_model.evaluator(self.path)
        if self.evaluated is None or self.evaluated[0] is not inputs:
            self.evaluated = inputs, self.wide(inputs)
        return self.evaluated[1]


class Check:
    """Counts and prints what was compared."""

    def __init__(self, models, exact=None, least_cosine=None, pooled=False):
        """exact: a function from inputs to exact outputs, where the expected
        ones aren't.
        """
        self.models = models
        self.exact = exact
        self.least_cosine = least_cosine
        self.pools = {} if pooled else None
        self.worst_cosine = 1.0
        self.failed = 0
        self.checked = 0
        self.worst = 0.0

    def fail(self, label, sentence):
        self.failed += 1
        print(f"FAIL {label}: {sentence}", flush=True)

    def case(self, label, inputs, expected):
        """Runs every model on `inputs`; the first one's bits bind the rest."""
        first = None
        for threads, model in self.models.items():
            self.checked += 1
            used = {k: v for k, v in inputs.items() if k in model.inputs}
            try:
                found = model.run(used)
            except compiled_model.ModelError as error:
                self.fail(f"{label} threads {threads}", error)
                continue
            if first is None:
                first = found
                self.outputs(label, inputs, found, expected)
            elif any(found[k].tobytes() != first[k].tobytes() for k in found):
                self.fail(label, f"other bits with {threads} threads")

    def outputs(self, label, inputs, found, expected):
        if missing := expected.keys() - found.keys():
            self.fail(label, f"no output {', '.join(sorted(missing))}")
        for name in expected.keys() & found.keys():
            error = relative_error(found[name], expected[name])
            self.worst = max(self.worst, error)
            if self.least_cosine is not None:
                self.direction(label, name, found[name], expected[name])
                continue
            if error <= TOLERANCE:
                continue
            self.against_exact(label, inputs, name, found[name], expected[name],
                               error)

    def against_exact(self, label, inputs, name, found, expected, error):
        allowed = TOLERANCE
        if self.exact and np.isfinite(error):
            exact = self.exact(inputs)[name].astype(expected.dtype)
            error = relative_error(found, exact)
            allowed = max(allowed, 2 * relative_error(expected, exact))
        if self.pools is not None:
            pool = self.pools.setdefault(name, (0.0, 0.0))
            self.pools[name] = max(pool[0], error), max(pool[1], allowed)
        elif not error <= allowed:
            self.fail(label, f"{name} {list(found.shape)} is off by "
                      f"{error:.1e} of its RMS, allowed are {allowed:.1e} "
                      f"(expected shape {list(expected.shape)})")

    def close_pools(self):
        for name, (error, allowed) in (self.pools or {}).items():
            print(f"{name}: off by {error:.1e} of its RMS, allowed are "
                  f"{allowed:.1e}")
            if not error <= allowed:
                self.fail("all shapes", f"{name} is off by {error:.1e} of its "
                          f"RMS, allowed are {allowed:.1e}")

    def direction(self, label, name, found, expected):
        agreement = cosine(found, expected)
        self.worst_cosine = min(self.worst_cosine, agreement)
        if not agreement >= self.least_cosine:
            self.fail(label, f"{name} {list(found.shape)} has a cosine of "
                      f"{agreement:.6f}, allowed are {self.least_cosine}")


def compile_model(txc, path, directory, options):
    so = directory / (path.stem + ".so")
    done = subprocess.run([txc, path, "-o", so, *options], capture_output=True,
                          text=True)
    if done.returncode:
        sys.exit(f"compare.py: txc failed with {done.returncode}: "
                 f"{done.stderr.strip()}")
    return so


def recorded_sets(path):
    """(label, inputs, outputs) of an .npz of test/models/small."""
    sets = {}
    with np.load(path) as arrays:
        for key in arrays.files:
            label, way, name = key.split("/", 2)
            sets.setdefault(label, {"in": {}, "out": {}})[way][name] = (
                arrays[key])
    return [(label, s["in"], s["out"]) for label, s in sets.items()]


def check_shapes(check, reference, path, batches, lengths):
    generator = feeds.Generator(onnx.load(path, load_external_data=False))
    for batch in batches:
        for length in lengths if generator.has_length else [None]:
            inputs = generator.make(batch, length)
            check.case(f"batch {batch} length {length}", inputs,
                       reference.run(inputs))


def parse_arguments():
    def numbers(text):
        return [int(n) for n in text.split(",")]

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--so", type=pathlib.Path, help="the compiled model")
    how.add_argument("--txc", type=pathlib.Path, help="compiles it")
    parser.add_argument("--option", action="append", default=[],
                        help="of txc: --option=-target=x86-64-v3")
    parser.add_argument("--sets", type=pathlib.Path)
    parser.add_argument("--batches", type=numbers, default=[1, 3, 8])
    parser.add_argument("--lengths", type=numbers,
                        default=[1, 2, 7, 31, 64, 128])
    parser.add_argument("--cosine", type=float, metavar="LEAST",
                        help="compare directions, not errors")
    parser.add_argument("--pooled", action="store_true",
                        help="compare the largest errors on all shapes")
    parser.add_argument("--shim", type=pathlib.Path,
                        default=compiled_model.SHIM)
    return parser.parse_args()


def main():
    args = parse_arguments()
    with tempfile.TemporaryDirectory() as scratch:
        so = args.so or compile_model(args.txc, args.model,
                                      pathlib.Path(scratch), args.option)
        try:
            models = {n: compiled_model.CompiledModel(so, n, shim=args.shim)
                      for n in THREADS}
        except compiled_model.ModelError as error:
            sys.exit(f"compare.py: {so} can't be loaded: {error}")
        state = generation.has_state(args.model, models[THREADS[0]].inputs)
        if args.sets and not state:
            check = Check(models, least_cosine=args.cosine)
            for label, inputs, outputs in recorded_sets(args.sets):
                check.case(label, inputs, outputs)
        else:
            reference = Reference(args.model)
            check = Check(models, reference.exact, args.cosine, args.pooled)
            if state:
                generation.check(check, reference, args.model, args.batches)
            else:
                check_shapes(check, reference, args.model, args.batches,
                             args.lengths)
            check.close_pools()
        for model in models.values():
            model.close()
    print(f"{args.model.name}: {check.checked} runs, {check.failed} failures, "
          f"largest error {check.worst:.1e} of an output's RMS"
          + (f", least cosine {check.worst_cosine:.6f}" if args.cosine else ""))
    return 1 if check.failed or not check.checked else 0


if __name__ == "__main__":
    sys.exit(main())
