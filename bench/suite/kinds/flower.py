"""What the kinds of run of Flower have in common."""

from pathlib import Path

from suite.kinds.kind import Kind, json_file
from suite.model import Side
from suite.paths import PEERS, ROOT


class Flower(Kind):
    """`params`: architecture, and those of the kind."""

    peer = True

    def call(self, script: str, side: Side, scratch: Path, *more: str) -> list[str]:
        """The command that runs a script of the peer's folder."""
        return [f"{PEERS}/{script}", "--architecture", side.params["architecture"], *more,
                "--timeout", str(side.timeout_s), "--out", f"{scratch}/out.json"]

    def read(self, scratch: Path, log: Path) -> dict:
        return json_file(scratch / "out.json")

    def lacks(self, params: dict) -> str | None:
        architecture = params["architecture"]
        if (ROOT / "build/peers" / f"flower-{architecture}" / "installed.txt").exists():
            return None
        return f"{PEERS}/setup.sh --{architecture} was not run"
