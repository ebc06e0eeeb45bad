#!/usr/bin/env python3
"""Compares the errors of functions with the table in docs/numerics.md.

  errors.py --txc build/bin/txc --txc-run build/bin/txc-run \
    --sweep build/test/numerics/sweep
  errors.py ... --all      Exp, Tanh and Erf on every float; one to two minutes
  errors.py ... --write    writes the rows of what it measured

Fails where an error is above the one that the table states, or with --all so
far below that the table is out of date.
"""
import argparse
import math
import pathlib
import re
import subprocess
import sys
import tempfile

import onnx
from onnx import TensorProto, helper

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/numerics.md"
TARGETS = ["x86-64-v2", "x86-64-v3", "x86-64-v4", "native"]
ON_ALL = ["Exp", "Tanh", "Erf"]
# Calls of libm, whose errors differ by machine: stated as whole numbers.
LIBM = "Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh".split()
# Nodes of the functions that are no operator of their name; X and Y are input
# and output.
SPECIAL = {
    "Rsqrt": [("Sqrt", "X", "root", {}), ("Reciprocal", "root", "Y", {})],
    "Silu": [("Sigmoid", "X", "s", {}), ("Mul", "X s", "Y", {})],
    "GeluTanh": [("Gelu", "X", "Y", {"approximate": "tanh"})],
}
ROW = re.compile(r"^\| `(\w+)` \|(.*)\|$", re.MULTILINE)


def make_model(names, path):
    nodes = []
    for name in names:
        for operator, inputs, output, attributes in SPECIAL.get(
                name, [(name, "X", "Y", {})]):
            nodes.append(helper.make_node(
                operator,
                [i if i == "X" else f"{name}_{i}" for i in inputs.split()],
                [name if output == "Y" else f"{name}_{output}"], **attributes))
    graph = helper.make_graph(
        nodes, "functions",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["N"])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N"])
         for name in names])
    onnx.save(helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 20)]), path)


def measure(args, names, scratch):
    """{function: {target: (error, where)}}"""
    model = scratch / "functions.onnx"
    make_model(names, model)
    objects = {}
    for target in TARGETS:
        path = scratch / f"{target}.so"
        subprocess.run([args.txc, model, f"-target={target}", "-o", path],
                       check=True)
        # Code for other CPUs is not run.
        probe = subprocess.run([args.txc_run, path], capture_output=True)
        if probe.returncode == 0:
            objects[str(path)] = target
        else:
            print(f"{target}: not run on this machine")
    lines = subprocess.run(
        [args.sweep, "all" if args.all else "sample", *objects], check=True,
        text=True, stdout=subprocess.PIPE).stdout.splitlines()
    errors = {name: {} for name in names}
    for line in lines:
        path, name, error, where = line.split()
        errors[name][objects[path]] = (float(error), float.fromhex(where))
    return errors


def read_table():
    """{function: bounds, one a target}, and the page's text."""
    text = PAGE.read_text()
    return {name: [float(cell) for cell in cells.split("|")]
            for name, cells in ROW.findall(text.split("\n## Sums")[0])}, text


def check(errors, stated, is_all):
    wrong = 0
    for name, found in errors.items():
        for target, (error, where) in found.items():
            bound = stated[name][TARGETS.index(target)]
            if not error <= bound:
                wrong += 1
                print(f"{name}, {target}: {error:.4f} ulp at {where!r}; "
                      f"docs/numerics.md states {bound}")
            elif is_all and error < bound - 0.02:
                wrong += 1
                print(f"{name}, {target}: {error:.4f} ulp at most; "
                      f"docs/numerics.md states {bound}, which is out of date")
    return wrong


def write(errors, text, is_all):
    for name, found in errors.items():
        if (name in ON_ALL) != is_all:
            continue
        steps = 1 if name in LIBM else 100
        cells = [math.ceil(found[target][0] * steps - 1e-9) / steps
                 for target in TARGETS]
        row = f"| `{name}` | " + " | ".join(f"{c:.2f}" for c in cells) + " |"
        text = re.sub(rf"(?m)^\| `{name}` \|.*\|$", row, text, count=1)
    PAGE.write_text(text)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for program in ["txc", "txc-run", "sweep"]:
        parser.add_argument(f"--{program}", required=True)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    stated, text = read_table()
    with tempfile.TemporaryDirectory() as scratch:
        errors = measure(args, ON_ALL if args.all else list(stated),
                         pathlib.Path(scratch))
    if args.write:
        write(errors, text, args.all)
        return 0
    wrong = check(errors, stated, args.all)
    print(f"{len(errors)} functions, {wrong} errors above or far below")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
