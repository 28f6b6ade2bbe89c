#!/bin/bash
# Feeds made-up input to what reads input of others: frames, manifests, safetensors files, PyTorch's
# pickles, payloads of codecs.
#   scripts/fuzz.sh [SECONDS]   for each target (default 20)
# What was found to be of interest stays in build/fuzz/corpus and is where the next run begins. An
# input that breaks a promise is kept in build/fuzz/artifacts, and said with how to run it again.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
seconds=${1:-20}
artifacts=build/fuzz/artifacts
corpus=build/fuzz/corpus

build fuzz || exit 1
mkdir -p "$artifacts"
build/fuzz/bin/fuzz_seeds "$corpus" || exit 1
status=0
for target in frame manifest safetensors pickle payload; do
  echo "--- $target, $seconds s"
  options=(-max_total_time="$seconds" -timeout=25 -rss_limit_mb=4096 -print_final_stats=1
    -artifact_prefix="$artifacts/$target-")
  if [[ -f tests/fuzz/$target.dict ]]; then options+=(-dict="tests/fuzz/$target.dict"); fi
  program=build/fuzz/bin/${target}_fuzzer
  log=build/fuzz/$target.log
  if "$program" "${options[@]}" "$corpus/$target" >"$log" 2>&1; then
    grep '^Done' "$log"
    continue
  fi
  status=1
  tail -n 40 "$log"
  kept=$(grep -oE "$artifacts/$target-[a-z]+-[0-9a-f]+" "$log" | tail -n 1)
  echo "replay: $program ${kept:-(see $log)}"
done
exit "$status"
