#!/bin/bash
# Installs what Skein needs on Debian 12. Does nothing, at once, where all of it is there. Where it
# may not install, it says the one command that is needed and exits 1.
set -euo pipefail

packages=(
  # to build
  build-essential ccache cmake mold ninja-build pkg-config
  libabsl-dev libcli11-dev libgrpc++-dev libprotobuf-dev libspdlog-dev libsqlite3-dev libssl-dev
  libtorch-dev libxxhash-dev libyaml-cpp-dev libzstd-dev nlohmann-json3-dev protobuf-compiler
  protobuf-compiler-grpc zlib1g-dev
  # to run: the reference BLAS would make libtorch crawl
  libopenblas0-openmp
  # the demo's data
  dataset-fashion-mnist
  # to test
  clang-format-14 libexpat1-dev libgmock-dev libgtest-dev
  # to test: man pages and completions
  mandoc zsh
  # to test: packages in a fresh root
  debootstrap
  # to test: fuzzing, which is a part of clang, and line numbers for what it finds
  clang-14 libclang-rt-14-dev llvm-14
  # to test: a worker in another language
  python3-grpcio python3-numpy python3-protobuf python3-xxhash
  # to test: model files of PyTorch
  python3-torch
  # to test: the reference of the public headers
  doxygen
  # to measure
  libbenchmark-dev python3
)

if ! command -v dpkg-query >/dev/null; then
  echo "install-deps.sh knows Debian only; here, install the equivalents of: ${packages[*]}" >&2
  exit 1
fi

missing=()
# One call for all: a package that dpkg does not know is missing from the answer.
installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "${packages[@]}" 2>/dev/null |
  sed -n 's/^ii  *//p' || true)
for package in "${packages[@]}"; do
  grep -qxF -- "$package" <<<"$installed" || missing+=("$package")
done
if [[ ${#missing[@]} -eq 0 ]]; then exit 0; fi

if [[ $(id -u) -eq 0 ]]; then
  as_root=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root=(sudo -n)
else
  echo "Skein needs Debian packages that are not installed. As root, run:" >&2
  echo "  apt-get install -y --no-install-recommends ${missing[*]}" >&2
  exit 1
fi

echo "installing: ${missing[*]}"
install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Acquire::Retries=3
  install --no-install-recommends "${missing[@]}")
# The package lists may be absent or old: fetch them first, and go on with what is there if the
# network is not.
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 update \
  </dev/null || echo "apt-get update failed; trying with the package lists at hand" >&2
"${install[@]}" </dev/null
