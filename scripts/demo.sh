#!/bin/bash
# Trains a CNN on Fashion-MNIST by a three-tier federation of 32 workers under 4 aggregators, all in
# one process. Further arguments go to `fashion_mnist run`: scripts/demo.sh --rounds 2 --seed 7
set -euo pipefail
if [[ ${1:-} == --help ]]; then
  echo "usage: scripts/demo.sh [arguments of 'fashion_mnist run', as --rounds 2 --seed 7]"
  exit 0
fi
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

out=build/demo-run
scripts/install-deps.sh
build release fashion_mnist
rm -rf "$out"
status=0
build/release/bin/fashion_mnist run examples/fashion_mnist/three_tier.yaml --out "$out" "$@" ||
  status=$?
if [[ -d $out ]]; then
  echo
  echo "Results are in $out: result.json (summary), rounds.csv (one line a round), events.jsonl"
  echo "(everything that happened), model.safetensors (the model), spec.yaml (the resolved spec)."
fi
exit "$status"
