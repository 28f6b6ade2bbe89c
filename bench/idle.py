#!/usr/bin/env python3
"""CPU time of a federation in which nothing happens: workers have a task that takes an hour.

    bench/idle.py [--workers 512] [--seconds 30] [--processes]

Prints the share of one core that all processes together take, heartbeats and connections included, and
ends with status 1 if it is 2% or more.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from suite import paths  # noqa: E402

SPEC = """name: idle
learner: {name: echo, params: {elements: 62006}}
evaluate: none
strategy: {policy: {name: all, timeout_s: 100000}}
conditions: {compute: {task_s: 3600}}
"""
LIMIT = 0.02
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(root: int) -> float:
    """Of the process and all below it."""
    parents, ticks = {}, {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        pid = int(entry.name)
        parents[pid], ticks[pid] = int(fields[1]), int(fields[11]) + int(fields[12])
    total = 0
    for pid, own in ticks.items():
        above = pid
        while above not in (0, root):
            above = parents.get(above, 0)
        total += own if above == root else 0
    return total / TICKS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--workers", type=int, default=512)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--processes", action="store_true", help="over gRPC, 64 workers to a process")
    arguments = parser.parse_args()
    scratch = paths.ROOT / paths.SCRATCH / "idle"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    (scratch / "spec.yaml").write_text(SPEC)
    words = [str(paths.ROOT / paths.BIN / "skein"), "run", str(scratch / "spec.yaml"), "--topology",
             f"tree:8x{arguments.workers // 8}", "--quiet", "--out", str(scratch / "run")]
    words += ["--processes", "--workers-per-process", "64"] if arguments.processes else []
    process = subprocess.Popen(words, cwd=paths.ROOT)
    try:
        while "round_opened" not in ((scratch / "run/events.jsonl").read_text()
                                     if (scratch / "run/events.jsonl").exists() else ""):
            if process.poll() is not None:
                print("the run ended before it began", file=sys.stderr)
                return 1
            time.sleep(0.1)
        time.sleep(5)  # until everybody has the model
        before, begin = cpu_s(process.pid), time.monotonic()
        time.sleep(arguments.seconds)
        share = (cpu_s(process.pid) - before) / (time.monotonic() - begin)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    print(f"{arguments.workers} idle workers take {share:.2%} of a core")
    return 0 if share < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
