"""The result files: one for each case, written after each of its runs."""

import json
from pathlib import Path

from suite.model import Case


class Store:
    def __init__(self, directory: Path):
        self.directory = directory

    def path(self, case: Case) -> Path:
        return self.directory / f"{case.id}.json"

    def load(self, case: Case) -> dict | None:
        try:
            return json.loads(self.path(case).read_text())
        except FileNotFoundError:
            return None

    def save(self, case: Case, result: dict) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        new = self.path(case).with_suffix(".new")
        new.write_text(json.dumps(result, indent=1) + "\n")
        new.replace(self.path(case))
