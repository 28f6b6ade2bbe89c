import contextlib
import copy
import io
import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import made_up  # puts bench/ on the path
from makespan import events as log
from makespan import report, study
from makespan.cases import CASES


def event(time_s, name, node="", **fields):
    return {"time_s": time_s, "event": name, "node": node, **fields}


def started(*workers):
    return [event(0, "node_started", worker, role="worker") for worker in workers]


# Two workers of 1 and 3 seconds, two rounds with a barrier.
SYNC = started("w0", "w1") + [
    event(10, "round_opened"),
    event(11, "update_accepted", "w0", parent="root"),
    event(13, "update_accepted", "w1", parent="root"),
    event(13, "round_committed", "root", version=1),
    event(13, "round_opened"),
    event(13.5, "evaluated", "root", round=1, accuracy=0.5),
    event(14, "update_accepted", "w0", parent="root"),
    event(16, "update_accepted", "w1", parent="root"),
    event(16, "round_committed", "root", version=2),
    event(16.5, "evaluated", "root", round=2, accuracy=0.9),
]
# The same two; the root takes every update.
ASYNC = started("w0", "w1") + [
    event(10, "round_opened"),
    event(11, "update_accepted", "w0", parent="root"),
    event(11, "version_committed", "root", version=1),
    event(12, "update_accepted", "w0", parent="root"),
    event(12, "version_committed", "root", version=2),
    event(13, "update_accepted", "w1", parent="root"),
    event(13, "version_committed", "root", version=3),
]
# A site that waits for both of its workers, under a root that waits for nobody.
SITE = started("w0", "w1") + [
    event(10, "round_opened"),
    event(11, "update_accepted", "w0", parent="a0"),
    event(13, "update_accepted", "w1", parent="a0"),
    event(14, "partial_accepted", "a0", parent="root"),
    event(14, "version_committed", "root", version=1),
    event(15, "update_accepted", "w0", parent="a0"),
    event(17, "update_accepted", "w1", parent="a0"),
    event(18, "partial_accepted", "a0", parent="root"),
    event(18, "version_committed", "root", version=2),
]


class Pace(unittest.TestCase):
    def test_a_version_counts_from_when_it_was_made(self):
        self.assertEqual(log.reached(SYNC, 0.8), (6, 2))
        self.assertEqual(log.reached(SYNC, 0.5), (3, 1))
        self.assertIsNone(log.reached(SYNC, 0.95))
        self.assertEqual(log.last_commit_s(SYNC), 6)

    def test_updates_are_those_of_all_versions(self):
        events = [event(1, "round_committed", "root", version=1, contributors=3),
                  event(2, "version_committed", "root", version=2, contributors=3, updates=4)]
        self.assertEqual(log.updates(events), 7)

    def test_a_barrier_leaves_the_quick_idle(self):
        self.assertAlmostEqual(log.idle_share(SYNC, True, None), 1 - (2 + 6) / 12)

    def test_without_a_barrier_nobody_is_idle(self):
        self.assertAlmostEqual(log.idle_share(ASYNC, False, None), 0)

    def test_a_site_asks_when_its_own_task_comes(self):
        self.assertAlmostEqual(log.idle_share(SITE, False, True), 1 - (2 + 6) / 16)

    def test_who_is_held_is_asked_again_with_the_next_version(self):
        events = started("w0", "w1") + [
            event(10, "round_opened"),
            event(11, "update_accepted", "w0", parent="root"),
            event(14, "update_accepted", "w1", parent="root"),
            event(14, "version_committed", "root", version=1),
            event(16, "update_accepted", "w0", parent="root"),
            event(16, "version_committed", "root", version=2),
        ]
        self.assertAlmostEqual(log.idle_share(events, False, None, held=True), 3 / 12)


def case(name: str, run_s: float | None, accuracy: float = 0.87) -> dict:
    made = {"what": CASES[name].what, "overrides": list(CASES[name].overrides), "commit": "c0ffee",
            "simulated": {"versions": CASES[name].versions, "to_target_s": 100.0, "final_accuracy": accuracy, "idle": 0.5,
                          "updates": 480, "last_commit_s": 900.0}}
    return made | ({"run": {"to_target_s": run_s, "idle": 0.25}} if run_s else {})


def flower(seconds: float | None, error: str | None = None) -> dict:
    return {"what": "clients in threads", "version": "1.8.0", "to_target_s": seconds,
            "rounds": 5 if seconds else None, "error": error, "commit": "c0ffee"}


RESULTS = {
    "machine": made_up.MACHINE,
    "cases": {"flat-sync": case("flat-sync", 500), "tree-sync": case("tree-sync", None),
              "flat-buffered": case("flat-buffered", 50, 0.865)},
    "peers": {"flower-legacy": flower(600),
              "flower-current": flower(None, "server: 401 Unauthorized")},
}


class Page(unittest.TestCase):
    def test_the_page_in_the_tree_is_what_the_results_say(self):
        results = json.loads(Path(study.RESULTS).read_text())
        self.assertEqual(Path(study.PAGE).read_text(), report.page(results))

    def test_it_says_how_much_longer_flower_takes(self):
        line = next(n for n in report.page(RESULTS).splitlines() if n.startswith("| `flower-legacy`"))
        self.assertTrue(line.endswith("| 600.0 | 5 | 1.20 | 12.00 |"), line)

    def test_a_failure_of_flower_is_on_it_as_it_was(self):
        text = report.page(RESULTS)
        self.assertIn("`flower-current` failed: `server: 401 Unauthorized`", text)
        self.assertNotIn("Beside Flower", report.page(RESULTS | {"peers": {}}))

    def test_the_best_is_of_those_that_ran(self):
        self.assertEqual(report.best(RESULTS["cases"]), ("flat-buffered", 50))
        self.assertIsNone(report.best({"tree-sync": RESULTS["cases"]["tree-sync"]}))

    def test_how_far_a_case_ends_below_is_in_points(self):
        self.assertIn("| `flat-buffered` | 480 | 0.8650 | 0.50 | 900 |", report.page(RESULTS))

    def test_a_case_that_was_run_with_other_settings_does_not_count(self):
        results = copy.deepcopy(RESULTS)
        results["cases"]["flat-buffered"]["overrides"] = ["topology=flat:8"]
        self.assertNotIn("flat-buffered", report.current(results)["cases"])


class Driver(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.results, self.page = Path(directory.name, "r.json"), Path(directory.name, "p.md")
        for name, value in (("RESULTS", self.results), ("PAGE", self.page)):
            patch = mock.patch.object(study, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        self.results.write_text(json.dumps(RESULTS))

    def run_with(self, *words: str, does=lambda name, *_: case(name, 40)) -> int:
        with mock.patch("sys.argv", ["study.py", *words]), \
                mock.patch.object(study, "study", does), \
                mock.patch.object(study, "beside", lambda *_: flower(700)), \
                contextlib.redirect_stderr(io.StringIO()):
            return study.main()

    def test_only_what_was_asked_for_is_done_and_the_rest_stays(self):
        self.assertEqual(self.run_with("--only", "tree-sync", "flower-current"), 0)
        results = json.loads(self.results.read_text())
        self.assertEqual(results["cases"]["tree-sync"]["run"]["to_target_s"], 40)
        self.assertEqual(results["cases"]["flat-sync"], RESULTS["cases"]["flat-sync"])
        self.assertEqual(results["peers"]["flower-current"]["to_target_s"], 700)
        self.assertEqual(self.page.read_text(), report.page(results))

    def test_what_was_simulated_is_kept_if_it_went_as_far(self):
        given = []

        def does(name, simulated, *_):
            given.append(simulated)
            return case(name, 40)

        words = ["--keep-simulated", "--only", "tree-sync"]
        self.run_with(*words, does=does)
        self.run_with("--only", "tree-sync", does=does)
        self.run_with(*words, "--set", "seed=2", does=does)
        results = copy.deepcopy(RESULTS)
        results["cases"]["tree-sync"]["simulated"]["versions"] -= 1
        self.results.write_text(json.dumps(results))
        self.run_with(*words, does=does)
        self.assertEqual(given, [RESULTS["cases"]["tree-sync"]["simulated"], None, None, None])

    def test_a_trial_leaves_results_and_page_alone(self):
        self.assertEqual(self.run_with("--only", "tree-sync", "--set", "seed=2"), 0)
        self.assertEqual(json.loads(self.results.read_text()), RESULTS)
        self.assertFalse(self.page.exists())

    def test_what_a_trial_simulated_can_be_recorded_apart(self):
        made = case("flat-buffered", None)
        made["simulated"]["curve"] = [(n, 0.1 * n) for n in range(1, 8)]
        words = ["--only", "flat-buffered", "--simulate-only", "--set", "strategy.optimizer.lr=1"]
        self.assertEqual(self.run_with(*words, "--record", does=lambda *_: made), 0)
        results = json.loads(self.results.read_text())
        self.assertEqual(results["cases"], RESULTS["cases"])
        self.assertFalse(self.page.exists())
        self.assertIn("| `flat-buffered` | `optimizer.lr=1` | 100.0 | 480 | 0.3000, 0.4000, 0.5000, "
                      "0.6000, 0.7000 |", report.page(results))

    def test_a_case_that_is_refused_does_not_hold_up_the_others(self):
        def does(name, *_):
            if name == "fedcompass":
                raise study.Refused("no policy 'fedcompass'")
            return case(name, 40)

        self.assertEqual(self.run_with("--only", "fedcompass", "tree-sync", does=does), 1)
        self.assertIn("run", json.loads(self.results.read_text())["cases"]["tree-sync"])
        self.assertIn("tree-sync", self.page.read_text())


if __name__ == "__main__":
    unittest.main()
