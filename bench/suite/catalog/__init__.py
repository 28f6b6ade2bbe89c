"""What is measured. The quick suite is the same cases, small and without peers: it shows that they
still run, and its times mean nothing."""

from suite.catalog import fashion, grid, kernels, large, memory, rounds, scale, traffic
from suite.model import Case

# In the order of the page. What takes longest comes last, where a budget ends.
_MODULES = (kernels, rounds, large, memory, scale, traffic, fashion, grid)


def full() -> list[Case]:
    return [case for module in _MODULES for case in module.full()]


def quick() -> list[Case]:
    return [case for module in _MODULES for case in module.quick()]


SUITES = {"full": full, "quick": quick}
