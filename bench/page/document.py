"""The whole page."""

from collections import Counter

from page import special, tables
from page.markdown import details, table
from page.plots import plots
from page.topics import TOPICS, Topic
from suite.model import Case
from suite.results import Results
from suite.store import Store

INTRO = """\
# Benchmarks

<!-- Made by bench/report.py from the results: change those, or it. -->

What `scripts/bench.sh` measured on one machine, with everything on it: all processes of a federation share its cores and
its memory, and talk over loopback. Skein and Flower take turns in one session, each run in new processes. A figure is the
median of its runs, in brackets the lowest and the highest; of a ratio, the least and the most that any two runs would
give. A target that was not met stands here as missed; [profile.md](profile.md) says why.

```sh
scripts/bench.sh   # all of it, Flower's installation included; --list, --only GLOB, --resume, --no-peers
```
"""


def _summary(all_results: list[Results]) -> str:
    counts = Counter(target.judge(results).result
                     for results in all_results for target in results.case.targets)
    order = ["ok", "missed", "failed", "not measured"]
    said = ", ".join(f"{counts[result]} {result}" for result in order if counts[result])
    return f"Of {sum(counts.values())} targets: {said}.\n"


def _machine(all_results: list[Results]) -> str:
    stored = [results.stored for results in all_results if results.stored.get("machine")]
    if not stored:
        return "Nothing has been measured yet.\n"
    runs = [run for result in stored for run in result["runs"] if "date" in run]
    rows: dict[str, Counter] = {}

    def note(what: str, value) -> None:
        rows.setdefault(what, Counter())[str(value)] += 1

    for result in stored:
        machine = result["machine"]
        note("processor", f"{machine['cpu']}, {machine['cores']} cores")
        note("memory", f"{machine['memory_gib']} GiB")
        note("system", f"{machine['system']}, Linux {machine['kernel']}")
        note("compiler", machine["compiler"])
        note("libraries", ", ".join(f"{k} {v}" for k, v in machine["libraries"].items()))
        note("commit", result["commit"])
    for run in runs:
        raw = run.get("raw") or {}
        if raw.get("peer"):
            note(f"Flower, {raw['architecture']}",
                 f"{raw['version']}, Python {raw['python']}, NumPy {raw['numpy']}")
    if runs:
        dates = sorted(run["date"][:10] for run in runs)
        note("date", dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}")
        for what, key in (("load average before a run", "load"),
                          ("processors busy before a run", "busy")):
            if values := [run[key] for run in runs if key in run]:
                note(what, f"{min(values)} to {max(values)}")
    return table(["", ""], [[what, "; ".join(values)] for what, values in rows.items()])


def _figures(topic: Topic, all_results: list[Results]) -> str:
    if topic.id == "traffic":
        return special.traffic_table(all_results)
    if topic.id == "grid":
        return special.grid_table(all_results)
    plain = [r for r in all_results if r.case.sides[0].kind != "micro"]
    parts = [tables.figures(plain, list(topic.columns)), special.micro(all_results)]
    return "\n".join(part for part in parts if part)


def _commands(all_results: list[Results]) -> str:
    lines = []
    for results in all_results:
        seen = set()
        for run in results.stored["runs"]:
            if "command" in run and run["side"] not in seen:
                seen.add(run["side"])
                lines.append(run["command"])
    return details("Commands", lines) if lines else ""


def document(cases: list[Case], store: Store, folder: str) -> tuple[str, dict[str, str]]:
    """The page, and its plots by name; it links to them in `folder`."""
    everything = [Results(case, store.load(case)) for case in cases]
    parts = [INTRO, _summary(everything), "## Machine\n", _machine(everything)]
    drawn: dict[str, str] = {}
    for topic in TOPICS:
        mine = [results for results in everything if results.case.topic == topic.id]
        if not mine:
            continue
        made = plots(topic.id, mine)
        drawn |= made
        pictures = [f"![{name.replace('_', ' ')}]({folder}/{name}.svg)\n" for name in made]
        parts += [f"## {topic.title}\n", topic.text + "\n", tables.targets(mine),
                  _figures(topic, mine), *pictures, _commands(mine)]
    return "\n".join(part for part in parts if part), drawn
