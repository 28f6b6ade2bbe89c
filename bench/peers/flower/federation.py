"""Runs one federation of Flower and measures it from outside."""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

from procs import (
    Ports, Processes, available_mib, command_name, family, memory_mib, process_table, telling_line,
)

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
APP = HERE / "app"
CORES = len(os.sched_getaffinity(0))
FLOWER = ("flower-", "flwr-", "skein_peer.")  # its processes; libraries run helpers now and then
SPARE_MIB = 2048  # give up before the machine has less memory than this


class Failure(Exception):
    """Why a run did not end well; one line."""


class Federation:
    def __init__(self, args: argparse.Namespace, spec: dict, logs: Path):
        self.args, self.logs = args, logs
        self.spec = {**spec, "directory": str(logs), "clients": args.clients,
                     "rounds": args.rounds, "timeout": args.timeout}
        self.venv = ROOT / "build/peers" / f"flower-{args.architecture}"
        self.deadline = time.monotonic() + args.timeout
        self.processes = Processes(logs)
        self.server: subprocess.Popen | None = None
        self.total_peak_mib = 0.0
        self._next_look = 0.0
        self.server_peaks: dict[str, float] = {}
        self._events_seen: list[dict] = []
        # What was measured; what a failed run did not come to stays null.
        self.result: dict = dict.fromkeys(
            ("round_s", "made_s", "median_round_s", "startup_s", "server_idle_rss_mib",
             "server_peak_rss_mib", "server_cpu_s_per_round", "client_processes")
        )

    # What an architecture does in its own way.

    def connect(self) -> None:
        """Starts server and clients; returns when all clients are connected."""
        raise NotImplementedError

    def begin(self) -> None:
        """Returns when the first round can begin."""

    def look_at_server(self, what: str) -> None:
        """Fails if the server cannot go on. Called each second."""

    def conclude(self) -> None:
        """After a run that went well."""

    # What both do.

    def run(self) -> None:
        begin = time.monotonic()
        self.connect()
        self.result["startup_s"] = round(time.monotonic() - begin, 3)
        self.begin()
        idle = self.server_processes("VmRSS")
        self.result |= {
            "server_idle_rss_mib": round(sum(mib for _, _, mib in idle), 1),
            "client_processes": self._count_clients({pid for pid, _, _ in idle}),
        }
        cpu = self._server_cpu_s(), self.processes.cpu_s()
        (self.logs / "go").touch()
        try:
            self.wait(lambda: self.event("done"), "the last round")
        finally:
            self._measure_rounds(*cpu)
        (self.logs / "bye").touch()
        self.wait(lambda: self.event("checked"), "the check of the model")
        self._check_rounds()
        self.conclude()

    def _measure_rounds(self, server_cpu_s: float, all_cpu_s: float) -> None:
        events = [e for e in self.events() if e["event"] == "round"]
        times = [e["t"] for e in events]
        round_s = [round(b - a, 4) for a, b in zip(times, times[1:])]
        self._sample_memory()
        server_cpu_s = self._server_cpu_s() - server_cpu_s
        self.result |= {
            "round_s": round_s,
            "median_round_s": round(statistics.median(round_s), 4) if round_s else None,
            "wall_s": round(times[-1] - times[0], 3) if round_s else None,
            "server_peak_rss_mib": round(sum(self.server_peaks.values()), 1),
            "server_processes_peak_mib": dict(self.server_peaks),
            "server_cpu_s_per_round": round(server_cpu_s / len(round_s), 3) if round_s else None,
            "cpu_s": round(self.processes.cpu_s() - all_cpu_s, 2),
            "total_peak_rss_mib": round(self.total_peak_mib, 1),
        }
        # When the model of each round was there, before its evaluation.
        self.result["made_s"] = [round(e["made"] - times[0], 3) for e in events[1:]]
        for key in ("accuracy", "loss"):
            if values := [round(e[key], 4) for e in events if key in e]:
                self.result[key] = values

    def _check_rounds(self) -> None:
        """A lost client does not stop Flower; here it is a failure."""
        for event in self.events():
            if (results := event.get("results", self.args.clients)) != self.args.clients:
                reason = (event["failures"] or ["no reason given"])[0].splitlines()[-1]
                raise Failure(
                    f"round {event['round']}: {results} of {self.args.clients} results: {reason}"
                )
        if error := self.event("checked")["error"]:
            raise Failure(error)

    def environment(self) -> dict[str, str]:
        drop = ("PYTHON", "VIRTUAL_ENV", "PYENV", "FLWR_HOME")
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(drop) and not k.lower().endswith("_proxy")}
        return env | {
            "PATH": f"{self.venv}/bin:{os.environ['PATH']}",
            "FLWR_HOME": str(self.logs / "home"),
            "FLWR_TELEMETRY_ENABLED": "0",
            "FLWR_DISABLE_UPDATE_CHECK": "1",
            "PYTHONUNBUFFERED": "1",
        }

    def client_environment(self) -> dict[str, str]:
        return self.environment() | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

    def ports(self, count: int) -> list[int]:
        try:
            self._held_ports = Ports(ROOT / "build/peers")
            return self._held_ports.take(count)
        except OSError as error:
            raise Failure(str(error)) from error

    def write_spec(self) -> None:
        self.spec_file = self.logs / "spec.json"
        self.spec_file.write_text(json.dumps(self.spec))

    def wait(self, condition, what: str) -> None:
        while not condition():
            self._look(what)
            time.sleep(0.02)

    def _look(self, what: str) -> None:
        """Fails if the run cannot go on."""
        now = time.monotonic()
        if event := self.event("failed"):
            raise Failure(event["error"])
        if now > self.deadline:
            raise Failure(
                f"after {self.args.timeout:.0f} s still waiting for {what}; {self.telling_line()}"
            )
        for name, process in self.processes.started.items():
            if (code := process.poll()) is not None and name != "flwr-run":
                line = telling_line(self.processes.log(name)) or self.telling_line()
                raise Failure(f"{name} ended with {code} while waiting for {what}; {line}")
        if now < self._next_look:
            return
        self._next_look = now + 1
        self.look_at_server(what)
        total = self._sample_memory()
        if (left := available_mib()) < SPARE_MIB:
            raise Failure(
                f"out of memory waiting for {what}: {len(self.processes.ours())} processes hold "
                f"{total:.0f} MiB, the machine has {left:.0f} MiB left"
            )

    def telling_line(self) -> str:
        first = [self.processes.log("app"), self.processes.log("server")]
        return telling_line(*first, *sorted(self.logs.glob("*.log"))) or "the logs hold no error"

    def _sample_memory(self) -> float:
        total = sum(memory_mib(pid, "VmRSS") for pid in self.processes.ours())
        self.total_peak_mib = max(self.total_peak_mib, total)
        for _, name, mib in self.server_processes("VmHWM"):
            self.server_peaks[name] = round(max(mib, self.server_peaks.get(name, 0)), 1)
        return total

    def events(self) -> list[dict]:
        try:
            text = (self.logs / "events.jsonl").read_text()
        except OSError:
            return self._events_seen
        lines = text[: text.rfind("\n") + 1].splitlines()
        self._events_seen += [json.loads(line) for line in lines[len(self._events_seen):]]
        return self._events_seen

    def event(self, name: str) -> dict | None:
        return next((e for e in self.events() if e["event"] == name), None)

    def _server_pids(self) -> list[int]:
        if self.server is None:
            return []
        table = process_table()
        return [p for p in family(self.server.pid, table) if p in table and table[p].alive]

    def server_processes(self, key: str) -> list[tuple[int, str, float]]:
        named = [(pid, command_name(pid)) for pid in self._server_pids()]
        return [(pid, name, memory_mib(pid, key)) for pid, name in named if name.startswith(FLOWER)]

    def _server_cpu_s(self) -> float:
        table = process_table()
        return sum(table[p].cpu_s for p in self._server_pids() if p in table)

    def _count_clients(self, server: set[int]) -> int:
        names = [command_name(pid) for pid in self.processes.ours() if pid not in server]
        return len([name for name in names if name.startswith(FLOWER)])

def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--architecture", choices=["legacy", "current"], default="current")
    parser.add_argument("--clients", type=int, required=True, metavar="N")
    parser.add_argument("--rounds", type=int, required=True, metavar="R")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.json")
    parser.add_argument("--timeout", type=float, default=600, metavar="S", help="of all of it")
    parser.add_argument("--clients-per-process", type=int, metavar="K",
                        help="legacy: threads of a process; default: a process for each core")
    parser.add_argument("--start-at-once", type=int, default=4, metavar="N",
                        help="current: SuperNodes that are starting at a time")
    parser.add_argument("--keep-logs", action="store_true",
                        help="keep FILE-logs/ even if all went well")


def _interrupted(number, _frame):
    raise Failure(f"interrupted by {signal.Signals(number).name}")


def measure(kind: type[Federation], args: argparse.Namespace, spec: dict, prepare=None) -> int:
    """Runs the federation, writes the JSON file, and leaves no process. Returns the exit status."""
    venv = ROOT / "build/peers" / f"flower-{args.architecture}"
    if not (venv / "installed.txt").exists():
        print(f"{venv} is missing: run {HERE}/setup.sh --{args.architecture}", file=sys.stderr)
        return 1
    if args.clients < 1 or args.rounds < 1:
        print("--clients and --rounds must be at least 1", file=sys.stderr)
        return 1
    about = subprocess.run(
        [f"{venv}/bin/python", "-c", "import importlib.metadata as m, platform as p; "
         "print(m.version('flwr'), p.python_version(), m.version('numpy'))"],
        check=True, capture_output=True, text=True,
    ).stdout.split()
    report = {
        "peer": "flower", "architecture": args.architecture, "version": about[0],
        "python": about[1], "numpy": about[2], "clients": args.clients, "rounds": args.rounds,
        **{k: v for k, v in spec.items() if k in ("params", "workload", "seed")},
    }
    logs = args.out.absolute().parent / f"{args.out.stem}-logs"
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    federation = kind(args, spec, logs)
    error = None
    try:
        if prepare:
            prepare(venv, logs)
        federation.run()
    except Failure as failure:
        error = str(failure)
    except Exception as failure:  # a report there must be
        error = f"{type(failure).__name__}: {failure}"
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        federation.processes.end_all()
    report |= {**federation.result, "ok": error is None, "error": error}
    args.out.write_text(json.dumps(report, indent=2) + "\n")
    if error is None and not args.keep_logs:
        shutil.rmtree(logs)
    print(json.dumps(report) if error is None else f"failed: {error} (logs: {logs})")
    return 0 if error is None else 1
