"""Folding and moving bytes, beside what memory and a socket can do."""

import statistics

from suite.catalog.sides import skein
from suite.catalog.sizes import M
from suite.model import Case, Side
from suite.results import Figure, Missing, Results
from suite.targets import at_least

TOPIC = "kernels"


def _in_same_run(above: str, below: str):
    """GB/s of one benchmark over those of another, run by run."""
    def measure(results: Results) -> Figure:
        shares = [a / b for a, b in zip(results.values("skein", above),
                                        results.values("skein", below))]
        return Figure(statistics.median(shares), min(shares), max(shares))
    return measure


def _of_memcpy(updates: int):
    """Of the best kernel that the processor has."""
    def measure(results: Results) -> Figure:
        try:
            return _in_same_run(f"BM_AddFloats/avx2/{updates}", "BM_Memcpy")(results)
        except Missing:
            return _in_same_run(f"BM_AddFloats/portable/{updates}", "BM_Memcpy")(results)
    return measure


def _micro(program: str, title: str, runs: int, targets=(), **params) -> Case:
    side = Side("skein", "micro", {"program": f"{program}_bench", **params}, runs)
    return Case(f"kernels-{program}", TOPIC, title, (side,), targets)


def _fold(runs: int, **params) -> Case:
    return _micro(
        "fold", "Adding float32 updates to exact sums", runs,
        (at_least(0.4, "fold of 1 update a pass / memcpy", _of_memcpy(1)),
         at_least(0.6, "fold of 4 updates a pass / memcpy", _of_memcpy(4))),
        **params)


def _stream(params: int, runs: int, rounds: int) -> Case:
    return Case("kernels-stream", TOPIC, "One worker: a model down, an update back",
                (skein("flat:1", params, rounds, runs, attempt=True),))


def _wire(runs: int, **params) -> list[Case]:
    return [
        _micro("codec", "Chunks to messages and back", runs, **params),
        _micro("codecs", "Codecs of links, to fewer bytes and back", runs, **params),
        _micro("checksum", "Checksums", runs, **params),
        _micro("transport", "Transfers over gRPC", runs,
               (at_least(0.6, "one stream received and folded / a plain TCP socket",
                         _in_same_run("BM_ReceiveAndFold", "BM_RawTcp")),),
               **params),
    ]


def full() -> list[Case]:
    return [_fold(3), *_wire(3), _stream(100 * M, 3, 3)]


def quick() -> list[Case]:
    fast = {"min_time": 0.01}
    return [
        _fold(1, filter="Memcpy|AddFloats/(portable|avx2)/[14]/", **fast),
        *_wire(1, **fast),
        _stream(M, 1, 1),
    ]
