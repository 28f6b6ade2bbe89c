"""Clients that take as long as workers of their pace would."""

import time


class Pace:
    """`spec["pace"]`: for each client the seconds of its tasks, repeated when they are over; without
    it a task takes as long as it takes."""

    def __init__(self, spec: dict):
        self.seconds = spec.get("pace")

    def until(self, client: int, task: int, begun: float) -> float:
        """When the task, from 0, that was begun then ends at the earliest."""
        if not self.seconds:
            return begun
        tasks = self.seconds[client]
        return begun + tasks[task % len(tasks)]

    def hold(self, client: int, task: int, begun: float, now=time.time, sleep=time.sleep) -> None:
        """Sleeps until then. The clock is the system's, which all processes share."""
        end = self.until(client, task, begun)
        while (left := end - now()) > 0:
            sleep(left)
