import json
import sys
import tempfile
import unittest
from pathlib import Path

import made_up  # noqa: F401  (puts bench/ on the path)
from makespan import cases, peer
from peers.flower import pace
from suite import paths

sys.path.insert(0, str(paths.BENCH / "peers/flower/app"))
from skein_peer.gate import Watch  # noqa: E402
from skein_peer.pace import Pace  # noqa: E402


class Clock:
    """Its sleep ends too early, as a sleep may."""

    def __init__(self, at: float):
        self.at, self.slept = at, 0.0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        seconds = max(seconds / 2, 0.25)
        self.slept += seconds
        self.at += seconds


class Reading(unittest.TestCase):
    def read(self, text: str, clients: int):
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory, "pace.csv")
            path.write_text(text)
            return pace.read(path, clients)

    def refused(self, text: str, clients: int = 1) -> str:
        with self.assertRaises(ValueError) as caught:
            self.read(text, clients)
        return str(caught.exception)

    def test_client_n_is_worker_wn_whatever_the_order(self):
        text = "worker,task,seconds\nw1,0,2.5\nw0,0,1\nw0,1,3\n"
        self.assertEqual(self.read(text, 2), [[1, 3], [2.5]])

    def test_a_bad_file_is_refused_with_the_place(self):
        self.assertIn("first line", self.refused("w0,0,1\n"))
        self.assertIn("pace.csv:2", self.refused("worker,task,seconds\nw0,0\n"))
        self.assertIn("pace.csv:3: task 2", self.refused("worker,task,seconds\nw0,0,1\nw0,2,1\n"))
        self.assertIn("pace.csv:2: nan", self.refused("worker,task,seconds\nw0,0,nan\n"))
        self.assertIn("pace.csv:2: -1", self.refused("worker,task,seconds\nw0,0,-1\n"))
        self.assertIn("no tasks of w1", self.refused("worker,task,seconds\nw0,0,1\n", 2))


class Waiting(unittest.TestCase):
    def test_who_is_early_waits_for_the_rest_of_the_time(self):
        clock = Clock(103)
        Pace({"pace": [[1.0], [8.0]]}).hold(1, 0, 100, clock.now, clock.sleep)
        self.assertAlmostEqual(clock.at, 108, delta=0.25)
        self.assertGreaterEqual(clock.at, 108)

    def test_who_is_late_does_not_wait(self):
        clock = Clock(120)
        Pace({"pace": [[8.0]]}).hold(0, 0, 100, clock.now, clock.sleep)
        self.assertEqual(clock.slept, 0)

    def test_tasks_repeat_when_they_are_over(self):
        ends = [Pace({"pace": [[1.0, 2.0]]}).until(0, task, 10) for task in range(3)]
        self.assertEqual(ends, [11, 12, 11])

    def test_without_paces_a_task_takes_as_long_as_it_takes(self):
        clock = Clock(100)
        Pace({}).hold(0, 0, 100, clock.now, clock.sleep)
        self.assertEqual(clock.slept, 0)


class Learned:
    """A workload that knows more with each evaluation."""

    accuracy = 0.0

    def evaluate(self, to_arrays):
        self.accuracy += 0.3
        return {"accuracy": self.accuracy}

    def check(self, arrays, rounds):
        return f"{arrays} after {rounds}"


class Target(unittest.TestCase):
    def rounds(self, spec: dict, count: int) -> tuple[list[dict], list[str]]:
        """The events of the server, and what it waited for."""
        with tempfile.TemporaryDirectory() as directory:
            watch = Watch({"directory": directory, "rounds": count} | spec, Learned())
            waits: list[str] = []
            watch.gate.wait = waits.append
            for number in range(count + 1):
                watch.after_round(number, lambda: "model")
                if waits[-1] == "never":
                    break
            lines = Path(directory, "events.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines], waits

    def test_the_first_round_that_reaches_the_target_is_the_last(self):
        events, waits = self.rounds({"target": 0.5}, 5)
        self.assertEqual(waits, ["go", "bye", "never"])
        self.assertEqual([e["event"] for e in events],
                         ["ready", "round", "round", "round", "done", "checked"])
        self.assertEqual(events[-1]["error"], "model after 2")

    def test_without_a_target_all_rounds_are_made(self):
        events, waits = self.rounds({"target": None}, 3)
        self.assertEqual(waits, ["go", "bye"])
        self.assertEqual(len([e for e in events if e["event"] == "round"]), 4)

    def test_a_model_is_made_before_it_is_evaluated(self):
        events, _ = self.rounds({}, 1)
        _, first, second = [e for e in events if e["event"] in ("ready", "round")]
        self.assertNotIn("made", first)
        self.assertTrue(first["t"] <= second["made"] <= second["t"])


class Summary(unittest.TestCase):
    REPORT = {"version": "1.8.0", "error": None, "made_s": [100.0, 210.0, 330.0],
              "accuracy": [0.7, 0.81, 0.79], "total_peak_rss_mib": 5.0, "cpu_s": 7.0}

    def test_the_time_is_that_of_the_first_model_that_reached_it(self):
        found = peer.summary(self.REPORT, 0.8)
        self.assertEqual((found["to_target_s"], found["rounds"]), (210, 2))

    def test_what_did_not_reach_it_has_no_time(self):
        self.assertIsNone(peer.summary(self.REPORT, 0.9)["to_target_s"])

    def test_a_failure_is_kept_as_it_is(self):
        report = {"version": "1.41.0", "error": "server: no memory", "made_s": None}
        found = peer.summary(report, 0.8)
        self.assertEqual((found["to_target_s"], found["error"], found["curve"]),
                         (None, "server: no memory", []))

    def test_clients_live_at_the_pace_of_the_workers(self):
        words = peer.command(cases.PEERS["flower-current"], Path("/scratch"), 7, 5)
        text = " ".join(words)
        for part in ("--architecture current", "--clients 5", "--seed 7",
                     "--pace /scratch/pace.csv", f"--target {cases.TARGET}"):
            self.assertIn(part, text)


if __name__ == "__main__":
    unittest.main()
