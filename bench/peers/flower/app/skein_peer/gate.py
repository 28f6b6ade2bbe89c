"""How the server of a run and the benchmark that measures it keep in step, by files."""

import contextlib
import json
import time
import traceback
from pathlib import Path


class Gate:
    def __init__(self, spec: dict):
        self.directory = Path(spec["directory"])

    def note(self, event: str, **fields) -> None:
        line = json.dumps({"event": event, "t": time.monotonic(), **fields})
        with open(self.directory / "events.jsonl", "a", encoding="utf-8") as file:
            file.write(line + "\n")

    def wait(self, name: str) -> None:
        while not (self.directory / name).exists():
            time.sleep(0.01)

    @contextlib.contextmanager
    def reporting(self):
        """Notes what ends the block."""
        try:
            yield
        except Exception as error:
            last = traceback.format_exception_only(type(error), error)[-1].strip()
            self.note("failed", error=last)
            raise


class Watch:
    """The steps of a run, noted where both architectures evaluate a model at the server."""

    def __init__(self, spec: dict, workload):
        self.gate = Gate(spec)
        self.workload = workload
        self.rounds = spec["rounds"]
        self.target = spec.get("target")  # an accuracy that ends the run
        self.results = 0
        self.failures: list[str] = []

    def replies(self, results: int, failures: list[str]) -> None:
        self.results, self.failures = results, failures

    def after_round(self, number: int, to_arrays) -> dict | None:
        """`to_arrays` makes NumPy arrays of the model, which only some workloads want."""
        if number == 0:  # the first round comes next
            self.gate.note("ready")
            self.gate.wait("go")
            self.gate.note("round", round=0)
            return None
        made = time.monotonic()
        metrics = self.workload.evaluate(to_arrays) or {}
        self.gate.note("round", round=number, made=made, results=self.results,
                       failures=self.failures[:3], **metrics)
        reached = self.target is not None and metrics.get("accuracy", 0) >= self.target
        if number == self.rounds or reached:
            self.gate.note("done")
            self.gate.wait("bye")
            self.gate.note("checked", error=self.workload.check(to_arrays(), number))
        if reached and number < self.rounds:  # Flower cannot be told to stop; we end it
            self.gate.wait("never")
        return metrics or None
