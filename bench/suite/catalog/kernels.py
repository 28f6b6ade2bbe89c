"""Folding and moving bytes, beside what memory and a socket can do."""

from suite.catalog.sides import skein
from suite.catalog.sizes import M
from suite.model import Case, Side
from suite.results import Figure, Missing, Results
from suite.targets import at_least, figure

TOPIC = "kernels"


def _of_memcpy(benchmark: str):
    """The best kernel the processor has, against memcpy of the same run."""
    def measure(results: Results) -> Figure:
        for kernel in ("avx2", "portable"):
            try:
                kernels = results.values("skein", f"BM_AddFloats/{kernel}/{benchmark}")
            except Missing as missing:
                why = missing
                continue
            shares = sorted(a / b for a, b in zip(kernels, results.values("skein", "BM_Memcpy")))
            return Figure(shares[len(shares) // 2], shares[0], shares[-1])
        raise why
    return measure


def _micro(program: str, title: str, runs: int = 3, targets=(), **params) -> Case:
    side = Side("skein", "micro", {"program": f"{program}_bench", **params}, runs)
    return Case(f"kernels-{program}", TOPIC, title, (side,), targets)


def _fold(runs: int, **params) -> Case:
    return _micro(
        "fold", "Adding float32 updates to exact sums", runs,
        (at_least(0.4, "fold of 1 update a pass / memcpy", _of_memcpy("1")),
         at_least(0.6, "fold of 4 updates a pass / memcpy", _of_memcpy("4"))),
        **params)


def _stream(params: int, runs: int, rounds: int) -> Case:
    return Case(
        "kernels-stream", TOPIC, "One worker: the model down, the update up and folded",
        (skein("flat:1", params, rounds, runs, attempt=True),),
        (at_least(0.6, "bytes a second / a plain TCP socket", figure("skein", "of_tcp")),))


def full() -> list[Case]:
    return [
        _fold(3),
        _micro("codec", "Chunks to frames and back", optional=True),
        _micro("checksum", "Checksums", optional=True),
        _micro("transport", "Transfers over gRPC", optional=True),
        _stream(100 * M, 3, 3),
    ]


def quick() -> list[Case]:
    fast = {"min_time": 0.01}
    return [
        _fold(1, filter="Memcpy|AddFloats/(portable|avx2)/[14]/", **fast),
        _stream(M, 1, 1),
    ]
