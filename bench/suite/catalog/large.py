"""Models of hundreds of megabytes and more."""

from suite.catalog.sides import flower, skein
from suite.catalog.sizes import M, name_of
from suite.model import Case
from suite.targets import at_least, at_most, completes, figure, refuses

TOPIC = "large"


def _many_large() -> Case:
    return Case(
        "large-6x300M", TOPIC, "6 workers, 300M floats (1.2 GB)",
        (skein("flat:6", 300 * M, 3, 2, attempt=True),),
        (completes("skein", "6 x 300M"),
         at_most(5, "6 x 300M: coordinator's peak memory / model",
                 figure("skein", "coordinator_models")),
         at_least(0.6, "6 x 300M: moved in all", figure("skein", "gb_per_s"), " GB/s")))


def _tree(params: int, rounds: int, runs: int) -> Case:
    floats = name_of(params)
    return Case(
        f"large-2x2x{floats}", TOPIC,
        f"4 workers under 2 aggregators, {floats} floats ({params * 4 / 1e9:g} GB)",
        (skein("tree:2x2", params, rounds, runs, attempt=True),),
        (completes("skein", f"tree:2x2, {floats}"),
         at_most(18, f"tree:2x2, {floats}: memory of all processes together",
                 figure("skein", "total_peak_gib"), " GiB")))


def full() -> list[Case]:
    return [
        Case("large-2x150M", TOPIC, "2 workers, 150M floats (600 MB)",
             (skein("flat:2", 150 * M, 3, 2, attempt=True),
              flower("legacy", 2, 150 * M, 2, 1),
              flower("current", 2, 150 * M, 2, 1, 900, attempt=True)),
             (completes("skein", "2 x 150M: Skein"),
              refuses("legacy", "2 x 150M: legacy"))),
        _many_large(),
        _tree(250 * M, 2, 1),
    ]


def quick() -> list[Case]:
    return [_tree(M, 1, 1)]
