#!/usr/bin/env python3
"""Writes docs/support.md from what the ONNX suite runs.

  support-table.py CASES_DIR              # as test/suite/dump_cases.py made it
  support-table.py CASES_DIR --check      # is the file up to date?

A case passes unless test/suite/expected-failures.txt has it; the suite fails
where that file is wrong either way. Types are those of cases that pass, so the
page can't promise what no test shows.
"""
import argparse
import collections
import csv
import pathlib
import re
import sys

import onnx
from onnx import TensorProto

ROOT = pathlib.Path(__file__).resolve().parent.parent
SUITE = ROOT / "test" / "suite"
OUTPUT = ROOT / "docs" / "support.md"
sys.path.insert(0, str(SUITE))
import expectations  # noqa: E402

BUILDERS = ROOT / "python-free-frontend" / "ops"
MODES = ("static", "dynamic", "interpret")
# A row of a table of builders: name, first opset, operands, builder, domain.
ENTRY = re.compile(r'\{"(\w+)",\s*(\d+),\s*\w+,\s*\w+,\s*\w+(?:<[^,]*>)?'
                   r'(?:,\s*("[\w.]+"|\w+))?\}')
SHORT_TYPES = {"float": "f32", "float16": "f16", "bfloat16": "bf16",
               "double": "f64"}
SETS = ("core", "wider", "contrib")
TYPE_ORDER = ("f32 f16 bf16 f64 bool int64 int32 int16 int8 int4 int2 uint64 "
              "uint32 uint16 uint8 uint4 uint2").split()

INTRODUCTION = """\
<!-- Written by scripts/support-table.py; see test/suite. -->

# Supported operators

What ONNX's own tests (and, for com.microsoft, ONNX Runtime's results) have
shown on x86-64, see [testing.md](testing.md#the-onnx-suite). *From* is the
first opset that is taken; later ones are, up to {newest}. *Types* are those of
inputs and outputs of cases that pass. Counts are cases that pass: *static*,
compiled with all dims known; *dynamic*, with no extent of a data input known;
*interpreted*, by the reference interpreter. One number: all of them. For a
model, `txc check MODEL.onnx` lists every node that stops it.
"""


def short_type(element):
    name = TensorProto.DataType.Name(element).lower()
    return SHORT_TYPES.get(name, name.replace("float8", "f8")
                           .replace("float4", "f4"))


def types_of(path):
    graph = onnx.load(path, load_external_data=False).graph
    values = [*graph.input, *graph.output]
    return {short_type(v.type.tensor_type.elem_type) for v in values
            if v.type.HasField("tensor_type")}


def read_builders():
    """(domain, operator) to the first opset that has a builder."""
    found = {}
    for path in sorted(BUILDERS.glob("*.cpp")):
        text = path.read_text()
        constants = dict(re.findall(r'StringLiteral (\w+) = "([\w.]+)"', text))
        for name, since, domain in ENTRY.findall(text):
            key = constants.get(domain, domain.strip('"')), name
            found[key] = min(int(since), found.get(key, int(since)))
    return found


def newest_opset():
    header = (BUILDERS / "OpTable.h").read_text()
    return re.search(r"kNewestOpset = (\d+)", header).group(1)


def operator_key(row):
    domain, _, name = row["operator"].rpartition("::")
    return ("com.microsoft" if row["set"] == "contrib" else domain), name


class Tally:
    """How many of some cases pass, by mode."""

    def __init__(self):
        self.types = set()
        self.passed = collections.Counter()
        self.total = 0

    def add(self, modes, types):
        self.total += 1
        self.passed.update(modes)
        self.types |= types if "static" in modes else set()

    def cells(self):
        return " | ".join(str(self.total) if self.passed[mode] == self.total
                          else f"{self.passed[mode]} of {self.total}"
                          for mode in MODES)

    def type_list(self):
        return " ".join(sorted(self.types, key=lambda t: (
            TYPE_ORDER.index(t) if t in TYPE_ORDER else len(TYPE_ORDER), t)))


def collect(cases):
    """Tallies by operator and by set."""
    known = expectations.read(SUITE / "expected-failures.txt", MODES)
    operators, sets = (collections.defaultdict(Tally) for _ in range(2))
    with open(cases / "index.tsv", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        for row in rows:
            if row["set"] not in SETS:
                continue
            modes = [mode for mode in MODES if not any(
                e.matches(row["case"], mode) for e in known)]
            types = types_of(cases / row["case"] / "model.onnx")
            operators[operator_key(row)].add(modes, types)
            sets[row["set"]].add(modes, types)
    return operators, sets


def table(keys, operators, builders):
    yield "| operator | from | types | static | dynamic | interpreted |"
    yield "|---|---|---|---|---|---|"
    for key in sorted(keys, key=lambda key: key[1].lower()):
        since = builders.get(key, "-")
        yield (f"| {key[1]} | {since} | {operators[key].type_list()} | "
               f"{operators[key].cells()} |")


def page(cases):
    builders = read_builders()
    operators, sets = collect(cases)
    lines = [INTRODUCTION.format(newest=newest_opset()),
             "| set | static | dynamic | interpreted |", "|---|---|---|---|"]
    lines += [f"| {name} | {sets[name].cells()} |" for name in SETS]
    for domain in ("", "ai.onnx.preview", "com.microsoft"):
        keys = [key for key in operators if key[0] == domain]
        lines += ["", f"## {domain or 'ai.onnx'}", "",
                  *table(keys, operators, builders)]
    untested = collections.defaultdict(list)
    for domain, name in sorted(builders.keys() - operators.keys()):
        untested[domain or "ai.onnx"].append(name)
    lines += ["", "## Without a case of their own", "",
              "These have a builder, but no case in the suite:", ""]
    lines += [f"- {domain}: {', '.join(names)}"
              for domain, names in untested.items()]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("cases", type=pathlib.Path)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    text = page(args.cases)
    if not args.check:
        OUTPUT.write_text(text)
    elif not OUTPUT.exists() or OUTPUT.read_text() != text:
        sys.exit("support-table.py: docs/support.md is stale; write it anew "
                 f"with {' '.join(sys.argv[:2])}")


if __name__ == "__main__":
    main()
