#!/usr/bin/env python3
"""Gives a compiler broken models: it has to refuse or compile each of them.

  broken_files.py TXC MODEL.onnx... [--count 40] [--seed 1]

For each model, `count` broken copies go through `txc check` and every tenth
through a whole compilation. A copy that is refused gets exit status 1 or 3 and
exactly one line of error; no run may end by a signal, take longer than the time
limit or more than the memory limit, or leave a file behind.
"""
import argparse
import pathlib
import resource
import subprocess
import sys
import tempfile

import corrupt

SECONDS = 30
BYTES = 4 << 30


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))


def judge(command, may_leave):
    """None, or what is wrong with how the command ended."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS,
                              preexec_fn=limit_memory)
    except subprocess.TimeoutExpired:
        return f"took longer than {SECONDS} s"
    if done.returncode < 0:
        return f"died of signal {-done.returncode}"
    if done.returncode not in (0, 1, 3):
        return f"exited with {done.returncode}"
    if done.returncode == 0:
        return None
    errors = [l for l in done.stderr.decode(errors="replace").splitlines()
              if l.startswith("txc: error: ")]
    # The pre-flight lists nodes on standard output, and has no error then.
    if len(errors) != 1 and not (command[1] == "check" and done.stdout):
        return f"has {len(errors)} errors: {done.stderr[:200]!r}"
    left = [p.name for p in may_leave.iterdir()]
    return f"left {', '.join(left)}" if left else None


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("txc", type=pathlib.Path)
    parser.add_argument("models", type=pathlib.Path, nargs="+")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    failed = 0
    for model in args.models:
        copies = corrupt.corruptions(model.read_bytes(), args.count, args.seed)
        for i, (data, what) in enumerate(copies):
            with tempfile.TemporaryDirectory() as scratch:
                broken = pathlib.Path(scratch) / "broken.onnx"
                broken.write_bytes(data)
                out = pathlib.Path(scratch) / "out"
                out.mkdir()
                command = ([args.txc, broken, "-o", out / "model.so"]
                           if i % 10 == 0 else [args.txc, "check", broken])
                if fault := judge([str(c) for c in command], out):
                    failed += 1
                    print(f"{model.name} copy {i} ({what}, seed {args.seed}) "
                          f"{fault}", flush=True)
    print(f"{len(args.models) * args.count} broken files, {failed} failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
