#!/usr/bin/env python3
"""Compiles valid graphs drawn at random, and compares them with ONNX's own
reference.

  run_generated.py --worker build/bin/txc-suite
  run_generated.py --worker … --seeds 5000:90000 --seconds 3600 --keep DIR

Each graph has 3 to 30 nodes of draw_*.py. It is interpreted, and compiled
either with its shapes or without knowing any dim of an input; then one thing is
made invalid in it (invalid.py), which has to be refused. --keep saves the graphs
that came out wrong, each cut down to the nodes it takes. Exits 0 when none did
and at most one in ten valid ones was refused.
"""
import argparse
import pathlib
import shlex
import shutil
import sys
import tempfile
import threading
import time

import numpy as np
import onnx
from onnx import helper, numpy_helper

import draw_elementwise  # noqa: F401  (they register what they draw)
import draw_movement  # noqa: F401
import draw_products  # noqa: F401
import draw_reductions  # noqa: F401
import invalid
from graph import Graph
from registry import OPERATORS
from values import Refused, is_float

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "suite"))
import workers  # noqa: E402

OPSETS = (18, 19, 20, 21, 22, 23)
# Of any mode.
GOOD = ("ok", "unsupported", "refused", "left valid")
COMPILED = ("static", "dynamic")


def draw(seed):
    """A graph, its model and its outputs."""
    graph = Graph(seed, OPSETS[hash_of(seed) % len(OPSETS)])
    wanted = graph.choice((3, 4, 5, 6, 8, 10, 15, 20, 30))
    for _ in range(10 * wanted):
        if len(graph.nodes) >= wanted:
            break
        before = len(graph.inputs), len(graph.constants)
        try:
            graph.choice(OPERATORS)(graph)
        except Refused:
            # What was drawn for it would have no reader.
            for made in graph.inputs[before[0]:]:
                if made.name not in graph.used:
                    graph.values.remove(made)
    return graph


def hash_of(seed):
    return seed * 2654435761 % 2**32 >> 8


def write_case(graph, model, directory):
    """As test/suite/README.md describes."""
    directory.mkdir()
    onnx.save(model, directory / "model.onnx")
    dynamic = onnx.ModelProto.FromString(model.SerializeToString())
    for info in dynamic.graph.input:
        for dim in info.type.tensor_type.shape.dim:
            dim.Clear()
    onnx.save(dynamic, directory / "dynamic.onnx")
    (directory / "structure.txt").touch()
    folder = directory / "test_data_set_0"
    folder.mkdir()
    for i, array in enumerate(make_feeds(graph, model).values()):
        (folder / f"input_{i}.pb").write_bytes(
            numpy_helper.from_array(array).SerializeToString())


def make_feeds(graph, model):
    """The graph's inputs; zeros where the model declares something else."""
    arrays = {v.name: v.array for v in graph.inputs}
    feeds = {}
    for info in model.graph.input:
        kind = info.type.tensor_type
        dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type)
        shape = tuple(d.dim_value for d in kind.shape.dim)
        array = arrays[info.name]
        if (array.dtype, array.shape) != (dtype, shape):
            array = np.zeros(shape, dtype)
        feeds[info.name] = array
    return feeds


def difference(found, value):
    if found.shape != value.shape or found.dtype != value.dtype:
        return (f"{found.dtype}{list(found.shape)}, expected "
                f"{value.dtype}{list(value.shape)}")
    if not is_float(value.dtype):
        wrong = found != value.array
    else:
        wrong = ~(np.abs(found.astype(np.float64)
                         - value.array.astype(np.float64)) <= value.error)
    if not wrong.any():
        return None
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    return (f"{wrong.sum()} of {wrong.size} differ, {first}: {found[first]}, "
            f"expected {value.array[first]} within {value.error:.2g}")


def compare(out, outputs):
    for i, value in enumerate(outputs):
        path = out / "test_data_set_0" / f"output_{i}.pb"
        found = numpy_helper.to_array(
            onnx.TensorProto.FromString(path.read_bytes()))
        if what := difference(found, value):
            return f"{value.name}: {what}"
    return None


def ask(worker, mode, graph, model, outputs, scratch):
    """(status, detail) of one graph in one mode."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        case, out = pathlib.Path(folder, "case"), pathlib.Path(folder, "out")
        write_case(graph, model, case)
        status, detail = worker.ask(mode, case, out)
        if status == "ok" and (what := compare(out, outputs)):
            return "wrong", what
        if status == "error" and is_empty_somewhere(graph):
            return "unsupported", detail
        return status, detail


def ask_invalid(worker, graph, model, scratch):
    """As ask(): what ONNX refuses has to be refused too."""
    what = invalid.break_model(graph, model,
                               lambda model: make_feeds(graph, model))
    if not what:
        return "left valid", ""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        case, out = pathlib.Path(folder, "case"), pathlib.Path(folder, "out")
        write_case(graph, model, case)
        status, detail = worker.ask("static", case, out)
    if status in ("unsupported", "error") and detail:
        return "refused", ""
    return ("accepted" if status == "ok" else status), f"{what}: {detail}"


def is_empty_somewhere(graph):
    """Some dims can't be 0 in a model that was compiled for any: a run with
    such a one ends with a sentence that says so."""
    return any(v.array.size == 0 for v in graph.values + graph.constants)


def cut_down(graph, fails):
    """Drops nodes from the end, then from within, while `fails` holds."""
    for i in reversed(range(len(graph.nodes))):
        nodes = graph.nodes[:i] + graph.nodes[i + 1:]
        made = {n for node in nodes for n in node.output}
        given = {v.name: v for v in graph.inputs + graph.constants}
        if not nodes or any(n and n not in made and n not in given
                            for node in nodes for n in node.input):
            continue
        before = graph.nodes, graph.used
        graph.nodes = nodes
        graph.used = {n for node in nodes for n in node.input}
        if not fails(graph):
            graph.nodes, graph.used = before


class Run:
    """What all workers share."""

    def __init__(self, args, scratch):
        self.args = args
        self.scratch = scratch
        self.lock = threading.Lock()
        self.counts = {}
        self.refusals = {}
        self.end = time.monotonic() + args.seconds

    def requests(self):
        for seed in self.args.seeds:
            if time.monotonic() > self.end:
                return
            yield seed

    def note(self, seed, mode, status, detail, text=""):
        with self.lock:
            self.counts[mode, status] = self.counts.get((mode, status), 0) + 1
            if status == "unsupported":
                self.refusals[detail] = self.refusals.get(detail, 0) + 1
            elif status not in GOOD:
                print(f"{seed} {mode}: {status}: {detail}\n{text}".rstrip(),
                      flush=True)

    def handle(self, worker, seed):
        graph = draw(seed)
        model, outputs = graph.model()
        modes = self.args.modes or ["interpret",
                                    COMPILED[hash_of(seed) // 8 % 2]]
        for mode in modes:
            status, detail = ask(worker, mode, graph, model, outputs,
                                 self.scratch)
            text = ""
            if self.args.keep and status not in GOOD:
                text = self.keep(worker, mode, draw(seed), seed, status)
            self.note(seed, mode, status, detail, text)
        status, detail = ask_invalid(worker, graph, model, self.scratch)
        self.note(seed, "invalid", status, detail)

    def keep(self, worker, mode, graph, seed, status):
        def fails(candidate):
            model, outputs = candidate.model()
            return ask(worker, mode, candidate, model, outputs,
                       self.scratch)[0] == status

        cut_down(graph, fails)
        model, _ = graph.model()
        folder = self.args.keep / f"{seed}-{mode}"
        shutil.rmtree(folder, ignore_errors=True)
        write_case(graph, model, folder)
        return onnx.printer.to_text(model.graph)


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--worker", required=True, type=shlex.split)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--modes", type=lambda text: text.split(","))
    parser.add_argument("--seeds", type=workers.seed_range, default=range(2000))
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR")
    return parser.parse_args()


def main():
    args = parse_arguments()
    start = time.monotonic()
    if args.keep:
        args.keep.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        state = Run(args, scratch)
        workers.run_all(lambda: workers.Worker(args.worker, None, timeout=60),
                        args.jobs, state.requests(), state.handle)
    if args.keep:
        for detail, count in sorted(state.refusals.items(),
                                    key=lambda r: -r[1])[:20]:
            print(f"{count:5} refused: {detail[:200]}")
    print(f"in {time.monotonic() - start:.0f} s: " + ", ".join(
        f"{n} {mode} {status}"
        for (mode, status), n in sorted(state.counts.items())))
    valid = {key: n for key, n in state.counts.items() if key[0] != "invalid"}
    refused = sum(n for (_, status), n in valid.items()
                  if status == "unsupported")
    right = all(status in GOOD for _, status in state.counts)
    return 0 if valid and right and refused <= sum(valid.values()) / 10 else 1


if __name__ == "__main__":
    sys.exit(main())
