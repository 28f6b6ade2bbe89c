#!/bin/bash
# The long runs, for a night or before a release: every test under every sanitizer, the fuzz-style
# and simulated tests with many more seeds, and the integration tests over and over.
#   SKEIN_FUZZ_ITERATIONS   iterations of each fuzz-style test (default 200000)
#   SKEIN_SIM_SEEDS         random schedules of each simulated test (default 500)
#   SKEIN_FUZZ_TARGET_SECONDS  seconds for each fuzz target (default 1200: 100 minutes for all five)
#   SKEIN_SOAK_SCHEDULES    random schedules of whole federations (default 100000, release)
#   SKEIN_SOAK_ROUNDS       rounds of 200 workers in which memory, descriptors and the store are watched (default 2000)
#   SKEIN_SOAK_REPEATS      repetitions of the integration tests (default 20)
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
fuzz=${SKEIN_FUZZ_ITERATIONS:-200000}
seeds=${SKEIN_SIM_SEEDS:-500}
target_seconds=${SKEIN_FUZZ_TARGET_SECONDS:-1200}
schedules=${SKEIN_SOAK_SCHEDULES:-100000}
rounds=${SKEIN_SOAK_ROUNDS:-2000}
repeats=${SKEIN_SOAK_REPEATS:-20}
unset SKEIN_FUZZ_ITERATIONS SKEIN_SIM_SEEDS SKEIN_SOAK_ROUNDS

# more PRESET: the test programs that read these variables, without ctest's time limits.
more() (
  local preset=$1 program status=0
  [[ $preset == tsan ]] && export OMP_NUM_THREADS=1 \
    TSAN_OPTIONS="suppressions=$PWD/tests/tsan.supp halt_on_error=1"
  while read -r program; do
    echo "--- $program"
    SKEIN_FUZZ_ITERATIONS=$fuzz SKEIN_SIM_SEEDS=$seeds timeout 4h "$program" --gtest_brief=1 ||
      status=1
  done < <(grep -lE 'SKEIN_(FUZZ_ITERATIONS|SIM_SEEDS)' build/"$preset"/bin/*_test)
  exit "$status"
)

repeated() {
  ctest --preset release -L integration --repeat "until-fail:$repeats"
}

stage "dependencies" scripts/install-deps.sh || { print_stages; exit 1; }
# The only one that shows that every source includes what it uses.
stage "build (debug), file by file" build debug
for preset in asan-full tsan release; do
  if stage "build ($preset)" build "$preset"; then
    stage "tests ($preset)" ctest --preset "$preset" -j "$jobs"
    stage "fuzz x $fuzz, seeds x $seeds ($preset)" more "$preset"
  else
    skip "tests ($preset)" "no build"
  fi
done
stage "random schedules x $schedules (release)" \
  env SKEIN_SIM_SEEDS="$schedules" timeout 4h build/release/bin/random_schedules_test --gtest_brief=1
# Fetches a fresh root of Debian, so it is here and not in scripts/test.sh.
if stage "packages" scripts/package.sh; then
  stage "packages in a fresh root" tests/package/run.sh --dev
else
  skip "packages in a fresh root" "no packages"
fi
stage "200 workers, $rounds rounds (release)" \
  env SKEIN_SOAK_ROUNDS="$rounds" timeout 2h build/release/bin/flat_memory_test --gtest_brief=1
stage "fuzzing, $target_seconds s each" scripts/fuzz.sh "$target_seconds"
stage "integration tests x $repeats (release)" repeated

print_stages
exit "$stage_failed"
