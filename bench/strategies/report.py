"""The page and its plots, made from the results and from nothing else."""

import json

from page import svg
from page.markdown import table
from strategies.cases import STUDIES, TITLES, Case
from suite import machine, paths

FOLDER = paths.ROOT / "docs/strategies"


def _path(study: str):
    return paths.RESULTS / f"strategies-{study}.json"


def load(study: str) -> dict:
    """Results of cases as they are now."""
    path = _path(study)
    kept = json.loads(path.read_text())["cases"] if path.exists() else {}
    return {case.name: kept[case.name] for case in STUDIES[study]
            if kept.get(case.name, {}).get("overrides") == list(case.overrides)}


def keep(study: str, case: Case, result: dict) -> None:
    cases = load(study) | {case.name: result}
    text = json.dumps({"machine": machine.describe(), "cases": cases}, indent=1)
    _path(study).write_text(text + "\n")


def _traffic(results: dict) -> str:
    """Against a two-tier federation whose tensors travel as they are."""
    rows, curves = [], {}
    flat = results[STUDIES["traffic"][0].name]
    for case in STUDIES["traffic"]:
        if case.name not in results:
            continue
        result = results[case.name]
        curve, total = result["curve"], sum(result["bytes"])
        moved = 0
        points = []
        for accuracy, count in zip(curve, result["bytes"]):
            moved += count
            points.append((moved / 1e6, 100 * accuracy))
        curves[f"{case.group}, {case.series}"] = points
        rows.append([case.group, case.series, f"{100 * curve[-1]:.1f}",
                     f"{100 * (curve[-1] - flat['curve'][-1]):+.1f}",
                     f"{100 * result['root_bytes_in'] / flat['root_bytes_in']:.2f}",
                     f"{total / 1e6:,.0f}", f"{100 * total / sum(flat['bytes']):.1f}",
                     " ".join(f"`{o}`" for o in case.overrides if "links" in o)])
    (FOLDER / "traffic.svg").write_text(
        svg.lines("Accuracy against bytes on all links", "%", "MB, both ways", curves))
    return "\n".join([
        f"## {TITLES['traffic']}", "", "![traffic](traffic.svg)", "",
        "Bytes are those of frames, both ways, of 20 rounds. To reach: *exact* at 5% or less of the bytes into the "
        "root of the flat run, *smallest* at 15% or less of the bytes on all of its links, both within a point of its accuracy.",
        "",
        table(["tree", "setting", "accuracy, %", "points", "into the root, % of flat",
               "all links, MB", "% of flat", "codecs"], rows), ""])


def _passes(results: dict) -> str:
    rows = []
    for case in STUDIES["passes"]:
        if case.name not in results:
            continue
        result = results[case.name]
        rounds = len(result["curve"])
        rows.append([f"`{case.group}`", case.series, f"{result['root_bytes_in'] / rounds / 1e6:.1f}",
                     f"{sum(result['bytes']) / rounds / 1e6:.1f}", f"{result['round_s']:.2f}",
                     f"`{result['digest'][:12]}`"])
    return "\n".join([
        f"## {TITLES['passes']}", "",
        "A round, on one machine. The digests of a fold's models are the same.", "",
        table(["fold", "through", "MB into the root", "MB on all links, both ways", "s", "digest"],
              rows), ""])


def _accuracies(study: str, results: dict) -> tuple[dict, str]:
    """Curves by group and series, and a table of where they end."""
    groups, rows = {}, []
    for case in STUDIES[study]:
        if case.name not in results:
            continue
        curve = results[case.name]["curve"]
        groups.setdefault(case.group, {})[case.series] = curve
        ended = f"{100 * curve[-1]:.1f}"
        if results[case.name].get("diverged"):
            ended = f"diverged after round {len(curve)}"
        rows.append([case.group, f"`{case.series}`", ended, f"{100 * max(curve):.1f}",
                     " ".join(f"`{o}`" for o in case.overrides)])
    return groups, table(
        ["case", "strategy", "accuracy at the end, %", "best, %", "settings"], rows)


def _attacks(results: dict) -> str:
    groups, rows = _accuracies("attacks", results)
    parts = [f"## {TITLES['attacks']}", ""]
    for plot, tree in (("attacks-flat", "flat"), ("attacks-sites", "4x5")):
        bars = [(group, {name: 100 * curve[-1] for name, curve in series.items()})
                for group, series in groups.items() if tree in group]
        if bars:
            (FOLDER / f"{plot}.svg").write_text(svg.bars(f"{TITLES['attacks']}, {tree}", "%", bars))
            parts += [f"![{plot}]({plot}.svg)", ""]
    return "\n".join([*parts, rows, ""])


def _unlike(results: dict) -> str:
    groups, rows = _accuracies("unlike", results)
    parts = [f"## {TITLES['unlike']}", ""]
    for group, series in groups.items():
        plot = f"unlike-{group.replace(' ', '-').lower()}"
        curves = {name: [(float(i + 1), 100 * value) for i, value in enumerate(curve)]
                  for name, curve in series.items()}
        (FOLDER / f"{plot}.svg").write_text(
            svg.lines(f"{TITLES['unlike']}: {group}", "%", "rounds", curves))
        parts += [f"![{group}]({plot}.svg)", ""]
    return "\n".join([*parts, rows, ""])


def _section(study: str) -> str:
    results = load(study)
    sections = {"attacks": _attacks, "unlike": _unlike, "traffic": _traffic, "passes": _passes}
    return sections[study](results) if results else ""


def write() -> None:
    commits = sorted({r["commit"] for study in STUDIES for r in load(study).values()})
    parts = [
        "# Strategies compared", "",
        "<!-- Made by bench/strategies/study.py from the results: change those, or it. -->", "",
        "Runs of [the study's spec](../../bench/strategies/study.yaml): 20 workers (of traffic: 256) with Fashion-MNIST between them, the "
        "CNN of [examples/fashion_mnist](../../examples/fashion_mnist), one seed. A difference of a point or less says nothing.",
        "",
        "```sh", *[f"bench/strategies/study.py {study}" for study in STUDIES], "```", "",
        *filter(None, map(_section, STUDIES)),
        f"Measured at {', '.join(commits)}.", ""]
    (FOLDER / "studies.md").write_text("\n".join(parts))
