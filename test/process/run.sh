#!/usr/bin/env bash
# Compiles models and hands them to a program.
#
#   run.sh SANITIZER TXC PROGRAM MODEL.onnx...
#
# SANITIZER is what PROGRAM was built with, or none.
set -euo pipefail
sanitizer=$1 txc=$2 program=$3
shift 3

options=()
if [[ $sanitizer != none ]]; then
  options+=("-sanitize=$sanitizer")
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
objects=()
for model; do
  object=$scratch/${#objects[@]}.so
  "$txc" "$model" "${options[@]}" -o "$object"
  objects+=("$object")
done
"$program" "${objects[@]}"
