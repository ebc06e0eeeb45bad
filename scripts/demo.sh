#!/usr/bin/env bash
# Compiles a real sentence encoder, then a C application around it.
#
# The model has free batch and length: one shared object serves them all.
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
run ls -l "$out"
run build/bin/txc-run "$out/minilm.so" --dim batch_size=1 \
  --dim sequence_length=128 --repeat 50

# The tokenizer of the same family of models, as one token a line.
python3 - build/models/minilm-l6-v2/tokenizer.json >"$out/vocabulary.txt" <<'END'
import json, sys
tokens = json.load(open(sys.argv[1]))["model"]["vocab"]
print(*sorted(tokens, key=tokens.get), sep="\n")
END

# The application includes the generated minilm.h and links minilm.so.
search=examples/semantic-search
run clang-22 -std=c11 -O2 -I "$out" "$search/search.c" "$search/wordpiece.c" \
  "$out/minilm.so" "-Wl,-rpath,\$ORIGIN" -lm -o "$out/search"

# Questions from a terminal, one fixed question elsewhere.
question=()
[[ -t 0 ]] || question=("Why does the sea rise and fall twice a day?")
run "$out/search" "$out/vocabulary.txt" "$search/passages.txt" "${question[@]}"
