"""The federation of examples/fashion_mnist, by Skein and by Flower, with the same split."""

import json
import subprocess
from pathlib import Path

from suite.kinds.flower import Flower
from suite.kinds.kind import Kind, json_file
from suite.model import Side
from suite.paths import BIN, ROOT

SPEC = "examples/fashion_mnist/three_tier.yaml"
WORKERS = 32


def settings(params: dict, number: int) -> dict[str, str]:
    """Overrides of SPEC. Each run of a side has a seed of its own, the same for all sides."""
    return {"rounds": str(params["rounds"]), "seed": str(number), **params.get("set", {})}


class SkeinFashion(Kind):
    """`params`: rounds; set, more overrides; workers_per_process (all in one without)."""

    required = ("result", "run_s", "startup_s")

    def command(self, side: Side, number: int, scratch: Path) -> list[str]:
        command = [f"{BIN}/fashion_mnist", "run", SPEC, "--quiet", "--out", f"{scratch}/run"]
        for path, value in settings(side.params, number).items():
            command += ["--set", f"{path}={value}"]
        if each := side.params.get("workers_per_process"):
            command += ["--processes", "--workers-per-process", str(each)]
        return command

    def read(self, scratch: Path, log: Path) -> dict:
        run = ROOT / scratch / "run"
        result = json_file(run / "result.json")
        if not result:
            return {}
        events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
        opened = [e["time_s"] for e in events if e["event"] == "round_opened"]
        ended = [e["time_s"] for e in events if e["event"] == "run_ended"]
        if not opened or not ended:
            return {"result": result}
        return {
            "result": result,
            # As Flower's: from the first round's start to the last one's end, evaluations included.
            "run_s": ended[-1] - opened[0],
            "startup_s": opened[0],
            "accuracy": [e["accuracy"] for e in events if e["event"] == "evaluated"],
        }

    def metrics(self, raw: dict, params: dict) -> dict[str, float]:
        return {
            "run_s": raw["run_s"],
            "startup_s": raw["startup_s"],
            "accuracy_percent": 100 * raw["result"]["accuracy"],
        }

    def estimate_s(self, params: dict) -> float:
        return 5 + 4.2 * params["rounds"]

    def needs_mib(self, params: dict) -> float:
        return 3072


class FlowerFashion(Flower):
    """`params`: architecture, rounds; set, as for SkeinFashion."""

    required = ("round_s", "wall_s", "startup_s", "accuracy")

    def prepare(self, params: dict, number: int, scratch: Path) -> None:
        words = [f"{path}={value}" for path, value in settings(params, number).items()]
        with open(ROOT / scratch / "split.json", "wb") as split:
            subprocess.run([f"{BIN}/fashion_split", SPEC, *words], cwd=ROOT, check=True,
                           stdout=split)

    def command(self, side: Side, number: int, scratch: Path) -> list[str]:
        return self.call("fashion_mnist.py", side, scratch, "--clients", str(WORKERS),
                         "--rounds", str(side.params["rounds"]), "--seed", str(number),
                         "--split", f"{scratch}/split.json")

    def metrics(self, raw: dict, params: dict) -> dict[str, float]:
        return {
            "run_s": raw["wall_s"],
            "startup_s": raw["startup_s"],
            "accuracy_percent": 100 * raw["accuracy"][-1],
        }

    def estimate_s(self, params: dict) -> float:
        return 20 + params["rounds"] * (5 if params["architecture"] == "legacy" else 60)

    def needs_mib(self, params: dict) -> float:
        return 6144 if params["architecture"] == "legacy" else 18432
