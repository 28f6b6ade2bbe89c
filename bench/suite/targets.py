"""What a case should reach, and whether it did."""

from collections.abc import Callable

from suite.model import Target
from suite.results import Failed, Figure, Missing, Results, Verdict

Measure = Callable[[Results], Figure]


def number(value: float, digits: int = 3) -> str:
    """With so many significant digits, but all of those before the point."""
    if value == 0:
        return "0"
    text = f"{value:.{digits}g}"
    if "e" not in text:
        return text
    return f"{value:,.0f}" if abs(value) >= 1 else f"{value:.3g}"


def text_of(figure: Figure, unit: str = "") -> str:
    def say(value: float) -> str:
        return number(value) + unit
    if say(figure.low) == say(figure.high):
        return say(figure.value)
    return f"{say(figure.value)} ({number(figure.low)} to {number(figure.high)})"


def verdict_of(missing: Missing) -> Verdict:
    return Verdict(str(missing), "failed" if isinstance(missing, Failed) else "not measured")


def _target(what: str, bound: str, measure: Measure, holds: Callable[[float], bool],
            unit: str) -> Target:
    def judge(results: Results) -> Verdict:
        try:
            figure = measure(results)
        except Missing as missing:
            return verdict_of(missing)
        return Verdict(text_of(figure, unit), "ok" if holds(figure.value) else "missed")
    return Target(what, bound, judge)


def at_least(bound: float, what: str, measure: Measure, unit: str = "") -> Target:
    return _target(what, f"≥ {number(bound)}{unit}", measure, lambda v: v >= bound, unit)


def at_most(bound: float, what: str, measure: Measure, unit: str = "") -> Target:
    return _target(what, f"≤ {number(bound)}{unit}", measure, lambda v: v <= bound, unit)


def completes(side: str, what: str) -> Target:
    def judge(results: Results) -> Verdict:
        if results.good(side):
            return Verdict("completes", "ok")
        return verdict_of(results.why_not(side))
    return Target(what, "completes", judge)


def refuses(side: str, what: str) -> Target:
    """For a limit of a peer that we claim."""
    def judge(results: Results) -> Verdict:
        if results.good(side):
            return Verdict("completes", "missed")
        why = results.why_not(side)
        return Verdict(str(why), "ok" if isinstance(why, Failed) else "not measured")
    return Target(what, "fails", judge)


# What is measured.

def figure(side: str, metric: str) -> Measure:
    return lambda results: results.figure(side, metric)


def ratio(above: str, below: str, metric: str) -> Measure:
    return lambda results: results.ratio(above, below, metric)
