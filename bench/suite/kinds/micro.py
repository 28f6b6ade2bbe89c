"""Programs that use Google Benchmark."""

import re
from pathlib import Path

from suite.kinds.kind import Kind, json_file
from suite.model import Side
from suite.paths import BIN


class Micro(Kind):
    """`params`: program; filter, a pattern; min_time, in seconds."""

    required = ("context", "benchmarks")

    def command(self, side: Side, number: int, scratch: Path) -> list[str]:
        params = side.params
        command = [f"{BIN}/{params['program']}", f"--benchmark_out={scratch}/out.json",
                   "--benchmark_out_format=json"]
        for option in ("filter", "min_time"):
            if option in params:
                command.append(f"--benchmark_{option}={params[option]}")
        return command

    def read(self, scratch: Path, log: Path) -> dict:
        raw = json_file(scratch / "out.json")
        raw.get("context", {}).pop("executable", None)
        raw.get("context", {}).pop("host_name", None)
        failed = [b for b in raw.get("benchmarks", ()) if b.get("error_occurred")]
        # A processor without AVX2 skips its kernels; nothing else may be skipped.
        if any("AVX2" not in b["error_message"] for b in failed):
            return {"error": failed[0]["name"] + ": " + failed[0]["error_message"]}
        return raw

    def metrics(self, raw: dict, params: dict) -> dict[str, float]:
        """GB/s by the benchmark's name, and seconds as "NAME seconds"."""
        figures = {}
        seconds = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1}
        for benchmark in raw["benchmarks"]:
            if benchmark.get("error_occurred") or benchmark["run_type"] != "iteration":
                continue
            name = re.sub(r"/(real_time|process_time|iterations:\d+|min_time:[\d.]+)", "",
                          benchmark["name"])
            figures[f"{name} seconds"] = benchmark["real_time"] * seconds[benchmark["time_unit"]]
            if "bytes_per_second" in benchmark:
                figures[name] = benchmark["bytes_per_second"] / 1e9
        return figures

    def estimate_s(self, params: dict) -> float:
        return 10 if "filter" in params else 90

    def needs_mib(self, params: dict) -> float:
        return 4096
