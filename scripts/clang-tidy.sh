#!/usr/bin/env bash
# Runs clang-tidy over every source file of a build directory, or over those
# given after it: clang-tidy.sh BUILD [FILE...]
set -euo pipefail

build=$1
shift
files=("$@")
if [ ${#files[@]} -eq 0 ]; then
  mapfile -t files < <(git ls-files '*.cpp')
fi
# Generated sources are in the compilation database, but are not ours.
exec run-clang-tidy-22 -quiet -p "$build" -j "$(nproc)" "${files[@]}"
