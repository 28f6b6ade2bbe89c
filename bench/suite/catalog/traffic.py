"""Bytes on the wire, by the shape of the tree."""

from suite import traffic
from suite.catalog.sides import skein
from suite.model import Case, Target
from suite.results import Figure, Missing, Results, Verdict
from suite.targets import at_most, verdict_of
from suite.tree import workers

TOPIC = "traffic"
PARAMS = 200_000  # large enough that frames' headers do not count
OFF_AT_MOST = 2  # percent, of what a tree should carry


def less_than_routed(shape: str, baseline=traffic.routed):
    """What was counted against a flat federation routed over the same tree, in percent."""
    def measure(results: Results) -> Figure:
        counted = results.figure(shape, "links")
        return Figure(*(traffic.change(value, baseline(shape))
                        for value in (counted.value, counted.low, counted.high)))
    return measure


def _by_the_book(shape: str, partial: float, what: str) -> Target:
    by_the_book = traffic.tree(shape, partial)
    expected = traffic.change(by_the_book, traffic.routed(shape))

    def judge(results: Results) -> Verdict:
        try:
            counted = results.figure(shape, "links").value
        except Missing as missing:
            return verdict_of(missing)
        off = traffic.change(counted, by_the_book)
        change = traffic.change(counted, traffic.routed(shape))
        return Verdict(f"{change + 0:.1f}%, bytes {off:+.2f}% off",
                       "ok" if abs(off) <= OFF_AT_MOST else "missed")
    return Target(f"{shape}{what}: all links, up and down, against a flat federation routed over "
                  "the same tree", f"{expected:.1f}%, bytes within {OFF_AT_MOST}%", judge)


def _root_change(flat: str, tree: str, direction: str):
    def measure(results: Results) -> Figure:
        figure = results.ratio(tree, flat, direction)
        return Figure(*(100 * (v - 1) for v in (figure.value, figure.low, figure.high)))
    return measure


def _case(shapes: list[str], params: int, rounds: int) -> Case:
    flat, tree = shapes[0], shapes[1]
    targets = [
        at_most(-85, f"bytes into the root, {tree} against {flat}",
                _root_change(flat, tree, "root_up"), "%"),
        *(_by_the_book(shape, traffic.INT64, "") for shape in shapes),
    ]
    return Case("traffic", TOPIC, f"{workers(flat)} workers in balanced trees",
                tuple(skein(shape, params, rounds, 1, shape, attempt=True, timeout_s=900)
                      for shape in shapes), tuple(targets))


def _means(shapes: list[str], params: int, rounds: int) -> Case:
    """The same with partials as float32 means."""
    targets = [_by_the_book(shape, traffic.FLOAT32, ", float32 partials") for shape in shapes]
    return Case("traffic-float32", TOPIC,
                f"{workers(shapes[0])} workers in balanced trees, float32 partials",
                tuple(skein(shape, params, rounds, 1, shape, attempt=True, timeout_s=900,
                            links="{partials: [fp32]}")
                      for shape in shapes), tuple(targets))


TREES = ["tree:16x16", "tree:4x4x4x4", "tree:2x2x2x2x2x2x2x2"]


def full() -> list[Case]:
    return [_case(["flat:256", *TREES], PARAMS, 2), _means(TREES, PARAMS, 2)]


def quick() -> list[Case]:
    return [_case(["flat:16", "tree:4x4"], PARAMS, 1)]
