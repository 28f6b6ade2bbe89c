"""What an aggregator holds, by the number of its children."""

from suite.catalog.sides import skein
from suite.catalog.sizes import M, name_of
from suite.model import Case
from suite.results import Figure, Results
from suite.targets import at_most, figure

TOPIC = "memory"
CHILDREN = (8, 64, 256)


def _apart(sides: list[str]):
    """The most over the least of the sides, in percent above."""
    def measure(results: Results) -> Figure:
        models = [results.figure(side, "coordinator_extra_models").value for side in sides]
        apart = 100 * (max(models) / min(models) - 1)
        return Figure(apart, apart, apart)
    return measure


def _case(params: int, children: tuple[int, ...], rounds: int, runs: int, judged: bool = True,
          **more) -> Case:
    sides = [skein(f"flat:{n}", params, rounds, runs, f"flat:{n}", **more) for n in children]
    targets = [at_most(5, f"{side.name}: coordinator's peak above idle / model",
                       figure(side.name, "coordinator_extra_models")) for side in sides]
    targets.append(at_most(20, "apart, whatever the number of children",
                           _apart([side.name for side in sides]), "%"))
    return Case(f"memory-{name_of(params)}", TOPIC,
                f"{name_of(params)} floats ({params * 4 / 1e6:g} MB), by the number of children",
                tuple(sides), tuple(targets) if judged else ())


def full() -> list[Case]:
    return [
        _case(10 * M, CHILDREN, 3, 2, attempt=True, timeout_s=900),
        # All of its workers fit this machine.
        _case(5 * M // 2, CHILDREN, 3, 2, judged=False),
    ]


def quick() -> list[Case]:
    return [_case(M, (2, 4), 1, 1)]
