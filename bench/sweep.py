#!/usr/bin/env python3
"""Looks for shapes at which a compiled model is behind ONNX Runtime.

  sweep.py [--model NAME[=FILE]] [--lengths 1:512:2] [--batches 1,2,4,8] [...]

The processes take turns at each shape, as in bench.py; a ratio is the median
over the rounds of txc's turn to ONNX Runtime's of the same round. Prints the
ratios of each batch size by ranges of length, and all shapes where one is above
1; --csv saves every shape. Fails if there are such shapes, or if an output is
wrong.
"""
import argparse
import csv
import multiprocessing
import pathlib
import statistics
import sys
import time

import bench


def measure(runners, rounds, seconds):
    """The median ratio of the second runner's time to the first one's."""
    ratios = []
    for _ in range(rounds):
        medians = []
        for runner in runners:
            times, _ = runner.ask("time", seconds)
            medians.append(statistics.median(times))
            time.sleep(bench.PAUSE)
        ratios.append(medians[1] / medians[0])
    return statistics.median(ratios)


def sweep(args, path):
    """Yields (batch, length, ratio, error) of each shape."""
    import feeds
    import onnx
    generator = feeds.Generator(onnx.load(path, load_external_data=False))
    runners = []
    try:
        for name in ("onnxruntime", "txc"):
            runners.append(bench.Runner(name, path, args.threads))
            runners[-1].ask("load")
        for batch in args.batches:
            for length in args.lengths:
                inputs = generator.make(batch, length, ragged=False)
                error = bench.compare_outputs(runners, inputs)["txc"][0]
                ratio = measure(runners, args.rounds, args.turn)
                yield batch, length, ratio, error
    finally:
        for runner in runners:
            runner.stop()


def print_ranges(batch, ratios):
    """One line a range of lengths, which doubles: least, median, greatest."""
    low = 1
    while low <= max(ratios):
        found = [r for length, r in ratios.items() if low <= length < 2 * low]
        if found:
            print(f"{batch:5}{low:8}..{2 * low - 1:<6}{len(found):6}"
                  f"{min(found):8.2f}{statistics.median(found):8.2f}"
                  f"{max(found):8.2f}", flush=True)
        low *= 2


def parse_arguments():
    def lengths(text):
        first, last, step = map(int, text.split(":"))
        return range(first, last + 1, step)

    def model(text):
        name, _, file = text.partition("=")
        return pathlib.Path(file) if file else (
            bench.ROOT / "build/models" / bench.MODELS[name])

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", type=model, default="minilm-l6-v2")
    parser.add_argument("--lengths", type=lengths, default="1:512:2",
                        metavar="FIRST:LAST:STEP")
    parser.add_argument("--batches", default=[1, 2, 4, 8],
                        type=lambda text: [int(n) for n in text.split(",")])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--turn", type=float, default=0.05, metavar="SECONDS")
    parser.add_argument("--csv", type=pathlib.Path, metavar="FILE")
    return parser.parse_args()


def main():
    multiprocessing.set_start_method("spawn")
    args = parse_arguments()
    rows = []
    print(f"{'batch':>5}{'tokens':>13}{'':3}{'shapes':>6}"
          f"{'least':>8}{'median':>8}{'most':>8}")
    ratios = {}
    for row in sweep(args, args.model):
        batch, length, ratio, _ = row
        if rows and rows[-1][0] != batch:
            print_ranges(rows[-1][0], ratios)
            ratios = {}
        rows.append(row)
        ratios[length] = ratio
    if ratios:
        print_ranges(rows[-1][0], ratios)
    if args.csv:
        with args.csv.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["batch", "length", "ratio", "error"])
            writer.writerows(rows)
    bad = [row for row in rows
           if row[2] > 1 or not row[3] <= bench.TOLERANCE]
    for batch, length, ratio, error in bad:
        print(f"{batch}x{length}: ratio {ratio:.2f}, error {error:.1e}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
