#!/bin/bash
# Where the CPU time of a round without training goes, by role; docs/profile.md has the last answer.
#   bench/profile.sh [TOPOLOGY [FLOATS [SECONDS]]]     (default: flat:128 1000000 10)
# Needs perf (Debian: linux-perf) and a release build. Rounds are sampled only when the run is under
# way, so start-up does not show. The samples stay in build/profile, for `perf report`.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/common.sh"
topology=${1:-flat:128}
floats=${2:-1000000}
seconds=${3:-10}
out=build/profile
events=$out/run/events.jsonl

command -v perf >/dev/null || {
  echo "perf is not installed: apt-get install linux-perf" >&2
  exit 1
}
rm -rf "$out"
mkdir -p "$out"
build/release/bin/skein bench round --topology "$topology" --params "$floats" --rounds 100000 \
  --json --out "$out/run" >"$out/bench.json" 2>"$out/bench.log" &
bench=$!
trap 'kill -INT $bench 2>/dev/null || true; wait $bench 2>/dev/null || true' EXIT

committed() { grep -c '"event":"round_committed"' "$events" 2>/dev/null || true; }
for _ in $(seq 600); do
  count=$(committed)
  [[ ${count:-0} -ge 3 ]] && break
  kill -0 "$bench" 2>/dev/null || break
  sleep 0.2
done
before=$(committed)
if [[ ${before:-0} -lt 3 ]]; then
  echo "the run did not get under way:" >&2
  tail -n 5 "$out/bench.log" >&2
  exit 1
fi

# pids ROLE: of its processes, comma-separated.
pids() {
  grep '"event":"node_started"' "$events" | grep "\"role\":\"$1\"" |
    sed -n 's/.*"pid":\([0-9]*\).*/\1/p' | sort -u | paste -sd,
}
roles=()
all=
for role in coordinator aggregator worker; do
  [[ -n $(pids "$role") ]] || continue
  roles+=("$role")
  all+=${all:+,}$(pids "$role")
done
# The clock, not the processor's counters, which virtual machines may not have.
perf record -q -e cpu-clock -F 997 -p "$all" -o "$out/perf.data" -- sleep "$seconds"
rounds=$(($(committed) - before))
echo "$topology, $floats floats: $rounds rounds in $seconds s"

# Lines "share;object;symbol" to shares of what the time is spent for.
group() {
  awk -F';' '
    function kind(object, symbol) {
      if (object ~ /kernel|vmlinux/) {
        if (symbol ~ /copy_(to|from)_iter|copy_user|rep_movs|copyin|copyout/) return "kernel: copies to and from sockets"
        if (symbol ~ /clear_page|fault|folio_zero/) return "kernel: page faults"
        return "kernel: the rest (TCP, wake-ups)"
      }
      if (symbol ~ /XXH/) return "checksums (XXH3)"
      if (object ~ /libcrypto/) return "digest of the model (SHA-256)"
      if (symbol ~ /FloatRuns|SumRuns|skein::(RingSums|TileQueue|LinearIntake)/) return "fold"
      if (symbol ~ /FloatMixer|FinishLinear|Sgd|StoreDoubles|LoadDoubles|Means/) return "next model"
      if (symbol ~ /StateDict::Unpack/) return "the learner\047s copy of the model"
      if (symbol ~ /WriteDelta|DeltaOf|DeltaInPlace|FloatDelta/) return "difference to the base"
      if (symbol ~ /mem(move|cpy|set)/) return "memcpy in the process"
      if (object ~ /torch|libc10|openblas/) return "learner (libtorch)"
      if (object ~ /libgrpc|libgpr|libabsl|libaddress_sorting/) return "gRPC"
      if (object ~ /libprotobuf/) return "protobuf"
      if (object ~ /skein/) return "skein: the rest"
      return "others (libc, libstdc++)"
    }
    NF >= 3 {
      gsub(/[ %]/, "", $1)
      sum[kind($2, $3)] += $1
    }
    END { for (k in sum) if (sum[k] >= 0.05) printf "%6.1f %%  %s\n", sum[k], k }' | sort -rn
}
for role in "${roles[@]}"; do
  echo
  echo "$role: CPU time by kind"
  report=$out/$role.txt
  perf report -i "$out/perf.data" --stdio --no-children --percentage relative --pid "$(pids "$role")" \
    -F overhead,dso,symbol -t ';' 2>/dev/null | grep -v '^#' >"$report"
  group <"$report"
  echo "  its first ten functions:"
  head -n 12 "$report" | awk -F';' 'NF >= 3 { gsub(/ +$/, "", $2); print "  " $1 "  " $2 "  " substr($3, 1, 90) }'
done
