"""Runs cases, one run at a time, and keeps each result as soon as it is there."""

import datetime
import re
import shlex
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from suite import machine, process
from suite.kinds import KINDS, Kind
from suite.model import Case, Side
from suite.paths import ROOT
from suite.store import Store

PEER_PATIENCE_S = 60  # for a peer to end by itself when its time is over


@dataclass
class Options:
    scratch: Path  # relative to the root
    resume: bool = False
    peers: bool = True
    budget_s: float = float("inf")
    memory_mib: float = float("inf")


class Driver:
    def __init__(self, store: Store, options: Options, settle=machine.wait_until_quiet):
        self.store, self.options, self.settle = store, options, settle
        self.machine, self.commit = machine.describe(), machine.commit()
        self.begin = time.monotonic()
        self.failures: list[str] = []  # of our own; those of peers are results

    def run(self, cases: list[Case]) -> None:
        """Cases that do not fit the budget are left as they are."""
        left = {case.id: self.estimate_s(case) for case in cases}
        print(f"{len(cases)} cases, about {sum(left.values()) / 60:.0f} minutes", flush=True)
        for case in cases:
            spent = time.monotonic() - self.begin
            if spent + left[case.id] > self.options.budget_s:
                print(f"{case.id}: not run, it would go beyond the budget", flush=True)
            else:
                print(f"{case.id}: {case.title} (after {spent / 60:.0f} minutes, about "
                      f"{sum(left.values()) / 60:.0f} to go)", flush=True)
                self._run_case(case)
            del left[case.id]

    def estimate_s(self, case: Case) -> float:
        kept = {(run["side"], run["number"]) for run in self._kept(case)}
        return sum(
            min(KINDS[side.kind].estimate_s(side.params), side.timeout_s)
            for side, number in case.schedule()
            if (side.name, number) not in kept and not self._why_skip(side)
        )

    def _kept(self, case: Case) -> list[dict]:
        """The runs of an earlier session that need not be repeated."""
        stored = self.store.load(case) if self.options.resume else None
        if stored is None or stored["commit"] != self.commit:
            return []
        return [run for run in stored["runs"] if not run.get("skipped")]

    def _run_case(self, case: Case) -> None:
        runs = self._kept(case)
        result = {"case": case.id, "title": case.title, "commit": self.commit,
                  "machine": self.machine, "runs": runs}
        for side, number in case.schedule():
            if any(run["side"] == side.name and (run["number"] == number or not run["ok"])
                   for run in runs):
                continue  # done already, or it failed and would again
            runs.append(self._run_side(case, side, number))
            self.store.save(case, result)

    def _run_side(self, case: Case, side: Side, number: int) -> dict:
        kind = KINDS[side.kind]
        run = {"side": side.name, "number": number, "params": side.params}
        if why := self._why_skip(side):
            print(f"  {side.name}: not run: {why}", flush=True)
            return run | {"ok": False, "skipped": why}
        scratch = self.options.scratch / case.id / re.sub(r"\W+", "-", f"{side.name}-{number}")
        shutil.rmtree(ROOT / scratch, ignore_errors=True)
        (ROOT / scratch).mkdir(parents=True)
        command = kind.command(side, number, scratch)
        run |= {
            "command": shlex.join(command),
            "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "busy": self.settle(),
        }
        try:
            kind.prepare(side.params, number, scratch)
        except (OSError, subprocess.CalledProcessError) as error:
            return self._ended(case, run | {"ok": False, "error": str(error), "raw": {}}, False)
        patience_s = PEER_PATIENCE_S if kind.peer else 0
        ended = process.run(command, side.timeout_s + patience_s, ROOT / scratch)
        raw = kind.read(scratch, ended.log)
        error = raw.get("error") or ended.error or _unusable(kind, raw, side.params)
        run |= {"wall_s": round(ended.wall_s, 2), "ok": error is None, "error": error, "raw": raw}
        if error is None:
            shutil.rmtree(ROOT / scratch)
        return self._ended(case, run, kind.peer)

    def _ended(self, case: Case, run: dict, peer: bool) -> dict:
        name = f"{run['side']} {run['number']}"
        if run["ok"]:
            print(f"  {name}: {run['wall_s']:.1f} s", flush=True)
        else:
            print(f"  {name}: failed: {run['error']}", flush=True)
            if not peer:
                self.failures.append(f"{case.id}, {name}: {run['error']}")
        return run

    def _why_skip(self, side: Side) -> str | None:
        kind, params = KINDS[side.kind], side.params
        if kind.peer and not self.options.peers:
            return "without peers"
        if why := kind.lacks(params):
            return why
        if side.attempt:
            return None
        needs_mib = kind.needs_mib(params)
        if needs_mib > self.options.memory_mib:
            return f"would need about {needs_mib / 1024:.0f} GiB of memory"
        needs_s = kind.estimate_s(params)
        if needs_s > side.timeout_s:
            return f"would take about {needs_s / 60:.0f} minutes"
        return None


def _unusable(kind: Kind, raw: dict, params: dict) -> str | None:
    """What a result lacks that the page needs."""
    absent = [key for key in kind.required if raw.get(key) is None]
    if absent:
        return f"the result has no {', '.join(absent)}"
    try:
        kind.metrics(raw, params)
    except (ArithmeticError, LookupError, TypeError) as error:
        return f"the result cannot be used: {error!r}"
    return None
