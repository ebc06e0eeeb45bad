#!/usr/bin/env python3
"""Makes broken copies of a model: truncated, bits flipped, pieces spliced.

  corrupt.py MODEL.onnx OUT_DIR [--count 100] [--seed 1]

The same seed makes the same files. Names tell what was done, so that a failure
can be made again: 0007-flip-3.onnx had three bits flipped.
"""
import argparse
import pathlib
import random


def truncate(data, rng):
    return data[:rng.randrange(len(data))], "truncate"


def flip(data, rng):
    """Few bits: most of such files still parse, and mean something else."""
    count = rng.choice((1, 1, 3, 16))
    broken = bytearray(data)
    for _ in range(count):
        broken[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(broken), f"flip-{count}"


def splice(data, rng):
    """A piece of the file, moved over another place of it."""
    length = rng.randrange(1, min(len(data), 4096) + 1)
    source, target = (rng.randrange(len(data) - length + 1) for _ in range(2))
    piece = data[source:source + length]
    return data[:target] + piece + data[target + length:], "splice"


def repeat(data, rng):
    """A piece of the file twice in a row: fields that may come only once."""
    length = rng.randrange(1, min(len(data), 256) + 1)
    begin = rng.randrange(len(data) - length + 1)
    end = begin + length
    return data[:end] + data[begin:end] + data[end:], "repeat"


def large_number(data, rng):
    """Lengths and dims near the limits of their types."""
    varint = rng.choice((b"\xff" * 9 + b"\x01",           # 2^64 - 1
                         b"\xff" * 8 + b"\x7f",           # 2^63 - 1
                         b"\xff\xff\xff\xff\x07"))        # 2^31 - 1
    begin = rng.randrange(len(data))
    return data[:begin] + varint + data[begin + 1:], "large-number"


def corruptions(data, count, seed):
    """Yields `count` pairs of broken bytes and what was done to them."""
    rng = random.Random(seed)
    kinds = (truncate, flip, splice, repeat, large_number)
    for _ in range(count):
        yield rng.choice(kinds)(data, rng)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    data = args.model.read_bytes()
    if not data:
        parser.error(f"{args.model} is empty: there is nothing to break")
    args.out.mkdir(parents=True, exist_ok=True)
    broken = corruptions(data, args.count, args.seed)
    for i, (content, what) in enumerate(broken):
        (args.out / f"{i:04}-{what}.onnx").write_bytes(content)


if __name__ == "__main__":
    main()
