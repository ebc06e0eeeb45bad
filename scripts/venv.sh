#!/usr/bin/env bash
# Makes build/venv with the Python packages of the tests, at exact versions.
# Does nothing when it already holds them.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=build/venv
stamp=$venv/requirements.txt
if cmp -s scripts/requirements.txt "$stamp"; then
  exit 0
fi

echo "venv.sh: installing the packages of scripts/requirements.txt into $venv"
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check \
  --requirement scripts/requirements.txt
cp scripts/requirements.txt "$stamp"
