"""What clients do with a model, and the server after a round."""

import numpy as np


class NoTraining:
    """A client adds a number of its own to what it received.

    It cannot just send it back: SuperLink knows arrays by their SHA-256 and would not have an array
    sent that it holds, so that nothing would be uploaded.
    """

    def __init__(self, spec: dict):
        self.clients, self.params = spec["clients"], spec["params"]

    def initial(self) -> list[np.ndarray]:
        return [np.random.default_rng(1).standard_normal(self.params, dtype=np.float32)]

    def fit(self, arrays: list[np.ndarray], client: int, round_number: int):
        del round_number
        return [a + np.float32((client + 1) / self.clients) for a in arrays], 1

    def evaluate(self, to_arrays) -> None:
        """Nothing: not even the conversion to arrays."""

    def check(self, arrays: list[np.ndarray], rounds: int) -> str | None:
        """What is wrong with the final model."""
        want = self.initial()[0] + rounds * (self.clients + 1) / (2 * self.clients)
        if len(arrays) != 1 or arrays[0].shape != want.shape:
            return f"the model has {[a.shape for a in arrays]}, not {want.shape}"
        error = float(np.abs(arrays[0] - want).max())
        return None if error < 1e-3 * rounds else f"the model is {error} off the mean"


def make(spec: dict):
    if spec["workload"] == "none":
        return NoTraining(spec)
    from skein_peer.fashion import Fashion  # needs torch

    return Fashion(spec)
