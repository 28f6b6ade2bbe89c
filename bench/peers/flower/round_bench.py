#!/usr/bin/env python3
"""Rounds of Flower without training, FedAvg over all clients, on loopback: one JSON file.

round_bench.py --architecture current --clients 8 --params 100000 --rounds 3 --out flower.json
"""

import argparse
import sys

import federation
from architectures import ARCHITECTURES


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    federation.add_arguments(parser)
    parser.add_argument("--params", type=int, required=True, metavar="P",
                        help="float32 numbers, in one array")
    args = parser.parse_args()
    spec = {"workload": "none", "params": args.params}
    return federation.measure(ARCHITECTURES[args.architecture], args, spec)


sys.exit(main())
