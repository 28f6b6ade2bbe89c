"""What the runs of a case amount to: medians, ratios, and how far the runs lie apart."""

import statistics
from dataclasses import dataclass

from suite.kinds import KINDS
from suite.model import Case


class Missing(Exception):
    """There is no figure, for the reason given."""


class Failed(Missing):
    """There is none because a run failed."""


@dataclass(frozen=True)
class Figure:
    value: float
    low: float
    high: float

    def scaled(self, factor: float) -> "Figure":
        return Figure(self.value * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True)
class Verdict:
    reached: str
    result: str  # "ok", "missed", "not measured", ...


class Results:
    """The runs of a case. `stored` is its file's content, or None."""

    def __init__(self, case: Case, stored: dict | None):
        self.case = case
        self.stored = stored or {"runs": []}

    def runs(self, side: str) -> list[dict]:
        """Those of the case as it is now: parameters may have changed since."""
        params = self.case.side(side).params
        return [run for run in self.stored["runs"]
                if run["side"] == side and run["params"] == params]

    def good(self, side: str) -> list[dict]:
        return [run for run in self.runs(side) if run["ok"]]

    def why_not(self, side: str) -> Missing:
        """Why there is no good run."""
        for run in self.runs(side):
            if run.get("skipped"):
                return Missing(f"not run: {run['skipped']}")
            if not run["ok"]:
                return Failed(run["error"])
        return Missing("not measured")

    def values(self, side: str, metric: str) -> list[float]:
        about = self.case.side(side)
        found = [KINDS[about.kind].metrics(run["raw"], about.params).get(metric)
                 for run in self.good(side)]
        if not found:
            raise self.why_not(side)
        if None in found:
            raise Missing("not measured")
        return found

    def figure(self, side: str, metric: str) -> Figure:
        """The median, the lowest and the highest of the runs."""
        values = self.values(side, metric)
        return Figure(statistics.median(values), min(values), max(values))

    def ratio(self, above: str, below: str, metric: str) -> Figure:
        """Of the medians; and the least and the most that any two runs would give."""
        a, b = self.figure(above, metric), self.figure(below, metric)
        if b.low <= 0:
            raise Missing(f"{below} used nothing that could be measured")
        return Figure(a.value / b.value, a.low / b.high, a.high / b.low)
