"""Rounds of Flower without training."""

from pathlib import Path

from suite.kinds.flower import Flower
from suite.kinds.kind import model_mib
from suite.model import Side


class FlowerRound(Flower):
    required = ("round_s", "median_round_s", "startup_s", "server_peak_rss_mib",
                "server_cpu_s_per_round", "total_peak_rss_mib")

    def command(self, side: Side, number: int, scratch: Path) -> list[str]:
        params = side.params
        return self.call("round_bench.py", side, scratch, "--clients", str(params["clients"]),
                         "--params", str(params["params"]), "--rounds", str(params["rounds"]))

    def metrics(self, raw: dict, params: dict) -> dict[str, float]:
        return {
            "round_s": raw["median_round_s"],
            "startup_s": raw["startup_s"],
            "total_s": raw["startup_s"] + raw["wall_s"],
            "server_extra_mib": raw["server_peak_rss_mib"] - raw["server_idle_rss_mib"],
            "server_cpu_s": raw["server_cpu_s_per_round"],
            "total_peak_gib": raw["total_peak_rss_mib"] / 1024,
        }

    def estimate_s(self, params: dict) -> float:
        clients, floats = params["clients"], params["clients"] * params["params"]
        if params["architecture"] == "legacy":
            return 8 + 0.03 * clients + params["rounds"] * (0.015 * clients + 1e-7 * floats)
        return 15 + 1.2 * clients + params["rounds"] * (6 + clients + 1e-7 * floats)

    def needs_mib(self, params: dict) -> float:
        clients, model = params["clients"], model_mib(params)
        if params["architecture"] == "legacy":
            return 500 + clients * (1 + 11 * model)
        return 1000 + clients * (400 + 9 * model)
