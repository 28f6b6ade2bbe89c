"""The learner of examples/fashion_mnist: the same network, data and training, in PyTorch.

python -m skein_peer.fashion SOURCE DIRECTORY unpacks the images into .npy files, once, so that a
process that trains one client maps what it needs and does not unpack 60,000 images for it."""

import gzip
import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

SETS = {"train": 60000, "t10k": 10000}


class Network(nn.Module):
    """28,794 parameters."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3)
        self.conv2 = nn.Conv2d(16, 16, 3)
        self.fc1 = nn.Linear(16 * 5 * 5, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, images):
        x = functional.max_pool2d(functional.relu(self.conv1(images)), 2)
        x = functional.max_pool2d(functional.relu(self.conv2(x)), 2)
        return self.fc2(functional.relu(self.fc1(x.flatten(1))))


def normalized(pixels: torch.Tensor) -> torch.Tensor:
    return pixels.to(torch.float).div_(255).sub_(0.2860).div_(0.3530)


def arrays_of(network: Network) -> list[np.ndarray]:
    return [p.detach().numpy().copy() for p in network.parameters()]


def network_of(arrays: list[np.ndarray]) -> Network:
    network = Network()
    with torch.no_grad():
        for parameter, array in zip(network.parameters(), arrays):
            parameter.copy_(torch.tensor(array))
    return network


class Fashion:
    def __init__(self, spec: dict):
        self.spec = spec
        self.parts: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        self.test: tuple[torch.Tensor, torch.Tensor] | None = None

    def initial(self) -> list[np.ndarray]:
        torch.manual_seed(self.spec["seed"])
        return arrays_of(Network())

    def fit(self, arrays: list[np.ndarray], client: int, round_number: int):
        torch.set_num_threads(1)
        pixels, labels = self._part(client)
        network = network_of(arrays)
        optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
        order = torch.Generator().manual_seed(
            (self.spec["seed"] * 1000 + round_number) * 100000 + client
        )
        for batch in torch.randperm(len(labels), generator=order).split(32):
            optimizer.zero_grad()
            loss = functional.cross_entropy(network(normalized(pixels[batch])), labels[batch])
            loss.backward()
            optimizer.step()
        return arrays_of(network), len(labels)

    def evaluate(self, to_arrays) -> dict[str, float]:
        if self.test is None:
            self.test = self._load("t10k", slice(None))
        network = network_of(to_arrays())
        loss, correct = 0.0, 0
        with torch.no_grad():
            for pixels, labels in zip(*(tensor.split(500) for tensor in self.test)):
                guess = network(normalized(pixels))
                loss += functional.cross_entropy(guess, labels, reduction="sum").item()
                correct += int((guess.argmax(1) == labels).sum())
        count = len(self.test[1])
        return {"loss": loss / count, "accuracy": correct / count}

    def check(self, arrays: list[np.ndarray], rounds: int) -> str | None:
        del rounds
        return None if all(np.isfinite(a).all() for a in arrays) else "the model is not finite"

    def _part(self, client: int) -> tuple[torch.Tensor, torch.Tensor]:
        if client not in self.parts:
            indices = np.load(f"{self.spec['directory']}/split-{client}.npy")
            self.parts[client] = self._load("train", indices)
        return self.parts[client]

    def _load(self, name: str, indices) -> tuple[torch.Tensor, torch.Tensor]:
        base = f"{self.spec['directory']}/{name}"
        pixels = np.load(f"{base}-pixels.npy", mmap_mode="r")[indices]
        labels = np.load(f"{base}-labels.npy")[indices]
        return torch.from_numpy(np.array(pixels)), torch.from_numpy(labels.astype(np.int64))


def prepare(source: Path, directory: Path) -> None:
    spec = json.loads((directory / "request.json").read_text())
    for name, count in SETS.items():
        with gzip.open(source / f"{name}-images-idx3-ubyte.gz") as file:
            pixels = np.frombuffer(file.read(), np.uint8, offset=16)
        with gzip.open(source / f"{name}-labels-idx1-ubyte.gz") as file:
            labels = np.frombuffer(file.read(), np.uint8, offset=8)
        np.save(directory / f"{name}-pixels.npy", pixels.reshape(count, 1, 28, 28))
        np.save(directory / f"{name}-labels.npy", labels.reshape(count))
    if spec["split"] is not None:
        split = json.loads(Path(spec["split"]).read_text())
        if len(split) != spec["clients"]:
            sys.exit(f"{spec['split']} has {len(split)} lists for {spec['clients']} clients")
        if not all(part and 0 <= min(part) and max(part) < SETS["train"] for part in split):
            sys.exit(f"{spec['split']}: each list needs indices from 0 to {SETS['train'] - 1}")
    else:  # the first get one more, as Skein's do
        order = np.random.default_rng(spec["seed"]).permutation(SETS["train"])
        split = np.array_split(order, spec["clients"])
    for client, part in enumerate(split):
        np.save(directory / f"split-{client}.npy", np.asarray(part, dtype=np.int64))


if __name__ == "__main__":
    prepare(Path(sys.argv[1]), Path(sys.argv[2]))
