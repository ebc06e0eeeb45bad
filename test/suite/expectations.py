"""expected-failures.txt: what is known to fail, and why.

A line is `MODE CASE REASON`. MODE is interpret, static, dynamic or `*`, CASE a
name as in the index or a pattern with `*` and `?`. Empty lines and what follows
a `#` are skipped. A line stands for all it matches: each of them has to fail.
"""
import collections
import dataclasses
import fnmatch
import re


@dataclasses.dataclass
class Expectation:
    line: int
    mode: str
    case: str
    reason: str
    matched: bool = False

    def __post_init__(self):
        self.pattern = re.compile(fnmatch.translate(self.case))

    def matches(self, case, mode):
        return self.mode in ("*", mode) and bool(self.pattern.match(case))


def read(path, modes):
    """Returns the expectations of a file. Raises ValueError for a bad line."""
    expectations = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.partition("#")[0].strip()
        if not line:
            continue
        fields = line.split(None, 2)
        if len(fields) < 3 or fields[0] not in (*modes, "*"):
            raise ValueError(f"{path}:{number}: expected `MODE CASE REASON` "
                             f"with MODE of {', '.join(modes)} or *: {line}")
        expectations.append(Expectation(number, *fields))
    return expectations


def reason_of(status, detail):
    """Why, without what differs between cases of one kind."""
    if status == "wrong":
        kind = "the result is wrong"
        if detail.startswith("Not equal to tolerance"):
            return kind
        return f"{kind}: {detail}"
    detail = re.sub(r'^node "[^"]*" ', "", detail)
    detail = re.sub(r"; try .*", "", detail)
    return detail if status == "unsupported" else f"{status}: {detail}"


def group_of(reason):
    """What reasons that only differ in nodes, numbers and dims share."""
    group = re.sub(r"^\([^)]*\): ", "", reason)
    group = re.sub(r"found .*", "found …", group)
    return re.sub(r"[\w']+[._]\d+|\d+", "#", group)


def write(path, results, modes):
    """Writes what failed, by reason; the largest group first.

    results: (case, mode, status, detail) of failures.
    """
    lines = collections.defaultdict(list)
    by_case = collections.defaultdict(dict)
    for case, mode, status, detail in results:
        by_case[case].setdefault(reason_of(status, detail), []).append(mode)
    for case, reasons in by_case.items():
        for reason, failed in reasons.items():
            for mode in ["*"] if len(failed) == len(modes) else failed:
                lines[group_of(reason)].append(f"{mode:9} {case} {reason}\n")
    with open(path, "w") as out:
        out.write("# MODE CASE REASON; see expectations.py. Checked both ways. "
                  "Written by\n# run_suite.py --write-expected.\n")
        for group, found in sorted(lines.items(),
                                   key=lambda item: (-len(item[1]), item[0])):
            out.write(f"\n# {len(found)}: {group}\n")
            out.writelines(sorted(found, key=lambda line: line.split()[1::-1]))


def surprises(expectations, results, complete):
    """Sentences about what is not as expected.

    results: (case, mode, passed, detail). complete: all cases ran, so an
    expectation that matches none is out of date.
    """
    found = []
    for case, mode, passed, detail in results:
        known = [e for e in expectations if e.matches(case, mode)]
        for expectation in known:
            expectation.matched = True
        if passed and known:
            found.append(f"{case} passes {mode}, but line {known[0].line} of "
                         f"the expected failures says: {known[0].reason}")
        elif not passed and not known:
            found.append(f"{case} fails {mode}: {detail}")
    if complete:
        found += [f"line {e.line} of the expected failures matches no case: "
                  f"{e.case}" for e in expectations if not e.matched]
    return found
