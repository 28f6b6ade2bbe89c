"""The training of a run without the runtime."""

from pathlib import Path

from suite.kinds.fashion import SPEC, settings
from suite.kinds.kind import Kind, json_line
from suite.model import Side
from suite.paths import BIN


class BareLoop(Kind):
    """`params`: as for SkeinFashion."""

    required = ("run_s", "startup_s", "accuracy", "threads")

    def command(self, side: Side, number: int, scratch: Path) -> list[str]:
        return [f"{BIN}/fashion_bare_loop", SPEC,
                *(f"{path}={value}" for path, value in settings(side.params, number).items())]

    def read(self, scratch: Path, log: Path) -> dict:
        return json_line(log)

    def metrics(self, raw: dict, params: dict) -> dict[str, float]:
        return {
            "run_s": raw["run_s"],
            "startup_s": raw["startup_s"],
            "accuracy_percent": 100 * raw["accuracy"],
        }

    def estimate_s(self, params: dict) -> float:
        return 3 + 4 * params["rounds"]

    def needs_mib(self, params: dict) -> float:
        return 2048
