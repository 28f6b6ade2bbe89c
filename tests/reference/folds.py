"""What strategies should give, in NumPy: plain float64, straight from the papers' equations.

A fold takes updates (clients x elements, the changes), samples and what clients report, and returns
the change of the model. An optimizer takes a list of changes, one a round, and returns the models.
"""
import numpy as np


def fedavg(d, n, meta):
    return n @ d / n.sum()


def mean(d, n, meta):
    return d.mean(axis=0)


def fednova(d, n, meta):
    """Wang et al. 2020, equation 8."""
    a, p = meta["steps"], n / n.sum()
    return (p @ a) * (p / a @ d)


def qfedavg(d, n, meta, q, lr):
    """Li et al. 2020, Algorithm 2."""
    loss = meta["loss"] + 1e-10
    w = -d / lr
    h = q * loss ** (q - 1) * (w ** 2).sum(axis=1) + loss ** q / lr
    return -(loss ** q @ w) / h.sum()


def clipped_mean(d, n, meta, clip):
    norms = np.linalg.norm(d, axis=1)
    return (d * np.minimum(1, clip / np.where(norms > 0, norms, 1))[:, None]).mean(axis=0)


def signsgd(d, n, meta):
    return np.sign(np.sign(d).sum(axis=0))


def median(d, n, meta):
    return np.median(d, axis=0)


def fedavgm(x, changes, momentum=0.9, lr=1.0, nesterov=False):
    v, models = np.zeros_like(x), []
    for d in changes:
        v = momentum * v + d
        x = x + lr * (d + momentum * v if nesterov else v)
        models.append(x)
    return models


def adaptive(rule, x, changes, lr, beta1=0.9, beta2=0.99, tau=1e-3):
    """Reddi et al. 2020, Algorithm 2."""
    m, v, models = np.zeros_like(x), np.full_like(x, tau * tau), []
    for d in changes:
        m = beta1 * m + (1 - beta1) * d
        v = {"fedadagrad": v + d * d,
             "fedadam": beta2 * v + (1 - beta2) * d * d,
             "fedyogi": v - (1 - beta2) * d * d * np.sign(v - d * d)}[rule]
        x = x + lr * m / (np.sqrt(v) + tau)
        models.append(x)
    return models
