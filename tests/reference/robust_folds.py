"""Robust folds against NumPy: robust_folds.py FOLD_ROWS. Each rule is written here once more, from its paper."""

import subprocess
import sys

import numpy as np

TOLERANCE = 1e-6


def median(rows, samples):
    return np.median(rows, axis=0)


def trimmed_mean(rows, samples, trim=None, beta=0.2):
    b = trim if trim is not None else int(np.floor(beta * len(rows) + 1e-9))
    return np.sort(rows, axis=0)[b : len(rows) - b].mean(axis=0)


def scores(rows, f):
    distances = ((rows[:, None, :] - rows[None, :, :]) ** 2).sum(axis=2)
    nearest = max(1, len(rows) - f - 2)
    np.fill_diagonal(distances, np.inf)
    ordered = np.sort(distances, axis=1)[:, : min(nearest, len(rows) - 1)]
    return ordered.sum(axis=1)


def krum(rows, samples, f):
    return rows[np.argmin(scores(rows, f))]


def multi_krum(rows, samples, f, m=None):
    m = m if m is not None else len(rows) - f - 2
    return rows[np.argsort(scores(rows, f), kind="stable")[:m]].mean(axis=0)


def bulyan(rows, samples, f):
    left = list(range(len(rows)))
    selected = []
    while len(selected) < len(rows) - 2 * f:
        selected.append(left.pop(int(np.argmin(scores(rows[left], f)))))
    chosen = np.sort(rows[selected], axis=0)  # of two as far from the median the lower one
    order = np.argsort(np.abs(chosen - np.median(chosen, axis=0)), axis=0, kind="stable")
    return np.take_along_axis(chosen, order[: len(selected) - 2 * f], axis=0).mean(axis=0)


def geometric_median(rows, samples, iterations=3, nu=1e-6, weights="samples"):
    alpha = samples / samples.sum() if weights == "samples" else np.full(len(rows), 1 / len(rows))
    v = alpha @ rows
    for _ in range(iterations):
        beta = alpha / np.maximum(nu, np.linalg.norm(rows - v, axis=1))
        v = beta @ rows / beta.sum()
    return v


def centered_clipping(rows, samples, clip, iterations=3):
    v = np.zeros(rows.shape[1])
    for _ in range(iterations):
        distances = np.maximum(np.linalg.norm(rows - v, axis=1, keepdims=True), 1e-300)
        v = v + ((rows - v) * np.minimum(1, clip / distances)).mean(axis=0)
    return v


RULES = {
    "median": median,
    "trimmed-mean": trimmed_mean,
    "krum": krum,
    "multi-krum": multi_krum,
    "bulyan": bulyan,
    "geometric-median": geometric_median,
    "centered-clipping": centered_clipping,
}


def cases(rng):
    for trial in range(25):
        f = int(rng.integers(0, 4))
        n = int(4 * f + 5 + rng.integers(0, 30))
        d = int(rng.choice([1, 7, 64, 1000]))
        rows = rng.normal(size=(n, d)).astype(np.float32)
        far = rng.choice(n, size=f, replace=False)
        rows[far] = (30 * rng.normal(size=(f, d))).astype(np.float32)
        samples = rng.integers(1, 1000, size=n)
        for name, params in [
            ("median", {}),
            ("trimmed-mean", {"trim": f}),
            ("trimmed-mean", {"beta": 0.29}),
            ("krum", {"f": f}),
            ("multi-krum", {"f": f}),
            ("multi-krum", {"f": f, "m": int(rng.integers(1, n - f + 1))}),
            ("bulyan", {"f": f}),
            ("centered-clipping", {"clip": 3}),
            ("centered-clipping", {"clip": 0.5, "iterations": 8}),
            ("geometric-median", {}),
            ("geometric-median", {"iterations": 9, "nu": 0.001, "weights": "uniform"}),
        ]:
            yield name, params, samples, rows


def main():
    rng = np.random.default_rng(20260101)
    tried = list(cases(rng))
    text = []
    for name, params, samples, rows in tried:
        given = ",".join(f"{key}={value}" for key, value in params.items()) or "-"
        text.append(f"{name} {given} {rows.shape[0]} {rows.shape[1]}")
        text.append(" ".join(str(n) for n in samples))
        text.extend(" ".join(f"{value:.9g}" for value in row) for row in rows)
    done = subprocess.run([sys.argv[1]], input="\n".join(text), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{sys.argv[1]}: {done.stderr}")
    results = done.stdout.splitlines()
    if len(results) != len(tried):
        sys.exit(f"{len(tried)} cases, {len(results)} results")
    worst = 0.0
    for (name, params, samples, rows), line in zip(tried, results):
        result = np.array([float(word) for word in line.split()])
        expected = RULES[name](rows.astype(np.float64), samples, **params)
        if name == "krum" and not np.array_equal(result.astype(np.float32), expected.astype(np.float32)):
            sys.exit(f"{name} {params}: another row was chosen of {rows.shape}")
        error = np.max(np.abs(result - expected) / np.maximum(1, np.abs(expected)))
        worst = max(worst, error)
        if not error <= TOLERANCE:
            sys.exit(f"{name} {params}, {rows.shape}: {error} off")
    print(f"{len(tried)} cases, at most {worst:.2g} off")


if __name__ == "__main__":
    main()
