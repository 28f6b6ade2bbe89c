"""Training: the federation of examples/fashion_mnist."""

from suite.kinds.fashion import WORKERS
from suite.model import Case, Side
from suite.results import Figure, Results
from suite.targets import at_least, at_most, ratio

TOPIC = "fashion"


def _skein(rounds: int, runs: int, name: str = "skein", **params) -> Side:
    return Side(name, "skein-fashion", {"rounds": rounds, **params}, runs, timeout_s=900)


def _flower(architecture: str, rounds: int, runs: int, timeout_s: float) -> Side:
    return Side(architecture, "flower-fashion",
                {"architecture": architecture, "rounds": rounds}, runs, timeout_s, attempt=True)


def _accuracy_apart(a: str, b: str):
    """On average over the runs with the same seed, whichever side is better."""
    def measure(results: Results) -> Figure:
        pairs = zip(results.values(a, "accuracy_percent"), results.values(b, "accuracy_percent"))
        apart = [x - y for x, y in pairs]
        mean = abs(sum(apart) / len(apart))
        return Figure(mean, mean, mean)
    return measure


def _overhead(rounds: int, runs: int, **params) -> Case:
    return Case(
        "fashion-overhead", TOPIC, f"{WORKERS} workers in one process, and the bare training loop",
        (_skein(rounds, runs, **params),
         Side("bare loop", "bare-loop", {"rounds": rounds, **params}, runs)),
        (at_most(1.05, "run time, Skein / bare loop", ratio("skein", "bare loop", "run_s")),))


def full() -> list[Case]:
    return [
        _overhead(6, 5),
        Case("fashion-flower", TOPIC, f"{WORKERS} workers, 15 rounds, the same split",
             (_skein(15, 3), _flower("legacy", 15, 2, 1200),
              _skein(15, 1, "Skein in processes", workers_per_process=WORKERS // 2),
              _flower("current", 15, 1, 2400)),
             (at_least(1.3, "run time, legacy / Skein", ratio("legacy", "skein", "run_s")),
              at_most(0.5, "accuracy apart, legacy and Skein", _accuracy_apart("legacy", "skein"),
                      " points"),
              at_least(1.3, "run time, current / Skein", ratio("current", "skein", "run_s")),
              at_most(0.5, "accuracy apart, current and Skein",
                      _accuracy_apart("current", "skein"), " points"))),
    ]


def quick() -> list[Case]:
    return [_overhead(1, 1, set={"data.limit": "3200"})]
