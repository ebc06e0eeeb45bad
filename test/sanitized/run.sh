#!/usr/bin/env bash
# Compiles a model with a sanitizer and runs it, on several shapes and with two
# threads, in a txc-run that was built with the same one. A report of the
# sanitizer is a failure.
#
#   run.sh SANITIZER TXC TXC_RUN MODEL.onnx
set -euo pipefail
sanitizer=$1 txc=$2 txc_run=$3 model=$4

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$txc" "$model" "-sanitize=$sanitizer" -o "$scratch/model.so"

# Whatever the model calls its dims: the defaults, then odd sizes.
mapfile -t dims < <("$txc_run" --list "$scratch/model.so" |
  awk '$1 == "dim" && /of the inputs/ { sub(":", "", $2); print $2 }')
for size in 0 1 3 7; do
  options=()
  if ((size)); then
    for dim in "${dims[@]}"; do
      options+=(--dim "$dim=$size")
    done
  fi
  "$txc_run" "$scratch/model.so" "${options[@]}" --threads 2 --repeat 3
done
