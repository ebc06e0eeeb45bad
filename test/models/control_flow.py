#!/usr/bin/env python3
"""Checks branches and loops that a run decides against ONNX Runtime.

  control_flow.py --txc TXC [--only NAME] [--keep DIR]

Each graph is compiled once and run on several inputs, with one and with two
threads, whose results have to have the same bits.
"""
import argparse
import pathlib
import sys
import tempfile

import numpy as np
import onnx

import compare
import control_flow_graphs

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import compiled_model  # noqa: E402


def check_graph(graph, args, scratch):
    path = scratch / f"{graph.name}.onnx"
    onnx.save(graph.model, path)
    so = compare.compile_model(args.txc, path, scratch, args.option)
    models = {n: compiled_model.CompiledModel(so, n, shim=args.shim)
              for n in compare.THREADS}
    reference = compare.Reference(path)
    check = compare.Check(models)
    for number, inputs in enumerate(graph.inputs(np.random.default_rng(1))):
        shapes = {k: list(v.shape) for k, v in inputs.items()}
        check.case(f"{graph.name} {number} {shapes}", inputs,
                   reference.run(inputs))
    for number, (inputs, sentence) in enumerate(
            graph.refused(np.random.default_rng(2))):
        for model in models.values():
            check.checked += 1
            try:
                model.run(inputs)
                check.fail(f"{graph.name} {number}", "a run that must fail")
            except compiled_model.ModelError as error:
                if sentence not in str(error):
                    check.fail(f"{graph.name} {number}",
                               f"found {error}, expected {sentence}")
    for model in models.values():
        model.close()
    print(f"{graph.name}: {check.checked} runs, {check.failed} failures, "
          f"largest error {check.worst:.1e} of an output's RMS", flush=True)
    return check.failed


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--txc", type=pathlib.Path, required=True)
    parser.add_argument("--only", help="names that contain this")
    parser.add_argument("--keep", type=pathlib.Path,
                        help="where the graphs and what is made of them go")
    parser.add_argument("--option", action="append", default=[])
    parser.add_argument("--shim", type=pathlib.Path,
                        default=compiled_model.SHIM)
    return parser.parse_args()


def main():
    args = parse_arguments()
    graphs = [graph for graph in control_flow_graphs.all_graphs()
              if not args.only or args.only in graph.name]
    with tempfile.TemporaryDirectory() as folder:
        scratch = args.keep or pathlib.Path(folder)
        failed = sum(check_graph(graph, args, scratch) for graph in graphs)
    return 1 if failed or not graphs else 0


if __name__ == "__main__":
    sys.exit(main())
