#!/bin/bash
# Everything that must hold before a change goes in: a release build with warnings as errors, all
# tests (the installed package and the public headers among them), the demo on a small setting, the
# benchmarks on small ones, the format, the libtorch-free part again under the address and
# undefined-behavior sanitizers, and some fuzzing.
# The longer runs are in scripts/soak.sh. On a machine so slow that SKEIN_TEST_MINUTES (default 80) are
# over before the fuzzing, that is left out, and said.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
logs=build/test-logs
fuzz_seconds=${SKEIN_FUZZ_SECONDS:-20}
minutes=${SKEIN_TEST_MINUTES:-80}
mkdir -p "$logs"

run_tests() {  # PRESET
  ctest --preset "$1" -j "$jobs" 2>&1 | tee "$logs/ctest-$1.log"
  return "${PIPESTATUS[0]}"
}

demo_small() {
  local digest
  scripts/demo.sh --rounds 1 --quiet &&
    grep -qE '"status": *"completed"' build/demo-run/result.json &&
    digest=$(sha256sum build/demo-run/model.safetensors) &&
    grep -qF "${digest%% *}" build/demo-run/result.json
}

if ! stage "dependencies" scripts/install-deps.sh; then
  print_stages
  exit 1
fi
stage "format" scripts/format.sh --check
if stage "build (release, warnings are errors)" build release; then
  stage "tests (release)" run_tests release
  stage "demo, one round" demo_small
  stage "benchmarks, small" scripts/bench.sh --quick
else
  skip "tests (release)" "no build"
  skip "demo, one round" "no build"
  skip "benchmarks, small" "no build"
fi
if stage "build (ASan, UBSan)" build asan; then
  stage "tests (ASan, UBSan)" run_tests asan
else
  skip "tests (ASan, UBSan)" "no build"
fi
if ((SECONDS < minutes * 60)); then
  stage "fuzzing, $fuzz_seconds s each" scripts/fuzz.sh "$fuzz_seconds"
else
  skip "fuzzing" "$minutes minutes are over: scripts/fuzz.sh"
fi

print_stages
echo
for log in asan release; do
  [[ -f $logs/ctest-$log.log ]] || continue
  sed -n '/^The following tests FAILED/,/^Errors while/p' "$logs/ctest-$log.log"
  echo "$log: $(grep -E '^[0-9]+% tests passed' "$logs/ctest-$log.log" || echo 'no summary')"
done
exit "$stage_failed"
