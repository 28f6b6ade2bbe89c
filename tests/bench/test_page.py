import re
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import made_up
from page.document import document
from page.topics import TOPICS
from suite.catalog import SUITES
from suite.store import Store


class PageTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.store = Store(Path(folder.name))
        self.cases = SUITES["full"]()

    def page(self):
        return document(self.cases, self.store, "folder")

    def measure_all(self):
        for case in self.cases:
            self.store.save(case, made_up.stored(case))

    def check_form(self, text, plots):
        for block in re.findall(r"(?:^\|.*\n)+", text, re.M):
            widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
            self.assertEqual(len(widths), 1, block)
        for topic in TOPICS:
            self.assertIn(f"\n## {topic.title}\n", text)
        self.assertEqual(set(re.findall(r"\]\(folder/(\w+)\.svg\)", text)), set(plots))
        for svg in plots.values():
            root = ElementTree.fromstring(svg)
            self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")
            self.assertNotIn("nan", svg)

    def test_says_what_is_not_measured(self):
        text, plots = self.page()
        self.check_form(text, plots)
        self.assertEqual(plots, {})
        self.assertIn("Nothing has been measured yet.", text)
        self.assertRegex(text, r"Of \d+ targets: \d+ not measured\.")

    def test_shows_everything(self):
        self.measure_all()
        text, plots = self.page()
        self.check_form(text, plots)
        self.assertEqual(set(plots), {"rounds_seconds", "rounds_memory", "memory_by_children",
                                      "traffic_by_height", "fashion_seconds", "grid_by_workers"})
        self.assertNotIn("not measured", text)
        self.assertIn("| abacus, 2 cores |", text)
        # 10 s against 0.5 s; memcpy's half at 4 updates a pass.
        self.assertRegex(text, r"128 x 1M: seconds a round, legacy / Skein \| ≥ 12 \| 20 \| ok")
        self.assertRegex(text, r"fold of 4 updates a pass / memcpy \| ≥ 0.6 \| 0.5 \| \*\*missed")
        self.assertIn("-62.7%, bytes +0.00% off | ok", text)
        self.assertEqual((text, plots), self.page())

    def test_a_failed_run_stands_with_its_reason(self):
        self.measure_all()
        case = next(c for c in self.cases if c.id == "large-2x150M")
        errors = {"legacy": "a message | too large"}
        runs = [made_up.run(side, 1, error=errors.get(side.name)) for side in case.sides]
        self.store.save(case, made_up.stored(case, runs))
        text, plots = self.page()
        self.check_form(text, plots)
        self.assertIn(r"Flower legacy | failed: a message \| too large |", text)
        self.assertIn(r"| fails | a message \| too large | ok |", text)

    def test_every_case_has_a_name_of_its_own_and_a_topic(self):
        for suite in SUITES.values():
            cases = suite()
            self.assertEqual(len({case.id for case in cases}), len(cases))
            self.assertLessEqual({case.topic for case in cases}, {topic.id for topic in TOPICS})
