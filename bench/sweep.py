#!/usr/bin/env python3
"""Looks for shapes at which a compiled model is behind its peers.

  sweep.py [--model NAME[=FILE]] [--lengths 1:512:2] [--batches 1,2,4,8]
           [--ours txc] [--peers onnxruntime,openvino] [--csv FILE] [...]
  sweep.py --plot OUT.svg FILE.csv ...

The processes take turns at each shape, as in bench.py; a ratio is the median
over the rounds of our turn to the fastest peer's turn of the same round; one above
1 is measured again, for four times as many rounds. Prints
the ratios of each batch size by ranges of length, and all shapes where one is
above 1; --csv saves every shape. Fails if there are such shapes, or if an output
is wrong. --plot draws what was saved, a panel a file.
"""
import argparse
import csv
import multiprocessing
import os
import pathlib
import statistics
import sys
import time

import bench
import contenders

FIELDS = ["contender", "peers", "batch", "length", "ratio", "error", "cosine"]


def measure(ours, peers, rounds, seconds):
    """The median ratio of our time to that of the fastest peer."""
    ratios = []
    for _ in range(rounds):
        medians = []
        for runner in [ours, *peers]:
            times, _ = runner.ask("time", seconds)
            medians.append(statistics.median(times))
            time.sleep(bench.PAUSE)
        ratios.append(medians[0] / min(medians[1:]))
    return statistics.median(ratios)


def sweep(args, path):
    """Yields a row of FIELDS for each shape."""
    import feeds
    import onnx
    generator = feeds.Generator(onnx.load(path, load_external_data=False))
    # What the outputs are compared with comes first; it need not be timed.
    names = list(dict.fromkeys([contenders.OnnxRuntime.name, *args.peers,
                                args.ours]))
    runners = {}
    try:
        for name in names:
            runners[name] = bench.Runner(name, path, args.threads)
            runners[name].ask("load")
        for batch in args.batches:
            for length in args.lengths:
                inputs = generator.make(batch, length, ragged=False)
                error, cosine = bench.compare_outputs(
                    list(runners.values()), inputs)[args.ours]
                peers = [runners[name] for name in args.peers]
                ratio = measure(runners[args.ours], peers, args.rounds,
                                args.turn)
                if ratio > 1:
                    ratio = measure(runners[args.ours], peers, 4 * args.rounds,
                                    args.turn)
                yield dict(zip(FIELDS, (args.ours, " ".join(args.peers), batch,
                                        length, ratio, error, cosine)))
    finally:
        for runner in runners.values():
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


def plot(sources, out):
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.fonttype": "none",
                                "svg.hashsalt": "sweep"})
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(1, len(sources), sharey=True, squeeze=False,
                                   figsize=(4 * len(sources), 3),
                                   layout="constrained")
    for axis, source in zip(axes[0], sources):
        with source.open(newline="") as file:
            rows = list(csv.DictReader(file))
        for batch in dict.fromkeys(row["batch"] for row in rows):
            points = [(int(r["length"]), float(r["ratio"])) for r in rows
                      if r["batch"] == batch]
            axis.plot(*zip(*points), label=f"batch {batch}", linewidth=1)
        axis.axhline(1, color="black", linewidth=0.5)
        axis.set_title(f"{rows[0]['contender']} to the best of\n"
                       f"{rows[0]['peers']}", fontsize=8)
        axis.set_xlabel("tokens")
        axis.set_ylim(bottom=0)
    axes[0][0].set_ylabel("ratio of times")
    axes[0][0].legend(fontsize=7)
    figure.savefig(out, metadata={"Date": None})


def parse_arguments():
    def lengths(text):
        first, last, step = map(int, text.split(":"))
        return range(first, last + 1, step)

    def model(text):
        name, _, file = text.partition("=")
        return pathlib.Path(file) if file else bench.find(name)

    def names(text):
        if unknown := set(text.split(",")) - set(contenders.CONTENDERS):
            raise argparse.ArgumentTypeError(
                f"no contender {', '.join(unknown)}")
        return text.split(",")

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", type=model, default="minilm-l6-v2")
    parser.add_argument("--lengths", type=lengths, default="1:512:2",
                        metavar="FIRST:LAST:STEP")
    parser.add_argument("--batches", default=[1, 2, 4, 8],
                        type=lambda text: [int(n) for n in text.split(",")])
    parser.add_argument("--ours", default="txc",
                        choices=[n for n in contenders.CONTENDERS
                                 if n.startswith("txc")])
    parser.add_argument("--peers", type=names, default="onnxruntime")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--turn", type=float, default=0.05, metavar="SECONDS")
    parser.add_argument("--csv", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--plot", type=pathlib.Path, metavar="OUT.svg")
    parser.add_argument("saved", type=pathlib.Path, nargs="*")
    args = parser.parse_args()
    if bool(args.plot) != bool(args.saved):
        parser.error("--plot takes an output and the CSV files to draw")
    return args


def main():
    multiprocessing.set_start_method("spawn")
    args = parse_arguments()
    if args.plot:
        plot(args.saved, args.plot)
        return 0
    rows = []
    print(f"{'batch':>5}{'tokens':>13}{'':3}{'shapes':>6}"
          f"{'least':>8}{'median':>8}{'most':>8}")
    ratios = {}
    # Line by line, so that a sweep that is stopped leaves what it has seen.
    with open(args.csv or os.devnull, "w", newline="", buffering=1) as file:
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        for row in sweep(args, args.model):
            if rows and rows[-1]["batch"] != row["batch"]:
                print_ranges(rows[-1]["batch"], ratios)
                ratios = {}
            rows.append(row)
            ratios[row["length"]] = row["ratio"]
            writer.writerow(row)
    if ratios:
        print_ranges(rows[-1]["batch"], ratios)
    bad = [row for row in rows if row["ratio"] > 1 or bench.is_wrong(row)]
    for row in bad:
        print("{batch}x{length}: ratio {ratio:.2f}, error {error:.1e}, cosine "
              "{cosine:.6f}".format_map(row))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
