# Sourced by the other scripts: goes to the root of the tree, and has what builds and stages need.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
export DEBIAN_FRONTEND=noninteractive
jobs=${SKEIN_JOBS:-$(nproc)}

# build PRESET [TARGET ...]: configures and builds; ccache is used where it is installed.
build() {
  local preset=$1 log
  shift
  log=$(cmake --preset "$preset" 2>&1) || {
    echo "$log"
    return 1
  }
  cmake --build --preset "$preset" -j "$jobs" ${1:+--target "$@"}
}

stage_rows=()
stage_failed=0

# stage NAME COMMAND [ARGUMENT ...]: runs a command, takes its time, and returns whether it passed.
# (A function given as the command chains its steps with &&: `set -e` has no effect in here.)
stage() {
  local name=$1 begin=$SECONDS result=passed
  shift
  printf '\n=== %s\n' "$name"
  if ! "$@" </dev/null; then
    result=FAILED
    stage_failed=1
  fi
  stage_rows+=("$(printf '%-46s %-7s %5d s' "$name" "$result" $((SECONDS - begin)))")
  [[ $result == passed ]]
}

# skip NAME WHY: a stage that cannot run because one that it needs has failed.
skip() {
  stage_rows+=("$(printf '%-46s %-7s (%s)' "$1" skipped "$2")")
}

print_stages() {
  printf '\n%-46s %-7s %7s\n' stage result time
  printf '%s\n' "${stage_rows[@]}"
}
