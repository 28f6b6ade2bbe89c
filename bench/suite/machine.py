"""What a result is worth nothing without: machine, versions, state of the tree."""

import os
import platform
import re
import subprocess
import time
from pathlib import Path

from suite.paths import ROOT

# What the figures depend on, by Debian's names.
PACKAGES = ("libgrpc++1.51", "libprotobuf32", "libtorch1.13", "libopenblas0-openmp",
            "libabsl20220623", "libsqlite3-0", "libxxhash-dev", "libbenchmark1debian")
# Generated from the benchmarks themselves: they say nothing of the code that was measured.
GENERATED = (":!bench/results", ":!docs/benchmarks.md", ":!docs/benchmarks")


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _field(path: str, pattern: str) -> str:
    match = re.search(pattern, Path(path).read_text(), re.M)
    return match[1].strip() if match else "unknown"


def commit() -> str:
    """With "+changes" if the tree has some."""
    head = _output("git", "rev-parse", "--short=12", "HEAD") or "unknown"
    changed = _output("git", "status", "--porcelain", "--", ".", *GENERATED)
    return head + ("+changes" if changed else "")


def describe() -> dict:
    versions = {name: _output("dpkg-query", "-W", "-f", "${Version}", name) for name in PACKAGES}
    return {
        "cpu": _field("/proc/cpuinfo", r"^model name\s*:(.*)$"),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(_field("/proc/meminfo", r"^MemTotal:\s+(\d+)")) / 2**20, 1),
        "system": _field("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)'),
        "kernel": platform.release(),
        "compiler": (_output("c++", "--version").splitlines() or ["unknown"])[0],
        "python": platform.python_version(),
        "libraries": {name: version for name, version in versions.items() if version},
    }


QUIET = 0.05  # of the processors
PATIENCE_S = 60.0


def _ticks() -> tuple[int, int]:
    """Of all processors since the start: busy, and in all."""
    fields = [int(n) for n in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    idle = fields[3] + fields[4]  # with what waits for disks
    return sum(fields) - idle, sum(fields)


def wait_until_quiet(ticks=_ticks, sleep=time.sleep) -> float:
    """What the run before has left to write or to end would count for the next: waits for it, up to
    a minute. The share of the processors that is still busy."""
    os.sync()
    for _ in range(int(PATIENCE_S)):
        busy, total = ticks()
        sleep(1.0)
        busy_then, total_then = ticks()
        share = (busy_then - busy) / max(1, total_then - total)
        if share <= QUIET:
            break
    return round(share, 2)
