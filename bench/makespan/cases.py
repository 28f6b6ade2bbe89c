"""What the study compares. A case is one entry here."""

from dataclasses import dataclass

TARGET = 0.80
WORKERS = 32
# Of everybody, for the comparison at the end. Other cases with a barrier take about as many updates;
# those without make more, in less time: many of theirs are trained from older models.
ROUNDS = 15
STEPS = 59  # batches of 32 in a worker's 1,875 images


@dataclass(frozen=True)
class Case:
    what: str
    overrides: tuple[str, ...]  # of study.yaml
    versions: int  # until the end
    root_waits: bool
    sites_wait: bool | None = None  # None: there are none
    held: bool = False  # who has contributed gets its next task with the next version
    why: str = ""  # these settings


@dataclass(frozen=True)
class Peer:
    what: str
    architecture: str  # of bench/peers/flower


def optimizer(lr: float) -> str:
    return f"strategy.optimizer={{name: sgd, lr: {lr}}}"


CASES = {
    "flat-sync": Case("two tiers, everybody awaited", ("topology=flat:32",), ROUNDS, True),
    "tree-sync": Case("four sites of eight, everybody awaited", ("topology=tree:4x8",), ROUNDS,
                      True, True),
    "tree-quorum": Case(
        "four sites of eight, each waits for six of its workers",
        ("topology=tree:4x8", "strategy.policy={name: all, timeout_s: 3600}",
         "strategy.tiers=[{tier: 1, policy: {name: quorum, count: 6}}]"), 20, True, True),
    "flat-buffered": Case(
        "two tiers, a version of every eight updates (FedBuff)",
        ("topology=flat:32", "strategy.policy={name: buffered, size: 8}", optimizer(0.5)),
        90, False,
        why="half a step for each version, since the updates of all workers are under way and are "
        "added to models that have moved on by three or four versions meanwhile; with larger "
        "steps accuracy swings from version to version, and mixing of models lets single workers "
        "pull the model back"),
    "sites-sync-root-async": Case(
        "sites wait for six of eight workers, the root for no site",
        ("topology=tree:4x8", "strategy.policy={name: quorum, count: 6}",
         "strategy.tiers=[{tier: 0, policy: {name: every_update}}]", optimizer(0.5)),
        80, False, True),
    "tree-buffered": Case(
        "nobody waits: sites send every four updates, the root takes two of these",
        ("topology=tree:4x8", "strategy.policy={name: buffered, size: 4}",
         "strategy.tiers=[{tier: 0, policy: {name: buffered, size: 2}}]", optimizer(0.5)),
        120, False, False,
        why="half a step, as before; updates wait at the sites, too, so that they are older still, "
        "and a whole step diverges"),
    "fedcompass": Case(
        "two tiers, as many local steps for each that groups arrive together (FedCompass)",
        ("topology=flat:32", f"strategy.policy={{name: fedcompass, q_min: {STEPS // 5}, "
         f"q_max: {STEPS}}}", "strategy.staleness={name: polynomial, a: 0.5}",
         "strategy.mixing={name: deltas, divisor: workers}", optimizer(0.9),
         f"conditions.compute.steps={STEPS}"),
        100, False, held=True,
        why="weights and the ratio of 1 to 5 of the steps are the paper's; the most steps are a "
        "pass over the data"),
}

# The same federation in Flower: FedAvg over everybody, in two tiers.
PEERS = {
    "flower-legacy": Peer("its gRPC server, clients in threads", "legacy"),
    "flower-current": Peer("SuperLink and a SuperNode for each client", "current"),
}
