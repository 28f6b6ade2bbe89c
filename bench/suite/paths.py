"""Where things are. Commands are run in ROOT and name files relative to it."""

from pathlib import Path

BENCH = Path(__file__).resolve().parents[1]
ROOT = BENCH.parent
RESULTS = BENCH / "results"
BIN = "build/release/bin"
PEERS = "bench/peers/flower"
SCRATCH = "build/bench"
