#!/usr/bin/env python3
"""Checks that dropping padding changes no result.

  padding.py MODEL.onnx --txc TXC [--pooling mean,cls,max] [--skip] [--kept]

Behind the encoder goes each of the poolings; the compiled model and ONNX Runtime
then get batches of sentences of all kinds: padded at the end, at the start, in
between, not at all, without a single token. With --skip it is the encoder itself
that is compiled, with -padding=skip: rows of padding have to be zero, others what
they are. Runs with two threads have to give the same bits as those with one. With
--kept, padding reaches what it must not, and nothing is to be dropped.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx

import compare
import pooled_model

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import compiled_model  # noqa: E402
import feeds  # noqa: E402


def make_masks(batch, length):
    """Masks [batch, length] by what they are called."""
    rng = np.random.default_rng([batch, length])
    valid = rng.integers(1, length + 1, (batch, 1))
    place = np.arange(length)[None]
    masks = {"full": np.ones((batch, length), bool),
             "right": place < valid,
             "left": place >= length - valid,
             "holes": rng.random((batch, length)) < 0.5,
             "none": np.zeros((batch, length), bool)}
    masks["empty"] = masks["right"].copy()
    masks["empty"][-1] = False
    return {label: mask.astype(np.int64) for label, mask in masks.items()}


def batches(generator, lengths):
    """(label, inputs) of all shapes and masks."""
    for batch in (1, 2, 5):
        for length in lengths:
            inputs = generator.make(batch, length)
            for label, mask in make_masks(batch, length).items():
                yield (f"batch {batch} length {length} {label}",
                       inputs | {"attention_mask": mask})


def is_dropped(txc, path, options):
    done = subprocess.run([txc, "explain", path, "-json", *options], check=True,
                          capture_output=True, text=True)
    return bool(json.loads(done.stdout)["padding"])


def zero_padding(outputs, mask):
    """What -padding=skip makes of outputs with a row for each token."""
    return {name: np.where(mask[..., None] != 0, values, 0)
            .astype(values.dtype) for name, values in outputs.items()}


def check_model(path, args, scratch):
    options = list(args.option) + (["-padding=skip"] if args.skip else [])
    dropped = is_dropped(args.txc, path, options)
    if dropped == args.kept:
        print(f"FAIL {path.stem}: padding is "
              + ("dropped" if dropped else "not dropped"))
        return 1
    so = compare.compile_model(args.txc, path, scratch, options)
    models = {n: compiled_model.CompiledModel(so, n, shim=args.shim)
              for n in compare.THREADS}
    reference = compare.Reference(path)
    check = compare.Check(models, None if args.skip else reference.exact,
                          args.cosine)
    generator = feeds.Generator(onnx.load(path, load_external_data=False))
    for label, inputs in batches(generator, args.lengths):
        expected = reference.run(inputs)
        if args.skip:
            expected = zero_padding(expected, inputs["attention_mask"])
        check.case(f"{path.stem} {label}", inputs, expected)
    for model in models.values():
        model.close()
    print(f"{path.stem}: {check.checked} runs, {check.failed} failures, "
          f"largest error {check.worst:.1e} of an output's RMS")
    return check.failed


def parse_arguments():
    def words(text):
        return text.split(",")

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--txc", type=pathlib.Path, required=True)
    parser.add_argument("--pooling", type=words, default=["mean", "cls", "max"])
    parser.add_argument("--skip", action="store_true")
    parser.add_argument("--kept", action="store_true")
    parser.add_argument("--option", action="append", default=[])
    parser.add_argument("--cosine", type=float, metavar="LEAST",
                        help="compare directions, not errors")
    parser.add_argument("--lengths", type=lambda t: [int(n) for n in words(t)],
                        default=[1, 2, 7, 31])
    parser.add_argument("--shim", type=pathlib.Path,
                        default=compiled_model.SHIM)
    return parser.parse_args()


def main():
    args = parse_arguments()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        if args.skip or args.kept:
            failed += check_model(args.model, args, scratch)
        else:
            for pooling in args.pooling:
                model = onnx.load(args.model)
                pooled_model.add_pooling(model, pooling)
                path = scratch / f"{args.model.stem}-{pooling}.onnx"
                onnx.save(model, path)
                failed += check_model(path, args, scratch)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
