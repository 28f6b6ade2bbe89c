#!/usr/bin/env python3
"""Makespan and traffic against the number of workers, from 100 to 1,000,000, in virtual time.

`skein simulate --no-training` runs the cores of each federation under the conditions of study.yaml. How
far such a simulation is from a run is measured beside it: the same conditions emulated by `skein run` over
gRPC, with 32 to 2,048 workers. Writes bench/results/scaling.json, docs/scaling.md and its plots. About
half an hour.

    bench/scaling/study.py [--simulate-only] [--real-only] [--report-only]
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from page import svg  # noqa: E402
from page.markdown import table  # noqa: E402
from suite import machine, paths  # noqa: E402

SPEC = "bench/scaling/study.yaml"
SCRATCH = f"{paths.SCRATCH}/scaling"
RESULTS = paths.RESULTS / "scaling.json"
PAGE = paths.ROOT / "docs/scaling.md"
PLOTS = paths.ROOT / "docs/scaling"

WORKERS = (100, 1_000, 10_000, 100_000, 1_000_000)
FAMILIES = {
    "two tiers": {n: f"flat:{n}" for n in WORKERS},
    "three tiers": {100: "tree:10x10", 1_000: "tree:10x100", 10_000: "tree:100x100",
                    100_000: "tree:100x1000", 1_000_000: "tree:1000x1000"},
    "four tiers": {100: "tree:4x5x5", 1_000: "tree:10x10x10", 10_000: "tree:20x20x25",
                   100_000: "tree:40x50x50", 1_000_000: "tree:100x100x100"},
}
HEADLINE = "tree:100x100x100"
REAL = {
    32: ("flat:32", "tree:4x8"),
    128: ("flat:128", "tree:8x16"),
    512: ("flat:512", "tree:16x32"),
    2048: ("flat:2048", "tree:32x64"),
}
# Of a parent with its children: 1 Gbit/s each way and 20 us of a processor for a frame, as measured here;
# 40 Mbit/s to a worker.
SERVER = "node_mb_per_s: 125, frame_s: 0.00002"
WORKER_LINK = "mb_per_s: 5, latency_s: 0.03"
# Slow enough for real runs on one machine to keep up with.
REAL_SERVER = "node_mb_per_s: 20"
REAL_LINK = "mb_per_s: 5, latency_s: 0.03"
REAL_TASK = "conditions.compute.task_s=10"


def links(shape: str, server: str, last: str) -> str:
    tiers = shape.count("x") + 1
    listed = [f"{{tier: {t}, {server}, {last if t == tiers - 1 else 'latency_s: 0.02'}}}"
              for t in range(tiers)]
    return f"conditions.links=[{', '.join(listed)}]"


def skein(command: list[str], name: str) -> tuple[dict, float, float]:
    """The result, seconds of wall time, peak memory of the program in MiB."""
    directory = paths.ROOT / SCRATCH / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.parent.mkdir(parents=True, exist_ok=True)
    words = [f"{paths.BIN}/skein", *command, "--quiet", "--out", f"{SCRATCH}/{name}"]
    begin = time.monotonic()
    process = subprocess.Popen(words, cwd=paths.ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - begin
    if status != 0:
        sys.exit(f"{' '.join(words)}: status {status}")
    rounds = (directory / "rounds.csv").read_text().splitlines()
    header = rounds[0].split(",")
    seconds = [float(line.split(",")[header.index("wall_s")]) for line in rounds[1:]]
    result = json.loads((directory / "result.json").read_text())
    result["round_s"] = sorted(seconds)[len(seconds) // 2]
    shutil.rmtree(directory)
    return result, wall, usage.ru_maxrss / 1024


def simulate(shape: str, rounds: int, server: str, last: str, *more: str) -> dict:
    sets = [word for item in (links(shape, server, last), *more) for word in ("--set", item)]
    result, wall, peak = skein(["simulate", SPEC, "--no-training", "--topology", shape, "--rounds",
                                str(rounds), *sets], "simulated")
    by_tier = result["bytes"]
    return {"shape": shape, "rounds": rounds, "round_s": result["round_s"],
            "root_mb": by_tier[0]["up"] / rounds / 1e6,
            "tiers_mb": [[tier["up"] / rounds / 1e6, tier["down"] / rounds / 1e6] for tier in by_tier],
            "wall_s": wall, "peak_mib": peak}


def run(shape: str, rounds: int, server: str, last: str, *more: str) -> dict:
    sets = [word for item in (links(shape, server, last), *more) for word in ("--set", item)]
    result, wall, _ = skein(["run", SPEC, "--processes", "--workers-per-process", "256", "--topology",
                             shape, "--rounds", str(rounds), *sets], "real")
    return {"round_s": result["round_s"], "root_mb": result["bytes"][0]["up"] / rounds / 1e6,
            "wall_s": wall}


def study_simulated(results: dict) -> None:
    results["simulated"] = {}
    for family, shapes in FAMILIES.items():
        for workers, shape in shapes.items():
            case = simulate(shape, 3, SERVER, WORKER_LINK)
            print(f"{family}, {shape}: {case['round_s']:.1f} s a round; {case['wall_s']:.1f} s, "
                  f"{case['peak_mib']:.0f} MiB", flush=True)
            results["simulated"].setdefault(family, {})[str(workers)] = case
    results["headline"] = simulate(HEADLINE, 10, SERVER, WORKER_LINK)
    print(f"{HEADLINE}, 10 rounds: {results['headline']}", flush=True)


def study_real(results: dict) -> None:
    results["real"] = {}
    for workers, shapes in REAL.items():
        for shape in shapes:
            conditions = (3, REAL_SERVER, REAL_LINK, REAL_TASK)
            machine.wait_until_quiet()
            real = run(shape, *conditions)
            simulated = simulate(shape, *conditions)
            results["real"][shape] = {"workers": workers, "real": real, "simulated": simulated}
            print(f"{shape}: run {real['round_s']:.2f}, simulated {simulated['round_s']:.2f} s a round",
                  flush=True)


def plots(results: dict) -> dict[str, str]:
    def series(value) -> dict:
        return {family: [(float(n), value(case)) for n, case in cases.items()]
                for family, cases in results["simulated"].items()}
    return {
        "round_by_workers": svg.lines("A round", "seconds (logarithmic)", "workers",
                                      series(lambda case: case["round_s"]), log=True),
        "root_bytes_by_workers": svg.lines("Into the root in a round", "MB (logarithmic)", "workers",
                                           series(lambda case: case["root_mb"]), log=True),
    }


def tiers(case: dict) -> str:
    return ", ".join(f"{up:,.1f} / {down:,.1f}" for up, down in case["tiers_mb"])


def page(results: dict) -> str:
    rows = [[family, f"{int(n):,}", f"`{case['shape']}`", f"{case['round_s']:,.1f}", tiers(case),
             f"{case['wall_s']:,.1f}", f"{case['peak_mib']:,.0f}"]
            for family, cases in results["simulated"].items() for n, case in cases.items()]
    lines = [
        "# Scaling", "",
        "<!-- Made by bench/scaling/study.py from bench/results/scaling.json. -->", "",
        "What a synchronous round of FedAvg takes with 100 to 1,000,000 workers, by the decisions of the real cores",
        "in virtual time: `skein simulate --no-training`, without learners, tensors, frames and threads.", "",
        "```sh", "bench/scaling/study.py", "```", "",
        "![A round, by workers](scaling/round_by_workers.svg)", "",
        "![Into the root, by workers](scaling/root_bytes_by_workers.svg)", "",
        table(["tree", "workers", "shape", "seconds a round", "MB a round at each tier, up / down, the root first",
               "simulation of three rounds, s", "its memory, MiB"], rows),
    ]
    if head := results.get("headline"):
        lines += [f"A million workers in `{head['shape']}` for {head['rounds']} rounds take {head['wall_s']:,.0f} s of one "
                  f"processor and {head['peak_mib'] / 1024:.1f} GiB here;", "events are summed up per aggregator.", ""]
    if results.get("busy"):
        lines += ["Seconds and memory of the simulations were taken while other programs used both processors.", ""]
    lines += [
        "## The model", "",
        "- A model of 62,006 floats (0.248 MB); partials are int64, twice as large.",
        "- A task takes 20 s, times a lognormal factor of each worker (sigma 0.3). The slowest of a million takes some four",
        "  times as long as the median: that alone is most of a tree's round.",
        "- Each parent sends and receives 125 MB/s at most, all of its children together, and spends 20 µs on a frame.",
        "  Links to workers carry 5 MB/s with 30 ms of latency, those between servers have 20 ms.",
        "- A transfer takes its share of a link in the order in which it begins, as a whole; chunks of a model are sent",
        "  on while the rest arrives. Sums and control messages take no time. Nothing is lost, and nobody fails.", "",
        "Two tiers are bound by the root's link: its round grows with the workers. A tree's grows with the fan-out of its",
        "widest node and with the slowest worker.", "",
    ]
    if real := results.get("real"):
        errors = []
        rows = []
        for shape, case in real.items():
            ours, theirs = case["simulated"]["round_s"], case["real"]["round_s"]
            errors.append(abs(ours / theirs - 1))
            rows.append([f"`{shape}`", f"{theirs:.2f}", f"{ours:.2f}", f"{ours / theirs - 1:+.1%}",
                         f"{case['real']['root_mb']:.2f}", f"{case['simulated']['root_mb']:.2f}"])
        lines += [
            "## Its error", "",
            "Runs over gRPC on this machine (`skein run --processes`, 256 workers to a process) under the same conditions,",
            "emulated, with 20 MB/s at each parent and tasks of 10 s; median of three rounds.", "",
            table(["shape", "run, seconds a round", "simulated", "apart", "MB into the root, run", "simulated"], rows),
            f"The largest error is {max(errors):.1%}.", "",
        ]
    lines += [f"Measured on {results['machine']['cpu']}, {results['machine']['cores']} cores, at commit "
              f"{results['commit']}.", ""]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--simulate-only", action="store_true")
    parser.add_argument("--real-only", action="store_true")
    parser.add_argument("--report-only", action="store_true")
    arguments = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if not arguments.report_only:
        results |= {"machine": machine.describe(), "commit": machine.commit()}
        if not arguments.real_only:
            results["busy"] = machine.wait_until_quiet() > 2 * machine.QUIET
            study_simulated(results)
        if not arguments.simulate_only:
            study_real(results)
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    PLOTS.mkdir(exist_ok=True)
    for name, picture in plots(results).items():
        (PLOTS / f"{name}.svg").write_text(picture)
    PAGE.write_text(page(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
