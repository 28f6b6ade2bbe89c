import json
import unittest
from pathlib import Path

import made_up  # noqa: F401  (puts bench/ on the path)
from makespan import events as log
from makespan import study


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

    def test_a_barrier_leaves_the_quick_idle(self):
        self.assertAlmostEqual(log.idle_share(SYNC, True, None), 1 - (2 + 6) / 12)

    def test_without_a_barrier_nobody_is_idle(self):
        self.assertAlmostEqual(log.idle_share(ASYNC, False, None), 0)

    def test_a_site_asks_when_its_own_task_comes(self):
        self.assertAlmostEqual(log.idle_share(SITE, False, True), 1 - (2 + 6) / 16)


class Page(unittest.TestCase):
    def test_the_page_in_the_tree_is_what_the_results_say(self):
        results = json.loads(Path(study.RESULTS).read_text())
        self.assertEqual(Path(study.PAGE).read_text(), study.page(results))


if __name__ == "__main__":
    unittest.main()
