#!/usr/bin/env python3
"""Assembles the GPU kernels of models with ptxas; a spill is a failure.

  assemble.py MODEL.onnx... --txc TXC [--targets sm80,sm90]

Without ptxas on PATH or in /usr/local/cuda/bin it says so and exits with 77.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"assemble.py: {' '.join(map(str, command))}: "
                 f"{done.stderr.strip() or done.stdout.strip()}")
    return done.stdout + done.stderr


def kernel_reports(text):
    """What ptxas -v says of each kernel, by its name."""
    name, reports = None, {}
    for line in text.splitlines():
        if found := re.search(r"Compiling entry function '(\w+)'", line):
            name = found[1]
        elif name:
            reports[name] = reports.get(name, "") + line + "\n"
    return reports


def check(ptxas, txc, model, target, scratch):
    """The number of kernels, and those that spill."""
    ptx = scratch / "model.ptx"
    run(txc, model, f"-target={target}", "-emit=ptx", "-o", ptx)
    arch = target.replace("sm", "sm_")
    reports = kernel_reports(run(ptxas, f"-arch={arch}", "-v", ptx, "-o",
                                 scratch / "model.cubin"))
    spills = [name for name, report in reports.items()
              if "0 bytes spill stores, 0 bytes spill loads" not in report]
    return len(reports), spills


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    parser.add_argument("--txc", required=True)
    parser.add_argument("--targets", default="sm80,sm86,sm89,sm90")
    args = parser.parse_args()
    ptxas = shutil.which("ptxas") or shutil.which(
        "ptxas", path="/usr/local/cuda/bin")
    if not ptxas:
        print("NOT ASSEMBLED: there is no ptxas on PATH nor in "
              "/usr/local/cuda/bin")
        return SKIPPED
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        for model in args.models:
            for target in args.targets.split(","):
                count, spills = check(ptxas, args.txc, model, target,
                                      pathlib.Path(scratch))
                print(f"{model.name} {target}: {count} kernels, spills in "
                      f"{', '.join(spills) or 'none'}", flush=True)
                failed += len(spills) + (count == 0)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
