#!/usr/bin/env python3
"""Checks that samples make -precision=int8 better.

  calibrated.py MODEL.onnx --txc TXC

Compiles a sentence encoder for int8 with and without -calibrate and compares
both with ONNX Runtime in f32, on sentences that are no samples. The tokenizer
lies beside the model: random tokens have no outliers of the kind that text has.
"""
import argparse
import pathlib
import sys
import tempfile

import numpy as np

import compare
import word_pieces
from compare import compiled_model, cosine

# With samples the error, relative to the RMS of what is expected, has to be at
# most this part of the error without, and directions have to agree so well.
MOST_ERROR = 0.9
LEAST_COSINE = 0.998

SAMPLES = """\
The compiler runs one way: a stage never asks an earlier one a question.
A cat sat on the mat and watched the rain fall in the garden all afternoon.
In 1912 the expedition reached the pole, only to find a flag already there!
How do I reset my password if I no longer have access to that e-mail address?
Shares fell 3.5% on Tuesday after the bank cut its forecast for the year.
She whisked the eggs with sugar, folded in the flour and set the oven to 180.
Photosynthesis turns carbon dioxide and water into glucose and oxygen.
"I would rather not," he said, and closed the door (quietly) behind him.
""".splitlines()

SENTENCES = """\
The train to the north leaves at nine and arrives a little before noon.
What is the difference between a virus and a bacterium, and why does it matter?
Interest rates rose again, so the couple decided to rent for another year.
Matrix multiplication dominates the time that a transformer spends.
Grandmother's recipe calls for two cups of flour, a pinch of salt and patience.
The referee showed a red card in the 89th minute; the crowd went silent.
""".splitlines()


def write_samples(pieces, directory):
    for number, text in enumerate(SAMPLES):
        folder = directory / f"sample{number}"
        folder.mkdir()
        for name, array in pieces.feeds(text).items():
            np.save(folder / f"{name}.npy", array)


def measure(model, cases):
    """The mean relative error, and the least cosine."""
    errors, cosines = [], []
    for feeds, expected in cases:
        found = model.run(feeds)
        for name, value in expected.items():
            error = np.sqrt(np.mean(np.square(found[name] - value)))
            errors.append(error / np.sqrt(np.mean(np.square(value))))
            cosines.append(cosine(found[name], value))
    return np.mean(errors), min(cosines)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--txc", type=pathlib.Path, required=True)
    parser.add_argument("--shim", type=pathlib.Path,
                        default=compiled_model.SHIM)
    args = parser.parse_args()
    pieces = word_pieces.WordPieces(args.model.parent / "tokenizer.json")
    reference = compare.Reference(args.model)
    cases = [(feeds, reference.run(feeds))
             for feeds in map(pieces.feeds, SENTENCES)]
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        samples = scratch / "samples"
        samples.mkdir()
        write_samples(pieces, samples)
        for label, options in (("plain", []),
                               ("calibrated", [f"-calibrate={samples}"])):
            directory = scratch / label
            directory.mkdir()
            so = compare.compile_model(args.txc, args.model, directory,
                                       ["-precision=int8", *options])
            model = compiled_model.CompiledModel(so, 1, shim=args.shim)
            results.append(measure(model, cases))
            model.close()
            print(f"{label}: error {results[-1][0]:.4f} of the RMS, least "
                  f"cosine {results[-1][1]:.5f}")
    (plain, _), (calibrated, least) = results
    return int(not (calibrated <= MOST_ERROR * plain and least >= LEAST_COSINE))


if __name__ == "__main__":
    sys.exit(main())
