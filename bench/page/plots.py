"""Which plots there are. A plot without figures is left out."""

from page import svg
from page.tables import label, median
from suite import traffic
from suite.catalog import grid
from suite.results import Results
from suite.tree import height


def _bars(all_results: list[Results], metric: str, title: str, unit: str, log: bool) -> str | None:
    """A group for each case, a bar for each side."""
    groups = []
    for results in all_results:
        values = {label(side.name): v for side in results.case.sides
                  if (v := median(results, side.name, metric)) is not None and v > 0}
        if values:
            groups.append((results.case.title, values))
    return svg.bars(title, unit, groups, log) if groups else None


def _memory(all_results: list[Results]) -> str | None:
    series = {}
    for results in all_results:
        points = [(float(side.name.partition(":")[2]), v) for side in results.case.sides
                  if (v := median(results, side.name, "coordinator_extra_models")) is not None]
        if points:
            series[results.case.title.partition(",")[0]] = points
    if not series:
        return None
    return svg.lines("Coordinator's peak above idle", "models", "children", series)


def _traffic(all_results: list[Results]) -> str | None:
    groups = []
    for results in all_results:
        for side in results.case.sides:
            if (links := median(results, side.name, "links")) is None:
                continue
            if "links" in side.params:
                continue  # the table has them
            groups.append((f"height {height(side.name)}", {
                "Skein, counted": links,
                "flat, routed over the tree": traffic.routed(side.name),
                "the same with multicast": traffic.routed_multicast(side.name),
            }))
    return svg.bars("On all links in a round", "models", groups) if groups else None


def _grid(all_results: list[Results]) -> str | None:
    params = grid.MODELS["62,006 floats"]
    series: dict[str, list[tuple[float, float]]] = {}
    for results in all_results:
        for side in results.case.sides:
            if results.case.id.partition("x")[0] != f"grid-{params}":
                continue
            workers = float(results.case.id.partition("x")[2])
            if (total := median(results, side.name, "total_s")) is not None:
                series.setdefault(label(side.name), []).append((workers, total))
    if not series:
        return None
    return svg.lines("One round of 62,006 floats, start-up counted", "seconds", "workers", series,
                     log=True)


def plots(topic: str, all_results: list[Results]) -> dict[str, str]:
    """Name to SVG."""
    made = {
        "rounds": lambda: {
            "rounds_seconds": _bars(all_results, "round_s", "A round without training",
                                    "seconds (logarithmic)", True),
            "rounds_memory": _bars(all_results, "server_extra_mib", "Server memory above idle",
                                   "MiB (logarithmic)", True),
        },
        "memory": lambda: {"memory_by_children": _memory(all_results)},
        "traffic": lambda: {"traffic_by_height": _traffic(all_results)},
        "fashion": lambda: {
            "fashion_seconds": _bars([r for r in all_results if r.case.id == "fashion-flower"],
                                     "run_s", "Training with Fashion-MNIST", "seconds", False),
        },
        "grid": lambda: {"grid_by_workers": _grid(all_results)},
    }.get(topic, dict)()
    return {name: text for name, text in made.items() if text is not None}
