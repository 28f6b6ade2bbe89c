"""What the events of a run say of its pace."""

import json
from pathlib import Path


def read(directory: Path) -> list[dict]:
    with open(directory / "events.jsonl") as file:
        return [json.loads(line) for line in file]


def start_s(events: list[dict]) -> float:
    """Nodes are there and the first round is open."""
    return next(e["time_s"] for e in events if e["event"] == "round_opened")


def accuracies(events: list[dict]) -> list[tuple[float, int, float]]:
    """(seconds since the start, version, accuracy) of each evaluation. The time is that of the
    version, not of its evaluation."""
    begin = start_s(events)
    made = {e["version"]: e["time_s"] - begin for e in events
            if e["event"] in ("round_committed", "version_committed")}
    return [(made[e["round"]], e["round"], e["accuracy"]) for e in events
            if e["event"] == "evaluated"]


def reached(events: list[dict], target: float) -> tuple[float, int] | None:
    """When and with which version the accuracy was reached first."""
    return next(((time, version) for time, version, accuracy in accuracies(events)
                 if accuracy >= target), None)


def last_commit_s(events: list[dict]) -> float:
    return max(e["time_s"] for e in events
               if e["event"] in ("round_committed", "version_committed")) - start_s(events)


def updates(events: list[dict]) -> int:
    """That went into the model."""
    return sum(e.get("updates", e.get("contributors", 0)) for e in events
               if e["event"] in ("round_committed", "version_committed"))


def idle_share(events: list[dict], barrier_at_root: bool, barrier_at_sites: bool | None,
               held: bool = False) -> float:
    """Share of the workers' time, up to the last commit, in which they had no task. A worker has one
    from being asked until its update is taken, or the round closes without it. Who waits for nobody
    asks again at once; who has a barrier asks when its own task comes. `barrier_at_sites`: None in a
    federation of two tiers. `held`: nobody waits for all, but who has contributed is asked again
    with the next version, as in the groups of FedCompass."""
    begin = start_s(events)
    end = begin + last_commit_s(events)
    workers = {e["node"] for e in events if e["event"] == "node_started" and e["role"] == "worker"}
    parents = {e["node"]: e["parent"] for e in events if e["event"] == "update_accepted"}
    has_barrier = barrier_at_root if barrier_at_sites is None else barrier_at_sites
    busy = 0.0
    for worker in workers:
        asked: float | None = begin
        parent = parents.get(worker)
        for e in events:
            time = min(e["time_s"], end)
            if e["event"] == "round_opened" and barrier_at_root and has_barrier:
                asked = time
            elif (e["event"] == "partial_accepted" and e["node"] == parent
                  and not barrier_at_root and has_barrier):
                asked = time
            elif e["event"] == "version_committed" and held and asked is None:
                asked = time
            elif e["node"] == worker and e["event"] in ("update_accepted", "worker_left_out"):
                if asked is not None:
                    busy += time - asked
                asked = None if has_barrier or held else time
        if asked is not None:
            busy += max(0.0, end - asked)
    return max(0.0, 1 - busy / ((end - begin) * len(workers)))  # 0 but for rounding
