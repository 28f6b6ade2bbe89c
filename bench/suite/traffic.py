"""What the links of a tree carry in a round, in model sizes (float32), by the book."""

from suite.tree import height, inner_nodes, workers

INT64 = 2  # a partial of int64 sums, in model sizes
FLOAT32 = 1


def tree(topology: str, partial: float = INT64) -> float:
    """One model down every link; an update up from every worker, a partial from every other."""
    down = workers(topology) + inner_nodes(topology)
    return down + workers(topology) + partial * inner_nodes(topology)


def routed(topology: str) -> float:
    """A flat federation whose messages go the way of the tree: each worker's model comes down, and
    its update goes up, over every link between it and the root."""
    return 2 * workers(topology) * height(topology)


def routed_multicast(topology: str) -> float:
    """The same, but the model comes down every link once. Flight's figures are against this."""
    down = workers(topology) + inner_nodes(topology)
    return down + workers(topology) * height(topology)


def change(carried: float, baseline: float) -> float:
    """In percent; less is negative."""
    return 100 * (carried / baseline - 1)
