#!/usr/bin/env python3
"""snippets.py SOURCE_DIR [--update]: the blocks that are marked with a file are that file, letter by
letter. --update copies the files into the pages."""

import difflib
import sys
from pathlib import Path

from page import BadPage, blocks_of, pages_of

# What README.md promises of the program that it shows.
MOST_LINES = {"examples/quickstart/quickstart.cc": 59}


def update(source: Path, page: Path) -> None:
    lines = page.read_text().splitlines(keepends=True)
    for block in reversed(blocks_of(page)):
        if block.mark == "file":
            first = block.line - 1
            lines[first : first + block.text.count("\n")] = [(source / block.argument).read_text()]
    page.write_text("".join(lines))


def main(source: Path, copy: bool) -> int:
    failed = shown = 0
    for page in pages_of(source):
        if copy:
            update(source, page)
        for block in blocks_of(page):
            if block.mark != "file":
                continue
            shown += 1
            file = source / block.argument
            if not file.is_file():
                print(f"{block.place}: no such file: {block.argument}")
                failed += 1
            elif block.text != file.read_text():
                print(f"{block.place} does not show {block.argument} as it is; "
                      f"{sys.argv[0]} SOURCE_DIR --update copies it")
                sys.stdout.writelines(difflib.unified_diff(
                    file.read_text().splitlines(True), block.text.splitlines(True),
                    block.argument, str(page)))
                failed += 1
    for name, most in MOST_LINES.items():
        if (source / name).read_text().count("\n") > most:
            print(f"{name} has more lines than the {most} that README.md promises")
            failed += 1
    if shown == 0:
        print("no page shows a file")
    return 1 if failed or shown == 0 else 0


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1]), "--update" in sys.argv[2:]))
    except BadPage as bad:
        sys.exit(str(bad))
