"""Tables that all topics have: targets, and figures of every side."""

from page.markdown import table
from suite.results import Failed, Figure, Missing, Results
from suite.targets import text_of

MARKS = {"ok": "ok", "missed": "**missed**", "failed": "**failed**"}

# Of sides that have the same one everywhere.
LABELS = {"skein": "Skein", "legacy": "Flower legacy", "current": "Flower current"}

# Metric, heading, unit it is shown in, factor to that unit.
Column = tuple[str, str, float]


def label(side: str) -> str:
    return LABELS.get(side, side)


def targets(all_results: list[Results]) -> str:
    rows = []
    for results in all_results:
        for target in results.case.targets:
            verdict = target.judge(results)
            rows.append([f"{target.what}", target.bound, verdict.reached,
                         MARKS.get(verdict.result, verdict.result)])
    return table(["what", "to reach", "reached", "result"], rows) if rows else ""


def value(results: Results, side: str, metric: str, factor: float = 1) -> str:
    try:
        return text_of(results.figure(side, metric).scaled(factor))
    except Missing:
        return ""


def note(results: Results, side: str) -> str:
    if results.good(side):
        return ""
    why = results.why_not(side)
    return f"failed: {why}" if isinstance(why, Failed) else str(why)


def figures(all_results: list[Results], columns: list[Column]) -> str:
    rows = []
    for results in all_results:
        for side in results.case.sides:
            cells = [value(results, side.name, metric, factor) for metric, _, factor in columns]
            shown = [results.case.title, label(side.name), *cells]
            if why := note(results, side.name):
                shown[2] = why
            rows.append(shown)
    return table(["case", "side", *(heading for _, heading, _ in columns)], rows)


def median(results: Results, side: str, metric: str) -> float | None:
    try:
        figure: Figure = results.figure(side, metric)
    except (Missing, StopIteration):
        return None
    return figure.value
