"""Tables of topics whose figures are not a row for each side."""

from page.markdown import table
from page.tables import median, note, value
from published import FLIGHT_SECONDS, FLIGHT_TRAFFIC, FLOWER_SECONDS, SOURCE
from suite import traffic
from suite.catalog import grid
from suite.catalog.traffic import less_than_routed
from suite.results import Missing, Results
from suite.targets import number
from suite.tree import height, workers


def micro(all_results: list[Results]) -> str:
    """Every benchmark of the programs that ran, beside memcpy where the program measures that."""
    rows = []
    for results in all_results:
        if results.case.sides[0].kind != "micro":
            continue
        memcpy = median(results, "skein", "BM_Memcpy")
        runs = results.good("skein")
        if not runs:
            rows.append([results.case.title, note(results, "skein"), "", ""])
            continue
        for name in dict.fromkeys(b["name"] for b in runs[0]["raw"]["benchmarks"]):
            name = name.replace("/real_time", "")
            if (speed := median(results, "skein", name)) is None:
                continue
            share = f"{speed / memcpy:.2f}" if memcpy else ""
            rows.append([results.case.title, name.removeprefix("BM_"),
                         value(results, "skein", name), share])
    return table(["program", "benchmark", "GB/s", "of memcpy"], rows) if rows else ""


def traffic_table(all_results: list[Results]) -> str:
    rows = []
    for results in all_results:
        for side in results.case.sides:
            means = "links" in side.params
            rows.append(_traffic_row(results, side.name, means))
    return table(
        ["tree", "partials", "height", "into the root", "out of the root", "all links",
         "by the book", "flat, routed", "change", "change against multicast",
         "Flight, published"], rows)


def _traffic_row(results: Results, shape: str, means: bool) -> list[str]:
    def percent(value: float) -> str:
        return f"{value + 0:.1f}%".replace("-0.0%", "0.0%")

    def counted(baseline) -> str:
        try:
            return percent(less_than_routed(shape, baseline)(results).value)
        except Missing:
            return ""

    by_the_book = traffic.tree(shape, traffic.FLOAT32 if means else traffic.INT64)
    published = FLIGHT_TRAFFIC.get(height(shape)) if workers(shape) == 256 else None
    return [shape, "float32 means" if means else "int64 sums", str(height(shape)),
            value(results, shape, "root_up"), value(results, shape, "root_down"),
            value(results, shape, "links") or note(results, shape),
            number(by_the_book), number(traffic.routed(shape)), counted(traffic.routed),
            counted(traffic.routed_multicast),
            "" if published is None else percent(published)]


def grid_table(all_results: list[Results]) -> str:
    def place(results: Results) -> tuple[int, int]:
        skein = results.case.sides[0].params
        return skein["params"], workers(skein["topology"])

    rows = []
    for results in sorted(all_results, key=place):  # they are run the smallest trees first
        cell = place(results)
        cells = [_grid_cell(results, name) for name in ("skein", grid.TREE, "legacy", "current")]
        rows.append([results.case.title, *cells, FLIGHT_SECONDS.get(cell, ""),
                     FLOWER_SECONDS.get(cell, "")])
    text = table(["model and workers", "Skein, two-tier", "Skein, tree", "Flower legacy",
                  "Flower current", "Flight, published", "Flower, published by Flight"], rows)
    trees = ", ".join(f"`{shape}`" for shape in grid.TREES.values() if shape)
    return (f"{text}\nSeconds from nothing to the end of the round; in brackets those of the round "
            "alone. A dash stands where Flower has no cell: `current` beyond 32 clients and "
            "`legacy` beyond 1,000, which the tables above and one cell show to fail.\n\n"
            f"Trees: {trees}. Published: {SOURCE}.\n")


def _grid_cell(results: Results, side: str) -> str:
    if side not in [s.name for s in results.case.sides]:
        return "-"
    total, alone = median(results, side, "total_s"), median(results, side, "round_s")
    if total is None:
        return note(results, side)
    return f"{number(total)} ({number(alone)})"
