"""Rounds without training: Skein and Flower with as many workers and as large a model."""

from suite.catalog.sides import flower, skein
from suite.catalog.sizes import M, name_of
from suite.model import Case, Side, Target
from suite.targets import at_least, figure, ratio

TOPIC = "rounds"
RUNS = 3  # of Skein; peers take their turns in between


def _case(workers: int, params: int, peers: list[Side], faster: dict[str, float],
          memory: float = 15, extra: tuple[Target, ...] = ()) -> Case:
    """`faster`: by which factor a round should be, against each of the peers; `extra`: what else
    is to be reached."""
    size = f"{workers} x {name_of(params)}"
    targets: list[Target] = [*extra]
    for peer, factor in faster.items():
        targets += [
            at_least(factor, f"{size}: seconds a round, {peer} / Skein",
                     ratio(peer, "skein", "round_s")),
            at_least(memory, f"{size}: server memory above idle, {peer} / Skein",
                     ratio(peer, "skein", "server_extra_mib")),
            at_least(10, f"{size}: server CPU seconds a round, {peer} / Skein",
                     ratio(peer, "skein", "server_cpu_s")),
        ]
    return Case(
        f"rounds-{workers}x{name_of(params)}", TOPIC,
        f"{workers} workers, {name_of(params)} floats",
        (skein(f"flat:{workers}", params, 7, RUNS), *peers), tuple(targets))


def full() -> list[Case]:
    # Each client of the current Flower holds 190 MiB when idle: 48 are what fits into 24 GiB. That
    # 64 and 128 do not run is worth one attempt each.
    return [
        _case(128, M, [flower("legacy", 128, M, 3, 2),
                       flower("current", 128, M, 3, 1, 1200, attempt=True)],
              {"legacy": 12}, memory=40,
              extra=(at_least(1, "128 x 1M: bytes down and up a second / a plain TCP socket one way",
                              figure("skein", "of_tcp")),
                     at_least(20, "128 x 1M: seconds a round, current / Skein",
                              ratio("current", "skein", "round_s")))),
        _case(32, M, [flower("legacy", 32, M, 5, 2), flower("current", 32, M, 3, 2, 1200)],
              {"legacy": 8, "current": 20}),
        _case(48, M, [flower("current", 48, M, 3, 2, 1500, attempt=True)], {"current": 20}),
        _case(64, M, [flower("current", 64, M, 3, 1, 1200, attempt=True)], {}),
        _case(512, 100_000, [flower("legacy", 512, 100_000, 3, 2)], {"legacy": 15}),
    ]


def quick() -> list[Case]:
    return [Case("rounds-4x10k", TOPIC, "4 workers, 10k floats", (skein("flat:4", 10_000, 2, 1),))]
