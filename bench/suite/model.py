"""What a benchmark is: a case compares sides, and has targets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Side:
    """One of the things that a case compares: how it is run, and how often."""

    name: str
    kind: str  # a key of kinds.KINDS
    params: dict
    runs: int = 1
    timeout_s: float = 600
    # Run even if it seems too big for the machine: to see it fail is the point, or the estimate may
    # be wrong.
    attempt: bool = False


@dataclass(frozen=True)
class Target:
    what: str
    bound: str  # for people
    judge: Callable  # of results.Results; returns results.Verdict


@dataclass(frozen=True)
class Case:
    id: str  # names its file
    topic: str  # a section of the page
    title: str
    sides: tuple[Side, ...]
    targets: tuple[Target, ...] = field(default=())

    def side(self, name: str) -> Side:
        return next(side for side in self.sides if side.name == name)

    def schedule(self) -> Iterator[tuple[Side, int]]:
        """Sides alternate, so that what drifts on the machine meets all of them: a b a b a."""
        for number in range(1, max(side.runs for side in self.sides) + 1):
            for side in self.sides:
                if number <= side.runs:
                    yield side, number
