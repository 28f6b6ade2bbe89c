"""Results as the suite would have stored them, with figures out of thin air."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

from suite.model import Case, Side  # noqa: E402
from suite.traffic import FLOAT32, INT64  # noqa: E402
from suite.tree import levels  # noqa: E402

MACHINE = {"cpu": "abacus", "cores": 2, "memory_gib": 1.0, "system": "wood", "kernel": "0",
           "compiler": "hand", "python": "3", "libraries": {"beads": "10"}}


def skein_round(params: dict, round_s: float = 0.5, memory_mib: float = 100) -> dict:
    """The bytes are those that the tree should carry."""
    model = params["params"] * 4
    rounds = params["rounds"]
    partial = FLOAT32 if "links" in params else INT64
    nodes = [1, *levels(params["topology"])]
    tiers = [{"tier": t, "down": model * children * rounds,
              "up": model * children * rounds * (1 if t == len(nodes) - 2 else partial)}
             for t, children in enumerate(nodes[1:])]
    process = {"processes": 1, "idle_rss_mib": 60.0, "peak_rss_mib": 60 + memory_mib / 2,
               "highest_peak_rss_mib": 60 + memory_mib / 2, "rounds_cpu_s": 0.1 * rounds}
    return {"ok": True, "round_s": [round_s] * rounds, "median_round_s": round_s, "startup_s": 2.0,
            "goodput_gb_per_s": 0.7, "raw_tcp_gb_per_s": 1.0, "bytes": tiers,
            "total_peak_rss_mib": 2048.0, "control": process, "coordinator": process,
            "aggregators": process, "workers": process}


def flower_round(params: dict) -> dict:
    return {"peer": "flower", "architecture": params["architecture"], "version": "0", "python": "3",
            "numpy": "1", "ok": True, "error": None, "round_s": [10.0], "median_round_s": 10.0,
            "wall_s": 10.0 * params["rounds"], "startup_s": 4.0, "server_idle_rss_mib": 100.0,
            "server_peak_rss_mib": 5100.0, "server_cpu_s_per_round": 8.0,
            "total_peak_rss_mib": 9000.0}


def micro(_params: dict) -> dict:
    speeds = {"BM_Memcpy": 10e9, "BM_AddFloats/avx2/1": 5e9, "BM_AddFloats/avx2/4": 5e9,
              "BM_RawTcp": 2e9, "BM_ReceiveAndFold": 1e9}
    return {"context": {}, "benchmarks": [
        {"name": f"{name}/real_time", "run_type": "iteration", "real_time": 2.0, "time_unit": "ms",
         "bytes_per_second": speed} for name, speed in speeds.items()]}


RAW = {
    "skein-round": skein_round,
    "flower-round": flower_round,
    "micro": micro,
    "skein-fashion": lambda _: {"result": {"accuracy": 0.87}, "run_s": 50.0, "startup_s": 1.0},
    "flower-fashion": lambda params: {
        "peer": "flower", "architecture": params["architecture"], "version": "0", "python": "3",
        "numpy": "1", "wall_s": 80.0, "startup_s": 3.0, "accuracy": [0.5, 0.868]},
    "bare-loop": lambda _: {"run_s": 49.0, "startup_s": 1.0, "accuracy": 0.87},
}


def run(side: Side, number: int, raw: dict | None = None, error: str | None = None) -> dict:
    return {"side": side.name, "number": number, "params": side.params, "ok": error is None,
            "command": f"{side.kind} {number}", "date": "2020-02-02T00:00:00+00:00", "busy": 0.01,
            "wall_s": 1.0, "error": error, "raw": raw or RAW[side.kind](side.params)}


def stored(case: Case, runs: list[dict] | None = None) -> dict:
    """Every run of the case, unless told which."""
    if runs is None:
        runs = [run(side, number) for side, number in case.schedule()]
    return {"case": case.id, "title": case.title, "commit": "c0ffee", "machine": MACHINE,
            "runs": runs}
