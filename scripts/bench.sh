#!/bin/bash
# Measures Skein, beside Flower, and writes docs/benchmarks.md: hours, on a machine where nobody else
# works. Arguments go to bench/run.py: --list, --only GLOB, --resume, --budget-minutes M, --no-peers.
# The page is made of all results there are, those of earlier sessions too.
#   scripts/bench.sh --quick   the same programs on small settings, without Flower, in about a minute:
#                              shows that they work. Writes to build/bench-quick; no figure counts.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

export PYTHONPYCACHEPREFIX=$PWD/build/pycache  # nothing but results goes into the tree
run=(bench/run.py)
report=(bench/report.py)
peers=yes
for argument in "$@"; do
  case $argument in
    --list | --help | -h) exec bench/run.py "$@" ;;
    --no-peers) peers=no ;;
  esac
done
if [[ ${1:-} == --quick ]]; then
  shift
  peers=no
  out=build/bench-quick
  rm -rf "$out"
  run+=(--suite quick --results "$out/results")
  report+=(--suite quick --results "$out/results" --out "$out/benchmarks.md")
fi

scripts/install-deps.sh
build release skein_cli fashion_mnist bench/all
if [[ $peers == yes ]]; then
  bench/peers/flower/setup.sh || echo "bench.sh: goes on without Flower" >&2
fi
status=0
"${run[@]}" "$@" || status=$?
"${report[@]}"
exit "$status"
