"""One run of Flower under the conditions of the study: the paces are those that Skein draws."""

import json
import subprocess
import sys
from pathlib import Path

from makespan.cases import TARGET, WORKERS, Peer
from suite import paths, process

MOST_ROUNDS = 15
TIMEOUT_S = 3600
TOPOLOGY = f"topology=flat:{WORKERS}"


def _output(words: list[str], file: Path) -> None:
    with open(file, "wb") as out:
        done = subprocess.run(words, cwd=paths.ROOT, stdout=out, stderr=subprocess.PIPE, text=True,
                              check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)}\n{done.stderr}")


def prepare(spec: str, sets: list[str], scratch: Path) -> int:
    """What the clients train with, and how long they take for it; how many they are."""
    scratch.mkdir(parents=True, exist_ok=True)
    given = [TOPOLOGY, *sets]
    _output([f"{paths.BIN}/fashion_split", spec, *given], scratch / "split.json")
    words = [f"{paths.BIN}/fashion_mnist", "conditions", spec]
    for item in given:
        words += ["--set", item]
    _output(words, scratch / "pace.csv")
    return len((scratch / "pace.csv").read_text().splitlines()) - 1


def command(peer: Peer, scratch: Path, seed: int, clients: int) -> list[str]:
    return [f"{paths.PEERS}/fashion_mnist.py", "--architecture", peer.architecture,
            "--clients", str(clients), "--rounds", str(MOST_ROUNDS), "--seed", str(seed),
            "--split", str(scratch / "split.json"), "--pace", str(scratch / "pace.csv"),
            "--target", str(TARGET), "--timeout", str(TIMEOUT_S), "--out", str(scratch / "out.json")]


def summary(report: dict, target: float = TARGET) -> dict:
    """Of the JSON file of the peer's own: seconds from the start of the first round to the first
    model that reached the accuracy."""
    curve = list(zip(report.get("made_s") or [], report.get("accuracy") or []))
    hit = next(((s, n) for n, (s, accuracy) in enumerate(curve, 1) if accuracy >= target), None)
    return {
        "version": report["version"],
        "to_target_s": hit[0] if hit else None,
        "rounds": hit[1] if hit else None,
        "curve": curve,
        "error": report["error"],
        "peak_mib": report.get("total_peak_rss_mib"),
        "cpu_s": report.get("cpu_s"),
    }


def measure(name: str, peer: Peer, spec: str, seed: int, sets: list[str]) -> dict:
    scratch = paths.ROOT / paths.SCRATCH / "makespan" / name
    clients = prepare(spec, sets, scratch)
    out = scratch / "out.json"
    out.unlink(missing_ok=True)
    ended = process.run(command(peer, scratch, seed, clients), TIMEOUT_S + 100, scratch)
    if not out.exists():  # it did not begin
        sys.exit(f"{name}: {ended.error}")
    return {"what": peer.what} | summary(json.loads(out.read_text()))
