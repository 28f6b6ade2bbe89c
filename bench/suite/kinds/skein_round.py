"""`skein bench round`: rounds of Skein without training."""

from pathlib import Path

from suite.kinds.kind import Kind, json_line, model_mib
from suite.model import Side
from suite.paths import BIN
from suite.tree import inner_nodes, workers


class SkeinRound(Kind):
    required = ("round_s", "median_round_s", "startup_s", "goodput_gb_per_s", "raw_tcp_gb_per_s",
                "bytes", "total_peak_rss_mib", "coordinator", "control", "aggregators", "workers")

    def command(self, side: Side, number: int, scratch: Path) -> list[str]:
        params = side.params
        links = ["--links", params["links"]] if "links" in params else []
        return [f"{BIN}/skein", "bench", "round", "--topology", params["topology"],
                "--params", str(params["params"]), "--rounds", str(params["rounds"]), *links,
                "--json", "--out", f"{scratch}/run"]  # logs of its nodes stay there if it fails

    def read(self, scratch: Path, log: Path) -> dict:
        return json_line(log)

    def metrics(self, raw: dict, params: dict) -> dict[str, float]:
        model = model_mib(params)
        coordinator, control = raw["coordinator"], raw["control"]
        # What Flower's server does is done by two processes here.
        server = (coordinator, control)
        per_round = params["params"] * 4 * len(raw["round_s"])
        up = [tier["up"] / per_round for tier in raw["bytes"]]
        down = [tier["down"] / per_round for tier in raw["bytes"]]
        return {
            "round_s": raw["median_round_s"],
            "s_per_worker": raw["median_round_s"] / workers(params["topology"]),
            "startup_s": raw["startup_s"],
            "total_s": raw["startup_s"] + sum(raw["round_s"]),
            "server_extra_mib": sum(p["peak_rss_mib"] - p["idle_rss_mib"] for p in server),
            "server_cpu_s": sum(p["rounds_cpu_s"] for p in server) / len(raw["round_s"]),
            "coordinator_models": coordinator["peak_rss_mib"] / model,
            "coordinator_extra_models":
                (coordinator["peak_rss_mib"] - coordinator["idle_rss_mib"]) / model,
            "total_peak_gib": raw["total_peak_rss_mib"] / 1024,
            "gb_per_s": raw["goodput_gb_per_s"],
            "of_tcp": raw["goodput_gb_per_s"] / raw["raw_tcp_gb_per_s"],
            # In model sizes a round.
            "root_up": up[0],
            "root_down": down[0],
            "links": sum(up) + sum(down),
        }

    def estimate_s(self, params: dict) -> float:
        shape, size = params["topology"], params["params"] * 4
        moved = size * (2 * workers(shape) + 3 * inner_nodes(shape))
        start = 3 + 0.4 * inner_nodes(shape) + 0.003 * workers(shape)
        return start + params["rounds"] * (0.02 + 0.0006 * workers(shape) + moved / 0.7e9)

    def needs_mib(self, params: dict) -> float:
        shape, model = params["topology"], model_mib(params)
        processes = 4 + inner_nodes(shape)
        # The workers of a process share the model; each keeps its update until it is committed.
        tensors = model * (1.1 * workers(shape) + 6 + 5 * (1 + inner_nodes(shape)))
        return 60 * processes + 0.4 * workers(shape) + tensors
