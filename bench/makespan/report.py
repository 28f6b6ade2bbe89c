"""The page, made from the results and from nothing else."""

from makespan.cases import CASES, PEERS, TARGET
from page.markdown import table


def current(results: dict) -> dict:
    """Without cases that were run with other settings than they have now."""
    cases = {name: results["cases"][name] for name in CASES if name in results["cases"]
             and results["cases"][name]["overrides"] == list(CASES[name].overrides)}
    peers = {name: results.get("peers", {})[name] for name in PEERS
             if name in results.get("peers", {})}
    return results | {"cases": cases, "peers": peers}


def trial(name: str, sets: list[str], simulated: dict) -> dict:
    """What is kept of settings that were not chosen."""
    return {"case": name, "sets": sets, "versions": simulated["versions"],
            "to_target_s": simulated["to_target_s"],
            "curve": simulated["curve"][-5:], "updates": simulated["updates"]}


def seconds(value: float | None) -> str:
    return "not reached" if value is None else f"{value:.1f}"


def _ratio(slow: float | None, quick: float | None) -> str:
    return f"{slow / quick:.2f}" if slow and quick else "-"


def _to_target(case: dict) -> float | None:
    return case.get("run", {}).get("to_target_s")


def best(cases: dict) -> tuple[str, float] | None:
    """The case that reached the target first in its run."""
    reached = [(name, _to_target(case)) for name, case in cases.items() if _to_target(case)]
    return min(reached, key=lambda item: item[1], default=None)


def _times(cases: dict) -> str:
    rows = []
    for name, case in cases.items():
        run, simulated = case.get("run"), case["simulated"]
        virtual = simulated["to_target_s"]
        measured = ["not run", seconds(virtual), "-", "-", "-"]
        if run:
            real = run["to_target_s"]
            apart = f"{abs(virtual / real - 1):.1%}" if real and virtual else "-"
            measured = [seconds(real), seconds(virtual), apart,
                        _ratio(_to_target(cases["flat-sync"]), real), f"{run['idle']:.2%}"]
        rows.append([f"`{name}`: {case['what']}", *measured, f"{simulated['idle']:.2%}"])
    return table(["case", "run, s", "simulated, s", "apart", "flat-sync / case, run",
                  "idle workers, run", "idle, simulated"], rows)


def _ends(cases: dict) -> str:
    sync = cases["flat-sync"]["simulated"]["final_accuracy"]
    return table(["case", "updates", "accuracy", "points below flat-sync", "virtual seconds"],
                 [[f"`{name}`", str(case["simulated"]["updates"]),
                   f"{case['simulated']['final_accuracy']:.4f}",
                   f"{100 * (sync - case['simulated']['final_accuracy']):.2f}",
                   f"{case['simulated']['last_commit_s']:.0f}"] for name, case in cases.items()])


def _peers(peers: dict, cases: dict) -> list[str]:
    if not peers:
        return []
    quickest = best(cases)
    rows, notes = [], []
    for name, peer in peers.items():
        time = peer["to_target_s"]
        rows.append([f"`{name}`: {peer['version']}, {peer['what']}",
                     "failed" if peer["error"] else seconds(time),
                     str(peer["rounds"] or "-"), _ratio(time, _to_target(cases["flat-sync"])),
                     _ratio(time, quickest and quickest[1])])
        if peer["error"]:
            notes += [f"`{name}` failed: `{peer['error']}`", ""]
    against = f" Best of Skein is `{quickest[0]}`, {quickest[1]:.1f} s." if quickest else ""
    return [
        "## Beside Flower", "",
        "The same network, split of the images and task times, drawn by Skein (`skein conditions`), in two tiers, everybody awaited,",
        f"as Flower's FedAvg does by default.{against}", "",
        table(["Flower", "run, s", "rounds", "Flower / flat-sync", "Flower / best Skein"], rows),
        *notes,
        "A client that has trained early waits until a worker of its pace would be done; in SuperNodes that time counts from when",
        "the ServerApp asked, so that starting a process for each task on two cores costs Flower nothing beyond it. The time is that",
        "of the model before its evaluation, from the start of the first round. Initial weights and order of batches are PyTorch's.", ""]


def _why(cases: dict, tried: list[dict]) -> list[str]:
    chosen = [f"- `{name}`: {CASES[name].why}." for name in cases if CASES[name].why]
    rows = [[f"`{t['case']}`", " ".join(f"`{s.removeprefix('strategy.')}`" for s in t["sets"]),
             seconds(t["to_target_s"]), str(t["updates"]),
             ", ".join(f"{accuracy:.4f}" for _, accuracy in t["curve"])] for t in tried]
    others = ["What else was tried (simulated; `--set`, `--simulate-only`, `--record`):", "",
              table(["case", "with", f"s to {TARGET:.2f}", "updates", "accuracy of the last versions"],
                    rows)]
    return ["## Settings", "", *chosen, "", *(others if rows else [])] if chosen else []


def page(results: dict) -> str:
    results = current(results)
    cases, peers = results["cases"], results["peers"]
    commits = list(dict.fromkeys(c["commit"] for c in [*cases.values(), *peers.values()]))
    return "\n".join([
        "# Makespans", "",
        "<!-- Made by bench/makespan/study.py from bench/results/makespan.json. -->", "",
        f"How long 32 workers of unequal speed take to bring a CNN on Fashion-MNIST to an accuracy of {TARGET:.2f}: lognormal",
        "speeds (sigma 0.3 around 8 s a task), and three stragglers that are ten times slower. Training is real in both",
        "columns; `run` emulates the speeds over wall time, `simulate` computes them. A task takes some 0.25 s of CPU here.", "",
        "```sh", "bench/makespan/study.py", "```", "",
        _times(cases),
        "A worker is idle while it has no task. The time is that of the version that first reached the accuracy, from the "
        "opening of the first", "round on. Less than 1% of idle time was aimed at where nobody waits for anybody. Under `fedcompass` "
        "those who come before the rest of their", "group wait for it, which is more; in the cases with a barrier at the sites the "
        "barrier is what is waited for.", "",
        "At the end of longer runs (simulated, with real training):", "",
        _ends(cases),
        "Without a barrier more updates are made in less time, and more are needed: many are trained from older models.", "",
        *_peers(peers, cases),
        *_why(cases, results.get("tried", [])),
        f"Measured on {results['machine']['cpu']}, {results['machine']['cores']} cores, at commit "
        f"{', '.join(commits)}.", ""])
