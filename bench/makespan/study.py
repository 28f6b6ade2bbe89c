#!/usr/bin/env python3
"""Time to an accuracy under policies that wait and policies that do not, and with Flower.

Each case trains Fashion-MNIST on 32 workers of unequal speed: first in virtual time (skein simulate),
which says how many rounds or versions it needs, then for real with the same conditions emulated (skein
run); Flower, with the same paces, for real only. Writes bench/results/makespan.json and
docs/makespan.md. About an hour and a quarter, on a machine where nobody else works;
bench/peers/flower/setup.sh goes before.

    bench/makespan/study.py [--only CASE ...] [--simulate-only] [--keep-simulated] [--report-only]
    bench/makespan/study.py --only flower-legacy --set topology=flat:4 --set conditions.compute.task_s=1  # a trial
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from makespan import events as log  # noqa: E402
from makespan import peer, report  # noqa: E402
from makespan.cases import CASES, PEERS, TARGET  # noqa: E402
from suite import machine, paths  # noqa: E402

PROGRAM = f"{paths.BIN}/fashion_mnist"
SPEC = "bench/makespan/study.yaml"
SEED = 1  # of SPEC
SCRATCH = f"{paths.SCRATCH}/makespan"
RESULTS = paths.RESULTS / "makespan.json"
PAGE = paths.ROOT / "docs/makespan.md"


class Refused(Exception):
    """What the program said."""


def skein(command: str, name: str, rounds: int, sets: list[str]) -> tuple[Path, float]:
    """The run's directory, and how long the program took."""
    out = f"{SCRATCH}/{name}-{command}"
    directory = paths.ROOT / out
    shutil.rmtree(directory, ignore_errors=True)
    directory.parent.mkdir(parents=True, exist_ok=True)
    words = [PROGRAM, command, SPEC, "--rounds", str(rounds), "--quiet", "--out", out]
    for item in [*CASES[name].overrides, *sets]:
        words += ["--set", item]
    begin = time.monotonic()
    done = subprocess.run(words, cwd=paths.ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Refused(f"{' '.join(words)}\n{done.stderr}")
    return directory, time.monotonic() - begin


def summary(directory: Path, name: str) -> dict:
    events, case = log.read(directory), CASES[name]
    hit = log.reached(events, TARGET)
    accuracies = log.accuracies(events)
    return {
        "to_target_s": hit[0] if hit else None,
        "version": hit[1] if hit else None,
        "last_commit_s": log.last_commit_s(events),
        "versions": accuracies[-1][1],
        "updates": log.updates(events),
        "final_accuracy": accuracies[-1][2],
        "idle": log.idle_share(events, case.root_waits, case.sites_wait, case.held),
        "curve": [(round(t, 2), a) for t, _, a in accuracies],
    }


def study(name: str, simulated: dict | None, simulate_only: bool, sets: list[str]) -> dict:
    case = CASES[name]
    print(f"{name}: {case.what}", flush=True)
    if simulated is None:
        directory, wall = skein("simulate", name, case.versions, sets)
        simulated = summary(directory, name) | {"wall_s": wall}
    print(f"  simulated: {simulated['to_target_s']} s to {TARGET}, at the end "
          f"{simulated['final_accuracy']}, idle {simulated['idle']:.3f}", flush=True)
    result = {"what": case.what, "overrides": list(case.overrides), "commit": machine.commit(),
              "simulated": simulated}
    if simulate_only or simulated["version"] is None:
        return result
    machine.wait_until_quiet()
    # Without a barrier arrival is not quite the same: some versions more.
    more = 0 if case.root_waits else 2
    directory, wall = skein("run", name, simulated["version"] + more, sets)
    result["run"] = summary(directory, name) | {"wall_s": wall}
    print(f"  run: {result['run']['to_target_s']} s, idle {result['run']['idle']:.3f}", flush=True)
    return result


def beside(name: str, sets: list[str]) -> dict:
    print(f"{name}: {PEERS[name].what}", flush=True)
    machine.wait_until_quiet()
    result = peer.measure(name, PEERS[name], SPEC, SEED, sets) | {"commit": machine.commit()}
    print(f"  run: {result['to_target_s']} s, {result['rounds']} rounds; {result['error'] or 'ok'}",
          flush=True)
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    everything = [*CASES, *PEERS]
    parser.add_argument("--only", nargs="*", choices=everything, default=everything)
    parser.add_argument("--simulate-only", action="store_true", help="and not Flower")
    parser.add_argument("--keep-simulated", action="store_true", help="those of the last time")
    parser.add_argument("--report-only", action="store_true")
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", dest="sets",
                        help="a trial under other conditions or settings: nothing is written")
    parser.add_argument("--record", action="store_true",
                        help="puts what a trial simulated among what else was tried")
    arguments = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"cases": {}, "peers": {}}
    results = report.current(results)
    trial, refused = bool(arguments.sets), []
    for name in [] if arguments.report_only else arguments.only:
        results["machine"] = machine.describe()
        try:
            if name in PEERS and not arguments.simulate_only:
                results["peers"][name] = beside(name, arguments.sets)
            elif name in CASES:
                last = results["cases"].get(name, {}).get("simulated")
                if not arguments.keep_simulated or trial or \
                        last and last["versions"] != CASES[name].versions:
                    last = None
                results["cases"][name] = study(name, last, arguments.simulate_only, arguments.sets)
        except Refused as error:
            print(f"  {error}", file=sys.stderr, flush=True)
            refused.append(name)
            continue
        if trial and arguments.record and name in CASES:
            tried = report.trial(name, arguments.sets, results["cases"].pop(name)["simulated"])
            known = json.loads(RESULTS.read_text())
            known.setdefault("tried", []).append(tried)
            RESULTS.write_text(json.dumps(known, indent=1) + "\n")
        if not trial:
            RESULTS.write_text(json.dumps(report.current(results), indent=1) + "\n")
    if not trial and "flat-sync" in results["cases"]:
        PAGE.write_text(report.page(results))
    if refused:
        print(f"not done: {', '.join(refused)}", file=sys.stderr)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
