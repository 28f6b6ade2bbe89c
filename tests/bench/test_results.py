import unittest

import made_up
from suite import traffic
from suite.catalog.sides import skein
from suite.model import Case
from suite.results import Failed, Missing, Results
from suite.targets import at_least, at_most, completes, number, ratio, refuses

A = skein("flat:2", 1000, 3, 3, "a")
B = skein("flat:2", 1000, 3, 2, "b")
CASE = Case("case", "rounds", "A case", (A, B))


def results(*runs: dict) -> Results:
    return Results(CASE, made_up.stored(CASE, list(runs)))


def run(side, number, round_s):
    return made_up.run(side, number, made_up.skein_round(side.params, round_s))


class Cases(unittest.TestCase):
    def test_sides_take_turns(self):
        order = [f"{side.name}{number}" for side, number in CASE.schedule()]
        self.assertEqual(order, ["a1", "b1", "a2", "b2", "a3"])


class Figures(unittest.TestCase):
    def test_a_figure_is_the_median_of_the_runs(self):
        figure = results(run(A, 1, 3.0), run(A, 2, 1.0), run(A, 3, 7.0)).figure("a", "round_s")
        self.assertEqual((figure.value, figure.low, figure.high), (3.0, 1.0, 7.0))

    def test_the_spread_of_a_ratio_is_the_widest(self):
        figure = results(run(A, 1, 10.0), run(A, 2, 12.0), run(B, 1, 2.0), run(B, 2, 4.0)).ratio(
            "a", "b", "round_s")
        self.assertEqual((figure.low, figure.high), (10 / 4, 12 / 2))
        self.assertAlmostEqual(figure.value, 11 / 3)

    def test_a_run_of_other_parameters_does_not_count(self):
        old = run(A, 1, 1.0) | {"params": {**A.params, "params": 7}}
        with self.assertRaisesRegex(Missing, "not measured"):
            results(old).figure("a", "round_s")

    def test_a_side_that_failed_says_why(self):
        with self.assertRaisesRegex(Failed, "out of beads"):
            results(made_up.run(A, 1, error="out of beads")).figure("a", "round_s")

    def test_numbers_keep_three_digits_and_all_before_the_point(self):
        self.assertEqual([number(v) for v in (0.012345, 1.5, 12345.6, -45.31, 0)],
                         ["0.0123", "1.5", "12,346", "-45.3", "0"])


class Targets(unittest.TestCase):
    def judge(self, target, *runs):
        return target.judge(results(*runs)).result

    def test_bounds(self):
        runs = run(A, 1, 10.0), run(B, 1, 2.0)
        what = ratio("a", "b", "round_s")
        self.assertEqual(self.judge(at_least(5, "", what), *runs), "ok")
        self.assertEqual(self.judge(at_least(5.1, "", what), *runs), "missed")
        self.assertEqual(self.judge(at_most(5, "", what), *runs), "ok")
        self.assertEqual(self.judge(at_most(4.9, "", what), *runs), "missed")

    def test_without_a_run_nothing_is_reached(self):
        what = ratio("a", "b", "round_s")
        failed = made_up.run(A, 1, error="out of beads")
        self.assertEqual(self.judge(at_least(5, "", what)), "not measured")
        self.assertEqual(self.judge(at_least(5, "", what), failed, run(B, 1, 1.0)), "failed")
        self.assertEqual(self.judge(completes("a", "")), "not measured")
        self.assertEqual(self.judge(completes("a", ""), failed), "failed")
        self.assertEqual(self.judge(refuses("a", "")), "not measured")
        self.assertEqual(self.judge(refuses("a", ""), failed), "ok")


class Traffic(unittest.TestCase):
    TREES = ("flat:256", "tree:16x16", "tree:4x4x4x4", "tree:2x2x2x2x2x2x2x2")

    def changes(self, partial, baseline):
        return [round(traffic.change(traffic.tree(t, partial), baseline(t)), 1) + 0
                for t in self.TREES]

    def test_against_a_flat_federation_over_the_same_tree(self):
        self.assertEqual(self.changes(traffic.INT64, traffic.routed), [0, -45.3, -62.7, -68.9])
        self.assertEqual(self.changes(traffic.FLOAT32, traffic.routed), [0, -46.9, -66.8, -75.1])

    def test_flights_figures_come_from_its_baseline(self):
        ours = self.changes(traffic.FLOAT32, traffic.routed_multicast)
        for mine, published in zip(ours, (0, -30.6, -50.2, -60.1)):
            self.assertAlmostEqual(mine, published, delta=0.15)
