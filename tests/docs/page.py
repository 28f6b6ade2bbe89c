"""What is in the fenced blocks of a Markdown page, and what their marks ask for.

A mark is a comment on the line above a fence:

  <!-- file: PATH -->       the block is that file of the tree, letter by letter (snippets.py)
  <!-- save: PATH -->       who follows the page writes the block to that file (run_page.py)
  <!-- not run: WHY -->     commands that run_page.py leaves out
"""

import re
from dataclasses import dataclass
from pathlib import Path

MARK = re.compile(r"<!-- (file|save|not run): (.+?) -->$")
KNOWN = re.compile(r"<!--\s*(file|save|not run)\b")
FENCE = re.compile(r"( *)(```+)\s*([a-z]*)$")


@dataclass
class Block:
    page: Path
    line: int  # of its first line, from 1
    language: str
    text: str  # every line ended
    mark: str = ""
    argument: str = ""

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


class BadPage(Exception):
    """A page that cannot be read as one; the message has the line."""


def blocks_of(page: Path) -> list[Block]:
    blocks: list[Block] = []
    mark = ("", "")
    open_block: Block | None = None
    fence = indent = ""
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if open_block is not None:
            if line.strip() == fence:
                blocks.append(open_block)
                open_block = None
            else:
                open_block.text += line.removeprefix(indent) + "\n"
            continue
        if found := FENCE.match(line):
            indent, fence, language = found.groups()
            open_block = Block(page, number + 1, language, "", *mark)
            mark = ("", "")
        elif mark[0]:
            raise BadPage(f"{page}:{number}: no block follows the mark '{mark[0]}'")
        elif found := MARK.match(line):
            mark = (found[1], found[2])
        elif KNOWN.match(line):
            raise BadPage(f"{page}:{number}: a mark that is not of the form '<!-- mark: text -->'")
    if open_block is not None:
        raise BadPage(f"{page}:{open_block.line - 1}: the block has no end")
    if mark[0]:
        raise BadPage(f"{page}: no block follows the mark '{mark[0]}'")
    return blocks


def pages_of(source: Path) -> list[Path]:
    found = [*source.glob("*.md"), *source.glob("docs/**/*.md"), *source.glob("examples/**/*.md")]
    return sorted(found)
