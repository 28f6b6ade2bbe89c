"""Runs one command with an eye on the clock and on the machine's memory."""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from peers.flower.procs import Processes, available_mib, telling_line
from suite.paths import ROOT

# Below this a run is stopped: the kernel would end something else. Peers, which stop themselves
# earlier, can then still say why.
SPARE_MIB = 1536
GLANCE_S = 0.1


@dataclass
class Ended:
    error: str | None  # None: it ended by itself, with status 0
    wall_s: float
    log: Path


def run(command: list[str], timeout_s: float, scratch: Path) -> Ended:
    """Leaves no process behind, whatever happens."""
    processes = Processes(scratch)
    log = processes.log("run")
    begin = time.monotonic()
    error = None
    try:
        # Temporary files on the disk of the tree, where nobody else clears them away.
        process = processes.start("run", command, os.environ | {"TMPDIR": str(scratch)}, cwd=ROOT)
        while error is None and process.poll() is None:
            error = _reason_to_stop(begin, timeout_s)
            _wait(process, 0 if error else GLANCE_S)
        wall_s = time.monotonic() - begin
        if error is None and process.returncode != 0:
            error = _reason_in(log) or f"ended with status {process.returncode}"
    except OSError as cannot_start:
        return Ended(str(cannot_start), 0, log)
    finally:
        # Flower needs some time to end its processes; where memory is short there is none.
        processes.end_all(grace_s=1 if error and error.startswith("out of memory") else 30)
    return Ended(error, wall_s, log)


def _reason_to_stop(begin: float, timeout_s: float) -> str | None:
    if time.monotonic() > begin + timeout_s:
        return f"not done after {timeout_s:.0f} s"
    if (left := available_mib()) < SPARE_MIB:
        return f"out of memory: the machine had {left:.0f} MiB left"
    return None


def _wait(process: subprocess.Popen, seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        pass


def _reason_in(log: Path) -> str | None:
    if line := telling_line(log):
        return line.removeprefix(f"{log.stem}: ")
    lines = [line for line in log.read_text(errors="replace").splitlines()
             if line and not line.startswith("{")]  # a result is no reason
    return lines[-1][:300] if lines else None
