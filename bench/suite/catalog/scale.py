"""Thousands of workers on one machine."""

from suite.catalog.sides import skein
from suite.catalog.sizes import M, name_of
from suite.model import Case
from suite.targets import at_most, completes, figure, ratio
from suite.tree import workers

TOPIC = "scale"
FLOATS = 62_006  # of a model that Flight's study has


def _wide(params: int, shapes: tuple[str, ...], rounds: int, runs: int) -> Case:
    return Case(
        f"scale-2048x{name_of(params)}", TOPIC, f"2,048 workers, {params:,} floats",
        tuple(skein(shape, params, rounds, runs, shape) for shape in shapes),
        tuple(at_most(1.5, f"{shape}, {name_of(params)}: a round", figure(shape, "round_s"), " s")
              for shape in shapes))


def _deep(params: int, few: str, many: str, rounds: int, runs: int) -> Case:
    return Case(
        f"scale-{workers(many)}x{name_of(params)}", TOPIC,
        f"{workers(many):,} workers against {workers(few)}, {params:,} floats",
        (skein(few, params, rounds, runs, few), skein(many, params, rounds, runs, many)),
        (completes(many, f"{many}, {name_of(params)}"),
         at_most(1.5, f"{name_of(params)}: seconds a worker, {many} / {few}",
                 ratio(many, few, "s_per_worker"))))


def full() -> list[Case]:
    return [
        Case("scale-512x1M", TOPIC, "512 workers, 1M floats",
             (skein("flat:512", M, 5, 3),),
             (completes("skein", "flat:512, 1M"),
              at_most(4, "flat:512, 1M: a round", figure("skein", "round_s"), " s"))),
        _wide(FLOATS, ("flat:2048", "tree:32x64"), 5, 3),
        # The same number of children for an aggregator.
        _deep(FLOATS, "tree:4x128", "tree:64x128", 3, 2),
    ]


def quick() -> list[Case]:
    return [_deep(1000, "tree:2x4", "tree:4x4", 2, 1)]
