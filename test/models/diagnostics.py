#!/usr/bin/env python3
"""Tests what `txc check` says of files that can't be compiled, and how soon.

  diagnostics.py TXC

A file with ten different problems gets ten sentences, each with its node, and
exit status 1. Graphs of 10,000 nodes, a chain and one that divides and joins at
each step, take less than a second of CPU time.
"""
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import onnx
from onnx import TensorProto, helper

SECONDS = 1.0
# The least of these counts.
TRIES = 3
NODES = 10000
FLOATS = ["n", 4, 8]


def save(nodes, outputs, path, opset=21):
    graph = helper.make_graph(
        nodes, "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, FLOATS)],
        [helper.make_tensor_value_info(o, TensorProto.FLOAT, None)
         for o in outputs])
    model = helper.make_model(graph, ir_version=10, opset_imports=[
        helper.make_opsetid("", opset), helper.make_opsetid("com.example", 1)])
    onnx.save(model, path)


# Operator, operands, attributes, and a part of what has to be said.
PROBLEMS = (
    ("Frobnicate", ["x"], {"domain": "com.example"}, "not supported"),
    ("StringNormalizer", ["x"], {}, "not supported"),
    ("Cast", ["x"], {"to": TensorProto.COMPLEX64}, "COMPLEX64"),
    ("Transpose", ["x"], {"perm": [0, 1]}, "permutation"),
    ("Softmax", ["x"], {"axis": 7}, "axis"),
    ("Gelu", ["x"], {"approximate": "cubic"}, "cubic"),
    ("Relu", ["x"], {"slope": 2.0}, "slope"),
    ("MatMul", ["x", "x"], {}, "8"),
    ("DepthToSpace", ["x"], {"blocksize": 2}, ""),
    ("Resize", ["x", "", "scales"], {"mode": "sinc"}, "sinc"),
)


def check_problems(txc, path):
    """Yields what is wrong with the answers to the ten problems."""
    nodes = [helper.make_node("Constant", [], ["scales"], value_floats=[
        1.0, 2.0, 2.0])]
    for i, (operator, operands, attributes, _) in enumerate(PROBLEMS):
        nodes.append(helper.make_node(operator, operands, [f"y{i}"],
                                      name=f"problem {i}", **attributes))
    save(nodes, [f"y{i}" for i in range(len(PROBLEMS))], path)
    done = subprocess.run([txc, "check", "-json", path], capture_output=True,
                          text=True)
    if done.returncode != 1:
        yield f"the exit status is {done.returncode}, not 1"
    answers = {a["node"]: a for a in json.loads(done.stdout)["problems"]}
    for i, (operator, _, attributes, part) in enumerate(PROBLEMS):
        answer = answers.pop(f"problem {i}", None)
        if answer is None:
            yield f"nothing is said of {operator}"
        elif (answer["op"], answer["domain"] or "ai.onnx") != (
                operator, attributes.get("domain", "ai.onnx")):
            yield f"{operator} is called {answer['op']}, {answer['domain']}"
        elif part not in json.dumps(answer):
            yield f"{operator}: no \"{part}\" in {answer}"
    for name in answers:
        yield f"{name} has no problem"


def chain():
    return [helper.make_node("Relu" if i % 2 else "Neg",
                             [f"t{i - 1}" if i else "x"], [f"t{i}"])
            for i in range(NODES)]


def diamonds():
    """Each pair of nodes reads what the last one made twice."""
    nodes, last = [], "x"
    for i in range(NODES // 2):
        nodes += [helper.make_node("Tanh", [last], [f"s{i}"]),
                  helper.make_node("Mul", [last, f"s{i}"], [f"t{i}"])]
        last = f"t{i}"
    return nodes


def run_check(txc, path):
    """Exit status and seconds of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.monotonic()
    status = subprocess.run([txc, "check", path],
                            capture_output=True).returncode
    wall = time.monotonic() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # What another process takes of the machine is not the compiler's.
    return status, min(wall, after.ru_utime - before.ru_utime
                       + after.ru_stime - before.ru_stime)


def check_speed(txc, path, nodes, status):
    """Yields what is wrong with the check of a graph of many nodes."""
    save(nodes, [nodes[-1].output[0]], path)
    runs = [run_check(txc, path) for _ in range(TRIES)]
    seconds = min(seconds for _, seconds in runs)
    print(f"{len(nodes)} nodes: {seconds:.2f} s")
    if {found for found, _ in runs} != {status}:
        yield f"the exit status is {runs[0][0]}, not {status}"
    if seconds > SECONDS:
        yield f"{len(nodes)} nodes take {seconds:.2f} s"


def main():
    txc = pathlib.Path(sys.argv[1])
    wrong = helper.make_node("Frobnicate", ["x"], ["y"], domain="com.example")
    with tempfile.TemporaryDirectory() as scratch:
        path = pathlib.Path(scratch) / "model.onnx"
        faults = [*check_problems(txc, path),
                  *check_speed(txc, path, chain(), status=0),
                  *check_speed(txc, path, diamonds(), status=0),
                  *check_speed(txc, path, [*chain(), wrong], status=1)]
    for fault in faults:
        print(f"diagnostics.py: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
