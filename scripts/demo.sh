#!/usr/bin/env bash
# Compiles a real sentence encoder and runs it: one shared object for every
# batch and length.
set -euo pipefail
cd "$(dirname "$0")/.."

model=build/models/paraphrase-minilm-l3-v2/model.onnx
out=build/demo
mkdir -p "$out"

run() {
  printf '\n$ %s\n' "$*"
  "$@"
}

run build/bin/txc "$model" -name=minilm -o "$out/minilm.so"
ls -l "$out/minilm.so" "$out/minilm.h"
run build/bin/txc-run "$out/minilm.so" --list
run build/bin/txc-run "$out/minilm.so" --dim batch_size=1 \
  --dim sequence_length=128 --repeat 50
