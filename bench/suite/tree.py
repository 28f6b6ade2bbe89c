"""Shapes of trees: "flat:8" and "tree:4x8", as Skein's command line has them."""

from math import prod


def levels(topology: str) -> list[int]:
    """How many nodes there are below the root, level by level, the workers last."""
    arities = [int(n) for n in topology.partition(":")[2].split("x")]
    return [prod(arities[: i + 1]) for i in range(len(arities))]


def workers(topology: str) -> int:
    return levels(topology)[-1]


def inner_nodes(topology: str) -> int:
    """Aggregators, without the coordinator."""
    return sum(levels(topology)[:-1])


def height(topology: str) -> int:
    return len(levels(topology))
