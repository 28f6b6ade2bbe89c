import json
import math
import unittest
from pathlib import Path

import made_up  # noqa: F401  (puts bench/ on the path)
from scaling import study


class Shapes(unittest.TestCase):
    def test_every_shape_has_the_workers_that_it_stands_for(self):
        cases = [case for shapes in study.FAMILIES.values() for case in shapes.items()]
        cases += [(n, shape) for n, shapes in study.REAL.items() for shape in shapes]
        for workers, shape in cases:
            numbers = shape.partition(":")[2].split("x")
            self.assertEqual(math.prod(int(number) for number in numbers), workers, shape)

    def test_each_tier_has_its_links(self):
        self.assertEqual(study.links("flat:9", "a: 1", "b: 2"), "conditions.links=[{tier: 0, a: 1, b: 2}]")
        self.assertEqual(study.links("tree:3x3", "a: 1", "b: 2"),
                         "conditions.links=[{tier: 0, a: 1, latency_s: 0.02}, {tier: 1, a: 1, b: 2}]")


class Page(unittest.TestCase):
    def test_the_page_in_the_tree_is_what_the_results_say(self):
        results = json.loads(Path(study.RESULTS).read_text())
        self.assertEqual(Path(study.PAGE).read_text(), study.page(results))
        for name, picture in study.plots(results).items():
            self.assertEqual((study.PLOTS / f"{name}.svg").read_text(), picture)


if __name__ == "__main__":
    unittest.main()
