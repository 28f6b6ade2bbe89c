"""The seconds of clients' tasks, from a file as `skein conditions` prints it."""

import csv
import math
from pathlib import Path

HEADER = ["worker", "task", "seconds"]


def read(path: Path, clients: int) -> list[list[float]]:
    """Those of each client: number n is worker wn. ValueError, in one line."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    if not rows or rows[0] != HEADER:
        raise ValueError(f"{path}: the first line must be {','.join(HEADER)}")
    tasks: dict[str, list[float]] = {}
    for number, row in enumerate(rows[1:], start=2):
        try:
            worker, task, seconds = row[0], int(row[1]), float(row[2])
        except (IndexError, ValueError):
            raise ValueError(f"{path}:{number}: not of the form {','.join(HEADER)}") from None
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError(f"{path}:{number}: {row[2]} is no number of seconds")
        if task != len(tasks.setdefault(worker, [])):
            raise ValueError(f"{path}:{number}: task {task} of {worker} where "
                             f"{len(tasks[worker])} is due")
        tasks[worker].append(seconds)
    for client in range(clients):
        if f"w{client}" not in tasks:
            raise ValueError(f"{path}: has no tasks of w{client}, for {clients} clients")
    return [tasks[f"w{client}"] for client in range(clients)]
