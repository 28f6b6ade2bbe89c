"""The tools that hold the documents to what they say: that they can fail."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

import command_lines
import run_page
import snippets
from page import BadPage, blocks_of


class ToolsTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.source = Path(scratch.name) / "source"
        self.source.mkdir()
        self.page = self.source / "page.md"

    def quietly(self, call, *arguments):
        self.shown = io.StringIO()
        with contextlib.redirect_stdout(self.shown):
            return call(*arguments)

    def follow(self, text: str, timeout_s: float = 30) -> int:
        self.page.write_text(text)
        tree = run_page.set_up(self.source.parent / "work", self.source, self.source)
        shell = run_page.Shell(tree, self.source, timeout_s)
        try:
            return self.quietly(run_page.follow, self.page, shell, tree)
        finally:
            shell.end()

    def test_blocks_have_their_marks_and_lines(self):
        self.page.write_text("a\n<!-- file: x.cc -->\n```cpp\nint x;\n```\n\n  ```sh\n  ls\n  ```\n")
        first, second = blocks_of(self.page)
        self.assertEqual((first.line, first.language, first.mark, first.argument, first.text),
                         (4, "cpp", "file", "x.cc", "int x;\n"))
        self.assertEqual((second.mark, second.text), ("", "ls\n"))

    def test_marks_without_a_block_are_refused(self):
        for text in ["<!-- file: x -->\n\n```\n```\n", "<!-- save: x -->", "<!--save: x-->\n```\n```\n",
                     "```sh\nls\n"]:
            self.page.write_text(text)
            with self.assertRaises(BadPage, msg=text):
                blocks_of(self.page)

    def test_a_page_is_followed_in_one_shell(self):
        self.assertEqual(self.follow(
            "<!-- save: sub/f -->\n```\nhello\n```\n```sh\ncd sub\nexport X=3\n```\n"
            "```console\n$ cat f; echo $X\nhello\n3\n$ (exit 4)\n$ echo $?\n4\n"
            "$ seq 9\n1\n...\n9\n$ echo took 12 s\ntook ... s\n```\n"
            "<!-- not run: why -->\n```sh\nfalse\n```\n"), 6)

    def test_a_command_that_fails_is_noticed(self):
        for text in ["```sh\nfalse\ntrue\n```\n", "```sh\nfalse | true\n```\n",
                     "```sh\nexit 3\n```\n", "```console\n$ exit 3\n```\n```sh\ntrue\n```\n"]:
            with self.assertRaises(BadPage, msg=text):
                self.follow(text)

    def test_another_output_is_noticed(self):
        for expected in ["", "b\n", "a\nb\n", "a...b\n"]:
            with self.assertRaises(BadPage, msg=expected):
                self.follow(f"```console\n$ echo a\n{expected}```\n")

    def test_a_command_that_takes_too_long_is_ended(self):
        with self.assertRaises(BadPage):
            self.follow("```sh\nsleep 60\n```\n", timeout_s=0.2)

    def test_a_snippet_that_differs_is_noticed_and_copied(self):
        (self.source / "a.cc").write_text("int a;\n")
        self.page.write_text("<!-- file: a.cc -->\n```cpp\nint b;\n```\nafter\n")
        most, snippets.MOST_LINES = snippets.MOST_LINES, {}
        try:
            self.assertEqual(self.quietly(snippets.main, self.source, False), 1)
            self.assertEqual(self.quietly(snippets.main, self.source, True), 0)
        finally:
            snippets.MOST_LINES = most
        self.assertEqual(self.page.read_text(),
                         "<!-- file: a.cc -->\n```cpp\nint a;\n```\nafter\n")

    def test_a_snippet_without_its_file_is_noticed(self):
        self.page.write_text("<!-- file: gone.cc -->\n```cpp\n```\n")
        most, snippets.MOST_LINES = snippets.MOST_LINES, {}
        try:
            self.assertEqual(self.quietly(snippets.main, self.source, False), 1)
        finally:
            snippets.MOST_LINES = most

    def test_a_command_line_that_is_not_understood_is_noticed(self):
        skein = self.source / "fake"
        skein.write_text("#!/bin/sh\n[ $# -lt 3 ] || { echo 'too many; see skein --help' >&2; exit 2; }\n"
                         "[ \"$1\" != run ] || { echo 'no such file' >&2; exit 2; }\n")
        skein.chmod(0o755)
        self.page.write_text("```sh\nskein run a  # fine\ncd x && my_app worker | head -n 2 3\n```\n"
                             "```\nsome output of skein, which is no command\n```\n")
        self.assertEqual(self.quietly(command_lines.main, self.source, skein), 0)
        self.assertIn("2 command lines", self.shown.getvalue())
        self.page.write_text("```console\n$ skein run \\\n    a b\n```\n")
        self.assertEqual(self.quietly(command_lines.main, self.source, skein), 1)
        self.assertIn("page.md:2: skein run a b", self.shown.getvalue())
        self.page.write_text("```sh\nskein show examples/gone.yaml\n```\n")
        self.assertEqual(self.quietly(command_lines.main, self.source, skein), 1)


if __name__ == "__main__":
    unittest.main()
