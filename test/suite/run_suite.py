#!/usr/bin/env python3
"""Runs ONNX's backend tests through a worker; see README.md.

  run_suite.py CASES_DIR --worker COMMAND [options]

Exits 0 when exactly the expected failures failed.
"""
import argparse
import collections
import csv
import pathlib
import re
import shlex
import shutil
import sys
import tempfile
import time

import expectations
import outputs
import workers

HERE = pathlib.Path(__file__).resolve().parent
MODES = ("interpret", "static", "dynamic")
Result = collections.namedtuple(
    "Result", "case mode set family status seconds detail constants")


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("cases", type=pathlib.Path)
    parser.add_argument("--worker", required=True, type=shlex.split)
    parser.add_argument("--modes", default=",".join(MODES))
    parser.add_argument("--sets", default="core,wider,contrib")
    parser.add_argument("--filter", default="", help="regular expression")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=60)
    parser.add_argument("--expected", type=pathlib.Path,
                        default=HERE / "expected-failures.txt")
    parser.add_argument("--results", type=pathlib.Path,
                        help="where to write a line for each case and mode")
    parser.add_argument("--write-expected", type=pathlib.Path,
                        help="where to write what failed, in the form of the "
                        "expected failures")
    return parser.parse_args()


def read_index(path, sets, name_filter):
    with open(path / "index.tsv", newline="") as f:
        rows = list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [r for r in rows if r["set"] in sets
            and re.search(name_filter, r["case"])]


def run(args, rows, modes):
    """Runs each row in each mode. Results are in the order of the index."""
    results = {}

    def handle(worker, request):
        row, mode = request
        case = args.cases / row["case"]
        with tempfile.TemporaryDirectory() as out:
            begin = time.monotonic()
            status, detail = worker.ask(mode, case.absolute(), out)
            seconds = time.monotonic() - begin
            constants = ""
            if status == "ok":
                constants = detail
                detail = outputs.difference(case, pathlib.Path(out),
                                            float(row["rtol"]),
                                            float(row["atol"])) or ""
                status = "wrong" if detail else "pass"
        results[row["case"], mode] = Result(
            row["case"], mode, row["set"], row["family"], status, seconds,
            detail, constants)

    log_path = args.cases / "worker.log"
    requests = [(row, mode) for row in rows for mode in modes]
    with open(log_path, "ab") as log:
        workers.run_all(lambda: workers.Worker(args.worker, log, args.timeout),
                        args.jobs, requests, handle)
    return [results[row["case"], mode] for row, mode in requests]


def table(title, results, key, modes):
    """Prints the share that passed, a line for each key, a column a mode."""
    counts = collections.defaultdict(lambda: [0, 0])
    for result in results:
        count = counts[key(result), result.mode]
        count[0] += result.status == "pass"
        count[1] += 1
    print(f"\n{title:16}" + "".join(f"{mode:>20}" for mode in modes))
    for name in sorted({name for name, _ in counts}):
        cells = [counts[name, mode] for mode in modes]
        print(f"{name:16}" + "".join(
            f"{f'{p}/{n} {p / max(n, 1):6.1%}':>20}" for p, n in cells))


def print_constants(results, modes):
    """Says how many passed only with inputs such as axes as constants."""
    counts = collections.Counter(r.mode for r in results
                                 if r.status == "pass" and r.constants)
    print("\nwith inputs made constants: "
          + ", ".join(f"{counts[mode]} {mode}" for mode in modes))


def write_results(path, results):
    with open(path, "w") as f:
        print(*Result._fields, sep="\t", file=f)
        for result in results:
            print(*result._replace(seconds=f"{result.seconds:.3f}"), sep="\t",
                  file=f)


def main():
    args = parse_arguments()
    modes = args.modes.split(",")
    if unknown := set(modes) - set(MODES):
        sys.exit(f"run_suite.py: error: no mode {', '.join(unknown)}; there "
                 f"are {', '.join(MODES)}")
    if not shutil.which(args.worker[0]):
        sys.exit(f"run_suite.py: error: no program {args.worker[0]}")
    rows = read_index(args.cases, args.sets.split(","), args.filter)
    if not rows:
        sys.exit("run_suite.py: error: no case is in these sets and matches "
                 "the filter")
    expected = expectations.read(args.expected, MODES)
    results = run(args, rows, modes)

    if args.results:
        write_results(args.results, results)
    if args.write_expected:
        expectations.write(
            args.write_expected,
            [(r.case, r.mode, r.status, r.detail) for r in results
             if r.status != "pass"], modes)
    surprises = expectations.surprises(
        expected, [(r.case, r.mode, r.status == "pass",
                    f"{r.status}: {r.detail}") for r in results],
        complete=not args.filter and len(modes) == len(MODES))
    for sentence in surprises:
        print(sentence)
    table("core by family", [r for r in results if r.set == "core"],
          lambda r: r.family, modes)
    table("set", results, lambda r: r.set, modes)
    print_constants(results, modes)
    passed = sum(r.status == "pass" for r in results)
    print(f"\n{passed} of {len(results)} passed, {len(surprises)} not as "
          f"expected")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
