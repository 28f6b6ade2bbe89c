#!/usr/bin/env python3
"""Makes docs/benchmarks.md and docs/benchmarks/*.svg from bench/results.

With --check, says whether they are what it would make, and changes nothing.
"""

import argparse
import sys
from pathlib import Path

from page.document import document
from suite.catalog import SUITES
from suite.paths import RESULTS, ROOT
from suite.store import Store


def stale(wanted: dict[Path, str], folder: Path) -> list[Path]:
    """Files that are absent, different, or too many."""
    extra = [path for path in folder.glob("*.svg") if path not in wanted]
    return extra + [path for path, text in wanted.items()
                    if not path.exists() or path.read_text() != text]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", choices=SUITES, default="full")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/benchmarks.md", metavar="FILE.md",
                        help="plots go to a folder of the same name")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()

    folder = args.out.with_suffix("")
    text, plots = document(SUITES[args.suite](), Store(args.results), folder.name)
    wanted = {args.out: text} | {folder / f"{name}.svg": svg for name, svg in plots.items()}
    changed = stale(wanted, folder)
    if args.check:
        for path in changed:
            print(f"{path} is not what bench/report.py makes of {args.results}", file=sys.stderr)
        return 1 if changed else 0
    for path in changed:
        if path not in wanted:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path])
    return 0


sys.exit(main())
