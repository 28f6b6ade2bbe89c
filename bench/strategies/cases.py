"""What is compared: each case is a run of bench/strategies/study.yaml with other settings."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    group: str  # a group of bars
    series: str  # which bar of it
    overrides: tuple[str, ...] = field(default=())

    @property
    def name(self) -> str:
        return f"{self.group}, {self.series}".replace(", ", "-").replace(" ", "-")


# Folds over 20 workers, 4 of which attack; over sites of 5 workers, 1 of which attacks. Bulyan needs
# 4 f + 3 updates, which a site does not have.
FLAT = {
    "fedavg": "{name: fedavg, bound: 64}",
    "clipped-mean": "{name: clipped-mean, clip: 1, bound: 64}",
    "median": "median",
    "trimmed-mean": "{name: trimmed-mean, trim: 4}",
    "krum": "{name: krum, f: 4}",
    "multi-krum": "{name: multi-krum, f: 4}",
    "bulyan": "{name: bulyan, f: 4}",
    "geometric-median": "{name: geometric-median, weights: uniform}",
    "centered-clipping": "{name: centered-clipping, clip: 1}",
}
SITES = {
    "fedavg": "{name: fedavg, bound: 64}",
    "median": "median",
    "trimmed-mean": "{name: trimmed-mean, trim: 1}",
    "krum": "{name: krum, f: 1}",
    "multi-krum": "{name: multi-krum, f: 1}",
    "geometric-median": "{name: geometric-median, weights: uniform}",
    "centered-clipping": "{name: centered-clipping, clip: 1}",
}
IN_PASSES = ("median", "trimmed-mean", "geometric-median", "centered-clipping")  # as if it were flat
LABELS = ("learner.params.attack=label-flip",)
SIGNS = ("learner.params.attack=sign-flip", "learner.params.attack_scale=4")


HALF = "data={partition: iid, limit: 30000}"  # of the images, for half of the time


def _attacks() -> list[Case]:
    cases = []
    for group, more in (("nobody, flat", ()), ("labels, flat", LABELS), ("signs, flat", SIGNS)):
        cases += [Case(group, name, (HALF, f"strategy.fold={fold}", *more))
                  for name, fold in FLAT.items()]
    for group, more in (("nobody, 4x5", ()), ("labels, 4x5", LABELS), ("signs, 4x5", SIGNS)):
        cases += [Case(group, name, ("topology=tree:4x5", HALF,
                                     f"strategy.tiers=[{{tier: 1, fold: {fold}}}]", *more))
                  for name, fold in SITES.items()]
    cases += [Case("signs, 4x5 in passes", name,
                   ("topology=tree:4x5", HALF, f"strategy.fold={FLAT[name]}",
                    "strategy.tiers=[{tier: 1, passes: true}]", *SIGNS))
              for name in IN_PASSES]
    return cases


# Plain SGD at the workers, as SCAFFOLD's paper has it; with momentum 0.9 FedAvg diverges on shards.
ALGORITHMS = {
    "fedavg": (),
    "fedprox": ("strategy.terms=[{name: fedprox, mu: 0.01}]",),
    "scaffold": ("strategy.fold={name: mean, bound: 64}", "strategy.terms=[scaffold]"),
    "scaffold by samples": ("strategy.terms=[scaffold]",),
    "fedadam": ("strategy.optimizer={name: fedadam, lr: 0.01}",),
    "fednova": ("strategy.fold={name: fednova, bound: 64}",),
}
DATA = {
    "Dirichlet 0.1": "data={partition: dirichlet, alpha: 0.1}",
    "2 shards": "data={partition: shards, per_worker: 2}",
}

# Links of 256 workers, two-tier and in four sites. `exact` and `smallest` are those of the targets.
SITES_OF_64 = ("topology=tree:4x64",)
UP = "{name: int8, rounding: nearest, error_feedback: true}"
DOWN = "{name: int4, rounding: nearest}"  # what a payload loses, the next one contains
TRAFFIC = {
    "flat": {
        "float32": (),
        "int8": ("strategy.links={updates: [int8]}",),
        "int4": ("strategy.links={updates: [int4, zstd]}",),
        "topk": ("strategy.links={updates: [{name: topk, ratio: 0.05}, int8, zstd]}",),
        "int8 both ways": ("strategy.links={updates: [int8], models: [delta, int8]}",),
    },
    "4x64": {
        "float32": SITES_OF_64,
        "exact": (*SITES_OF_64, "strategy.links={updates: [int4, zstd]}"),
        "exact topk": (*SITES_OF_64,
                       "strategy.links={updates: [{name: topk, ratio: 0.05}, int8, zstd]}"),
        "smallest": (*SITES_OF_64, f"strategy.links={{updates: [int4, zstd], partials: [{UP}], "
                                   f"models: [delta, {DOWN}, zstd]}}"),
    },
}

# What a robust fold costs that is to give the flat result through a tree.
FEW = "data={partition: iid, limit: 5120}"
THROUGH = {
    "median": "median",
    "trimmed-mean": "{name: trimmed-mean, trim: 25}",
    "geometric-median": "geometric-median",
}


def _passes() -> list[Case]:
    cases = []
    for name, fold in THROUGH.items():
        settings = ("rounds=2", FEW, f"strategy.fold={fold}")
        cases.append(Case(name, "flat", ("topology=flat:256", *settings)))
        cases += [Case(name, how, ("topology=tree:4x64", *settings,
                                   f"strategy.tiers=[{{tier: 1, {how}: true}}]"))
                  for how in ("collect", "passes")]
    return cases


STUDIES = {
    "attacks": _attacks(),
    "unlike": [Case(group, name, (data, "rounds=20", "learner.params.momentum=0", *more))
               for group, data in DATA.items() for name, more in ALGORITHMS.items()],
    "traffic": [Case(group, name, ("topology=flat:256", "rounds=20", *more))
                for group, settings in TRAFFIC.items() for name, more in settings.items()],
    "passes": _passes(),
}
TITLES = {
    "attacks": "Accuracy after 10 rounds, a fifth of the workers attacking",
    "unlike": "Accuracy after 20 rounds, workers with unlike data",
    "traffic": "Accuracy and bytes, 256 workers",
    "passes": "Robust folds of 256 workers, flat and through four sites",
}
