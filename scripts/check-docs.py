#!/usr/bin/env python3
"""Checks what the documentation says of the tree.

  check-docs.py [--cc clang-22]

Links lead to files and headings that exist; folders and files that the text
names exist; so do `make` targets and the options of txc, txc-run and txc-opt;
C programs compile; operators that the README says are missing are missing.
"""
import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Capitals stand for a name of the reader's choice: passes/graph/NAME.cpp.
PLACEHOLDER = re.compile(r"NAME|\b[A-Z]{2,}\b|[*<>{}…]")


def find_pages():
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"),
             *ROOT.glob("test/**/*.md")]
    return sorted(pages)


class Page:
    """Markdown taken apart: prose, and code with the language it is marked
    with ("" for a span, "text" for an indented or unmarked block)."""

    def __init__(self, path):
        self.path = path
        self.text = path.read_text()
        self.code = []
        prose = []
        lines = iter(self.text.split("\n"))
        for line in lines:
            fence = line.strip()
            if fence.startswith("```"):
                block = []
                for inner in lines:
                    if inner.strip().startswith("```"):
                        break
                    block.append(inner)
                self.code.append((fence[3:] or "text", "\n".join(block)))
            elif line.startswith("    "):
                self.code.append(("text", line[4:]))
            else:
                prose.append(line)
        self.prose = "\n".join(prose)
        # A table writes | as \|.
        spans = re.findall(r"`([^`]+)`", self.prose)
        self.code += [("", span.replace("\\|", "|").replace("\n", " "))
                      for span in spans]

    def get_headings(self):
        """The fragments of GitHub's links."""
        titles = re.findall(r"(?m)^#+ (.*)$", self.prose)
        return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
                for title in titles}


def check_links(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.prose):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, fragment = target.partition("#")
        file = (page.path.parent / path) if path else page.path
        if not file.exists():
            yield f"link to {target}: there is no such file"
        elif fragment and fragment not in Page(file).get_headings():
            yield f"link to {target}: there is no such heading"


def check_paths(page):
    folders = [f.name for f in ROOT.iterdir()
               if f.is_dir() and not f.name.startswith((".", "build"))]
    folder = "|".join(folders)
    pattern = re.compile(rf"(?<![\w/.-])(?:{folder})/[\w./*<>{{}}…-]*")
    for language, code in page.code:
        if language not in ("", "text"):
            continue
        for path in pattern.findall(code):
            path = path.rstrip(".")
            if not PLACEHOLDER.search(path) and not (ROOT / path).exists():
                yield f"{path}: there is no such file"


def check_make_targets(page):
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"(?m)^([a-z-]+):", makefile))
    for language, code in page.code:
        if language in ("", "text"):
            for target in re.findall(r"\bmake (?:[A-Z]+=\S+ )?([a-z][a-z-]*)",
                                     code):
                if target not in targets:
                    yield f"make {target}: the Makefile has no such target"


def read_options():
    """The options of each program, from its source."""
    td = (ROOT / "tools/txc/Options.td").read_text()
    txc = set(re.findall(r'(?:Value<|Switch<|\["-"[^\]]*\], )"([\w-]+)=?"', td))
    run = set(re.findall(r'(?m)^      \{"([\w-]+)",',
                         (ROOT / "tools/txc-run/Options.cpp").read_text()))
    passes = set()
    for source in [*ROOT.glob("passes/**/*.cpp"), *ROOT.glob("tools/**/*.cpp")]:
        passes |= set(re.findall(r'"(txc-[\w-]+)"', source.read_text()))
    # What MLIR itself brings and the pages mention.
    passes |= {"canonicalize", "cse", "split-input-file"}
    return {"txc": txc, "txc-run": run, "txc-opt": passes}


def check_options(page, options):
    everything = set().union(*options.values())
    for language, code in page.code:
        if language not in ("", "text"):
            continue
        for line in code.split("\n"):
            words = [word for word in line.split("#")[0].split() if word != "$"]
            if not words:
                continue
            program = pathlib.PurePath(words[0]).name
            if language == "" and words[0].startswith("-"):
                known, program = everything, "no program"
            elif program in options:
                known = options[program]
            else:
                continue
            for word in words:
                match = re.match(r"--?([a-z][\w-]*)", word)
                if match and match.group(1) not in known:
                    yield f"{word}: {program} has no such option"


def check_programs(page, cc):
    for language, code in page.code:
        if language != "c":
            continue
        command = [cc, "-std=c11", "-Wall", "-Wextra", "-pedantic", "-Werror",
                   "-fsyntax-only", "-I", ROOT, "-I", ROOT / "runtime",
                   "-x", "c", "-"]
        result = subprocess.run(command, input=code, text=True,
                                stderr=subprocess.PIPE)
        if result.returncode:
            yield f"a C program does not compile:\n{result.stderr}"


def check_missing_operators(page):
    if page.path != ROOT / "README.md":
        return
    known = set()
    for source in ROOT.glob("python-free-frontend/ops/*.cpp"):
        known |= set(re.findall(r'(?m)^ +\{"(\w+)", \d', source.read_text()))
    bullet = re.search(r"Not there:(.*?)\. ", page.prose, re.DOTALL)
    for operator in re.findall(r"`(\w+)`", bullet.group(1)):
        if operator in known:
            yield f"{operator} is said to be missing, but is in a table"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cc", default="clang-22", help="a C compiler")
    cc = parser.parse_args().cc
    options = read_options()
    failures = 0
    for path in find_pages():
        page = Page(path)
        for problem in [*check_links(page), *check_paths(page),
                        *check_make_targets(page),
                        *check_options(page, options),
                        *check_programs(page, cc),
                        *check_missing_operators(page)]:
            print(f"{path.relative_to(ROOT)}: {problem}", file=sys.stderr)
            failures += 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
