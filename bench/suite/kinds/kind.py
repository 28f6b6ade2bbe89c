"""What the driver and the page need to know of a kind of run."""

import json
from pathlib import Path

from suite.model import Side
from suite.paths import ROOT

MIB = 2**20


class Kind:
    # A failure of a peer is a result. It keeps the time limit itself, and can say what it was
    # waiting for.
    peer = False
    # Keys of the raw result that must be there: without them the run has failed.
    required: tuple[str, ...] = ()

    def prepare(self, params: dict, number: int, scratch: Path) -> None:
        """Makes what the command reads. `number` counts the runs of a side from 1."""

    def command(self, side: Side, number: int, scratch: Path) -> list[str]:
        """Run in the root of the tree. It has an empty folder `scratch`, relative to that."""
        raise NotImplementedError

    def read(self, scratch: Path, log: Path) -> dict:
        """The raw result of a command that has ended, well or not."""
        raise NotImplementedError

    def metrics(self, raw: dict, params: dict) -> dict[str, float]:
        """Figures by names that the kinds have in common."""
        raise NotImplementedError

    def lacks(self, params: dict) -> str | None:
        """What is not installed or built here, if a run can do without."""

    # Rough, from the reference machine: for the budget, and so that nothing is started that cannot
    # fit. A side with `attempt` is started all the same.

    def estimate_s(self, params: dict) -> float:
        raise NotImplementedError

    def needs_mib(self, params: dict) -> float:
        return 0


def json_line(log: Path) -> dict:
    """The last line of the log that is a JSON object."""
    for line in reversed(log.read_text(errors="replace").splitlines()):
        if line.startswith("{"):
            try:
                return json.loads(line)
            except ValueError:
                pass
    return {}


def json_file(path: Path) -> dict:
    try:
        return json.loads((ROOT / path).read_text())
    except (OSError, ValueError):
        return {}


def model_mib(params: dict) -> float:
    return params["params"] * 4 / MIB
