"""What a result is worth nothing without: machine, versions, state of the tree."""

import os
import platform
import re
import subprocess
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
