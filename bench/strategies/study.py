#!/usr/bin/env python3
"""Strategies on Fashion-MNIST: under attack, with unlike data, and with codecs on their links.

Runs every case of a study (bench/strategies/cases.py) and writes bench/results/strategies-STUDY.json, the
plots in docs/strategies and the page docs/strategies/studies.md. Half an hour a study,
`passes` a minute.

    bench/strategies/study.py attacks [--only SUBSTRING] [--resume]
    bench/strategies/study.py attacks --rounds 2   # a trial, nothing is written
    bench/strategies/study.py --report-only
"""

import argparse
import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from strategies import report  # noqa: E402
from strategies.cases import STUDIES, Case  # noqa: E402
from suite import machine, paths  # noqa: E402

PROGRAM = f"{paths.BIN}/fashion_mnist"
SPEC = "bench/strategies/study.yaml"
SCRATCH = f"{paths.SCRATCH}/strategies"


def measure(case: Case, rounds: int | None) -> dict:
    out = f"{SCRATCH}/{case.name}"
    directory = paths.ROOT / out
    shutil.rmtree(directory, ignore_errors=True)
    directory.parent.mkdir(parents=True, exist_ok=True)
    words = [PROGRAM, "run", SPEC, "--quiet", "--out", out]
    for item in case.overrides:
        words += ["--set", item]
    if rounds is not None:
        words += ["--rounds", str(rounds)]
    done = subprocess.run(words, cwd=paths.ROOT, capture_output=True, text=True, check=False)
    rows = []
    if (directory / "rounds.csv").exists():
        with open(directory / "rounds.csv", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    failed = done.returncode != 0
    diverged = failed and any(
        words in done.stderr for words in ("beyond its bound", "has NaN", "has Inf"))
    if failed and not (diverged and rows):
        sys.exit(f"{' '.join(words)}\n{done.stderr}")
    links = [name for name in rows[0] if name.endswith(("_up", "_down"))]
    return {"overrides": list(case.overrides),
            "diverged": diverged,  # an update was refused, which ends the run
            "curve": [float(row["accuracy"]) for row in rows],
            "bytes": [sum(int(row[name]) for name in links) for row in rows],  # all links, both ways
            "root_bytes_in": sum(int(row["t0_up"]) for row in rows),
            "round_s": sum(float(row["wall_s"]) for row in rows) / len(rows),
            "digest": json.loads((directory / "result.json").read_text())["model_digest"],
            "commit": machine.commit()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("study", nargs="?", choices=list(STUDIES))
    parser.add_argument("--only", default="", metavar="SUBSTRING")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--resume", action="store_true", help="only cases that have no result yet")
    parser.add_argument("--report-only", action="store_true")
    arguments = parser.parse_args()
    if not arguments.report_only and arguments.study is None:
        parser.error("which study? " + ", ".join(STUDIES))
    there = report.load(arguments.study) if arguments.resume else {}
    for case in [] if arguments.report_only else STUDIES[arguments.study]:
        if arguments.only not in case.name or case.name in there:
            continue
        result = measure(case, arguments.rounds)
        print(f"{case.name}: {result['curve'][-1]:.4f}", flush=True)
        if arguments.rounds is None:
            report.keep(arguments.study, case, result)
    if arguments.rounds is None:
        report.write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
