"""Pseudo-labels: which bodies of a supernet, trained to read digits, would tell how far a digit is turned?

A supernet of three layers with four choices each learns to classify the handwritten digits of scikit-learn. For
another task, by which of four quarters an image is turned, one head is trained for all bodies by latent sampling, put
on each body and tuned for a moment. Beside it stands a head of its own for each body, trained for long: what the
pseudo-label is meant to say.

    python examples/latent_sampling.py
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

from foretell.aio_p.latent_sampling import Batch, Body, LatentSampling, pseudo_label
from foretell.metrics import kendall_tau, spearman_rho

CHANNELS, LAYERS, TURNS = 8, 3, 4
WAYS = ("latent sampling", "body swap")
Path = tuple[int, ...]


class Supernet(nn.Module):
    """Three layers on 8 x 8 images, each a 3x3 or 1x1 convolution, pooling, or nothing at all; residual."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, CHANNELS, 3, padding=1)
        self.layers = nn.ModuleList(
            nn.ModuleList(
                [
                    nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1),
                    nn.Conv2d(CHANNELS, CHANNELS, 1),
                    nn.AvgPool2d(3, 1, 1),
                    nn.Identity(),
                ]
            )
            for _ in range(LAYERS)
        )
        self.classifier = nn.Linear(CHANNELS, 10)

    def features(self, x: torch.Tensor, path: Path) -> torch.Tensor:
        """Feature map of one body."""
        x = torch.relu(self.stem(x))
        for layer, choice in zip(self.layers, path, strict=True):
            x = layer[choice](x) if choice > 1 else x + torch.relu(layer[choice](x))  # type: ignore[index]
        return F.avg_pool2d(x, 2)

    def body(self, path: Path) -> Body:
        """A body as latent sampling sees it: one level."""
        return lambda x: [self.features(x, path)]


def supernet(x: torch.Tensor, y: torch.Tensor, steps: int) -> Supernet:
    """A supernet that reads digits, one random path a step."""
    net = Supernet()
    adam, generator = torch.optim.Adam(net.parameters(), lr=3e-3), torch.Generator().manual_seed(1)
    for _ in range(steps):
        rows = torch.randint(len(x), (64,), generator=generator)
        loss = F.cross_entropy(net.classifier(net.features(x[rows], draw(generator)).mean(dim=(2, 3))), y[rows])
        adam.zero_grad()
        loss.backward()
        adam.step()
    return net.requires_grad_(requires_grad=False)


def draw(generator: torch.Generator, weighted: int | None = None) -> Path:
    """A random path, with so many convolutions if that is given."""
    while True:
        path = tuple(torch.randint(4, (LAYERS,), generator=generator).tolist())
        if weighted is None or sum(choice < 2 for choice in path) == weighted:
            return path


def turned(x: torch.Tensor, generator: torch.Generator) -> Batch:
    """Images, each by a random number of quarters, and that number."""
    turns = torch.randint(TURNS, (len(x),), generator=generator)
    each = torch.stack([torch.rot90(x, k, (2, 3)) for k in range(TURNS)])
    return each[turns, torch.arange(len(x))], turns


def batches(x: torch.Tensor, seed: int) -> Iterator[Batch]:
    """Batches of the task without end."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        yield turned(x[torch.randint(len(x), (64,), generator=generator)], generator)


def measure(bodies: int, steps: int, ways: Sequence[str] = WAYS) -> dict[str, list[float]]:
    """Of some bodies the pseudo-labels by each way, and what a head of their own reaches, "true"."""
    torch.manual_seed(0)
    images, digits = load_digits(return_X_y=True)
    x = torch.tensor(images, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16.0
    net = supernet(x[:1200], torch.tensor(digits)[:1200], steps)
    test = turned(x[1200:], torch.Generator().manual_seed(2))

    def accuracy(network: Callable[[torch.Tensor], torch.Tensor]) -> float:
        return float((network(test[0]).argmax(dim=1) == test[1]).float().mean())

    head = nn.Sequential(nn.Flatten(), nn.Linear(CHANNELS * 16, 32), nn.ReLU(), nn.Linear(32, TURNS))
    bins = {
        "latent sampling": tuple(lambda g, k=k: net.body(draw(g, k)) for k in range(LAYERS + 1)),
        "body swap": (lambda g: net.body(draw(g)),),  # one body at a time has no deviation
    }
    heads = {
        way: LatentSampling(bins[way]).train(head, islice(batches(x[:1200], 3), steps), F.cross_entropy) for way in ways
    }
    generator = torch.Generator().manual_seed(4)
    paths = list(dict.fromkeys(draw(generator) for _ in range(bodies)))

    def labels(start: nn.Module, steps: int, learning_rate: float) -> list[float]:
        how = {"steps": steps, "learning_rate": learning_rate}
        return [
            pseudo_label(net.body(path), start, batches(x[:1200], 5), F.cross_entropy, accuracy, **how)
            for path in paths
        ]

    found = {way: labels(shared, 20, 1e-3) for way, shared in heads.items()}
    return {**found, "true": labels(head, steps, 3e-3)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bodies", type=int, default=60)
    parser.add_argument("--steps", type=int, default=600)
    found = measure(**vars(parser.parse_args()))
    true = found.pop("true")
    for name, values in found.items():
        tau, rho = kendall_tau(true, values), spearman_rho(true, values)
        print(f"{name}: rank correlation with the true labels of {len(true)} bodies: tau {tau:.2f}, rho {rho:.2f}")
