#!/usr/bin/env bash
# Compiles models and hands them to a program.
#
#   run.sh SANITIZER TXC PROGRAM [ARGUMENT | MODEL.onnx[@OPTION]]...
#
# SANITIZER is what PROGRAM was built with, or none. OPTION is one of txc.
set -euo pipefail
sanitizer=$1 txc=$2 program=$3
shift 3

options=()
if [[ $sanitizer != none ]]; then
  options+=("-sanitize=$sanitizer")
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
arguments=()
for argument; do
  if [[ $argument == *.onnx* ]]; then
    object=$scratch/${#arguments[@]}.so
    option=${argument#*.onnx}
    "$txc" "${argument%%.onnx*}.onnx" ${option:+"${option#@}"} "${options[@]}" \
      -o "$object"
    argument=$object
  fi
  arguments+=("$argument")
done
"$program" "${arguments[@]}"
