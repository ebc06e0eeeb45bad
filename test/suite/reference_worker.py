#!/usr/bin/env python3
"""A worker over ONNX's reference evaluator, for testing the harness itself."""
import pathlib
import sys

import onnx
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

import dump_cases
import outputs


def run(mode, case, out):
    path = case / ("dynamic.onnx" if mode == "dynamic" else "model.onnx")
    model = onnx.load(path)
    evaluator = ReferenceEvaluator(model)
    for data_set in sorted(case.glob("test_data_set_*")):
        count = len(list(data_set.glob("input_*.pb")))
        feeds = {info.name: outputs.load(data_set / f"input_{i}.pb", info)
                 for i, info in enumerate(model.graph.input[:count])}
        (out / data_set.name).mkdir()
        results = evaluator.run(None, feeds)
        for i, (value, info) in enumerate(zip(results, model.graph.output)):
            data = dump_cases.to_proto(value, info).SerializeToString()
            (out / data_set.name / f"output_{i}.pb").write_bytes(data)


def main():
    for line in sys.stdin:
        mode, case, out = line.rstrip("\n").split("\t")
        try:
            run(mode, pathlib.Path(case), pathlib.Path(out))
            print("ok", flush=True)
        except Exception as error:  # Whatever it is, the case has failed.
            print("error", " ".join(str(error).split())[:200], sep="\t",
                  flush=True)


if __name__ == "__main__":
    main()
