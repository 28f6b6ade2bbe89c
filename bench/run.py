#!/usr/bin/env python3
"""Runs benchmarks one at a time and keeps each result as bench/results/CASE.json.

scripts/bench.sh builds what is needed, runs this and writes the page.
"""

import argparse
import fnmatch
import resource
import signal
import sys
from pathlib import Path

from peers.flower.procs import available_mib
from suite.catalog import SUITES
from suite.driver import Driver, Options
from suite.paths import RESULTS, ROOT, SCRATCH
from suite.process import SPARE_MIB
from suite.store import Store


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", choices=SUITES, default="full")
    parser.add_argument("--only", metavar="GLOB", action="append",
                        help="cases whose names match; may be repeated")
    parser.add_argument("--list", action="store_true", help="say what there is, and run nothing")
    parser.add_argument("--resume", action="store_true",
                        help="keep the runs that the same commit has already done")
    parser.add_argument("--no-peers", action="store_true", help="Skein alone")
    parser.add_argument("--budget-minutes", type=float, default=float("inf"), metavar="M",
                        help="start no case that would end later, by the estimate")
    parser.add_argument("--memory-gib", type=float, metavar="N",
                        default=(available_mib() - SPARE_MIB) / 1024,
                        help="run nothing that needs more, by the estimate; here %(default).1f")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR")
    args = parser.parse_args()

    cases = [case for case in SUITES[args.suite]()
             if not args.only or any(fnmatch.fnmatch(case.id, glob) for glob in args.only)]
    if not cases:
        parser.error("no case matches; --list says what there is")
    # Skein's programs do this themselves; a peer's server has a connection for each client, too.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    driver = Driver(
        Store(args.results.absolute()),
        Options(Path(SCRATCH), args.resume, not args.no_peers, 60 * args.budget_minutes,
                1024 * args.memory_gib))
    if args.list:
        for case in cases:
            sides = "; ".join(f"{side.name} x {side.runs}" for side in case.sides)
            print(f"{case.id:24} {driver.estimate_s(case) / 60:5.1f} min  {sides}")
        print(f"{'all':24} {sum(map(driver.estimate_s, cases)) / 60:5.1f} min")
        return 0
    (ROOT / SCRATCH).mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        driver.run(cases)
    except KeyboardInterrupt:
        print("interrupted; --resume goes on from here", file=sys.stderr)
        return 130
    for failure in driver.failures:
        print(f"failed: {failure}", file=sys.stderr)
    return 1 if driver.failures else 0


sys.exit(main())
