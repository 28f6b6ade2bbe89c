#!/usr/bin/env python3
"""Time to an accuracy under policies that wait and policies that do not.

Each case trains Fashion-MNIST on 32 workers of unequal speed: first in virtual time (skein simulate),
which says how many rounds or versions it needs, then for real with the same conditions emulated (skein
run). Writes bench/results/makespan.json and docs/makespan.md. About half an hour, on a machine where
nobody else works.

    bench/makespan/study.py [--only CASE ...] [--simulate-only] [--keep-simulated] [--report-only]
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
from page.markdown import table  # noqa: E402
from suite import machine, paths  # noqa: E402

PROGRAM = f"{paths.BIN}/fashion_mnist"
SPEC = "bench/makespan/study.yaml"
SCRATCH = f"{paths.SCRATCH}/makespan"
RESULTS = paths.RESULTS / "makespan.json"
PAGE = paths.ROOT / "docs/makespan.md"
TARGET = 0.80
UPDATES = 480  # of the comparison at the end: 15 rounds of everybody

# Without a barrier a worker's update counts several times in the time of one round of everybody, so the
# server takes half a step for each.
HALF_STEP = "strategy.optimizer={name: sgd, lr: 0.5}"
# name: (what it is, overrides, updates a version, barrier at the root, at sites)
CASES = {
    "flat-sync": ("two tiers, everybody awaited", ["topology=flat:32"], 32, True, None),
    "tree-sync": ("four sites of eight, everybody awaited", ["topology=tree:4x8"], 32, True, True),
    "tree-quorum": (
        "four sites of eight, each waits for six of its workers",
        ["topology=tree:4x8", "strategy.policy={name: all, timeout_s: 3600}",
         "strategy.tiers=[{tier: 1, policy: {name: quorum, count: 6}}]"], 24, True, True),
    "flat-buffered": (
        "two tiers, a version of every eight updates (FedBuff)",
        ["topology=flat:32", "strategy.policy={name: buffered, size: 8}", HALF_STEP], 8, False, None),
    "sites-sync-root-async": (
        "sites wait for six of eight workers, the root for no site",
        ["topology=tree:4x8", "strategy.policy={name: quorum, count: 6}",
         "strategy.tiers=[{tier: 0, policy: {name: every_update}}]", HALF_STEP], 6, False, True),
    "tree-buffered": (
        "nobody waits: sites send every four updates, the root takes two of these",
        ["topology=tree:4x8", "strategy.policy={name: buffered, size: 4}",
         "strategy.tiers=[{tier: 0, policy: {name: buffered, size: 2}}]", HALF_STEP], 8, False, False),
}


def skein(command: str, name: str, rounds: int) -> tuple[Path, float]:
    """The run's directory, and how long the program took."""
    out = f"{SCRATCH}/{name}-{command}"
    directory = paths.ROOT / out
    shutil.rmtree(directory, ignore_errors=True)
    directory.parent.mkdir(parents=True, exist_ok=True)
    words = [PROGRAM, command, SPEC, "--rounds", str(rounds), "--quiet", "--out", out]
    for item in CASES[name][1]:
        words += ["--set", item]
    begin = time.monotonic()
    done = subprocess.run(words, cwd=paths.ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)}\n{done.stderr}")
    return directory, time.monotonic() - begin


def summary(directory: Path, name: str) -> dict:
    events = log.read(directory)
    _, _, _, root, sites = CASES[name]
    hit = log.reached(events, TARGET)
    accuracies = log.accuracies(events)
    return {
        "to_target_s": hit[0] if hit else None,
        "version": hit[1] if hit else None,
        "last_commit_s": log.last_commit_s(events),
        "versions": accuracies[-1][1],
        "final_accuracy": accuracies[-1][2],
        "idle": log.idle_share(events, root, sites),
        "curve": [(round(t, 2), a) for t, _, a in accuracies],
    }


def study(name: str, simulated: dict | None, simulate_only: bool) -> dict:
    what, overrides, per_version, _, _ = CASES[name]
    print(f"{name}: {what}", flush=True)
    if simulated is None:
        directory, wall = skein("simulate", name, UPDATES // per_version)
        simulated = summary(directory, name) | {"wall_s": wall}
    print(f"  simulated: {simulated['to_target_s']} s to {TARGET}, at the end "
          f"{simulated['final_accuracy']}, idle {simulated['idle']:.3f}", flush=True)
    result = {"what": what, "overrides": overrides, "simulated": simulated}
    if simulate_only or simulated["version"] is None:
        return result
    machine.wait_until_quiet()
    directory, wall = skein("run", name, simulated["version"] + (2 if per_version < 20 else 0))
    result["run"] = summary(directory, name) | {"wall_s": wall}
    print(f"  run: {result['run']['to_target_s']} s, idle {result['run']['idle']:.3f}", flush=True)
    return result


def seconds(value: float | None) -> str:
    return "not reached" if value is None else f"{value:.1f}"


def page(results: dict) -> str:
    cases = results["cases"]
    sync = cases["flat-sync"]

    def ratio(case: dict) -> str:
        ours = case["run"]["to_target_s"]
        theirs = sync.get("run", {}).get("to_target_s")
        return f"{theirs / ours:.2f}" if ours and theirs else "-"

    times, ends = [], []
    for name, case in cases.items():
        run, simulated = case.get("run"), case["simulated"]
        virtual = simulated["to_target_s"]
        measured = ["not run", seconds(virtual), "-", "-", "-"]
        if run:
            real = run["to_target_s"]
            apart = f"{abs(virtual / real - 1):.1%}" if real and virtual else "-"
            measured = [seconds(real), seconds(virtual), apart, ratio(case), f"{run['idle']:.2%}"]
        times.append([f"`{name}`: {case['what']}", *measured, f"{simulated['idle']:.2%}"])
        below = 100 * (sync["simulated"]["final_accuracy"] - simulated["final_accuracy"])
        ends.append([f"`{name}`", f"{simulated['final_accuracy']:.4f}", f"{below:.2f}",
                     f"{simulated['last_commit_s']:.0f}"])
    return "\n".join([
        "# Makespans", "",
        "<!-- Made by bench/makespan/study.py from bench/results/makespan.json. -->", "",
        f"How long 32 workers of unequal speed take to bring a CNN on Fashion-MNIST to an accuracy of {TARGET:.2f}: lognormal",
        "speeds (sigma 0.3 around 8 s a task), and three stragglers that are ten times slower. Training is real in both",
        "columns; `run` emulates the speeds over wall time, `simulate` computes them. A task takes some 0.25 s of CPU here.", "",
        "```sh", "bench/makespan/study.py", "```", "",
        table(["case", "run, s", "simulated, s", "apart", "flat-sync / case, run", "idle workers, run",
               "idle, simulated"], times),
        "A worker is idle while it has no task. The time is that of the version that first reached the accuracy, from the "
        "opening of the first", "round on.", "",
        f"After {UPDATES} updates in each case (simulated, with real training):", "",
        table(["case", "accuracy", "points below flat-sync", "virtual seconds"], ends),
        f"Measured on {results['machine']['cpu']}, {results['machine']['cores']} cores, at commit "
        f"{results['commit']}.", ""])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="*", choices=list(CASES), default=list(CASES))
    parser.add_argument("--simulate-only", action="store_true")
    parser.add_argument("--keep-simulated", action="store_true", help="those of the last time")
    parser.add_argument("--report-only", action="store_true")
    arguments = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"cases": {}}
    if not arguments.report_only:
        results |= {"machine": machine.describe(), "commit": machine.commit()}
        for name in arguments.only:
            last = results["cases"].get(name, {}) if arguments.keep_simulated else {}
            results["cases"][name] = study(name, last.get("simulated"), arguments.simulate_only)
            results["cases"] = {key: results["cases"][key] for key in CASES if key in results["cases"]}
            RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    if "flat-sync" in results["cases"]:
        PAGE.write_text(page(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
