"""expected-failures.txt: what is known to fail, and why.

A line is `MODE CASE REASON`. MODE is interpret, static, dynamic or `*`, CASE a
name as in the index or a pattern with `*` and `?`. Empty lines and what follows
a `#` are skipped. A line stands for all it matches: each of them has to fail.
"""
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
