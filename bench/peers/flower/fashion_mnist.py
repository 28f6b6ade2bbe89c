#!/usr/bin/env python3
"""The federation of examples/fashion_mnist with Flower: one JSON file.

fashion_mnist.py --architecture legacy --clients 32 --rounds 15 --out flower.json
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import federation
import pace
from architectures import ARCHITECTURES


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    federation.add_arguments(parser)
    parser.set_defaults(timeout=3600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--split", type=Path, metavar="FILE.json",
                        help="a list of lists of image indices, one for each client; default: "
                        "shuffled by the seed and cut into equal parts")
    parser.add_argument("--pace", type=Path, metavar="FILE.csv",
                        help="seconds of each client's tasks, as `skein conditions` prints them; "
                        "default: as long as they take")
    parser.add_argument("--target", type=float, metavar="ACCURACY",
                        help="end with the first round that reaches it")
    parser.add_argument("--data", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    args = parser.parse_args()

    def prepare(venv: Path, directory: Path) -> None:
        """Unpacks the images; no part of what is measured."""
        split = str(args.split.absolute()) if args.split else None
        request = {"clients": args.clients, "seed": args.seed, "split": split}
        (directory / "request.json").write_text(json.dumps(request))
        done = subprocess.run(
            [f"{venv}/bin/python", "-m", "skein_peer.fashion", str(args.data), str(directory)],
            env={"PYTHONPATH": str(federation.APP)}, capture_output=True, text=True, check=False,
        )
        if done.returncode != 0:
            raise federation.Failure((done.stderr.strip().splitlines() or ["no images"])[-1])

    spec = {"workload": "fashion-mnist", "seed": args.seed, "target": args.target}
    if args.pace:
        try:
            spec["pace"] = pace.read(args.pace, args.clients)
        except (OSError, ValueError) as error:
            print(error, file=sys.stderr)
            return 1
    return federation.measure(ARCHITECTURES[args.architecture], args, spec, prepare)


sys.exit(main())
