#!/usr/bin/env python3
"""Holds `skein aggregate` against NumPy over random models: check.py SKEIN [SEED]."""
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import folds
import tensor_files

TOLERANCE = 1e-6  # of float32 models whose elements are about 1
SHAPES = {"conv.weight": (4, 3, 3), "conv.bias": (4,), "fc.weight": (7, 36), "scale": (), "none": (0, 5)}


class Checker:
    def __init__(self, skein, seed):
        self.skein, self.rng = skein, np.random.default_rng(seed)
        self.folder = tempfile.TemporaryDirectory()
        self.directory = Path(self.folder.name)
        self.failures, self.checks = 0, 0

    def model(self, spread):
        return {name: self.rng.normal(0, spread, shape).astype(np.float32)
                for name, shape in SHAPES.items()}

    @staticmethod
    def flat(model):
        return np.concatenate([model[name].astype(np.float64).ravel() for name in SHAPES])

    def aggregate(self, base, models, *options):
        files = []
        for i, model in enumerate(models):
            files.append(str(self.directory / f"{i}.safetensors"))
            tensor_files.write(files[-1], model)
        tensor_files.write(self.directory / "base.safetensors", base)
        out = self.directory / "out.safetensors"
        command = [self.skein, "aggregate", *files, "-o", str(out), "--global",
                   str(self.directory / "base.safetensors"), *map(str, options)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}: {done.stderr}")
        return tensor_files.read(out)

    def compare(self, what, got, expected):
        self.checks += 1
        worst = np.abs(got - expected).max()
        if not worst <= TOLERANCE:
            self.failures += 1
            print(f"{what}: {worst:.3g} off", file=sys.stderr)

    def check_fold(self, name, reference, meta=(), clients=None, **params):
        """Also without weights' meaning for folds that have none: they are given all the same."""
        count = clients or int(self.rng.integers(1, 40))
        base = self.model(1)
        models = [{k: (v + self.rng.normal(0, 0.3, v.shape)).astype(np.float32)
                   for k, v in base.items()} for _ in range(count)]
        samples = self.rng.integers(1, 500, count)
        reports = {}
        if "steps" in meta:
            reports["steps"] = self.rng.integers(1, 60, count).astype(float)
        if "loss" in meta:
            reports["loss"] = np.round(self.rng.uniform(0.01, 5, count), 6)
        options = ["--strategy", name, "--weights", ",".join(map(str, samples))]
        for key, values in reports.items():
            options += ["--input-meta", f"{key}=" + ",".join(map(repr, map(float, values)))]
        for key, value in params.items():
            options += ["--set", f"fold.{key}={value}"]
        got = self.flat(self.aggregate(base, models, *options))
        # As it travels: rounded to float32 once.
        changes = np.array([(self.flat(m) - self.flat(base)).astype(np.float32) for m in models],
                           dtype=np.float64)
        change = reference(changes, samples.astype(float), reports, **params)
        self.compare(f"{name} {params} of {count}", got, self.flat(base) + change)

    def check_optimizer(self, name, reference, **params):
        """Three rounds; what was gathered goes from one to the next in a file."""
        base = self.model(1)
        x, changes, models = self.flat(base), [], []
        state = self.directory / "state.safetensors"
        state.unlink(missing_ok=True)
        for _ in range(3):
            client = {k: (v + self.rng.normal(0, 0.1, v.shape)).astype(np.float32)
                      for k, v in base.items()}
            changes.append(self.flat(client) - self.flat(base))
            options = ["--strategy", "mean", "--optimizer", name, "--state-out", state]
            if models:
                options += ["--state", state]
            for key, value in params.items():
                options += ["--set", f"optimizer.{key}={str(value).lower()}"]
            base = self.aggregate(base, [client], *options)
            models.append(self.flat(base))
        for got, expected in zip(models, reference(x, changes, **params)):
            self.compare(f"{name} {params}", got, expected)


def main():
    checker = Checker(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    for _ in range(4):
        checker.check_fold("fedavg", folds.fedavg)
        checker.check_fold("mean", folds.mean)
        checker.check_fold("fednova", folds.fednova, meta=["steps"])
        for q in (0, 0.1, 1, 3):
            checker.check_fold("qfedavg", folds.qfedavg, meta=["loss"], q=q, lr=0.05)
        for clip in (0.1, 4, 1000):
            checker.check_fold("clipped-mean", folds.clipped_mean, clip=clip)
        checker.check_fold("signsgd", folds.signsgd)
        checker.check_fold("median", folds.median)
    checker.check_optimizer("fedavgm", folds.fedavgm)
    checker.check_optimizer("fedavgm", folds.fedavgm, momentum=0.5, lr=0.3, nesterov=True)
    for rule in ("fedadagrad", "fedadam", "fedyogi"):
        for params in ({"lr": 0.1, "beta1": 0}, {"lr": 0.02, "beta1": 0.9, "tau": 0.1}):
            checker.check_optimizer(
                rule, lambda x, d, rule=rule, **p: folds.adaptive(rule, x, d, **p), **params)
    print(f"{checker.checks} checks, {checker.failures} failed")
    return 1 if checker.failures else 0


if __name__ == "__main__":
    sys.exit(main())
