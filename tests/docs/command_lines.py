#!/usr/bin/env python3
"""command_lines.py SOURCE_DIR SKEIN: the command lines of skein in the fenced blocks of all documents
are understood by the program.

Each is tried in an empty directory, where it soon ends for want of its files; what must not come is the
complaint about the command line itself. Files of the tree that a line names must exist.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from page import BadPage, Block, blocks_of, pages_of

# Programs that are the skein command line, by the names that documents give them.
PROGRAMS = {"skein", "my_app", "quickstart", "fashion_mnist", "curve", "extended"}
LANGUAGES = {"", "sh", "console"}
# All that they say is done by tests of their own (run_page.py).
RUN_PAGES = {"docs/tutorial.md", "docs/errors.md", "docs/learners.md",
             "examples/topologies/README.md"}
TRY_S = 5  # for what runs in earnest; the command line has been read long before
IN_TREE = re.compile(r"(examples|docs|tests|bench)/\S+\.\w+$")


def lines_of(block: Block) -> list[tuple[int, str]]:
    """Commands and the lines on which they begin; continued ones in one piece."""
    lines: list[tuple[int, str]] = []
    text = ""
    for number, line in enumerate(block.text.splitlines(), block.line):
        if block.language == "console" and not text:
            if not line.startswith("$ "):
                continue
            line = line[2:]
        begin = number if not text else begin
        text += line.removesuffix("\\")
        if not line.endswith("\\"):
            lines.append((begin, text))
            text = ""
    return lines


def command_lines(block: Block) -> list[tuple[int, list[str]]]:
    found = []
    for number, line in lines_of(block):
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        try:
            words = list(lexer)
        except ValueError:  # a quote that goes on in the next line, or prose
            continue
        # Up to the next command of the line, or a redirection.
        command: list[str] = []
        for word in [*words, ";"]:
            if word and set(word) <= set("();<>|&"):
                if command and Path(command[0]).name in PROGRAMS:
                    found.append((number, command))
                command = []
            else:
                command.append(word)
    return found


def complaint(skein: Path, arguments: tuple[str, ...]) -> str:
    """What the program says of the command line; nothing if it understands it."""
    with tempfile.TemporaryDirectory() as empty:
        process = subprocess.Popen(
            [skein, *arguments], cwd=empty, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, start_new_session=True,
            env=os.environ | {"SKEIN_LOG": "off", "TMPDIR": empty})  # it may be killed
        try:
            _, err = process.communicate(timeout=TRY_S)
        except subprocess.TimeoutExpired:  # it works on something: so it has understood
            return ""
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
    if process.returncode < 0:
        return f"ended by signal {-process.returncode}"
    return err.strip() if process.returncode == 2 and "; see skein" in err else ""


def main(source: Path, skein: Path) -> int:
    found = [(f"{page}:{number}", program, arguments)
             for page in pages_of(source) if str(page.relative_to(source)) not in RUN_PAGES
             for block in blocks_of(page) if block.language in LANGUAGES
             for number, (program, *arguments) in command_lines(block)]
    different = sorted({tuple(arguments) for _, _, arguments in found})
    with ThreadPoolExecutor(max_workers=4) as pool:
        complaints = dict(zip(different, pool.map(lambda line: complaint(skein, line), different)))
    failed = 0
    for place, program, arguments in found:
        trouble = complaints[tuple(arguments)]
        for word in arguments:
            if IN_TREE.match(word) and not (source / word).exists():
                trouble = f"no such file: {word}"
        if trouble:
            print(f"{place}: {program} {' '.join(arguments)}\n  {trouble}")
            failed += 1
    print(f"{len(different)} command lines, {failed} of them not understood")
    return 1 if failed or not different else 0


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]).absolute()))
    except BadPage as bad:
        sys.exit(str(bad))
