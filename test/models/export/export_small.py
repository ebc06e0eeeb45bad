#!/usr/bin/env python3
"""Makes ../small: FAMILY-EXPORTER.onnx and FAMILY.npz.

An .npz holds, for each set, `SET/in/NAME` and `SET/out/NAME`. The outputs are
torch's own, evaluated in float64 and rounded once, so a test's tolerance is
the error of the compiled model alone.
"""
import copy
import pathlib
import sys

import numpy as np
import onnxruntime
import torch

import exporters
import families

SMALL = pathlib.Path(__file__).resolve().parent.parent / "small"
VARIANTS = {"ts17": ("ts", 17), "dynamo18": ("dynamo", 18),
            "dynamo23": ("dynamo", 23)}


def reference(family, arguments):
    module = copy.deepcopy(family.module).double()
    wide = [a.double() if a.is_floating_point() else a for a in arguments]
    with torch.no_grad():
        results = family.call(module, *wide)
    return [r.float().numpy() for r in results]


def worst_error(path, sets):
    """ONNX Runtime's largest error relative to the output's RMS."""
    session = onnxruntime.InferenceSession(path)
    names = {i.name for i in session.get_inputs()}
    worst = 0.0
    for inputs, outputs in sets.values():
        found = session.run(list(outputs), {k: v for k, v in inputs.items()
                                            if k in names})
        for got, want in zip(found, outputs.values()):
            if got.shape != want.shape:
                return float("inf")
            rms = np.sqrt(np.mean(np.square(want)))
            worst = max(worst, np.abs(got - want).max() / rms)
    return worst


def main():
    wanted = sys.argv[1:] or list(families.FAMILIES)
    SMALL.mkdir(exist_ok=True)
    for name in wanted:
        family = families.FAMILIES[name]()
        sets = {}
        for label, arguments in family.sets.items():
            inputs = {k: a.numpy() for k, a in zip(family.inputs, arguments)}
            outputs = dict(zip(family.outputs, reference(family, arguments)))
            sets[label] = (inputs, outputs)
        np.savez_compressed(SMALL / f"{name}.npz", **{
            f"{label}/{way}/{key}": value for label, pair in sets.items()
            for way, values in zip(("in", "out"), pair)
            for key, value in values.items()})
        for variant, (exporter, opset) in VARIANTS.items():
            path = SMALL / f"{name}-{variant}.onnx"
            exporters.export(family, str(path), exporter, opset)
            error = worst_error(path, sets)
            print(f"{path.name}: {path.stat().st_size >> 10} KB, "
                  f"error of ONNX Runtime {error:.1e}", flush=True)
            if error > 1e-4:
                sys.exit(f"{path.name} is not the model it was made from")


if __name__ == "__main__":
    main()
