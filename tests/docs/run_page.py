#!/usr/bin/env python3
"""run_page.py PAGE --source DIR --build DIR --work DIR: does what the page says, in its order.

In a directory with everything of the source tree in it, and the build as build/release, one shell
runs the blocks from the top of the page to its end:

  ```sh         commands; the first that fails fails the page
  ```console    `$ command`, and what it shows, both streams, letter by letter. `...` in a line stands
                for anything within it, a line of it for any lines. `$ echo $?` shows the status.

Blocks with `<!-- save: PATH -->` are written to that file when their turn comes. `skein` and the
examples are found as commands, and `python3` is the system's, which has PyTorch; HOME is in the
directory too.
"""

import argparse
import contextlib
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from page import BadPage, Block, blocks_of

NOT_LINKED = {"build", "runs", ".git", ".ci"}


def set_up(work: Path, source: Path, build: Path) -> Path:
    shutil.rmtree(work, ignore_errors=True)
    tree = work / "skein"
    tree.mkdir(parents=True)
    (work / "home/bin").mkdir(parents=True)
    (work / "home/bin/python3").symlink_to("/usr/bin/python3")
    for entry in source.iterdir():
        if entry.name not in NOT_LINKED:
            (tree / entry.name).symlink_to(entry)
    (tree / "build").mkdir()
    (tree / "build/release").symlink_to(build)
    return tree


def console_commands(block: Block) -> list[tuple[int, str, str]]:
    """Line, command and expected output of each."""
    commands: list[tuple[int, str, str]] = []
    for number, line in enumerate(block.text.splitlines(), block.line):
        if line.startswith("$ "):
            commands.append((number, line[2:], ""))
        elif not commands:
            raise BadPage(f"{block.page}:{number}: a console block begins with '$ command'")
        elif commands[-1][1].endswith("\\") and line.startswith("> "):
            commands[-1] = (commands[-1][0], commands[-1][1] + "\n" + line[2:], "")
        else:
            commands[-1] = (*commands[-1][:2], commands[-1][2] + line + "\n")
    return commands


def matches(expected: str, shown: str) -> bool:
    pattern = ""
    for line in expected.splitlines(keepends=True):
        if line.strip() == "...":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(re.escape(part) for part in line.split("..."))
    return re.fullmatch(pattern, shown) is not None


class Shell:
    """One bash for the whole page: what a block exports, and where it goes, holds for the next."""

    def __init__(self, tree: Path, build: Path, timeout_s: float):
        self.timeout_s = timeout_s
        self.out = tree.parent / "out"
        environment = os.environ | {
            "HOME": str(tree.parent / "home"),
            "PATH": f"{build / 'bin'}:{tree.parent / 'home/bin'}:{os.environ['PATH']}",
            "LC_ALL": "C",
        }
        environment.pop("SKEIN_LOG", None)
        self.bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"], cwd=tree, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        self.status = 0

    def run(self, commands: str, stop_at_failure: bool) -> tuple[int, str]:
        """The status and what was shown on both streams."""
        # From a file, so that no command reads the next one as its input. A failure under `-e` ends
        # the shell, and the trap tells of it.
        script = self.out.with_suffix(".sh")
        script.write_text(commands)
        before = "set -eo pipefail" if stop_at_failure else f"(exit {self.status})"
        self.bash.stdin.write(
            f"trap 'echo \"end $?\"' EXIT\n{before}\n"
            f". '{script}' >'{self.out}' 2>&1 </dev/null\n"
            "echo \"end $?\"\nset +eo pipefail\n")
        try:
            self.bash.stdin.flush()
        except BrokenPipeError:
            raise BadPage("the shell has ended") from None
        self.status = int(self._answer())
        return self.status, self.out.read_text(errors="replace")

    def _answer(self) -> str:
        with selectors.DefaultSelector() as selector:
            selector.register(self.bash.stdout, selectors.EVENT_READ)
            if not selector.select(self.timeout_s):
                self.end()
                raise BadPage(f"it takes more than {self.timeout_s:g} s")
        line = self.bash.stdout.readline().split()
        return line[1] if len(line) == 2 and line[0] == "end" else "1"

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.bash.pid, signal.SIGKILL)
        self.bash.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            self.bash.stdin.close()
        self.bash.wait()


def follow(page: Path, shell: Shell, tree: Path) -> int:
    done = 0
    for block in blocks_of(page):
        if block.mark == "save":
            file = tree / block.argument
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text)
        elif block.mark == "not run":
            continue
        elif block.language == "sh":
            print(f"{block.place}\n{block.text}", end="", flush=True)
            status, shown = shell.run(block.text, stop_at_failure=True)
            if status != 0:
                raise BadPage(f"{block.place}: ended with {status}\n{shown}")
            done += 1
        elif block.language == "console":
            for line, command, expected in console_commands(block):
                print(f"{block.page}:{line}\n{command}", flush=True)
                _, shown = shell.run(command + "\n", stop_at_failure=False)
                if not matches(expected, shown):
                    raise BadPage(f"{block.page}:{line}: the page says\n{expected}\n"
                                  f"and it shows\n{shown}")
                done += 1
    return done


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("page", type=Path)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--timeout", type=float, default=400, help="of one block, in seconds")
    args = parser.parse_args()
    tree = set_up(args.work.absolute(), args.source.absolute(), args.build.absolute())
    shell = Shell(tree, args.build.absolute(), args.timeout)
    try:
        done = follow(args.page, shell, tree)
    except BadPage as bad:
        print(bad, file=sys.stderr)
        return 1
    finally:
        shell.end()
    print(f"{args.page}: {done} commands or blocks of them did what the page says")
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main())
