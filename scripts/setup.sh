#!/usr/bin/env bash
# Installs what the build and the tests need from Debian's packages, and says
# what it installs. Does nothing, quickly, when everything is there.
set -euo pipefail

packages=(
  # The compiler, its libraries, and the tools of the tests.
  libmlir-22-dev mlir-22-tools llvm-22-dev llvm-22-tools liblld-22-dev lld-22
  clang-22 libclang-rt-22-dev clang-tidy-22 clang-format-22
  # The ONNX schema, and what generated protobuf code links with.
  libonnx-dev libprotobuf-dev protobuf-compiler
  libgtest-dev libgmock-dev libbenchmark-dev
  cmake ninja-build ccache python3 python3-venv shellcheck
)

# Names the packages of the list that are not installed.
missing() {
  comm -23 <(printf '%s\n' "${packages[@]}" | sort) \
    <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${packages[@]}" \
      2>/dev/null | sed -n 's/^installed //p' | sort)
}

if ! command -v dpkg-query >/dev/null; then
  echo "setup.sh: this is not Debian: install the equivalents of" \
    "${packages[*]} yourself, then run cmake --preset release" >&2
  exit 1
fi

mapfile -t todo < <(missing)
if [ ${#todo[@]} -eq 0 ]; then
  exit 0
fi

sudo=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "setup.sh: as root: apt-get install ${todo[*]}" >&2
    exit 1
  fi
  sudo=(sudo)
fi

echo "setup.sh: installing ${todo[*]}"
"${sudo[@]}" apt-get -qq update

unknown=()
for package in "${todo[@]}"; do
  if ! apt-cache show "$package" >/dev/null 2>&1; then
    unknown+=("$package")
  fi
done
if [ ${#unknown[@]} -ne 0 ]; then
  cat >&2 <<END
setup.sh: apt knows no package ${unknown[*]}.
LLVM 22 for Debian 12 (bookworm) is in its security suite. Add

    deb http://deb.debian.org/debian-security bookworm-security main

to /etc/apt/sources.list (or, on another release, the bookworm packages of
https://apt.llvm.org), and run this again.
END
  exit 1
fi

"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get -qq install --no-install-recommends "${todo[@]}" >/dev/null
echo "setup.sh: done"
