"""Child processes that do not outlive us, and what /proc says of them. Standard library, Linux."""

import ctypes
import fcntl
import os
import re
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class Stat:
    pid: int
    parent: int
    alive: bool
    cpu_s: float  # its own
    reaped_cpu_s: float  # that of its children that have ended and been waited for


def process_table() -> dict[int, Stat]:
    table = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            fields = Path("/proc", name, "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        ticks = [int(f) / TICK for f in fields[11:15]]
        table[int(name)] = Stat(
            int(name), int(fields[1]), fields[0] not in "ZX", sum(ticks[:2]), sum(ticks[2:])
        )
    return table


def family(root: int, table: dict[int, Stat]) -> list[int]:
    """`root` and all its descendants."""
    children: dict[int, list[int]] = {}
    for stat in table.values():
        children.setdefault(stat.parent, []).append(stat.pid)
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def memory_mib(pid: int, key: str) -> float:
    """`key` is VmRSS or VmHWM (the peak); 0 for a process that has ended."""
    try:
        match = re.search(rf"^{key}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.M)
    except OSError:
        return 0.0
    return int(match[1]) / 1024 if match else 0.0


def available_mib() -> float:
    return int(re.search(r"MemAvailable:\s+(\d+)", Path("/proc/meminfo").read_text())[1]) / 1024


def command_name(pid: int) -> str:
    """The script a Python process runs, or its program."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return "?"
    if len(words) > 2 and words[1] == "-m":
        return words[2]
    return Path(words[1] if "python" in words[0] and len(words) > 2 else words[0]).name


class Ports:
    """Free ports, the first there are from 20000 on. They stay free until they are used: they lie
    below those the kernel hands out to connections, and other runs of ours take another thousand.
    """

    def __init__(self, locks: Path):
        for self.first in range(20000, 32000, 1000):
            self.lock = open(locks / f"ports-{self.first}.lock", "wb")
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return  # it holds until we end
            except BlockingIOError:
                self.lock.close()
        raise OSError("too many runs at a time: no ports are left from 20000 to 32000")

    def take(self, count: int) -> list[int]:
        ports: list[int] = []
        for port in range(self.first, self.first + 1000):
            with socket.socket() as probe:
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    continue
            ports.append(port)
            if len(ports) == count:
                return ports
        raise OSError(f"no {count} free ports from {self.first} to {self.first + 999}")


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Processes:
    """All that we start, directly or not: an orphan becomes our child, so none gets lost."""

    def __init__(self, logs: Path):
        self.logs = logs
        self.started: dict[str, subprocess.Popen] = {}
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def start(self, name: str, command: list[str], env: dict[str, str],
              cwd: Path | None = None) -> subprocess.Popen:
        with open(self.log(name), "wb") as log:
            process = subprocess.Popen(
                command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=cwd or self.logs,
                start_new_session=True,  # a Ctrl-C is for us alone, we end the others in order
                preexec_fn=lambda: _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0),
            )
        self.started[name] = process
        return process

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def ours(self) -> list[int]:
        table = process_table()
        return [p for p in family(os.getpid(), table)[1:] if p in table and table[p].alive]

    def cpu_s(self) -> float:
        """CPU time of all of them until now, those that have ended included."""
        table = process_table()
        total = sum(os.times()[2:4])
        for pid in family(os.getpid(), table)[1:]:
            if pid in table:
                total += table[pid].cpu_s + table[pid].reaped_cpu_s
        return total

    def end_all(self, grace_s: float = 10) -> None:
        for number, patience in ((signal.SIGTERM, grace_s), (signal.SIGKILL, 10)):
            told: set[int] = set()
            deadline = time.monotonic() + patience
            while (pids := self.ours()) and time.monotonic() < deadline:
                for pid in set(pids) - told:
                    try:
                        os.kill(pid, number)
                    except ProcessLookupError:
                        pass
                    told.add(pid)
                self._reap()
                time.sleep(0.05)
        self._reap()

    def _reap(self) -> None:
        direct = {p.pid for p in self.started.values()}
        for process in self.started.values():
            process.poll()
        for stat in process_table().values():
            if stat.parent == os.getpid() and stat.pid not in direct:
                try:
                    os.waitpid(stat.pid, os.WNOHANG)
                except ChildProcessError:
                    pass


_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# What looks like a reason, the best first: the end of a traceback, a log line that names the cause
# (what comes after it follows from it), anything else.
_REASONS = (
    re.compile(r"[\w.]+(Error|Exception|Exit)\b"),
    re.compile(r".*(ERROR|exceeded|larger than|Killed)"),
    re.compile(r".*(error|exception|fail)", re.I),
)


def telling_line(*logs: Path) -> str | None:
    """The line in the logs that looks most like a reason."""
    texts = {}
    for log in logs:
        try:
            text = _ANSI.sub("", log.read_text(errors="replace"))
        except OSError:
            continue
        texts[log] = [" ".join(n.split()) for n in text.splitlines() if "[uvicorn." not in n]
    for reason in _REASONS:
        for log, lines in texts.items():
            if line := next((n for n in lines if reason.match(n)), None):
                return f"{log.stem}: {line[:300]}"
    return None
