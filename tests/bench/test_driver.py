import contextlib
import io
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import made_up  # noqa: F401
from suite import driver as driver_module
from suite import machine
from suite.driver import Driver, Options
from suite.kinds.kind import Kind, json_line
from suite.model import Case, Side
from suite.paths import ROOT
from suite.store import Store


class Script(Kind):
    """Runs a line of Python; prints {"answer": 42} unless told otherwise."""

    required = ("answer",)

    def command(self, side, number, scratch):
        return [sys.executable, "-c", side.params.get("do", "print('{\"answer\": 42}')")]

    def read(self, scratch, log):
        return json_line(log)

    def metrics(self, raw, params):
        return {"double": 2 * raw["answer"]["value"]} if "nested" in params else {}

    def estimate_s(self, params):
        return params.get("seconds", 1)

    def needs_mib(self, params):
        return params.get("mib", 0)


class Peer(Script):
    peer = True


KINDS = {"script": Script(), "peer": Peer()}


def side(name="a", kind="script", runs=1, timeout_s=60, **params) -> Side:
    return Side(name, kind, params, runs, timeout_s)


class DriverTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.store = Store(Path(folder.name) / "results")
        self.scratch = Path(folder.name) / "scratch"
        self.addCleanup(mock.patch.stopall)
        mock.patch.object(driver_module, "KINDS", KINDS).start()

    def run_case(self, *sides: Side, commit="c0ffee", **options):
        case = Case("case", "topic", "A case", sides)
        with mock.patch("suite.machine.commit", lambda: commit), \
                contextlib.redirect_stdout(io.StringIO()):
            driver = Driver(self.store, Options(self.scratch.relative_to("/"), **options),
                            settle=lambda: 0.25)
            with mock.patch.object(driver_module, "ROOT", Path("/")):
                driver.run([case])
        stored = self.store.load(case)
        return driver.failures, stored and stored["runs"]

    def test_keeps_what_a_run_says_and_how_it_was_run(self):
        failures, (run,) = self.run_case(side())
        self.assertEqual(failures, [])
        self.assertEqual((run["ok"], run["raw"]), (True, {"answer": 42}))
        self.assertIn(sys.executable, run["command"])
        self.assertEqual(run["busy"], 0.25)

    def test_our_failure_counts_and_is_not_repeated(self):
        failures, runs = self.run_case(side(runs=3, do="raise SystemExit('no beads')"))
        self.assertEqual(len(failures), 1)
        self.assertEqual([run["error"] for run in runs], ["no beads"])

    def test_a_peers_failure_is_a_result(self):
        failures, runs = self.run_case(side(runs=2), side("b", "peer", 2, do="raise OSError('x')"))
        self.assertEqual(failures, [])
        self.assertEqual([(run["side"], run["ok"]) for run in runs],
                         [("a", True), ("b", False), ("a", True)])

    def test_a_result_without_a_required_key_is_a_failure(self):
        failures, _ = self.run_case(side(do="print('{\"question\": 1}')"))
        self.assertRegex(failures[0], "the result has no answer")

    def test_a_result_that_the_page_could_not_use_is_a_failure(self):
        failures, _ = self.run_case(side(nested=True))
        self.assertRegex(failures[0], "cannot be used")

    def test_a_run_that_eats_the_memory_is_stopped(self):
        with mock.patch("suite.process.available_mib", lambda: 100):
            _, (run,) = self.run_case(side(do="import time; time.sleep(60)"))
        self.assertEqual(run["error"], "out of memory: the machine had 100 MiB left")

    def test_a_run_ends_at_its_time_limit(self):
        failures, (run,) = self.run_case(side(timeout_s=1, do="import time; time.sleep(60)"))
        self.assertRegex(run["error"], "not done after 1 s")
        self.assertLess(run["wall_s"], 30)

    def test_does_not_start_what_cannot_fit(self):
        _, runs = self.run_case(side(mib=2048), side("b", seconds=600), memory_mib=1024)
        self.assertEqual([run["skipped"] for run in runs],
                         ["would need about 2 GiB of memory", "would take about 10 minutes"])

    def test_starts_no_case_beyond_the_budget(self):
        self.assertIsNone(self.run_case(side(seconds=50), budget_s=40)[1])

    def test_goes_on_where_it_stopped(self):
        marker = self.scratch.parent / "marker"
        count = f"open({str(marker)!r}, 'a').write('x'); print('{{\"answer\": 42}}')"
        self.run_case(side(runs=1, do=count))
        self.run_case(side(runs=3, do=count), resume=True)
        self.assertEqual(marker.read_text(), "xxx")
        self.run_case(side(runs=3, do=count), resume=True, commit="0ther")
        self.assertEqual(marker.read_text(), "xxxxxx")

    def test_the_tree_is_where_commands_run(self):
        _, (run,) = self.run_case(side(
            do="import json, os; print(json.dumps({'answer': os.getcwd()}))"))
        self.assertEqual(run["raw"]["answer"], str(ROOT))


class SettleTest(unittest.TestCase):
    def settle(self, *shares):
        """The share at the end and the seconds waited, with the processors busy for these shares."""
        now, ticks, slept = [0, 0], iter(shares), []

        def sleep(seconds):
            slept.append(seconds)
            now[0] += round(100 * next(ticks))
            now[1] += 100

        with mock.patch("os.sync"):
            return machine.wait_until_quiet(lambda: tuple(now), sleep), sum(slept)

    def test_waits_until_nothing_runs(self):
        self.assertEqual(self.settle(0.9, 0.5, 0.04), (0.04, 3))

    def test_gives_up_after_a_minute(self):
        self.assertEqual(self.settle(*[0.5] * 60), (0.5, 60))

    def test_reads_this_machine(self):
        busy, total = machine._ticks()
        self.assertTrue(0 < busy < total)
