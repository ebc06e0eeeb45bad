#!/usr/bin/env python3
"""Measures compiled models beside ONNX Runtime.

  bench.py [--models NAME[=FILE],...] [--shapes 1x16,1x128,8x128] [options]

One process a contender, each waiting for its turn: the turns go A B A B …, so
that what the machine does meanwhile hits all alike. A ratio is the median over
the rounds of a contender's turn to the first contender's turn of that round.
The FMA peak is measured in each round as well; `peak` is the share of it that
the model's contractions reach: of twice it for those in bf16, of four times it
for those in int8. Outputs are compared before anything is timed.
"""
import argparse
import json
import multiprocessing
import pathlib
import statistics
import subprocess
import sys
import time

import contenders
import flops

ROOT = contenders.ROOT
MODELS = {
    "minilm-l3": "paraphrase-minilm-l3-v2/model.onnx",
    "minilm-l6-v2": "minilm-l6-v2/minilm-l6-v2-dynamo18.onnx",
    "vit-s": "vit-s-focus/model.onnx",
}
TOLERANCE = 1e-4
# Longer than the pools of threads spin before they sleep.
PAUSE = 0.04


def serve(name, path, threads, pipe):
    """The process of a contender: answers requests until the pipe closes."""
    contender = contenders.CONTENDERS[name]()

    def timed(seconds):
        times = []
        contender.run()
        cpu, begin = time.process_time(), time.perf_counter()
        while not times or time.perf_counter() - begin < seconds:
            start = time.perf_counter()
            contender.run()
            times.append(time.perf_counter() - start)
        wall = time.perf_counter() - begin
        return times, (time.process_time() - cpu) / wall

    def first(inputs):
        contender.bind(inputs)
        return contender.outputs()

    requests = {"load": lambda: contender.load(path, threads), "first": first,
                "time": timed}
    while True:
        try:
            request, *arguments = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send((True, requests[request](*arguments)))
        except Exception as error:  # The driver tells, and goes on without.
            pipe.send((False, f"{type(error).__name__}: {error}"))


class Runner:
    """The driver's side of a contender."""

    def __init__(self, name, path, threads):
        self.name = name
        self.pipe, other = multiprocessing.Pipe()
        self.process = multiprocessing.Process(
            target=serve, args=(name, path, threads, other))
        self.process.start()
        other.close()

    def ask(self, *request):
        """The answer. Raises RuntimeError when the contender failed."""
        self.pipe.send(request)
        try:
            ok, answer = self.pipe.recv()
        except EOFError:
            self.process.join()
            ok, answer = False, f"died with {self.process.exitcode}"
        if not ok:
            raise RuntimeError(f"{self.name}: {answer}")
        return answer

    def stop(self):
        self.pipe.close()
        self.process.join()


def peak(threads):
    """f32 GFLOP/s of the machine now."""
    probe = subprocess.run([ROOT / "build/bin/fma-peak", str(threads)],
                           capture_output=True, text=True, check=True)
    return float(probe.stdout)


def measure(runners, threads, rounds, seconds):
    """{name: (medians of the turns, all times, cores)}, peaks."""
    turns = {r.name: ([], [], []) for r in runners}
    peaks = []
    for _ in range(rounds):
        peaks.append(peak(threads))
        for runner in runners:
            times, cores = runner.ask("time", seconds)
            medians, everything, used = turns[runner.name]
            medians.append(statistics.median(times))
            everything += times
            used.append(cores)
            time.sleep(PAUSE)
    # What else runs on the machine only lowers what a probe finds.
    return turns, max(peaks)


def compare_outputs(runners, inputs):
    """{name: (largest error, least cosine) against the first contender}"""
    from accuracy import cosine, relative_error
    answers = {r.name: r.ask("first", inputs) for r in runners}
    expected = answers[runners[0].name]
    compared = {}
    for name, found in answers.items():
        if expected.keys() <= found.keys():
            compared[name] = (
                max(relative_error(found[k], v) for k, v in expected.items()),
                min(cosine(found[k], v) for k, v in expected.items()))
        else:
            compared[name] = float("inf"), 0.0
    return compared


def is_wrong(row):
    """Whether a contender's outputs aren't what they should be."""
    least = contenders.CONTENDERS[row["contender"]].least_cosine
    return not (row["error"] <= TOLERANCE if least is None
                else row["cosine"] >= least)


def row_length(length, row):
    """Of rows of a ragged batch: from all of the length to an eighth of it."""
    eighths = (8, 6, 5, 4, 3, 2, 1.5, 1)
    return max(1, int(length * eighths[row % len(eighths)] / 8))


def count_operations(path, inputs, valid):
    """valid: the lengths of a ragged batch's rows, whose padding is no work."""
    if not valid:
        return flops.count(path, inputs)
    return sum((flops.count(path, {
        name: array[row:row + 1, :length] for name, array in inputs.items()})
        for row, length in enumerate(valid)), flops.Operations())


def share_of_peak(name, operations, seconds, machine):
    """The least time by the peaks of the types a contender multiplies."""
    contender = contenders.CONTENDERS[name]
    return (operations.weights / contender.weights_speed
            + operations.attention / contender.attention_speed) / (
                seconds * machine)


def bench_shape(args, runners, path, inputs, valid, label, threads):
    """Prints and returns the rows of one model at one shape."""
    compared = compare_outputs(runners, inputs)
    operations = count_operations(path, inputs, valid)
    turns, machine = measure(runners, threads, args.rounds, args.turn)
    print(f"\n{label}, {threads} thread{'s' * (threads > 1)}: "
          f"{operations.all * 1e-9:.2f} GFLOP, FMA peak {machine:.0f} GFLOP/s")
    print(f"  {'':14}{'median ms':>10}{'min ms':>9}{'ratio':>8}{'GFLOP/s':>9}"
          f"{'peak':>7}{'cores':>7}{'error':>9}{'cosine':>10}")
    base = turns[runners[0].name][0]
    rows = []
    for name, (medians, everything, cores) in turns.items():
        median = statistics.median(everything)
        row = {
            "model": label, "threads": threads, "contender": name,
            "median_ms": median * 1e3, "min_ms": min(everything) * 1e3,
            "ratio": statistics.median(a / b for a, b in zip(medians, base)),
            "gflops": operations.all / median * 1e-9,
            "peak": share_of_peak(name, operations, median, machine * 1e9),
            "cores": statistics.median(cores), "error": compared[name][0],
            "cosine": compared[name][1],
        }
        print(f"  {name:14}{row['median_ms']:10.3f}{row['min_ms']:9.3f}"
              f"{row['ratio']:8.3f}{row['gflops']:9.1f}{row['peak']:7.1%}"
              f"{row['cores']:7.2f}{row['error']:9.1e}{row['cosine']:10.6f}"
              + ("  WRONG" if is_wrong(row) else ""),
              flush=True)
        rows.append(row)
    return rows


def bench_model(args, label, path, threads):
    """The rows of one model at all shapes, or none where it can't run."""
    import feeds
    import onnx
    generator = feeds.Generator(onnx.load(path, load_external_data=False))
    shapes = args.shapes
    if not generator.has_length:
        shapes = sorted({(batch, None) for batch, _ in shapes})
    runners, rows = [], []
    try:
        for name in args.contenders:
            runner = Runner(name, path, threads)
            runners.append(runner)
            facts = runner.ask("load")
            print(f"{label} {name}: " + ", ".join(
                f"{k} {v}" for k, v in facts.items()), flush=True)
        for batch, length in shapes:
            valid = args.ragged and [row_length(length, row)
                                     for row in range(batch)]
            inputs = generator.make(batch, length, ragged=valid)
            shape = f"{batch}x{length}" if length else f"{batch}"
            if valid:
                shape += f" ragged ({sum(valid)} tokens)"
            rows += bench_shape(args, runners, path, inputs, valid,
                                f"{label} {shape}", threads)
    except RuntimeError as error:
        print(f"FAIL {label}: {error}", flush=True)
        rows.append({"model": label, "threads": threads, "fail": str(error)})
    finally:
        for runner in runners:
            runner.stop()
    return rows


def find(name):
    """The file of a model by name: as made for the peers, or as published."""
    if name in MODELS:
        return ROOT / "build/models" / MODELS[name]
    return ROOT / "build/bench/models" / name / "model.onnx"


def parse_arguments():
    def shapes(text):
        return [tuple(map(int, s.split("x"))) for s in text.split(",")]

    def models(text):
        pairs = [m.partition("=")[::2] for m in text.split(",")]
        return {name: pathlib.Path(file) if file else find(name)
                for name, file in pairs}

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--models", type=models, default=",".join(MODELS),
                        help="default: %(default)s; there are also those of "
                        "make_models.py")
    parser.add_argument("--shapes", type=shapes, default="1x16,1x128,8x128",
                        metavar="BATCHxLENGTH,...")
    parser.add_argument("--threads", default=[1, 2],
                        type=lambda text: [int(n) for n in text.split(",")])
    parser.add_argument("--contenders", default=contenders.DEFAULT,
                        type=lambda text: text.split(","),
                        help="of " + ", ".join(contenders.CONTENDERS) +
                        "; default: " + ",".join(contenders.DEFAULT))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--turn", type=float, default=0.25, metavar="SECONDS")
    parser.add_argument("--ragged", action="store_true",
                        help="rows of a batch from all of the length to an eighth")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE")
    args = parser.parse_args()
    if unknown := set(args.contenders) - set(contenders.CONTENDERS):
        parser.error(f"no contender {', '.join(unknown)}; there are "
                     f"{', '.join(contenders.CONTENDERS)}")
    return args


def main():
    multiprocessing.set_start_method("spawn")
    args = parse_arguments()
    rows = []
    for label, path in args.models.items():
        for threads in args.threads:
            rows += bench_model(args, label, path, threads)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1))
    wrong = [r for r in rows if "fail" in r or is_wrong(r)]
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
