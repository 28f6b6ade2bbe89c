"""The grid of Flight's scaling study: one round, by size of model and number of workers."""

from suite.catalog.sides import flower, skein
from suite.model import Case, Side

TOPIC = "grid"
# Its models, by their number of parameters.
MODELS = {
    "2 floats": 2,
    "62,006 floats": 62_006,
    "1.19M floats": 1_190_000,
    "11.2M floats": 11_200_000,
    "24.4M floats": 24_400_000,
    "57.6M floats": 57_600_000,
}
TREES = {2: None, 8: "tree:2x4", 32: "tree:4x8", 128: "tree:4x32", 512: "tree:16x32",
         2048: "tree:32x64"}
TREE = "Skein, tree"
CURRENT_AT_MOST = 32  # clients; 48 take ten minutes, more do not run (see the rounds)
LEGACY_AT_MOST = 1000  # "Concurrent RPC limit exceeded!" beyond; one cell shows it


def _case(model: str, workers: int, timeout_s: float, peers: bool) -> Case:
    params = MODELS[model]
    sides: list[Side] = [skein(f"flat:{workers}", params, 1, 1, timeout_s=timeout_s)]
    if TREES[workers]:
        sides.append(skein(TREES[workers], params, 1, 1, TREE, timeout_s=timeout_s))
    if peers and (workers <= LEGACY_AT_MOST or params == min(MODELS.values())):
        sides.append(flower("legacy", workers, params, 1, 1, timeout_s))
    if peers and workers <= CURRENT_AT_MOST:
        sides.append(flower("current", workers, params, 1, 1, timeout_s))
    return Case(f"grid-{params}x{workers}", TOPIC, f"{model}, {workers:,} workers", tuple(sides))


def full() -> list[Case]:
    return [_case(model, workers, 600, True) for workers in TREES for model in MODELS]


def quick() -> list[Case]:
    return [_case("2 floats", 8, 60, False)]
